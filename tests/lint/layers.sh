#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Includes go down only (docs/architecture.md). A room is a folder; its row names the rooms that its files may
# include beside their own. A room that has no row is part of the one above it.
set -eu
cd "$(dirname "$0")/../.."

rows='
runtime/base
runtime            runtime/base
runtime/passes     runtime/base runtime
runtime/ops        runtime/base runtime
runtime/cpu        runtime/base runtime
runtime/vulkan     runtime/base runtime shaders
datasets           runtime/base
nn                 runtime/base runtime
sam                runtime/base runtime nn datasets
ood/metrics        runtime/base
ood/scores         runtime/base runtime nn ood/metrics
ood/results        runtime/base nn ood/scores ood/metrics
ood/report         runtime/base datasets ood/scores ood/metrics ood/results
ood                runtime/base runtime nn datasets ood/scores ood/metrics ood/results
tools/jobs         runtime/base runtime nn datasets sam ood
tools/cli          runtime/base runtime nn datasets sam ood tools/jobs
tools/reproduce    runtime/base runtime nn datasets sam ood tools/jobs
tools              runtime/base runtime nn datasets sam ood tools/jobs tools/cli tools/reproduce
'

find runtime nn datasets sam ood tools -name '*.[ch]' -exec grep -Ho '^#include "[^"]*"' {} + |
    sed 's/:#include "\(.*\)"/ \1/' |
    awk -v rows="$rows" '
    # The room of a path: the longest row that it starts with.
    function room_of(path) {
        while (sub(/\/[^\/]*$/, "", path)) if (path in may) return path
        return path
    }
    function allowed(from, to,    i, n, list) {
        if (from == to) return 1
        n = split(may[from], list, " ")
        for (i = 1; i <= n; i++) {
            if (to == list[i]) return 1
            if (index(to, list[i] "/") == 1 && list[i] != "runtime") return 1
        }
        return 0
    }
    BEGIN {
        n = split(rows, line, "\n")
        for (i = 1; i <= n; i++) if (split(line[i], word, " ")) {
            may[word[1]] = ""
            for (k = 2; k in word; k++) may[word[1]] = may[word[1]] " " word[k]
            for (k in word) delete word[k]
        }
    }
    {
        from = room_of($1); to = room_of($2)
        if (allowed(from, to)) next
        printf "%s: includes \"%s\"; %s/ may include only its own files and:%s\n", $1, $2, from, may[from]
        bad = 1
    }
    END { exit bad }' >&2

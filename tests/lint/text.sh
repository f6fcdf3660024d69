#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Text hygiene of what git knows: no blanks at line ends, no tabs in C, no long lines, a licence line first,
# newline at the end; and results are printed where control characters are taken out (sft_print_line,
# sft_text_print).
set -eu
cd "$(dirname "$0")/../.."
git rev-parse --is-inside-work-tree >/dev/null 2>&1 || exit 0

bad=0
complain() {
    [ -z "$1" ] || {
        printf '%s\n' "$1" | sed "s/\$/: $2/" >&2
        bad=1
    }
}

text() { git ls-files -- "$@" | while read -r file; do [ ! -f "$file" ] || printf '%s\n' "$file"; done; }

complain "$(text '*.[ch]' '*.comp' '*.glsl' '*.def' '*.inc' '*.md' '*.sh' '*.txt' '*.py' dev .ci/run |
    grep -v '^tests/golden/' | xargs grep -n '[[:blank:]]$' 2>/dev/null | cut -d: -f1,2)" \
    "blank at the end of the line"
complain "$(text '*.[ch]' '*.comp' '*.glsl' '*.def' '*.sh' dev .ci/run |
    LC_ALL=C.UTF-8 xargs grep -nE '^.{111,}' 2>/dev/null | cut -d: -f1,2)" "longer than 110 columns"
complain "$(text '*.[ch]' '*.comp' '*.glsl' | xargs grep -nP '\t' 2>/dev/null | cut -d: -f1,2)" "tab"
complain "$(text '*.[ch]' | while read -r file; do
    [ "$(head -n 1 "$file")" = '/* SPDX-License-Identifier: Apache-2.0 */' ] || echo "$file"
done)" "first line is not the licence line"
complain "$(text '*.[ch]' '*.comp' '*.glsl' '*.md' '*.sh' | while read -r file; do
    [ -z "$(tail -c 1 "$file")" ] || echo "$file"
done)" "no newline at the end"
complain "$(git grep -nE '^([^*]*[^[:alnum:]_*])?(printf|puts|putchar)\(' -- \
    'tools/*.c' 'sam/*.c' 'ood/*.c' 'nn/*.c' 'datasets/*.c' |
    cut -d: -f1,2)" "prints on stdout; use sft_print_line()"
exit $bad

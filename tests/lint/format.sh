#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# clang-format on the C files that differ from the main branch (all of them with FORMAT_ALL=1). The style is
# written for version 14; other versions break some lines elsewhere, so they only report.
set -eu
cd "$(dirname "$0")/../.."
command -v clang-format >/dev/null 2>&1 || {
    echo "format: clang-format is not installed, skipped" >&2
    exit 0
}
git rev-parse --is-inside-work-tree >/dev/null 2>&1 || exit 0

base=$(git merge-base HEAD origin/main 2>/dev/null || git rev-parse HEAD)
if [ -n "${FORMAT_ALL:-}" ]; then
    files=$(git ls-files -- '*.[ch]')
else
    files=$(git diff --name-only --diff-filter=d "$base" -- '*.[ch]')
fi
[ -n "$files" ] || exit 0
status=0
# shellcheck disable=SC2086 # a list of words
clang-format --dry-run -Werror $files || status=1
clang-format --version | grep -q 'version 14\.' || status=0
exit $status

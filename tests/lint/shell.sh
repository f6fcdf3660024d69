#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Every shell script through shellcheck, where that is installed.
set -eu
cd "$(dirname "$0")/../.."
command -v shellcheck >/dev/null 2>&1 || {
    echo "shell: shellcheck is not installed, skipped" >&2
    exit 0
}
find . -name 'build*' -prune -o -type f \( -name '*.sh' -o -path ./dev -o -path ./.ci/run \) \
    -exec shellcheck -x -S warning {} +

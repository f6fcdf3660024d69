#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Every shell script through shellcheck, where that is installed.
set -eu
cd "$(dirname "$0")/../.."
command -v shellcheck >/dev/null 2>&1 || {
    echo "shell: shellcheck is not installed, skipped" >&2
    exit 0
}
find dev .ci/run tests models -type f \( -name '*.sh' -o -name dev -o -name run \) -exec shellcheck -x -S warning {} +

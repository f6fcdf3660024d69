# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# For the tests of the command line: run as `sh test_NAME.sh PROGRAM EXAMPLE`, on the CPU, in a folder that is
# empty and goes away.
set -u
program=$1
root=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck disable=SC2034 # for the tests
weights=$root/models/synthetic.safetensors
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch" || exit 1
failures=0
unset SFT_VK_THREADS SFT_VK_LOG
SFT_VK_DEVICE=cpu
export SFT_VK_DEVICE

# expect CODE PATTERN ARGUMENT...: the program exits with CODE and says (on stdout or stderr) what PATTERN, an
# extended regular expression, matches.
expect() {
    code=$1 pattern=$2
    shift 2
    "$program" "$@" >out 2>err </dev/null
    got=$?
    if [ "$got" -ne "$code" ]; then
        echo "FAILED: sft-vk $*: exit code $got instead of $code"
        cat err
        failures=$((failures + 1))
    elif ! cat out err | grep -Eq -- "$pattern"; then
        echo "FAILED: sft-vk $*: says nothing that matches: $pattern"
        cat out err
        failures=$((failures + 1))
    fi
}

# check NAME COMMAND...: COMMAND succeeds.
check() {
    name=$1
    shift
    "$@" && return
    echo "FAILED: $name"
    failures=$((failures + 1))
}

# For check: two files are alike; a file has what the pattern matches, or lacks it.
same() { cmp -s "$1" "$2"; }
has() { grep -q -- "$2" "$1"; }
lacks() { ! grep -q -- "$2" "$1"; }

finish() {
    [ "$failures" -eq 0 ] && echo "all as expected"
    exit $((failures > 0))
}

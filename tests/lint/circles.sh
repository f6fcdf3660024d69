#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# No files that need each other in a circle. A file here is NAME.c and NAME.h together. It needs another one
# when it includes its header, or when its object uses a name that the other's object alone defines.
#
#     circles.sh [BUILD-FOLDER]      default: build
set -eu
cd "$(dirname "$0")/../.."
build=${1:-build}
folders='runtime nn datasets sam ood tools'
[ -d "$build/runtime" ] || {
    echo "circles: $build/ holds no build; run ./dev build first" >&2
    exit 1
}

# "FROM TO" for each include of a header.
includes() {
    # shellcheck disable=SC2086 # a list of words
    find $folders -name '*.[ch]' -exec grep -Ho '^#include "[^"]*\.h"' {} + |
        sed 's/\.[ch]:#include "\(.*\)\.h"/ \1/'
}

# The objects of the build whose source is still there.
objects() {
    for folder in $folders; do find "$build/$folder" -name '*.c.o'; done | while read -r object; do
        source=$(printf '%s\n' "${object#"$build"/}" | sed 's|CMakeFiles/[^/]*\.dir/||; s|\.o$||')
        [ ! -f "$source" ] || printf '%s\n' "$object"
    done
}

# "FROM TO" for each use of a name. What several objects define (kernels compiled for each instruction set) is
# nobody's.
uses() {
    objects | xargs nm -A -P |
        sed -e "s|^$build/||" -e 's|CMakeFiles/[^/]*\.dir/||' -e 's|\.c\.o: | |' |
        awk 'BEGIN { n = 0 }
             $3 ~ /[TDRBV]/ { owner[$2] = owner[$2] == "" || owner[$2] == $1 ? $1 : "nobody" }
             $3 == "U" { from[n] = $1; name[n++] = $2 }
             END { for (i = 0; i < n; i++) print from[i], owner[name[i]] }' |
        awk 'NF == 2 && $2 != "nobody"'
}

# tsort tells of each circle on its standard error.
circles=$({ includes && uses; } | awk '$1 != $2' | sort -u | tsort 2>&1 >/dev/null) || {
    printf '%s\n' "$circles" |
        sed 's/^tsort: //; s/.*input contains a loop:/circles: files that need each other:/' >&2
    exit 1
}

#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Includes go down only (docs/architecture.md): each folder may include the folders in its row.
set -eu
cd "$(dirname "$0")/../.."

allowed() {
    case $1 in
    tools) echo "tools sam ood nn datasets runtime" ;;
    sam) echo "sam nn datasets runtime" ;;
    ood) echo "ood nn datasets runtime" ;;
    nn) echo "nn runtime" ;;
    datasets) echo "datasets runtime" ;;
    runtime) echo "runtime shaders" ;;
    esac
}

# datasets/ knows no device: of runtime/ only what needs neither graph nor backend.
foundation="status log alloc clock shape rng parallel file"

bad=0
for folder in tools sam ood nn datasets runtime; do
    permitted=$(allowed $folder)
    for line in $(find "$folder" -name '*.[ch]' -exec grep -Ho '^#include "[^"]*"' {} + | sed 's/#include "\(.*\)"/\1/'); do
        file=${line%%:*} target=${line#*:}
        case " $permitted " in
        *" ${target%%/*} "*) ;;
        *)
            echo "$file: includes \"$target\"; $folder/ may include only: $permitted" >&2
            bad=1
            ;;
        esac
        [ "$folder" = datasets ] || continue
        case $target in runtime/*) ;; *) continue ;; esac
        name=${target#runtime/}
        case " $foundation " in
        *" ${name%.h} "*) ;;
        *)
            echo "$file: includes \"$target\"; datasets/ may include of runtime/ only: $foundation" >&2
            bad=1
            ;;
        esac
    done
done
exit $bad

#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Machines that allow little (cores, memory, stacks, files), signals as supervisors send them, and files
# that are none, links, cut off, or both read and written.
# shellcheck source=tests/tools/lib.sh
. "$(dirname "$0")/lib.sh"
set -- finetune --weights "$weights" --id synthetic --limit 32 --batch 4 --quiet
plain=true # no sanitizer, which needs terabytes of addresses
grep -q __asan_init "$program" && plain=false

# limited LIMIT ARGUMENT...: the program under `ulimit LIMIT`; its exit code in $got.
limited() {
    limit=$1
    shift
    # shellcheck disable=SC2086 # an option and its value
    (ulimit $limit && exec "$program" "$@") >out 2>err </dev/null
    got=$?
}

# wait_for COMMAND...: until it succeeds, for a minute at most.
wait_for() {
    tries=0
    while ! "$@" 2>/dev/null && [ $tries -lt 600 ]; do
        sleep 0.1
        tries=$((tries + 1))
    done
}

# ---- what the machine allows ----

if command -v taskset >/dev/null && [ "$(nproc)" -gt 1 ]; then
    taskset -c 0 "$program" "$@" --steps 1 --out pinned >out 2>err
    check "one core allowed, one thread" has pinned/run.json '"threads": 1[,}]*$'
fi
expect 2 'threads' "$@" --steps 1 --threads 257 --out many
SFT_VK_THREADS=257
export SFT_VK_THREADS
expect 2 'SFT_VK_THREADS' "$@" --steps 1 --out many
unset SFT_VK_THREADS

if $plain; then
    VK_DRIVER_FILES=/nonexistent
    export VK_DRIVER_FILES
    limited '-v 150000' --version
    check "--version needs no memory" [ $got -eq 0 ]
    limited '-v 200000' devices
    check "neither does the list of devices" [ $got -eq 0 ]
    limited '-v 200000' "$@" --steps 1 --out narrow
    check "no memory for products: exit code 5 and not $got" [ $got -eq 5 ]
    check "and what to do" has err 'ulimit -v'
    check "and nothing stays" [ ! -e narrow ]
    limited '-v 100000' "$@" --steps 1 --out narrow
    check "no memory to load OpenBLAS: exit code 5 and not $got" [ $got -eq 5 ]
    limited '-s 64' "$@" --steps 1 --out shallow
    check "a small stack does not matter" [ $got -eq 0 ]
    unset VK_DRIVER_FILES
fi
limited '-f 20' "$@" --steps 1 --out short
check "a file that may not grow: exit code 6 and not $got" [ $got -eq 6 ]
check "with the reason" has err '\.safetensors: cannot be written'
check "and no part of it" [ -z "$(find short -name '*.part')" ]
for files in 4 5 6; do # and the few that are open already
    limited "-n $files" "$@" --steps 1 --out "open$files"
    case $got in
    [0-6] | 127) ;; # 127: too few for the libraries
    *) check "few files may be open: a documented exit code and not $got" false ;;
    esac
    check "and no part of a file" [ -z "$(find . -name '*.part')" ]
done

# ---- signals ----

"$program" "$@" --steps 100000 --save-every 0 --out pair >out 2>err </dev/null &
job=$!
wait_for [ -s pair/metrics.jsonl ]
kill -TERM $job
kill -TERM $job
wait $job
check "a pair of signals is one wish" [ $? -eq 143 ]
check "and the state is saved" [ -s pair/checkpoint.safetensors ]

# ---- files ----

mkfifo pipe
expect 4 'pipe: not a regular file' inspect pipe
expect 4 'pipe: not a regular file' predict --weights pipe --images synthetic --output msp --out y.npy
expect 4 'pipe: not a regular file' predict --weights "$weights" --images list:pipe --output msp --out y.npy
expect 6 'pipe: not a regular file' calibrate --weights "$weights" --id synthetic --limit 8 --out pipe \
    --overwrite

expect 0 . eval --weights "$weights" --id 'synthetic#test' --ood b=synthetic:letters --limit 8 --out run
rm -r run/plots
mkdir outside
ln -s ../outside run/plots
expect 6 'run/plots: a link' report run
expect 6 'run/plots: a link' eval --weights "$weights" --id 'synthetic#test' --ood b=synthetic:letters \
    --limit 8 --out run --overwrite
check "and what was there stays" [ -s run/results.json ]
mkdir seeds
ln -s ../outside seeds/seed-1
printf '{"program": "sft-vk"}' >seeds/run.json
expect 6 'seeds/seed-1: a link' finetune --weights "$weights" --id synthetic --steps 1 --seeds 2 \
    --out seeds --overwrite
check "no chart outside the run" [ -z "$(ls outside)" ]

# ---- outputs that are inputs ----

cp "$weights" w.safetensors
ln -s w.safetensors link.safetensors
ln w.safetensors twin.safetensors
expect 2 'would replace what --weights' calibrate --weights w.safetensors --id synthetic --limit 8 \
    --out w.safetensors --overwrite
expect 2 'would replace what --weights' calibrate --weights link.safetensors --id synthetic --limit 8 \
    --out ./w.safetensors --overwrite
expect 2 'would replace what --weights' finetune --weights w.safetensors --id synthetic --steps 1 --out run2 \
    --dump-gradients twin.safetensors
printf 'x\n' >'l#1.txt'
mkdir set
cp run/examples.json 'set/a.png'
expect 2 'would replace what --images' predict --weights w.safetensors --images 'list:l#1.txt' \
    --output msp --out 'l#1.txt' --overwrite
expect 2 'would replace what --images' predict --weights w.safetensors --images folder:set --output msp \
    --out set/a.png --overwrite
check "they are as they were" same w.safetensors "$weights"

# ---- files that are cut off ----

# From 16 MiB on files stay where they are: labels 0, black pictures.
head -c 18438000 /dev/zero >large.bin
"$program" finetune --weights "$weights" --id cifar-bin:large.bin --batch 2 --steps 100000 --save-every 0 \
    --force --out cut \
    >out 2>err </dev/null &
job=$!
wait_for [ -s cut/metrics.jsonl ]
: >large.bin
wait $job
check "a file cut off in use is exit code 4" [ $? -eq 4 ]
check "with its name" has err 'large.bin: was cut off'
check "and the steps before it are kept" [ -s cut/checkpoint.safetensors ]

finish

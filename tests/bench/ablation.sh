#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The ablation behind the defaults below 120 pixels (docs/results.md): one fine-tuning run a row, all else as
# in the first.
#     tests/bench/ablation.sh WEIGHTS DATA OUT
# DATA holds the packs by name. ID images are the last 2500 training images, which WEIGHTS must not have seen;
# of each OOD pack the first 500 images are looked at. Prints FPR95 and AUROC of Energy, averaged over the
# packs, and the accuracy.
set -eu
weights=$1 data=$2 out=$3
program=${SFT_VK:-build/tools/sft-vk}

row() {
    name=$1
    shift
    sets=''
    for pack in mnist_m textures tin_scenes_crop tin_scenes_resize tin_objects_resize intel_scenes; do
        sets="$sets --eval-ood $pack=cifar-bin:$data/$pack/test.bin.xz[0:500]"
    done
    # shellcheck disable=SC2086 # a list of words
    "$program" finetune --quiet --weights "$weights" --id "cifar10:$data/cifar10#train[0:47500]" \
        --eval-id "cifar10:$data/cifar10#train[47500:]" $sets --score energy --pseudo-mode jigsaw \
        --jigsaw-sizes 2,4,8,16 --lr 1e-3 --lambda 0.25 --rho 0.1 --batch 64 --steps 50 \
        --out "$out/$name" --overwrite "$@" >"$out/$name.txt"
    awk -v name="$name" '
        /before/ && /Energy/ { before = $(NF-1) " " $NF }
        $1 == "after" { after = $(NF-1) " " $NF }
        /^accuracy/ { accuracy = $0 }
        END { printf "%-24s before %s  after %s  %s\n", name, before, after, accuracy }' "$out/$name.txt"
}

mkdir -p "$out"
row base
for lr in 3e-4 3e-3; do row "lr-$lr" --lr $lr; done
for lambda in 0.1 0.2 0.3 1; do row "lambda-$lambda" --lambda $lambda; done
for lr in 1e-4 2e-4 3e-4; do row "lambda-1-lr-$lr" --lambda 1 --lr $lr; done
row lambda-0.5-lr-4e-4 --lambda 0.5 --lr 4e-4
row lambda-0.3-lr-6e-4 --lambda 0.3 --lr 6e-4
for mode in compose half both random rgb; do row "mode-$mode" --pseudo-mode $mode; done
for sizes in 2 4 8 16 2,4 4,8 8,16; do row "sizes-$sizes" --jigsaw-sizes $sizes; done
row unit-grid --jigsaw-unit grid --jigsaw-sizes 2,3,5,10
for rho in 0 0.05 0.2 0.5; do row "rho-$rho" --rho $rho; done
for batch in 32 128; do row "batch-$batch" --batch $batch; done
for steps in 25 100; do row "steps-$steps" --steps $steps; done
row "draw-image" --jigsaw-draw image

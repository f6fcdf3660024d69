#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# calibrate and predict: thresholds, verdicts as they come, and what damaged or foreign calibration files are
# answered with.
# shellcheck source=tests/tools/lib.sh
. "$(dirname "$0")/lib.sh"

count() { grep -c "$2" "$1"; }

# ---- a threshold that 90 % of the images reach, told by the same images ----
expect 0 'Energy: in-distribution from' calibrate --weights "$weights" --id 'synthetic#test[0:40]' \
    --recall 0.9 --out e.cal
expect 2 'is there already' calibrate --weights "$weights" --id 'synthetic#test[0:40]' --out e.cal
expect 0 '"verdict": "id"' predict --weights "$weights" --calibration e.cal --images 'synthetic#test[0:40]'
check "a verdict a line" [ "$(wc -l <out)" -eq 40 ]
check "90 % of them are in-distribution" [ "$(count out '"verdict": "id"')" -eq 36 ]
verdicts() { sed 's/, "score.*//' "$1"; }
verdicts out >all.txt
expect 0 'seven.jsonl: verdicts of 40' predict --weights "$weights" --calibration e.cal \
    --images 'synthetic#test[0:40]' --batch 7 --out seven.jsonl
verdicts seven.jsonl >seven.txt
check "verdicts do not depend on the batch" cmp -s all.txt seven.txt
expect 0 'class_name' predict --weights "$weights" --calibration e.cal --images synthetic:noise --limit 3

# ---- statistics ----
expect 0 'KNN' calibrate --weights "$weights" --id 'synthetic#test[0:40]' --fit 'synthetic#train[0:100]' \
    --score knn,mahalanobis,klm,vim --out s.cal
expect 0 'knn of 20 images' predict --weights "$weights" --calibration s.cal --images synthetic --limit 20 \
    --output knn --out knn.npy
expect 0 'vim of 20 images' predict --weights "$weights" --calibration s.cal --images synthetic --limit 20 \
    --output vim --out vim.npy
expect 2 'holds no statistics of energy' predict --weights "$weights" --calibration s.cal --images synthetic \
    --limit 5 --output energy --out y.npy
expect 2 'needs statistics' predict --weights "$weights" --images synthetic --limit 5 --output knn --out y.npy
expect 4 'none has a spread' calibrate --weights "$weights" --id 'synthetic#test[0:10]' --score mahalanobis \
    --out x.cal
expect 0 'left out of the distance; take more' calibrate --weights "$weights" --id 'synthetic#test[0:40]' \
    --score mahalanobis --out few.cal
expect 4 'class . has none' calibrate --weights "$weights" --id 'synthetic#test[0:4]' --score she --out x.cal
expect 4 'need labels' calibrate --weights "$weights" --id synthetic:noise --limit 20 --score she --out x.cal
expect 4 'images to fit on' calibrate --weights "$weights" --id 'synthetic#test[0:20]' --score knn --out x.cal
check "what failed leaves no file" [ ! -e x.cal ]

expect 0 'knn' eval --weights "$weights" --id 'synthetic#test[0:40]' --ood noise=synthetic:noise --limit 40 \
    --score knn,vim --fit 'synthetic#train[0:100]' --json
grep -v '^sft-vk' out >fitted.json
expect 0 'knn' eval --weights "$weights" --id 'synthetic#test[0:40]' --ood noise=synthetic:noise --limit 40 \
    --score knn,vim --calibration s.cal --json
check "statistics from the file are those that were fitted" cmp -s fitted.json out
expect 2 'needs --fit SPEC, or a --calibration' eval --weights "$weights" --id 'synthetic#test[0:40]' \
    --ood noise=synthetic:noise --limit 40 --score react --calibration s.cal

# ---- files that do not fit ----
expect 2 'needs --calibration' predict --weights "$weights" --images synthetic --output verdicts
expect 4 'not a calibration file' predict --weights "$weights" --calibration "$weights" --images synthetic
expect 4 'missing.cal' predict --weights "$weights" --calibration missing.cal --images synthetic
expect 4 'other weights' predict --weights "$root/models/resnetv2_20_gn_cifar10.safetensors" \
    --calibration e.cal --images synthetic
head -c 3000 s.cal >cut.cal
expect 4 'cut off|damaged' predict --weights "$weights" --calibration cut.cal --images synthetic
size=$(wc -c <s.cal)
{
    head -c $((size - 50)) s.cal
    printf 'XXXX'
    tail -c 46 s.cal
} >changed.cal
expect 4 'damaged calibration file' predict --weights "$weights" --calibration changed.cal --images synthetic

finish

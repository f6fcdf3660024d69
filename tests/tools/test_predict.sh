#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# predict: arrays of logits, features and scores; bad input. For verdicts see test_calibrate.sh.
# shellcheck source=tests/tools/lib.sh
. "$(dirname "$0")/lib.sh"

expect 0 'logits of 5 images' predict --weights "$weights" --images synthetic --limit 5 --out y.npy
check "float32 in a .npy" [ "$(wc -c <y.npy)" -eq $((128 + 5 * 10 * 4)) ]
expect 2 'is there already' predict --weights "$weights" --images synthetic --limit 5 --out y.npy
expect 0 'energy of 5' predict --weights "$weights" --images synthetic --limit 5 --output energy --out y.npy \
    --overwrite
expect 0 'features of 5' predict --weights "$weights" --images synthetic --limit 5 --output features \
    --out f.npy
expect 2 'needs --input X.npy or --images' predict --weights "$weights" --out z.npy
expect 2 'did you mean energy' predict --weights "$weights" --images synthetic --output enrgy --out z.npy
expect 4 'missing.npy' predict --weights "$weights" --input missing.npy --out z.npy
expect 4 'rank|shape|float32' predict --weights "$weights" --input y.npy --out z.npy
expect 6 . predict --weights "$weights" --images synthetic --limit 5 --out no-folder/z.npy

# A picture is a SPEC.
photo=$root/tests/golden/datasets/420.jpg
expect 0 'energy of 1 image' predict --weights "$weights" --images "$photo" --output energy --out one.npy
printf 'RIFF....WEBP' >photo.webp
expect 4 'photo.webp: a WebP picture' predict --weights "$weights" --images photo.webp --output energy \
    --out two.npy

finish

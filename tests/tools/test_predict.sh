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
printf 'GIF89a......' >photo.gif
expect 4 'photo.gif: a GIF picture' predict --weights "$weights" --images photo.gif --output energy \
    --out two.npy

# ---- arrays of floats ----
array() { # NAME DESCR BYTES: two images, all values 0
    header="{'descr': '$2', 'fortran_order': False, 'shape': (2, 32, 32, 3), }"
    printf '\223NUMPY\1\0\166\0%-117s\n' "$header" >"$1"
    head -c "$3" /dev/zero >>"$1"
}
array single.npy '<f4' 24576
array double.npy '<f8' 49152
expect 0 'logits of 2 images' predict --weights "$weights" --input single.npy --out a.npy
expect 0 'logits of 2 images' predict --weights "$weights" --input double.npy --out b.npy
check "floats of either size are the same images" same a.npy b.npy
head -c 24700 single.npy >nan.npy
printf '\0\0\300\177' >>nan.npy
expect 4 'image 1 of the array: element 6143 is nan' predict --weights "$weights" --input nan.npy --out c.npy
head -c 24700 single.npy >large.npy
printf '\0\0\177\103' >>large.npy
expect 0 'has to be normalised already; there is a 255 in it' predict --weights "$weights" \
    --input large.npy --out c.npy

finish

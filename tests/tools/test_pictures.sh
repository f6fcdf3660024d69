#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Damaged pictures: one among many costs one line of verdicts; everything else knows it before it computes.
# shellcheck source=tests/tools/lib.sh
. "$(dirname "$0")/lib.sh"

golden=$root/tests/golden/datasets

# Ten classes as the model has them, two pictures each; three of them are none.
for class in 0 1 2 3 4 5 6 7 8 9; do
    mkdir -p good/$class photographs
    cp "$golden/rgb.png" good/$class/a.png
    cp "$golden/420.jpg" good/$class/b.jpg
    cp "$golden/rgb.png" photographs/$class.png
done
cp -r good bad
: >bad/3/b.jpg
printf 'not a picture' >bad/7/a.png
head -c 60 "$golden/rgb.png" >photographs/4.png

# ---- beforehand ----
expect 0 '20 of 20 pictures can be read' inspect --check good
expect 4 '18 of 20 pictures can be read' inspect --check bad
check "the empty one is named" has out '3/b.jpg'
check "the one that is none is named" has out '7/a.png'
expect 4 '"bad": \[' inspect --check bad --json
check "with its name" has out '"image": ".*3/b.jpg"'

# ---- verdicts ----
expect 0 . calibrate --weights "$weights" --id 'synthetic#test' --limit 40 --out e.cal
verdicts() {
    code=$1 pattern=$2
    shift 2
    expect "$code" "$pattern" predict --weights "$weights" --calibration e.cal --batch 3 \
        --images photographs "$@"
}
verdicts 4 '1 of 10 images could not be read'
check "nine verdicts" [ "$(grep -c '"verdict"' out)" -eq 9 ]
check "a line with the error" has out '"image": ".*4.png", "error": ".*4.png: '
verdicts 0 . --skip-bad
check "ten lines" [ "$(wc -l <out)" -eq 10 ]
echo yesterday >v.jsonl
verdicts 4 'v.jsonl stays as it was' --out v.jsonl --overwrite
check "older verdicts stay" has v.jsonl yesterday
check "the others' are beside them" [ "$(grep -c '"verdict"' v.jsonl.part)" -eq 9 ]
verdicts 0 'v.jsonl: verdicts' --out v.jsonl --overwrite --skip-bad
check "ten lines in the file" [ "$(wc -l <v.jsonl)" -eq 10 ]

# ---- arrays, which have no place for an error ----
scores() {
    code=$1 pattern=$2
    shift 2
    expect "$code" "$pattern" predict --weights "$weights" --output energy "$@"
}
scores 4 'nothing was computed' --images photographs --out y.npy
check "no array" [ ! -e y.npy ]
scores 0 '1 of 10 images could not be read' --images photographs --out y.npy --skip-bad
check "NaN in its place" [ "$(tail -c +145 y.npy | head -c 4 | od -An -tx1 | tr -d ' ')" = 0000c07f ]

# ---- runs ----
expect 4 'nothing was computed' eval --weights "$weights" --id good --ood x=photographs --out run
check "no folder" [ ! -e run ]
expect 0 '18 of 20|2 of 20 pictures cannot be read and are left out' eval --weights "$weights" --id bad \
    --ood 'x=synthetic:letters[0:9]' --skip-bad --json
check "18 images" has out '"n_id": 18'
expect 4 'nothing was computed' calibrate --weights "$weights" --id bad --out bad.cal
check "no calibration" [ ! -e bad.cal ]
tuning() {
    code=$1 pattern=$2
    shift 2
    expect "$code" "$pattern" finetune --weights "$weights" --steps 1 --batch 4 "$@"
}
tuning 4 'nothing was computed' --id bad --no-shuffle --batch 8 --out run
check "no folder" [ ! -e run ]
tuning 0 . --id bad --no-shuffle --batch 4 --out run
tuning 0 'are left out' --id bad --skip-bad --batch 18 --out skipped
tuning 4 'fewer than the 19 of a batch' --id bad --skip-bad --batch 19 --out none

# ---- places of outputs ----
expect 6 'no-folder' calibrate --weights "$weights" --id no-such-set --out no-folder/e.cal
scores 6 'photographs: not a regular file' --images good --out photographs --overwrite
tuning 6 'no-folder' --id good --dump-gradients no-folder/g --out none

finish

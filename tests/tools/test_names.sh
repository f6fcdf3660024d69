#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Names that strangers chose, of pictures, classes, sets and metadata: in JSON, on terminals, in spreadsheets,
# and beside weights that were trained on other classes.
# shellcheck source=tests/tools/lib.sh
. "$(dirname "$0")/lib.sh"

picture=$root/tests/golden/datasets/rgb.png
escape=$(printf '\033')
latin=$(printf 'caf\351')

# folder NAME CLASS...: two pictures in each class folder.
folder() {
    name=$1
    shift
    for class in "$@"; do
        mkdir -p "$name/$class"
        cp "$picture" "$name/$class/0.png"
        cp "$picture" "$name/$class/1.png"
    done
}

# no_escapes WHAT: neither stdout nor stderr of the last run has an ESC.
no_escapes() { check "no escape of $1 on the terminal" sh -c "! LC_ALL=C grep -q '$escape' out err"; }

# ---- terminals ----
printf '%s]0;owned\007nothere.png 1\n' "$escape" >list.txt
expect 4 'x1B]0;owned.x07nothere.png' inspect list:list.txt
no_escapes "a line of a list"
folder escapes "a${escape}[31m" b
expect 0 'a.x1B.31m, b' inspect folder:escapes
no_escapes "a class"
header='{"__metadata__":{"note":"\u001b]0;owned\u0007 \u009b31m"}}'
printf "$(printf '\\%03o\\0\\0\\0\\0\\0\\0\\0' "${#header}")" >w.safetensors
printf '%s' "$header" >>w.safetensors
expect 0 'note    .x1B]0;owned.x07 .xC2.x9B31m' inspect w.safetensors
no_escapes "metadata"
expect 0 'u001B]0;owned.u0007 .u009B31m' inspect w.safetensors --json

# ---- JSON and spreadsheets ----
mkdir photographs
long=$(printf '%0200d' 7)
two_lines=$(printf 'two\nlines')
tab=$(printf 'a\ttab')
cat=$(printf '\360\237\220\210')
for name in a "$latin" z "$long" "$two_lines" "$tab" "$cat" -rf '"quoted"' 'back\slash' '%s%n' '[0:1]' \
    '(x)'; do cp "$picture" "photographs/$name.png"; done
expect 0 'Energy' calibrate --weights "$weights" --id synthetic --limit 40 --out e.cal
expect 0 '"image": "caf..xE9.png"' predict --weights "$weights" --calibration e.cal \
    --images folder:photographs
check "a verdict for each picture" [ "$(wc -l <out)" -eq 13 ]
for name in "\"$long.png\"" '"two\\nlines.png"' '"a\\ttab.png"' '"-rf.png"' '"\\"quoted\\".png"' \
    '"back\\\\slash.png"' '"%s%n.png"'; do
    check "a verdict for $name" has out "\"image\": $name"
done
expect 0 "caf.xE9" eval --weights "$weights" --id 'synthetic#test' --limit 8 --out run \
    --ood "$latin=synthetic:noise" --ood '@SUM(1+1)*cmd|x=synthetic:letters'
check "a set's name is no formula" has run/results.csv ",\"'@SUM(1+1)\\*cmd|x\","
check "numbers are numbers" lacks run/results.csv "'0"
check "both sets are in the results" [ "$(grep -c 'SUM(1+1)\|caf..xE9' run/results.json)" -ge 2 ]

# ---- settings of Windows' editor ----
printf '\357\273\277limit = 8\r\n' >settings.ini
expect 0 'Energy' eval --config settings.ini --weights "$weights" --id 'synthetic#test' \
    --ood x=synthetic:letters
printf '\377\376l\0' >wide.ini
expect 4 'UTF-16; save it as UTF-8' eval --config wide.ini --weights "$weights" --id synthetic \
    --ood x=synthetic:letters

# ---- classes travel with weights and calibrations ----
folder trained ant "$latin" cat
folder other ant bee cat
folder fewer ant dog
printf 'no picture' >fewer/dog/1.png
folder part ant cat
expect 0 'model.safetensors' train --model resnetv2_20_gn --id folder:trained --batch 3 --steps 1 --out base
base=base/model.safetensors
expect 0 'class_names ."ant","caf..xE9","cat".' inspect $base
expect 0 'other classes .*: class 1 is "bee" there and "caf.xE9" in the weights' \
    eval --weights $base --id folder:other --ood x=synthetic:letters --limit 4
expect 4 'fewer has 2 classes, the model 3: class 1 is "dog" there and "caf.xE9" in the weights' \
    eval --weights $base --id folder:fewer --ood x=synthetic:letters
expect 4 'fewer has 2 classes, the model 3' finetune --weights $base --id folder:fewer --steps 1 --out tuned
expect 0 'other classes' finetune --weights $base --id folder:other --batch 2 --steps 1 --out tuned
expect 0 'part: its 2 classes are numbered by their names, as the model.s 3 are' \
    eval --weights $base --id folder:part --ood x=synthetic:letters
expect 0 'part: its 2 classes' finetune --weights $base --id folder:part --batch 2 --steps 1 --out parted
expect 0 'class_names ."ant","caf..xE9","cat".' inspect parted/model.safetensors
expect 0 'class_names ."ant","caf..xE9","cat".' inspect tuned/model.safetensors
expect 0 'Energy' calibrate --weights $base --id folder:trained --out named.cal
expect 0 '"class_name": "(ant|caf..xE9|cat)"' predict --weights $base --calibration named.cal \
    --images folder:photographs

# ---- mean and deviation by channel ----
set -- --mean 0.4914,0.4822,0.4465 --std 0.2023,0.1994,0.201
expect 0 'model.safetensors' finetune --weights "$weights" --id synthetic --limit 16 --batch 8 --steps 1 \
    --out own "$@"
expect 0 '^std     0.2023,0.1994,0.201$' inspect own/model.safetensors
expect 0 'class_names ."disk","square"' inspect own/model.safetensors
expect 0 'Energy' calibrate --weights own/model.safetensors --id synthetic --limit 20 --out own.cal
expect 0 '"verdict"' predict --weights own/model.safetensors --calibration own.cal --images folder:photographs
expect 4 'a mean of 0.4914.* give the same --mean and --std' predict --weights own/model.safetensors \
    --calibration own.cal --images folder:photographs --mean 0.5,0.5,0.5 --std 1,1,1
expect 2 'belong together' eval --weights "$weights" --id synthetic --ood x=synthetic:letters --mean 0,0,0
expect 2 'not three numbers' eval --weights "$weights" --id synthetic --ood x=synthetic:letters \
    --mean 0.5 --std 1,1,1
expect 2 'out of range' eval --weights "$weights" --id synthetic --ood x=synthetic:letters \
    --mean 124,116,104 \
    --std 58,57,57

# ---- how pictures are framed ----
other() { ! same "$1" "$2"; }
set -- --resize short-side --crop 0.9 --interpolation bicubic
expect 0 'model.safetensors' finetune --weights "$weights" --id synthetic --limit 16 --batch 8 --steps 1 \
    --out framed "$@"
check "run.json says what was chosen" has framed/run.json '"interpolation": "bicubic"'
check "and that crop is a number" has framed/run.json '"crop": 0.9'
expect 0 '^crop +0.9$' inspect framed/model.safetensors
expect 0 '^resize +short-side$' inspect framed/model.safetensors
expect 4 'interpolation of pictures' finetune --weights "$weights" --id synthetic --limit 16 --batch 8 \
    --steps 1 --out framed --resume --resize short-side --crop 0.9
expect 0 'Energy' calibrate --weights framed/model.safetensors --id synthetic --limit 20 --out framed.cal
expect 0 '"verdict"' predict --weights framed/model.safetensors --calibration framed.cal \
    --images folder:photographs
expect 4 'made with --resize short-side --interpolation bicubic --crop 0.9, where .* squash, bicubic' \
    predict --weights framed/model.safetensors --calibration framed.cal --images folder:photographs \
    --resize squash
expect 2 'no "longside"; .*auto, squash, short-side' eval --weights "$weights" --id synthetic \
    --ood x=synthetic:letters --resize longside
expect 2 '0 is out of range; give 0.05 to 1' eval --weights "$weights" --id synthetic \
    --ood x=synthetic:letters --crop 0
for framing in 'squash bilinear' 'short-side bilinear' 'short-side bicubic'; do
    expect 0 '' predict --weights "$weights" --images folder:photographs --output logits \
        --out "$framing.npy" --resize "${framing% *}" --interpolation "${framing#* }"
done
check "the short side is another picture" other 'squash bilinear.npy' 'short-side bilinear.npy'
check "the filter is another picture" other 'short-side bilinear.npy' 'short-side bicubic.npy'

# The names of the built-in set in the order of a folder, which is another.
folder sorted bar corner crescent disk plus ring square star triangle 'two disks'
expect 0 'its 10 classes are numbered by their names, as the model.s 10 are' \
    eval --weights own/model.safetensors --id folder:sorted --ood x=synthetic:letters --limit 4

# ---- other files in place of weights ----
printf 'version https://git-lfs.github.com/spec/v1\noid sha256:12\n' >lfs.safetensors
expect 4 'a Git LFS pointer' finetune --weights lfs.safetensors --id synthetic --out none
printf '<!DOCTYPE html><title>Google Drive' >page.pth
expect 4 'a web page .HTML.' inspect page.pth

finish

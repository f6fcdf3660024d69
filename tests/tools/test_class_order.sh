#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Weights whose classes are numbered otherwise than those of the data.
# shellcheck source=tests/tools/lib.sh
. "$(dirname "$0")/lib.sh"

accuracy() { # FILE: the accuracy of results.json, as text
    sed -n 's/^ *"accuracy": \([0-9.]*\),*$/\1/p' "$1" | head -n 1
}
# Two .npy of floats differ by rounding only: logits are summed in another order.
numbers() { od -An -v -t f4 -w4 -j 128 "$1"; }
close() {
    numbers "$1" >one
    numbers "$2" >two
    paste one two | awk '{ d = $1 - $2; if (d < 0) d = -d; if (d > 1e-4) bad = 1 } END { exit bad || !NR }'
}
score() { # OUT OPTION...
    score_out=$1
    shift
    expect 0 . eval --weights "$weights" --id 'synthetic#test' --ood letters=synthetic:letters --limit 100 \
        --score energy,msp --out "$score_out" "$@"
}

# The built-in set and the model number ten classes alike, and not by the alphabet.
printf '%s\n' disk square triangle plus ring star crescent bar 'two disks' corner >right.txt
printf '%s\n' corner 'two disks' bar crescent star ring plus triangle square disk >wrong.txt
score plain
score named --class-order right.txt
score wrong --class-order wrong.txt
check "the model is right about most" [ "$(accuracy plain/results.json | cut -c 3)" -ge 8 ]
check "names in the model's order change nothing" \
    [ "$(accuracy plain/results.json)" = "$(accuracy named/results.json)" ]
check "scores of logits do not depend on the order" close plain/scores/msp/letters.npy \
    named/scores/msp/letters.npy
check "names in a wrong order do" [ "$(accuracy wrong/results.json | cut -c 3)" -le 2 ]
check "the order is in run.json" has named/run.json '"class_order": "file"'
check "and so is the layout" has named/run.json '"layout": "own"'
expect 0 'numbered by their names' eval --weights "$weights" --id 'synthetic#test' --limit 10 \
    --ood letters=synthetic:letters --class-order right.txt

# ---- near chance ----
tune() { # CODE PATTERN OUT OPTION...
    tune_code=$1 tune_pattern=$2 tune_out=$3
    shift 3
    expect "$tune_code" "$tune_pattern" finetune --weights "$weights" --id synthetic --batch 8 --steps 1 \
        --out "$tune_out" "$@"
}
tune 0 . before
cp before/model.safetensors kept
tune 4 'guessing among 10 classes does: its classes may be in another order' before --overwrite \
    --class-order wrong.txt
check "a run that is refused leaves the earlier one" same before/model.safetensors kept
tune 0 'fine-tuned all the same' forced --class-order wrong.txt --force
check "the verdict is in run.json" has forced/run.json '"verdict": "near chance"'
tune 0 'too few to tell' few --class-order wrong.txt --limit 16
check "what is not known, too" has few/run.json '"verdict": "not known"'
check "and what is" has before/run.json '"verdict": "above chance"'

# ---- a file keeps its order ----
tune 0 . moved --class-order right.txt
expect 0 'class_order file' inspect moved/model.safetensors
expect 0 'class_names ."disk","square"' inspect moved/model.safetensors
tune 0 . again --weights moved/model.safetensors
check "which is found again" has again/run.json '"class_order": "file"'
expect 0 . predict --weights moved/model.safetensors --images 'synthetic#test[:50]' --output msp --out a.npy
expect 0 . predict --weights before/model.safetensors --images 'synthetic#test[:50]' --output msp --out b.npy
check "training in another order of rows learns the same" close a.npy b.npy

# ---- what is no order ----
expect 4 'absent.txt' eval --weights "$weights" --id synthetic --ood x=synthetic:letters \
    --class-order absent.txt
head -n 9 right.txt >short.txt
expect 4 '9 names of classes, and the head has 10' eval --weights "$weights" --id synthetic \
    --ood x=synthetic:letters --class-order short.txt
expect 4 "is of ImageNet's 1000 classes, and the head has 10" eval --weights "$weights" --id synthetic \
    --ood x=synthetic:letters --class-order mos

finish

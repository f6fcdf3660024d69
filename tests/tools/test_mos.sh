#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A grouped classifier from training to verdicts, files of groups that are none, and what such a model has
# not.
# shellcheck source=tests/tools/lib.sh
. "$(dirname "$0")/lib.sh"

plain=$weights

train() {
    code=$1 pattern=$2
    shift 2
    expect "$code" "$pattern" train --model resnetv2_20_gn --id 'synthetic#train[0:400]' \
        --eval-id 'synthetic#test[0:50]' --batch 16 --lr 0.02 --quiet "$@"
}

refuse() {
    printf '%b' "$1" >bad.txt
    train 4 "$2" --steps 1 --mos-groups bad.txt --out bad
}

# ---- files of groups ----
all='disk,square,triangle,plus\nring,star,crescent,bar,two disks'
refuse "$all\n" 'bad.txt: class 9 is in no group'
refuse "$all,corner, 0\n" 'bad.txt: class 0 is in group 1 and again in group 2'
refuse "$all,\n" 'bad.txt:2: "" is no class'
refuse "$all,corner\noval\n" 'bad.txt:3: "oval" is no class of synthetic.*0 to 9'
refuse '0,1,2,3,4,5,6,7,8,9\n' 'bad.txt: one group'
refuse '# nothing\n\n' 'bad.txt: one group'
train 4 'missing.txt' --steps 1 --mos-groups missing.txt --out bad
expect 2 'is for a new --model' train --weights "$plain" --id synthetic --mos-groups bad.txt --out bad
check "what failed leaves no folder" [ ! -e bad ]

# ---- training ----
printf '# round\ndisk, ring, crescent , two disks\n\n3,star, square\r\n  bar,2,corner  # the rest\n' \
    >groups.txt
train 0 'accuracy on .*%' --steps 6 --mos-groups groups.txt --out run
weights=run/model.safetensors
expect 0 'mos_groups 0,4,6,8;3,5,1;7,2,9' inspect "$weights"
expect 0 'head.conv.weight .*13x' inspect "$weights"
train 0 'accuracy on' --steps 6 --mos-groups groups.txt --save-every 4 --out half
cp groups.txt same.txt
train 0 'accuracy on' --steps 6 --mos-groups same.txt --resume --out half
check "the same steps give the same model" cmp -s run/model.safetensors half/model.safetensors
printf '0,1,2,3,4\n5,6,7,8,9\n' >other.txt
train 4 'contents of --mos-groups are others' --steps 6 --mos-groups other.txt --resume --out half
expect 0 'accuracy on' train --weights "$weights" --id 'synthetic#train[0:64]' --batch 16 --steps 2 \
    --lr 0.01 --optimizer sam-norm --out longer
expect 0 'mos_groups 0,4,6,8;3,5,1;7,2,9' inspect longer/model.safetensors

# ---- evaluation ----
evaluate() { expect "$1" "$2" eval --weights "$3" --id 'synthetic#test[0:40]' --ood noise=synthetic:noise \
    --limit 40 --score "$4" --out "$5"; }
evaluate 0 'MOS' "$weights" mos e1
evaluate 2 'mos: it takes a model with a grouped classifier' "$plain" mos e2
evaluate 2 'energy: it takes one softmax over all classes' "$weights" energy e3
expect 0 'MOS.*' eval --weights "$weights" --id 'synthetic#test[0:40]' --ood noise=synthetic:noise \
    --limit 40 --fit 'synthetic#train[0:200]' --score all --out e4 --verbose
check "a score of one softmax is left out" grep -q 'energy is left out: it takes one softmax' err
check "a score of features is not" grep -q '"knn"' e4/results.json
expect 0 'mos is left out' eval --weights "$plain" --id 'synthetic#test[0:50]' --ood noise=synthetic:noise \
    --limit 50 --score all --verbose

# ---- verdicts ----
expect 0 'MOS: in-distribution from' calibrate --weights "$weights" --id 'synthetic#test[0:40]' --score mos \
    --out mos.cal
expect 0 '"class_name"' predict --weights "$weights" --calibration mos.cal --images synthetic:noise --limit 5
expect 2 'mos: it takes a model with a grouped' predict --weights "$plain" --images synthetic --limit 5 \
    --output mos --out y.npy
expect 0 'logits of 5 images' predict --weights "$weights" --images synthetic --limit 5 --output logits \
    --out z.npy
check "13 logits an image" grep -aq "(5, 13" z.npy

# ---- fine-tuning: ID images alone ----
tune() {
    code=$1 pattern=$2
    shift 2
    expect "$code" "$pattern" finetune --weights "$weights" --id 'synthetic#train[0:64]' --batch 8 \
        --steps 2 "$@"
}
tune 2 'grouped one \(MOS\): it learns from ID images alone' --out t1
tune 0 't2/model.safetensors' --pseudo-mode none --out t2
tune 2 'prop1: it is about the energy of one softmax' --pseudo-mode none --trace prop1 \
    --eval-id 'synthetic#test[0:20]' --eval-ood noise=synthetic:noise --eval-limit 20 --score mos --out t3

finish

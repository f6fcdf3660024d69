#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# train: what it leaves, going on from given weights, models without normalisation layers, wrong usage.
# shellcheck source=tests/tools/lib.sh
. "$(dirname "$0")/lib.sh"

expect 0 'accuracy on synthetic#test' train --model resnetv2_20_gn --id synthetic --limit 200 --batch 20 \
    --steps 3 --eval-id 'synthetic#test[0:100]' --out base
for file in model.safetensors run.json metrics.jsonl report.html; do
    check "train leaves $file" [ -s base/$file ]
done
check "a line a step" [ "$(wc -l <base/metrics.jsonl)" -eq 3 ]
check "run.json tells how it ended" has base/run.json '"status": "ok"'
expect 0 . train --weights base/model.safetensors --id synthetic --limit 40 --batch 20 --steps 1 --lr 0 \
    --weight-decay 0 --eval-id 'synthetic#test[0:100]' --out further
check "train goes on from given weights" same base/model.safetensors further/model.safetensors
expect 0 base0/model.safetensors train --model resnetv2_20_gn --id synthetic --epochs 0 --seed 3 --out base0
expect 0 . train --model resnetv2_20_gn --id synthetic --limit 20 --epochs 0 --seed 3 --out base1
check "no epoch: the initial weights" same base0/model.safetensors base1/model.safetensors
expect 2 'takes no step' train --model resnetv2_20_gn --id synthetic --epochs 0 --dump-gradients g --out x
expect 2 '--model NAME or --weights FILE' train --id synthetic --out x
expect 2 'needs --id' train --model resnetv2_20_gn --out x
expect 2 'no_such' train --model no_such --id synthetic --out x
expect 2 'optimizer.*did you mean sgd' train --model resnetv2_20_gn --id synthetic --optimizer sdg --out x
expect 2 '--schedule: no "linear"' train --model resnetv2_20_gn --id synthetic --schedule linear --out x
expect 4 'labels' train --model resnetv2_20_gn --id synthetic:noise --out x
expect 4 'batch' train --model resnetv2_20_gn --id synthetic --limit 10 --batch 20 --steps 1 --out small

# ---- a batch of one ----
expect 0 . train --model resnetv2_20_bn --id synthetic --batch 1 --steps 2 --out single
check "its numbers are finite" lacks single/metrics.jsonl null

# ---- models without normalisation ----
expect 0 . train --model vgg11 --id synthetic --limit 50 --batch 4 --steps 1 \
    --eval-id 'synthetic#test[0:20]' --out vgg
expect 2 'sam-empty' finetune --weights vgg/model.safetensors --id synthetic --limit 50 --batch 2 --steps 1 \
    --out vgg2
expect 0 . finetune --weights vgg/model.safetensors --id synthetic --limit 50 --batch 2 --steps 1 \
    --sam-empty sgd --out vgg3

finish

#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# --img-size and --pos-embed: what they change, what the record says, which sizes there are.
# shellcheck source=tests/tools/lib.sh
. "$(dirname "$0")/lib.sh"

differ() { [ -f "$1" ] && [ -f "$2" ] && ! same "$1" "$2"; }

# ---- weights that fit any size ----
expect 0 'logits of 2 images' predict --weights "$weights" --img-size 48 --images synthetic --limit 2 \
    --out large.npy
expect 0 'logits of 2 images' predict --weights "$weights" --images synthetic --limit 2 --out usual.npy
check "another size is another result" differ large.npy usual.npy
expect 2 'img-size' predict --weights "$weights" --img-size 5000 --images synthetic --out no.npy

# ---- position embeddings ----
expect 2 't2t_vit_14: images of 40 pixels a side; it takes multiples of 16' train --model t2t_vit_14 \
    --img-size 40 --id synthetic --limit 2 --out no
expect 0 accuracy train --model t2t_vit_14 --img-size 32 --id synthetic --limit 2 --steps 1 --batch 2 \
    --eval-id 'synthetic#test[0:2]' --out base
check "the side is in the record" has base/run.json '"image_size": 32'
check "and that a new model has no file's" lacks base/run.json pos_embed_from

evaluate() { # WORD OUT
    expect 0 interpolated\|anew eval --weights base/model.safetensors --img-size 48 --pos-embed "$1" \
        --id 'synthetic#test' --ood letters=synthetic:letters --limit 4 --out "$2"
    check "$1 is in the record" has "$2/run.json" "\"pos_embed\": \"$1\""
    check "and the file's size" has "$2/run.json" '"pos_embed_from": 32'
}
evaluate interp a
evaluate recompute b
check "both are different networks" differ a/scores/msp/id.npy b/scores/msp/id.npy

# What is saved at another size is of that size.
expect 0 . finetune --weights base/model.safetensors --img-size 48 --id synthetic --limit 2 --steps 1 \
    --batch 2 --force --out larger
expect 0 'image_size 48' inspect larger/model.safetensors
expect 0 . eval --weights larger/model.safetensors --id 'synthetic#test' --ood letters=synthetic:letters \
    --limit 2 --out c
check "and opens at it" has c/run.json '"pos_embed": "file"'
expect 2 'position embeddings for 48; --img-size 64 makes others' finetune \
    --weights larger/model.safetensors --train-size 64 --id synthetic --limit 2 --steps 1 --batch 2 --force \
    --out no
finish

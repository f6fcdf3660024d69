#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# convert: there and back, other names, and what is refused; and that a fine-tuned file keeps its layout.
# shellcheck source=tests/tools/lib.sh
. "$(dirname "$0")/lib.sh"

# ---- containers: there and back ----
expect 0 '61 tensors, safetensors' convert "$weights" plain.safetensors
for format in npz pth; do
    expect 0 "61 tensors, $format" convert "$weights" there.$format
    expect 0 '61 tensors, safetensors' convert there.$format back.safetensors --overwrite
    check "$format and back gives the same bytes" same plain.safetensors back.safetensors
done
expect 0 '"format": "npz"' convert "$weights" named-otherwise --to npz --json
check "the format may be said" same there.npz named-otherwise

# ---- layouts: every one and back ----
for layout in big_transfer bit-npz timm transformers; do
    expect 0 "layout  $layout" convert "$weights" $layout.npz --layout $layout
    expect 0 "model   resnetv2_20_gn, 10 classes" inspect $layout.npz
    expect 0 'layout  own' convert $layout.npz $layout.safetensors --layout own
    expect 0 . predict --weights $layout.npz --images 'synthetic#test[:20]' --output logits --out $layout.npy
done
expect 0 . predict --weights "$weights" --images 'synthetic#test[:20]' --output logits --out own.npy
for layout in big_transfer bit-npz timm transformers; do
    check "$layout gives the same logits" same own.npy $layout.npy
    expect 0 . predict --weights $layout.safetensors --images 'synthetic#test[:20]' --output logits \
        --out $layout.npy --overwrite
    check "and so does the way back" same own.npy $layout.npy
done
expect 0 'ws_epsilon 1e-10' inspect timm.npz
expect 0 '7x7x3|3x3x3x16' inspect bit-npz.npz

# ---- a fine-tuned file has the names and axes of its source ----
expect 0 . finetune --weights bit-npz.npz --id synthetic --limit 32 --batch 8 --steps 1 --out tuned
expect 0 'resnet/root_block/standardized_conv2d/kernel +F32 +3x3x3x16' inspect tuned/model.safetensors
expect 0 'layout  bit-npz' inspect tuned/model.safetensors
check "run.json has the layout" has tuned/run.json '"layout": "bit-npz"'
expect 0 . finetune --weights "$weights" --id synthetic --limit 32 --batch 8 --steps 1 --out usual
expect 0 . convert tuned/model.safetensors a.safetensors --layout own
expect 0 . predict --weights a.safetensors --images 'synthetic#test[:20]' --output logits --out a.npy
expect 0 . predict --weights usual/model.safetensors --images 'synthetic#test[:20]' --output logits \
    --out b.npy
check "and has learned the same" same a.npy b.npy

# ---- refused ----
expect 2 'no ending|ending is of no format' convert "$weights" file.xyz
expect 2 'no format is called "zip"' convert "$weights" file.npz --to zip
expect 2 'none is called "tim".*timm' convert "$weights" file.npz --layout tim
expect 2 'the same file' convert plain.safetensors plain.safetensors --overwrite
expect 2 'is there already' convert "$weights" plain.safetensors
expect 4 'cannot be opened' convert absent.npz file.safetensors
expect 4 'is no checkpoint' convert "$root/README.md" file.safetensors
expect 4 'does not fit the model' convert "$weights" file.npz --layout timm --model vgg11
expect 6 '.' convert "$weights" absent/file.npz
check "nothing is left by what was refused" [ ! -e file.npz ]
check "in any format" [ ! -e file.safetensors ]

finish

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Our names are those that each architecture's first publication has: those of MOS and RankFeat for BiT
 * (body.block1.unit01.gn1.weight), of T2T-ViT, of torchvision for ResNet-50, of OpenOOD and FeatureNorm for
 * the networks of 32 pixels.
 */
#include <string.h>

#include "nn/layouts/layout.h"

/* What MOS's finetune.py saves: {"step", "model", "optim"}, of a model in DataParallel. */
static bool is_of_mos(const struct sft_checkpoint *checkpoint)
{
    return sft_checkpoint_has_key(checkpoint, "step") && sft_checkpoint_has_key(checkpoint, "model") &&
           sft_checkpoint_has_key(checkpoint, "optim") && strcmp(checkpoint->wrapper, "module.") == 0 &&
           sft_checkpoint_find(checkpoint, "module.before_head.gn.weight");
}

const struct sft_layout sft_layouts_own[] = {
    {
        .name = "mos",
        .about = "flat- and group-finetune of MOS, which number ImageNet's classes in an order of their own",
        .class_order = "mos",
        .is = is_of_mos,
    },
    {
        .name = "own",
        .about = "this program's names, which are those of MOS, RankFeat, T2T-ViT, torchvision, OpenOOD",
    },
    {0},
};

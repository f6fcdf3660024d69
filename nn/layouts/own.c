/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Our names are those that each architecture's first publication has: those of MOS and RankFeat for BiT
 * (body.block1.unit01.gn1.weight), of T2T-ViT, of torchvision for ResNet-50, of OpenOOD and FeatureNorm for
 * the networks of 32 pixels.
 */
#include "nn/layouts/layout.h"

const struct sft_layout sft_layouts_own[] = {
    {
        .name = "own",
        .about = "this program's names, which are those of MOS, RankFeat, T2T-ViT, torchvision, OpenOOD",
    },
    {0},
};

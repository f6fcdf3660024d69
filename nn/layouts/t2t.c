/* SPDX-License-Identifier: Apache-2.0 */
/* Layouts of T2T-ViT. mmpretrain has its variants with transformer tokens only. */
#include "nn/layouts/layout.h"

static const struct sft_name_rule mmpretrain[] = {
    {"tokens_to_token.attention{}.norm{}.*", "backbone.tokens_to_token.attention{}.ln{}.*"},
    {"tokens_to_token.attention{}.mlp.fc1.*", "backbone.tokens_to_token.attention{}.ffn.layers.0.0.*"},
    {"tokens_to_token.attention{}.mlp.fc2.*", "backbone.tokens_to_token.attention{}.ffn.layers.1.*"},
    {"tokens_to_token.*", "backbone.tokens_to_token.*"},
    {"blocks.{}.norm{}.*", "backbone.encoder.{}.ln{}.*"},
    {"blocks.{}.mlp.fc1.*", "backbone.encoder.{}.ffn.layers.0.0.*"},
    {"blocks.{}.mlp.fc2.*", "backbone.encoder.{}.ffn.layers.1.*"},
    {"blocks.{}.*", "backbone.encoder.{}.*"},
    {"cls_token", "backbone.cls_token"},
    {"pos_embed", "backbone.pos_embed"},
    {"norm.*", "backbone.norm.*"},
    {"head.*", "head.layers.head.*"},
    {0},
};

const struct sft_layout sft_layouts_t2t[] = {
    {
        .name = "mmpretrain",
        .about = "mmpretrain's T2T_ViT: backbone.encoder.0....",
        .rules = mmpretrain,
        .mean = {0.485f, 0.456f, 0.406f},
        .std = {0.229f, 0.224f, 0.225f},
        .framing = {SFT_RESIZE_SHORT_SIDE, SFT_FILTER_BICUBIC, 0.9},
    },
    {0},
};

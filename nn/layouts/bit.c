/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Layouts of BiT, and of the small networks that have its names.
 *
 * The epsilon of weight standardisation goes with the names: 1e-10 in Google's own code and what came from
 * it, 1e-8 in timm and transformers. For filters of small deviation the logits tell the difference. So does
 * the framing of pictures: what timm and transformers publish, BiT-M, was trained with the short side and a
 * crop, and the paper squashes.
 */
#include "nn/layouts/layout.h"

static const struct sft_name_rule big_transfer[] = {
    {"before_head.gn.*", "head.gn.*"},
    {0},
};

static const struct sft_name_rule npz[] = {
    {"root.conv.weight", "resnet/root_block/standardized_conv2d/kernel"},
    {"body.block{}.unit{}.conv{}.weight", "resnet/block{}/unit{02}/{a}/standardized_conv2d/kernel"},
    {"body.block{}.unit{}.gn{}.weight", "resnet/block{}/unit{02}/{a}/group_norm/gamma"},
    {"body.block{}.unit{}.gn{}.bias", "resnet/block{}/unit{02}/{a}/group_norm/beta"},
    {"body.block{}.unit{}.downsample.weight", "resnet/block{}/unit{02}/a/proj/standardized_conv2d/kernel"},
    {"before_head.gn.weight", "resnet/group_norm/gamma"},
    {"before_head.gn.bias", "resnet/group_norm/beta"},
    {"head.conv.weight", "resnet/head/conv2d/kernel"},
    {"head.conv.bias", "resnet/head/conv2d/bias"},
    {0},
};

static const struct sft_name_rule timm[] = {
    {"root.conv.weight", "stem.conv.weight"},
    {"body.block{}.unit{}.gn{}.*", "stages.{-1}.blocks.{-1}.norm{}.*"},
    {"body.block{}.unit{}.conv{}.*", "stages.{-1}.blocks.{-1}.conv{}.*"},
    {"body.block{}.unit{}.downsample.*", "stages.{-1}.blocks.{-1}.downsample.conv.*"},
    {"before_head.gn.*", "norm.*"},
    {"head.conv.*", "head.fc.*"},
    {0},
};

static const struct sft_name_rule transformers[] = {
    {"root.conv.weight", "bit.embedder.convolution.weight"},
    {"body.block{}.unit{}.gn{}.*", "bit.encoder.stages.{-1}.layers.{-1}.norm{}.*"},
    {"body.block{}.unit{}.conv{}.*", "bit.encoder.stages.{-1}.layers.{-1}.conv{}.*"},
    {"body.block{}.unit{}.downsample.*", "bit.encoder.stages.{-1}.layers.{-1}.downsample.conv.*"},
    {"before_head.gn.*", "bit.norm.*"},
    {"head.conv.*", "classifier.1.*"},
    {0},
};

#define MADE_FROM                                                                                            \
    "these names do not tell BiT-S from BiT-M: they are the paper's weights only if made from BiT-S"

const struct sft_layout sft_layouts_bit[] = {
    {
        .name = "big_transfer",
        .about = "BiT's own PyTorch code: the last norm is head.gn",
        .rules = big_transfer,
    },
    {
        .name = "bit-npz",
        .about = "BiT's published .npz files: resnet/block1/unit01/a/..., filters of R,S,I,O",
        .rules = npz,
        .out_last = true,
    },
    {
        .name = "timm",
        .about = "timm's resnetv2: stages.0.blocks.0...., weight standardisation with 1e-8",
        .rules = timm,
        .head = SFT_KERNEL_FILTERS,
        .standardize_epsilon = 1e-8f,
        .framing = {SFT_RESIZE_SHORT_SIDE, SFT_FILTER_BILINEAR, 1},
        .remark = MADE_FROM,
    },
    {
        .name = "transformers",
        .about = "transformers' bit: bit.encoder.stages.0...., weight standardisation with 1e-8",
        .rules = transformers,
        .head = SFT_KERNEL_MATRIX,
        .standardize_epsilon = 1e-8f,
        .framing = {SFT_RESIZE_SHORT_SIDE, SFT_FILTER_AUTO, 1},
        .remark = MADE_FROM,
    },
    {0},
};

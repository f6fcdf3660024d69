/* SPDX-License-Identifier: Apache-2.0 */
/*
 * BiT (Kolesnikov et al. 2020): pre-activation bottleneck ResNets for large images, with weight-standardised
 * convolutions and group norm of 32 groups. Names are those of the PyTorch files of MOS and RankFeat.
 *
 *     a = relu(gn1(x));  y = conv3(relu(gn3(conv2(relu(gn2(conv1(a)))))))
 *     out = y + (shape changes ? downsample(a) : x)
 *
 * The 3x3 convolution conv2 has the stride. The root's max pool is padded with zeros, which take part in the
 * maximum: its input is signed.
 *
 * Taps: the root's output and that of each block, before any further norm or ReLU.
 */
#include "nn/layers/layers.h"
#include "nn/variant.h"
#include "runtime/ops.h"

enum { BLOCKS = 4, ROOT_WIDTH = 64, EXPANSION = 4, DEFAULT_GROUPS = 32 };

static const struct {
    int depth, units[BLOCKS];
} depths[] = {{50, {3, 4, 6, 3}}, {101, {3, 4, 23, 3}}};

static const int *units_of(int depth)
{
    int i = 0;
    while (depths[i].depth != depth) i++;
    return depths[i].units;
}

static sft_value conv(struct sft_build *build, const char *prefix, const char *name, sft_value x,
                      struct sft_conv conv)
{
    char full[SFT_MAX_NAME];
    conv.pad = conv.kernel / 2;
    conv.standardized = true;
    return sft_conv_layer(build, sft_name(full, "%s.%s", prefix, name), x, conv);
}

static sft_value activate(struct sft_build *build, const char *prefix, const char *name, sft_value x)
{
    int groups = build->network->gn_groups;
    char full[SFT_MAX_NAME];
    return sft_norm_layer(build, sft_name(full, "%s.%s", prefix, name), x, SFT_NORM_GROUP,
                          groups ? groups : DEFAULT_GROUPS, true);
}

static sft_value unit(struct sft_build *build, const char *prefix, sft_value x, int stride, int64_t width)
{
    int64_t out = EXPANSION * width;
    sft_value a = activate(build, prefix, "gn1", x), shortcut = x, y;
    y = conv(build, prefix, "conv1", a, (struct sft_conv){.kernel = 1, .stride = 1, .out = width});
    y = activate(build, prefix, "gn2", y);
    y = conv(build, prefix, "conv2", y, (struct sft_conv){.kernel = 3, .stride = stride, .out = width});
    y = activate(build, prefix, "gn3", y);
    y = conv(build, prefix, "conv3", y, (struct sft_conv){.kernel = 1, .stride = 1, .out = out});
    if (stride != 1 || sft_build_dim(build, x, 3) != out)
        shortcut = conv(build, prefix, "downsample", a,
                        (struct sft_conv){.kernel = 1, .stride = stride, .out = out});
    return sft_add(build->graph, y, shortcut, 1.0f);
}

static sft_value root(struct sft_build *build, sft_value images)
{
    sft_value x =
        conv(build, "root", "conv", images, (struct sft_conv){.kernel = 7, .stride = 2, .out = ROOT_WIDTH});
    return sft_max_pool_layer(build, x,
                              (struct sft_max_pool){.size = 3, .stride = 2, .pad = 1, .zero_pad = true});
}

static void build_bit(struct sft_build *build, sft_value images)
{
    const int *units = units_of(build->network->variant->depth);
    char prefix[SFT_MAX_NAME];
    sft_value x = sft_build_tap(build, SFT_TAP_MAP, root(build, images));
    for (int block = 0; block < BLOCKS; block++) {
        for (int i = 0; i < units[block]; i++)
            x = unit(build, sft_name(prefix, "body.block%d.unit%02d", block + 1, i + 1), x,
                     block > 0 && i == 0 ? 2 : 1, ROOT_WIDTH << block);
        x = sft_build_tap(build, SFT_TAP_MAP, x);
    }
    x = sft_global_pool_layer(build, activate(build, "before_head", "gn", x));
    sft_head_layer(build, "head.conv", x, SFT_HEAD_CONV);
}

#define VARIANT(layers)                                                                                      \
    {                                                                                                        \
        .name = "resnetv2_" #layers "x1_bit",                                                                \
        .about = "BiT-R" #layers "x1: pre-activation ResNet-" #layers " for large images, group norm",       \
        .build = build_bit, .norm = SFT_NORM_GROUP, .depth = layers, .image_size = 480,                      \
        .stage_taps = {4, 3}, .mean = {0.5f, 0.5f, 0.5f}, .std = {                                           \
            0.5f,                                                                                            \
            0.5f,                                                                                            \
            0.5f                                                                                             \
        }                                                                                                    \
    }

const struct sft_variant sft_variants_bit[] = {VARIANT(50), VARIANT(101), {0}};

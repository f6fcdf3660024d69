/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Small pre-activation ResNets for 32-pixel images with the parts of BiT (Kolesnikov et al. 2020):
 * weight-standardised convolutions, group norm, projections that read the activated input. Depth 6n+2: three
 * stages of n basic units at widths 16, 32, 64 and strides 1, 2, 2. Names are BiT's.
 *
 *     a = relu(norm1(x));  out = conv2(relu(norm2(conv1(a)))) + (shape changes ? downsample(a) : x)
 *
 * Group norm has 8 groups. The batch norm variants differ in the norm alone (named bn instead of gn); those
 * without normalisation have plain convolutions with bias.
 *
 * Taps: the root's output and that of each stage, before any further norm or ReLU.
 */
#include "nn/layers/layers.h"
#include "nn/variant.h"
#include "runtime/ops.h"

enum { STAGES = 3, ROOT_WIDTH = 16, DEFAULT_GROUPS = 8 };

static sft_value conv(struct sft_build *build, const char *name, sft_value x, int kernel, int stride,
                      int64_t out)
{
    bool plain = build->network->variant->norm == SFT_NORM_NONE;
    return sft_conv_layer(build, name, x,
                          (struct sft_conv){.kernel = kernel,
                                            .stride = stride,
                                            .pad = kernel / 2,
                                            .out = out,
                                            .bias = plain,
                                            .standardized = !plain});
}

/* The norm named prefix.gn1 (or prefix.bn1, with suffix 1), and ReLU. */
static sft_value activate(struct sft_build *build, const char *prefix, const char *suffix, sft_value x)
{
    const struct sft_network *network = build->network;
    char name[SFT_MAX_NAME];
    sft_name(name, "%s.%s%s", prefix, network->variant->norm == SFT_NORM_BATCH ? "bn" : "gn", suffix);
    return sft_norm_layer(build, name, x, network->variant->norm,
                          network->gn_groups ? network->gn_groups : DEFAULT_GROUPS, true);
}

static sft_value unit(struct sft_build *build, const char *prefix, sft_value x, int stride, int64_t out)
{
    char name[SFT_MAX_NAME];
    sft_value a = activate(build, prefix, "1", x), shortcut = x, y;
    y = conv(build, sft_name(name, "%s.conv1", prefix), a, 3, stride, out);
    y = activate(build, prefix, "2", y);
    y = conv(build, sft_name(name, "%s.conv2", prefix), y, 3, 1, out);
    if (stride != 1 || sft_build_dim(build, x, 3) != out)
        shortcut = conv(build, sft_name(name, "%s.downsample", prefix), a, 1, stride, out);
    return sft_add(build->graph, y, shortcut, 1.0f);
}

static void build_resnetv2(struct sft_build *build, sft_value images)
{
    int units = (build->network->variant->depth - 2) / 6;
    char prefix[SFT_MAX_NAME];
    sft_value x = conv(build, "root.conv", images, 3, 1, ROOT_WIDTH);
    x = sft_build_tap(build, SFT_TAP_MAP, x);
    for (int stage = 0; stage < STAGES; stage++) {
        for (int i = 0; i < units; i++)
            x = unit(build, sft_name(prefix, "body.block%d.unit%02d", stage + 1, i + 1), x,
                     stage > 0 && i == 0 ? 2 : 1, ROOT_WIDTH << stage);
        x = sft_build_tap(build, SFT_TAP_MAP, x);
    }
    x = sft_global_pool_layer(build, activate(build, "before_head", "", x));
    sft_head_layer(build, "head.conv", x, SFT_HEAD_CONV);
}

#define VARIANT(layers, suffix, text, kind)                                                                  \
    {                                                                                                        \
        .name = "resnetv2_" #layers "_" suffix,                                                              \
        .about = "Pre-activation ResNet-" #layers " for 32-pixel images, " text, .build = build_resnetv2,    \
        .norm = kind, .depth = layers, .image_size = 32, .stage_taps = {3, 2}, .mean = {0.5f, 0.5f, 0.5f},   \
        .std = {                                                                                             \
            0.5f,                                                                                            \
            0.5f,                                                                                            \
            0.5f                                                                                             \
        }                                                                                                    \
    }
#define VARIANTS(layers)                                                                                     \
    VARIANT(layers, "gn", "group norm", SFT_NORM_GROUP),                                                     \
        VARIANT(layers, "bn", "batch norm", SFT_NORM_BATCH),                                                 \
        VARIANT(layers, "none", "no normalisation", SFT_NORM_NONE)

const struct sft_variant sft_variants_resnetv2_small[] = {VARIANTS(20), VARIANTS(26), VARIANTS(56), {0}};

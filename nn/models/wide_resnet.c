/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Wide ResNets for 32-pixel images (Zagoruyko and Komodakis 2016), pre-activation, with batch norm, as the
 * code of FeatureNorm, Outlier Exposure and OpenOOD has them. Depth 6n+4: three blocks of n units at widths
 * 16k, 32k, 64k and strides 1, 2, 2.
 *
 *     a = relu(bn1(x));  out = conv2(relu(bn2(conv1(a)))) + (width changes ? convShortcut(a) : x)
 *
 * Taps: the output of each unit, before any further norm or ReLU.
 */
#include "nn/layers/layers.h"
#include "nn/variant.h"
#include "runtime/ops.h"

enum { BLOCKS = 3, ROOT_WIDTH = 16 };

static sft_value conv(struct sft_build *build, const char *prefix, const char *name, sft_value x,
                      struct sft_conv conv)
{
    char full[SFT_MAX_NAME];
    conv.pad = conv.kernel / 2;
    return sft_conv_layer(build, sft_name(full, "%s%s", prefix, name), x, conv);
}

static sft_value activate(struct sft_build *build, const char *prefix, const char *name, sft_value x)
{
    char full[SFT_MAX_NAME];
    return sft_norm_layer(build, sft_name(full, "%s%s", prefix, name), x, SFT_NORM_BATCH, 0, true);
}

static sft_value unit(struct sft_build *build, const char *prefix, sft_value x, int stride, int64_t out)
{
    sft_value a = activate(build, prefix, "bn1", x), shortcut = x, y;
    y = conv(build, prefix, "conv1", a, (struct sft_conv){.kernel = 3, .stride = stride, .out = out});
    y = activate(build, prefix, "bn2", y);
    y = conv(build, prefix, "conv2", y, (struct sft_conv){.kernel = 3, .stride = 1, .out = out});
    if (sft_build_dim(build, x, 3) != out)
        shortcut = conv(build, prefix, "convShortcut", a,
                        (struct sft_conv){.kernel = 1, .stride = stride, .out = out});
    return sft_add(build->graph, y, shortcut, 1.0f);
}

static void build_wide(struct sft_build *build, sft_value images, int64_t factor)
{
    const int units = (build->network->variant->depth - 4) / 6;
    char prefix[SFT_MAX_NAME];
    sft_value x =
        conv(build, "", "conv1", images, (struct sft_conv){.kernel = 3, .stride = 1, .out = ROOT_WIDTH});
    for (int block = 0; block < BLOCKS; block++)
        for (int i = 0; i < units; i++) {
            x = unit(build, sft_name(prefix, "block%d.layer.%d.", block + 1, i), x,
                     block > 0 && i == 0 ? 2 : 1, (ROOT_WIDTH << block) * factor);
            x = sft_build_tap(build, SFT_TAP_MAP, x);
        }
    x = sft_global_pool_layer(build, activate(build, "", "bn1", x));
    sft_head_layer(build, "fc", x, SFT_HEAD_LINEAR);
}

static void build_wide_10(struct sft_build *build, sft_value images) { build_wide(build, images, 10); }

static void build_wide_2(struct sft_build *build, sft_value images) { build_wide(build, images, 2); }

const struct sft_variant sft_variants_wide_resnet[] = {
    {
        .name = "wide_resnet_28_10",
        .about = "WideResNet-28-10 for 32-pixel images, batch norm",
        .build = build_wide_10,
        .norm = SFT_NORM_BATCH,
        .depth = 28,
        .image_size = 32,
        .stage_taps = {11, 7},
        .norm_tap = 11,
        .mean = {0.5f, 0.5f, 0.5f},
        .std = {0.5f, 0.5f, 0.5f},
    },
    {
        .name = "wide_resnet_40_2",
        .about = "WideResNet-40-2 for 32-pixel images, batch norm",
        .build = build_wide_2,
        .norm = SFT_NORM_BATCH,
        .depth = 40,
        .image_size = 32,
        .stage_taps = {17, 11},
        .mean = {125.3f / 255, 123.0f / 255, 113.9f / 255},
        .std = {63.0f / 255, 62.1f / 255, 66.7f / 255},
    },
    {0},
};

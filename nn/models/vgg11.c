/* SPDX-License-Identifier: Apache-2.0 */
/*
 * VGG11 for 32-pixel images (configuration A of Simonyan and Zisserman 2015), as the FeatureNorm code of Yu
 * et al. 2023 trains it on CIFAR-10: eight 3x3 convolutions with bias, five 2x2 max pools, three linear
 * layers with dropout.
 *
 * The original has no normalisation, so SAM-only-norm has nothing to perturb in it. The variants add batch
 * norm or group norm (min(32, channels/8) groups) after each convolution and keep the convolution's bias.
 * Names are the positions in a sequence, where ReLUs and pools count as well.
 *
 * Five pools leave one pixel of images of 32 to 63; the classifier takes no more.
 *
 * Taps: the eight maps that FeatureNorm looks at: each convolution's after the ReLU, the fourth after its
 * pool.
 */
#include "nn/layers/layers.h"
#include "nn/variant.h"

static const struct {
    int64_t channels;
    bool pool, tap_pool;
} stages[] = {
    {64, true, false},   {128, true, false}, {256, false, false}, {256, true, true},
    {512, false, false}, {512, true, false}, {512, false, false}, {512, true, false},
};
enum { STAGES = sizeof(stages) / sizeof(stages[0]), HIDDEN = 512 };

static int64_t groups_of(const struct sft_network *network, int64_t channels)
{
    if (network->gn_groups) return network->gn_groups;
    return channels / 8 < 32 ? channels / 8 : 32;
}

static sft_value features(struct sft_build *build, sft_value x)
{
    enum sft_norm norm = build->network->variant->norm;
    char name[SFT_MAX_NAME];
    int position = 0;
    for (int i = 0; i < STAGES; i++) {
        const struct sft_conv conv = {.kernel = 3,
                                      .stride = 1,
                                      .pad = 1,
                                      .out = stages[i].channels,
                                      .bias = true,
                                      .relu = norm == SFT_NORM_NONE};
        x = sft_conv_layer(build, sft_name(name, "features.%d", position++), x, conv);
        if (norm != SFT_NORM_NONE)
            x = sft_norm_layer(build, sft_name(name, "features.%d", position++), x, norm,
                               groups_of(build->network, stages[i].channels), true);
        position++; /* the ReLU */
        if (!stages[i].tap_pool) x = sft_build_tap(build, SFT_TAP_MAP, x);
        if (!stages[i].pool) continue;
        x = sft_max_pool_layer(build, x, (struct sft_max_pool){.size = 2, .stride = 2});
        position++;
        if (stages[i].tap_pool) x = sft_build_tap(build, SFT_TAP_MAP, x);
    }
    return x;
}

static void build_vgg11(struct sft_build *build, sft_value images)
{
    sft_value x =
        sft_global_pool_layer(build, features(build, images)); /* of one pixel: only takes the axes away */
    x = sft_linear_layer(build, "classifier.0", x, HIDDEN, true);
    x = sft_dropout_layer(build, x, 0.5f);
    x = sft_linear_layer(build, "classifier.3", x, HIDDEN, true);
    x = sft_dropout_layer(build, x, 0.5f);
    sft_head_layer(build, "classifier.6", x, SFT_HEAD_LINEAR);
}

#define VARIANT(n, text, kind)                                                                               \
    {                                                                                                        \
        .name = n, .about = text, .build = build_vgg11, .norm = kind, .depth = 11, .image_size = 32,         \
        .sizes = {.least = 32, .most = 63}, .stage_taps = {7, 5}, .norm_tap = 6, .mean = {0.5f, 0.5f, 0.5f}, \
        .std = {                                                                                             \
            0.5f,                                                                                            \
            0.5f,                                                                                            \
            0.5f                                                                                             \
        }                                                                                                    \
    }

const struct sft_variant sft_variants_vgg11[] = {
    VARIANT("vgg11", "VGG11 for 32-pixel images, no normalisation", SFT_NORM_NONE),
    VARIANT("vgg11_bn", "VGG11 with batch norm after each convolution", SFT_NORM_BATCH),
    VARIANT("vgg11_gn", "VGG11 with group norm after each convolution", SFT_NORM_GROUP),
    {0},
};

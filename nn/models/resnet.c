/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ResNets that activate after the convolution (He et al. 2016), with batch norm:
 *
 *     out = relu(bn(conv(... relu(bn1(conv1(x))))) + (shape changes ? bn(conv(x)) : x))
 *
 * resnet50 is torchvision's for 224 pixels ("V1.5": the stride is on a bottleneck's 3x3 convolution), with
 * its names. Taps: the max pool's output and that of each layer.
 *
 * resnet18_32x32 has basic units and a 3x3 root without a pool, as OpenOOD trains it. The FeatureNorm code
 * pads the root by 2 (resnet18_32x32_pad2), which makes maps of 34 pixels: the names and shapes are the same,
 * the network is another. Taps: the outputs of the eight units.
 */
#include "nn/layers/layers.h"
#include "nn/variant.h"
#include "runtime/ops.h"

enum { LAYERS = 4, ROOT_WIDTH = 64 };

/* A convolution `conv` and the batch norm behind it, both under `prefix`. */
static sft_value conv_norm(struct sft_build *build, const char *prefix, const char *const names[2],
                           sft_value x, struct sft_conv conv, bool relu)
{
    char name[SFT_MAX_NAME];
    x = sft_conv_layer(build, sft_name(name, "%s%s", prefix, names[0]), x, conv);
    return sft_norm_layer(build, sft_name(name, "%s%s", prefix, names[1]), x, SFT_NORM_BATCH, 0, relu);
}

/* The number-th convolution of a unit, or of the network. */
static sft_value step(struct sft_build *build, const char *prefix, int number, sft_value x,
                      struct sft_conv conv, bool relu)
{
    char names[2][SFT_MAX_NAME];
    const char *const both[] = {sft_name(names[0], "conv%d", number), sft_name(names[1], "bn%d", number)};
    return conv_norm(build, prefix, both, x, conv, relu);
}

static sft_value shortcut(struct sft_build *build, const char *prefix, const char *const names[2],
                          sft_value x, int stride, int64_t out)
{
    if (stride == 1 && sft_build_dim(build, x, 3) == out) return x;
    return conv_norm(build, prefix, names, x, (struct sft_conv){.kernel = 1, .stride = stride, .out = out},
                     false);
}

static sft_value bottleneck(struct sft_build *build, const char *prefix, sft_value x, int stride,
                            int64_t width)
{
    static const char *const names[] = {"downsample.0", "downsample.1"};
    const int64_t out = 4 * width;
    sft_value y = step(build, prefix, 1, x, (struct sft_conv){.kernel = 1, .stride = 1, .out = width}, true);
    y = step(build, prefix, 2, y, (struct sft_conv){.kernel = 3, .stride = stride, .pad = 1, .out = width},
             true);
    y = step(build, prefix, 3, y, (struct sft_conv){.kernel = 1, .stride = 1, .out = out}, false);
    y = sft_add(build->graph, y, shortcut(build, prefix, names, x, stride, out), 1.0f);
    return sft_relu(build->graph, y);
}

static sft_value basic(struct sft_build *build, const char *prefix, sft_value x, int stride, int64_t width)
{
    static const char *const names[] = {"shortcut.0", "shortcut.1"};
    sft_value y = step(build, prefix, 1, x,
                       (struct sft_conv){.kernel = 3, .stride = stride, .pad = 1, .out = width}, true);
    y = step(build, prefix, 2, y, (struct sft_conv){.kernel = 3, .stride = 1, .pad = 1, .out = width}, false);
    y = sft_add(build->graph, y, shortcut(build, prefix, names, x, stride, width), 1.0f);
    return sft_relu(build->graph, y);
}

static void head(struct sft_build *build, sft_value x)
{
    sft_head_layer(build, "fc", sft_global_pool_layer(build, x), SFT_HEAD_LINEAR);
}

static void build_resnet50(struct sft_build *build, sft_value images)
{
    static const int units[LAYERS] = {3, 4, 6, 3};
    char prefix[SFT_MAX_NAME];
    sft_value x = step(build, "", 1, images,
                       (struct sft_conv){.kernel = 7, .stride = 2, .pad = 3, .out = ROOT_WIDTH}, true);
    x = sft_max_pool_layer(build, x, (struct sft_max_pool){.size = 3, .stride = 2, .pad = 1});
    x = sft_build_tap(build, SFT_TAP_MAP, x);
    for (int layer = 0; layer < LAYERS; layer++) {
        for (int i = 0; i < units[layer]; i++)
            x = bottleneck(build, sft_name(prefix, "layer%d.%d.", layer + 1, i), x,
                           layer > 0 && i == 0 ? 2 : 1, ROOT_WIDTH << layer);
        x = sft_build_tap(build, SFT_TAP_MAP, x);
    }
    head(build, x);
}

static void build_resnet18(struct sft_build *build, sft_value images, int root_pad)
{
    char prefix[SFT_MAX_NAME];
    sft_value x = step(build, "", 1, images,
                       (struct sft_conv){.kernel = 3, .stride = 1, .pad = root_pad, .out = ROOT_WIDTH}, true);
    for (int layer = 0; layer < LAYERS; layer++)
        for (int i = 0; i < 2; i++) {
            x = basic(build, sft_name(prefix, "layer%d.%d.", layer + 1, i), x, layer > 0 && i == 0 ? 2 : 1,
                      ROOT_WIDTH << layer);
            x = sft_build_tap(build, SFT_TAP_MAP, x);
        }
    head(build, x);
}

static void build_pad1(struct sft_build *build, sft_value images) { build_resnet18(build, images, 1); }

static void build_pad2(struct sft_build *build, sft_value images) { build_resnet18(build, images, 2); }

const struct sft_variant sft_variants_resnet[] = {
    {
        .name = "resnet50",
        .about = "ResNet-50 for large images, batch norm (torchvision's)",
        .build = build_resnet50,
        .norm = SFT_NORM_BATCH,
        .depth = 50,
        .image_size = 224,
        .stage_taps = {4, 3},
        .mean = {0.485f, 0.456f, 0.406f},
        .std = {0.229f, 0.224f, 0.225f},
        .framing = {SFT_RESIZE_SHORT_SIDE, SFT_FILTER_BILINEAR, 0.875f},
    },
    {
        .name = "resnet18_32x32",
        .about = "ResNet-18 for 32-pixel images, batch norm (OpenOOD's)",
        .build = build_pad1,
        .norm = SFT_NORM_BATCH,
        .depth = 18,
        .image_size = 32,
        .stage_taps = {7, 5},
        .norm_tap = 7,
        .mean = {0.4914f, 0.4822f, 0.4465f},
        .std = {0.2470f, 0.2435f, 0.2616f},
    },
    {
        .name = "resnet18_32x32_pad2",
        .about = "The same with a root padded by 2 (FeatureNorm's)",
        .build = build_pad2,
        .norm = SFT_NORM_BATCH,
        .depth = 18,
        .image_size = 32,
        .stage_taps = {7, 5},
        .norm_tap = 7,
        .mean = {0.5f, 0.5f, 0.5f},
        .std = {0.5f, 0.5f, 0.5f},
    },
    {0},
};

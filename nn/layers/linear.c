/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "nn/layers/layers.h"
#include "runtime/ops.h"

struct linear {
    int64_t out;
    bool relu, is_head, as_conv;
    struct sft_init weight, bias;
};

static sft_value linear(struct sft_build *build, const char *name, sft_value x, const struct linear *layer)
{
    int64_t in = sft_build_dim(build, x, 1), out = layer->out;
    struct sft_parameter_rule weight = {.kind = layer->is_head ? SFT_HEAD_WEIGHT : SFT_LINEAR_WEIGHT,
                                        .shape = SFT_SHAPE(out, in),
                                        .init = layer->weight};
    struct sft_parameter_rule bias = {
        .kind = layer->is_head ? SFT_HEAD_BIAS : SFT_BIAS, .shape = SFT_SHAPE(out), .init = layer->bias};
    sft_value w, b;
    if (layer->as_conv) weight.file_shape = SFT_SHAPE(out, in, 1, 1);
    w = sft_build_parameter(build, name, "weight", weight);
    b = sft_build_parameter(build, name, "bias", bias);
    x = sft_matmul(build->graph, x, w, b, (struct sft_matmul_params){.transpose_b = 1});
    return layer->relu ? sft_relu(build->graph, x) : x;
}

/* The default of most frameworks: uniform within 1/sqrt(fan-in). */
static struct sft_init uniform_fan_in(const struct sft_build *build, sft_value x)
{
    return (struct sft_init){SFT_INIT_UNIFORM, (float)(1.0 / sqrt((double)sft_build_dim(build, x, 1)))};
}

sft_value sft_linear_layer(struct sft_build *build, const char *name, sft_value x, int64_t out, bool relu)
{
    struct sft_init init = uniform_fan_in(build, x);
    return linear(build, name, x, &(struct linear){.out = out, .relu = relu, .weight = init, .bias = init});
}

void sft_head_layer(struct sft_build *build, const char *name, sft_value x, enum sft_head head)
{
    struct linear layer = {.out = build->network->outputs, .is_head = true, .as_conv = head == SFT_HEAD_CONV};
    if (head == SFT_HEAD_CONV)
        layer.weight = (struct sft_init){SFT_INIT_NORMAL, 0.01f};
    else
        layer.weight = layer.bias = uniform_fan_in(build, x);
    build->out->features = x;
    build->out->logits = linear(build, name, x, &layer);
}

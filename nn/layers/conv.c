/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "nn/layers/layers.h"
#include "runtime/ops.h"

/* The epsilon of weight standardisation. */
static float epsilon_of(const struct sft_network *network)
{
    return network->standardize_epsilon > 0 ? network->standardize_epsilon : SFT_STANDARDIZE_EPSILON;
}

sft_value sft_conv_layer(struct sft_build *build, const char *name, sft_value x, struct sft_conv conv)
{
    int64_t in = sft_build_dim(build, x, 3), k = conv.kernel;
    const struct sft_conv2d_params params = {
        .stride = {conv.stride, conv.stride}, .pad = {conv.pad, conv.pad}, .dilation = {1, 1}, .groups = 1};
    sft_value bias = SFT_NONE, rstd;
    sft_value weight =
        sft_build_parameter(build, name, "weight",
                            (struct sft_parameter_rule){
                                .kind = SFT_CONV_WEIGHT,
                                .shape = SFT_SHAPE(k, k, in, conv.out),
                                .file_shape = SFT_SHAPE(conv.out, in, k, k),
                                .init = {SFT_INIT_NORMAL, (float)sqrt(2.0 / (double)(k * k * conv.out))}});
    if (conv.bias)
        bias = sft_build_parameter(
            build, name, "bias", (struct sft_parameter_rule){.kind = SFT_BIAS, .shape = SFT_SHAPE(conv.out)});
    if (conv.standardized)
        weight = sft_weight_standardize(build->graph, weight, epsilon_of(build->network), &rstd);
    x = sft_conv2d(build->graph, x, weight, bias, params);
    return conv.relu ? sft_relu(build->graph, x) : x;
}

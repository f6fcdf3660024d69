/* SPDX-License-Identifier: Apache-2.0 */
/* Layers without parameters. */
#include "nn/layers/layers.h"
#include "runtime/ops.h"

sft_value sft_dropout_layer(struct sft_build *build, sft_value x, float probability)
{
    const struct sft_dropout_params params = {probability, sft_build_dropout_stream(build)};
    if (build->forward->dropout_key == SFT_NONE) return x;
    return sft_dropout(build->graph, x, build->forward->dropout_key, params);
}

sft_value sft_max_pool_layer(struct sft_build *build, sft_value x, struct sft_max_pool pool)
{
    const struct sft_pool_params params = {.kernel = {pool.size, pool.size},
                                           .stride = {pool.stride, pool.stride},
                                           .pad = {pool.pad, pool.pad},
                                           .zero_pad = pool.zero_pad};
    return sft_max_pool(build->graph, x, params, NULL);
}

sft_value sft_global_pool_layer(struct sft_build *build, sft_value x)
{
    int64_t n = sft_build_dim(build, x, 0), c = sft_build_dim(build, x, 3);
    int h = (int)sft_build_dim(build, x, 1), w = (int)sft_build_dim(build, x, 2);
    const struct sft_pool_params params = {.kernel = {h, w}, .stride = {h, w}};
    if (x == SFT_NONE) return SFT_NONE;
    return sft_reshape(build->graph, sft_avg_pool(build->graph, x, params), SFT_SHAPE(n, c));
}

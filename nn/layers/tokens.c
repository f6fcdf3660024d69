/* SPDX-License-Identifier: Apache-2.0 */
/* Layers of transformers, on tokens (N,T,C). */
#include <math.h>

#include "nn/layers/layers.h"
#include "runtime/ops.h"

static const struct sft_init as_published = {SFT_INIT_NORMAL, 0.02f};

struct sft_dense sft_dense_parameters(struct sft_build *build, const char *name, int64_t in, int64_t out,
                                      bool bias)
{
    struct sft_dense dense = {.bias = SFT_NONE};
    dense.weight = sft_build_parameter(build, name, "weight",
                                       (struct sft_parameter_rule){.kind = SFT_LINEAR_WEIGHT,
                                                                   .shape = SFT_SHAPE(out, in),
                                                                   .init = as_published});
    if (bias)
        dense.bias = sft_build_parameter(
            build, name, "bias", (struct sft_parameter_rule){.kind = SFT_BIAS, .shape = SFT_SHAPE(out)});
    return dense;
}

struct sft_dense sft_dense_rows(struct sft_build *build, struct sft_dense dense, int64_t first, int64_t count)
{
    int64_t in = sft_build_dim(build, dense.weight, 1);
    dense.weight = sft_view(build->graph, dense.weight, first * in, SFT_SHAPE(count, in));
    if (dense.bias != SFT_NONE) dense.bias = sft_view(build->graph, dense.bias, first, SFT_SHAPE(count));
    return dense;
}

sft_value sft_dense_apply(struct sft_build *build, sft_value x, struct sft_dense dense)
{
    struct sft_graph *graph = build->graph;
    int64_t n = sft_build_dim(build, x, 0), t = sft_build_dim(build, x, 1), in = sft_build_dim(build, x, 2);
    int64_t out = sft_build_dim(build, dense.weight, 0);
    sft_value rows = sft_reshape(graph, x, SFT_SHAPE(n * t, in));
    rows = sft_matmul(graph, rows, dense.weight, dense.bias, (struct sft_matmul_params){.transpose_b = 1});
    return sft_reshape(graph, rows, SFT_SHAPE(n, t, out));
}

sft_value sft_dense_layer(struct sft_build *build, const char *name, sft_value x, int64_t out, bool bias)
{
    return sft_dense_apply(build, x,
                           sft_dense_parameters(build, name, sft_build_dim(build, x, 2), out, bias));
}

sft_value sft_mlp_layer(struct sft_build *build, const char *first, const char *second, sft_value x,
                        int64_t hidden)
{
    int64_t width = sft_build_dim(build, x, 2);
    x = sft_gelu(build->graph, sft_dense_layer(build, first, x, hidden, true));
    return sft_dense_layer(build, second, x, width, true);
}

sft_value sft_self_attention_layer(struct sft_build *build, const char *name, sft_value x, int heads)
{
    int64_t width = sft_build_dim(build, x, 2);
    const struct sft_attention_params params = {heads, (float)(1 / sqrt((double)width / heads))};
    char part[SFT_MAX_NAME];
    x = sft_dense_layer(build, sft_name(part, "%s.qkv", name), x, 3 * width, false);
    x = sft_attention(build->graph, x, SFT_NONE, SFT_NONE, params);
    return sft_dense_layer(build, sft_name(part, "%s.proj", name), x, width, true);
}

sft_value sft_class_token_layer(struct sft_build *build, const char *name, sft_value x)
{
    int64_t n = sft_build_dim(build, x, 0), width = sft_build_dim(build, x, 2);
    sft_value token =
        sft_build_parameter(build, name, NULL,
                            (struct sft_parameter_rule){
                                .kind = SFT_TOKEN, .shape = SFT_SHAPE(1, 1, width), .init = as_published});
    token = sft_broadcast_to(build->graph, token, SFT_SHAPE(n, 1, width), 1.0f);
    return sft_concat(build->graph, token, x, 1);
}

sft_value sft_positions_layer(struct sft_build *build, const char *name, sft_value x)
{
    int64_t t = sft_build_dim(build, x, 1), width = sft_build_dim(build, x, 2);
    sft_value positions = sft_build_parameter(build, name, NULL,
                                              (struct sft_parameter_rule){.kind = SFT_BUFFER,
                                                                          .shape = SFT_SHAPE(1, t, width),
                                                                          .init = {SFT_INIT_SINUSOID, 1.0f}});
    return sft_add(build->graph, x, positions, 1.0f);
}

sft_value sft_token_layer(struct sft_build *build, sft_value x, int64_t number)
{
    int64_t n = sft_build_dim(build, x, 0), width = sft_build_dim(build, x, 2);
    const int64_t start[SFT_MAX_RANK] = {0, number, 0};
    x = sft_slice(build->graph, x, start, SFT_SHAPE(n, 1, width));
    return sft_reshape(build->graph, x, SFT_SHAPE(n, width));
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every normalisation is the group_norm op on another view: batch norm is one image of all pixels with a
 * group for each channel, layer norm has one group for each row.
 */
#include "nn/layers/layers.h"
#include "runtime/ops.h"

static const float epsilon = 1e-5f;
static const float batch_momentum = 0.1f;

struct affine {
    sft_value gamma, beta; /* (C) */
};

static struct affine affine(struct sft_build *build, const char *name, int64_t channels)
{
    struct affine affine;
    affine.gamma = sft_build_parameter(build, name, "weight",
                                       (struct sft_parameter_rule){.kind = SFT_NORM_WEIGHT,
                                                                   .shape = SFT_SHAPE(channels),
                                                                   .init = {SFT_INIT_CONSTANT, 1.0f}});
    affine.beta =
        sft_build_parameter(build, name, "bias",
                            (struct sft_parameter_rule){.kind = SFT_NORM_BIAS, .shape = SFT_SHAPE(channels)});
    return affine;
}

static sft_value running(struct sft_build *build, const char *name, const char *suffix, int64_t channels,
                         float start)
{
    return sft_build_parameter(build, name, suffix,
                               (struct sft_parameter_rule){.kind = SFT_BUFFER,
                                                           .shape = SFT_SHAPE(channels),
                                                           .init = {SFT_INIT_CONSTANT, start}});
}

static sft_value group_norm(struct sft_build *build, const char *name, sft_value x, int64_t groups)
{
    int64_t channels = sft_build_dim(build, x, 3);
    const struct sft_group_norm_params params = {.groups = groups, .epsilon = epsilon};
    struct affine a = affine(build, name, channels);
    if (x != SFT_NONE && (groups < 1 || channels % groups != 0))
        return sft_graph_fail(build->graph,
                              sft_fail(SFT_USAGE,
                                       "%s: %lld groups do not divide %lld channels; choose other groups",
                                       name, (long long)groups, (long long)channels));
    return sft_group_norm(build->graph, x, a.gamma, a.beta, SFT_NONE, SFT_NONE, params).y;
}

static sft_value batch_norm(struct sft_build *build, const char *name, sft_value x, bool relu)
{
    struct sft_graph *graph = build->graph;
    const struct sft_shape shape = *sft_graph_shape(graph, x);
    int64_t channels = sft_build_dim(build, x, 3);
    int64_t rows = x == SFT_NONE ? 1 : sft_shape_count(&shape) / channels;
    bool frozen = build->forward->bn == SFT_BN_RUNNING;
    const struct sft_group_norm_params params = {.groups = channels, .epsilon = epsilon, .frozen = frozen};
    struct affine a = affine(build, name, channels);
    sft_value mean = running(build, name, "running_mean", channels, 0.0f);
    sft_value variance = running(build, name, "running_var", channels, 1.0f);
    sft_value given_mean = SFT_NONE, given_variance = SFT_NONE;
    struct sft_group_norm_out norm;

    if (frozen) {
        given_mean = sft_reshape(graph, mean, SFT_SHAPE(1, channels));
        given_variance = sft_reshape(graph, variance, SFT_SHAPE(1, channels));
    }
    norm = sft_group_norm(graph, sft_reshape(graph, x, SFT_SHAPE(1, rows, channels)), a.gamma, a.beta,
                          given_mean, given_variance, params);
    if (build->forward->bn == SFT_BN_UPDATE)
        sft_running_update(graph, mean, variance, sft_reshape(graph, norm.mean, SFT_SHAPE(channels)),
                           sft_reshape(graph, norm.rstd, SFT_SHAPE(channels)),
                           (struct sft_running_update_params){batch_momentum, epsilon, rows});
    /* Before the reshape, so that the ReLU directly follows the op that it is fused into. */
    return sft_reshape(graph, relu ? sft_relu(graph, norm.y) : norm.y, shape);
}

sft_value sft_norm_layer(struct sft_build *build, const char *name, sft_value x, enum sft_norm norm,
                         int64_t groups, bool relu)
{
    if (norm == SFT_NORM_BATCH) return batch_norm(build, name, x, relu);
    if (norm == SFT_NORM_GROUP) x = group_norm(build, name, x, groups);
    return relu ? sft_relu(build->graph, x) : x;
}

sft_value sft_layer_norm_layer(struct sft_build *build, const char *name, sft_value x)
{
    const struct sft_shape shape = *sft_graph_shape(build->graph, x);
    int64_t channels = x == SFT_NONE ? 1 : shape.dim[shape.rank - 1];
    int64_t rows = x == SFT_NONE ? 1 : sft_shape_count(&shape) / channels;
    const struct sft_group_norm_params params = {.groups = 1, .epsilon = epsilon};
    struct affine a = affine(build, name, channels);
    sft_value y = sft_group_norm(build->graph, sft_reshape(build->graph, x, SFT_SHAPE(rows, channels)),
                                 a.gamma, a.beta, SFT_NONE, SFT_NONE, params)
                      .y;
    return sft_reshape(build->graph, y, shape);
}

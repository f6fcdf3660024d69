/* SPDX-License-Identifier: Apache-2.0 */
/*
 * RankWeight: Song, Sebe and Wang, "RankFeat and RankWeight: rank-1 feature/weight removal for
 * out-of-distribution detection", 2023. The two last convolutions lose the largest rank-1 part of their raw
 * filters, taken as a matrix of output channels by the rest (100 power iterations); then RankFeat on the last
 * stage. Of a transformer it is the last block's second linear layer.
 *
 * The published code edits the weights on each call, first for the ID images and then for the others, which
 * are so scored by a network without two parts: --rankweight-twice does the same.
 */
#include <math.h>

#include "ood/scores/rank_one.h"
#include "ood/scores/rows.h"
#include "runtime/ops.h"

enum { ITERATIONS = 100, SQUARINGS = 10, FEATURE_ITERATIONS = 2 };

enum { TWICE };
static const struct sft_knob knobs[] = {
    [TWICE] = {"rankweight-twice", SFT_KNOB_FLAG, NULL, NULL, 0, 0, NULL,
               "rankweight: two parts removed for OOD images, as in the published code"},
    {0},
};

static const char *misfit(const struct sft_model *model)
{
    return model->variant->stage_taps[0] ? NULL
                                         : "the model has no feature maps whose rank-1 part could be removed";
}

static sft_value piece(struct sft_graph *graph, sft_value flat, int64_t first, int64_t last)
{
    return sft_view(graph, flat, first, SFT_SHAPE(last - first));
}

/* What is edited: the filters of a network of convolutions, otherwise the matrices of blocks. */
static int list_edited(const struct sft_parameters *parameters, int numbers[SFT_MAX_PARAMETERS], int *first)
{
    int n = sft_parameters_select(parameters, 1u << SFT_CONV_WEIGHT, numbers);
    *first = n - 2;
    if (n >= 2) return n;
    n = sft_parameters_select(parameters, 1u << SFT_LINEAR_WEIGHT, numbers);
    *first = n - 1;
    return n;
}

/* The flat weights with one filter replaced by itself without `times` rank-1 parts. */
static sft_value edit(struct sft_graph *graph, sft_value flat, const struct sft_parameter *filter, int times)
{
    int64_t end = sft_shape_count(sft_graph_shape(graph, flat)),
            outputs = filter->shape.dim[filter->shape.rank - 1];
    sft_value w = sft_view(graph, flat, filter->offset, SFT_SHAPE(1, filter->count / outputs, outputs)),
              joined;
    for (int i = 0; i < times; i++) w = sft_remove_rank_one(graph, w, SFT_NONE, ITERATIONS, NULL);
    joined = sft_concat(graph, piece(graph, flat, 0, filter->offset),
                        sft_reshape(graph, w, SFT_SHAPE(filter->count)), 0);
    if (filter->offset + filter->count == end) return joined;
    return sft_concat(graph, joined, piece(graph, flat, filter->offset + filter->count, end), 0);
}

static sft_value extend(const struct sft_scorer *scorer, const struct sft_pass *pass, enum sft_images images)
{
    const union sft_knob_value *knob = scorer->knobs;
    const struct sft_parameters *parameters = &pass->model->parameters;
    int times = knob[TWICE].flag && images == SFT_IMAGES_OOD ? 2 : 1,
        last = pass->model->variant->stage_taps[0];
    int numbers[SFT_MAX_PARAMETERS], first, n = list_edited(parameters, numbers, &first);
    struct sft_forward forward = *pass->forward;
    struct sft_forward_out out;
    for (int i = first; i < n; i++)
        forward.weights = edit(pass->graph, forward.weights, &parameters->items[numbers[i]], times);
    forward.from_tap = pass->model->variant->stage_taps[1];
    forward.from = pass->out->taps[forward.from_tap].value;
    if (sft_model_forward(pass->model, pass->graph, &forward, pass->images, &out) != SFT_OK) return SFT_NONE;
    forward.from_tap = last;
    forward.from =
        sft_rank_one_removed(pass->graph, out.taps[last].value, SQUARINGS, FEATURE_ITERATIONS, NULL);
    if (sft_model_forward(pass->model, pass->graph, &forward, pass->images, &out) != SFT_OK) return SFT_NONE;
    return out.logits;
}

static float rankweight(const struct sft_score_input *in, int64_t i)
{
    return sft_row_log_sum_exp(in->outputs->extra + i * in->outputs->extra_width, in->outputs->classes);
}

static enum sft_status compute(const struct sft_score_input *in, float *scores)
{
    return sft_score_rows(rankweight, in, scores);
}

const struct sft_score sft_score_rankweight = {
    .name = "rankweight",
    .title = "RankWeight",
    .summary = "RankFeat with the last filters' rank-1 part removed too (Song et al., 2023)",
    .needs = SFT_NEEDS_LOGITS,
    .knobs = knobs,
    .misfit = misfit,
    .extend = extend,
    .compute = compute,
};

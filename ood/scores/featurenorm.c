/* SPDX-License-Identifier: Apache-2.0 */
/*
 * FeatureNorm: Yu et al., "Block selection method for using feature norm in out-of-distribution detection",
 * CVPR 2023. S = mean over channels of the L2 norm over pixels of a block's maps after ReLU.
 *
 * The block is a number, or the one with the largest NormRatio: the mean over training images x of S(x) /
 * S(jigsaw(x)), jigsaw being 3 x 3 tiles of floor(side / 3) pixels in another order, with what remains at the
 * border set to 0. Here that order is the same for every image: tile k + 4 (of 9, around) comes to place k,
 * so that none stays. The published code feeds pixels from 0 to 1 to NormRatio although the network is
 * trained on normalised ones: `raw`.
 */
#include <math.h>
#include <stdlib.h>

#include "ood/scores/rows.h"
#include "runtime/base/alloc.h"
#include "runtime/base/words.h"
#include "runtime/ops.h"

enum input { RAW, NORMALISED };
static const char *const inputs[] = {"raw", "normalised", NULL};
SFT_ASSERT_WORDS(inputs, NORMALISED);

enum { BLOCK, INPUT };
static const struct sft_knob knobs[] = {
    [BLOCK] = {"featurenorm-block", SFT_KNOB_INT, "N", "-1", -1, SFT_MAX_TAPS - 1, NULL,
               "featurenorm: number of the block, from 0; -1: the model's own (5 for VGG11), or the best "
               "NormRatio on "
               "--fit"},
    [INPUT] = {"normratio-input", SFT_KNOB_CHOICE, "NAME", "raw", 0, 0, inputs,
               "featurenorm: images that NormRatio looks at"},
    {0},
};

enum { TILES = 3, SHIFT = 4 };

static const char *misfit(const struct sft_model *model)
{
    return model->variant->positions.name
               ? "it is the norm of feature maps after a ReLU, and the model has tokens without one"
               : NULL;
}

/* The block that is asked for or the model's own; -1: by NormRatio. */
static int fixed_block(const union sft_knob_value *knob, const struct sft_variant *variant)
{
    if (knob[BLOCK].integer >= 0) return (int)knob[BLOCK].integer;
    return variant ? variant->norm_tap - 1 : -1;
}

static unsigned needs_with(const union sft_knob_value *knob, const struct sft_variant *variant)
{
    return fixed_block(knob, variant) >= 0 ? 0u : (unsigned)SFT_NEEDS_FIT;
}

/* (N, 1): S of one block's maps. */
static sft_value block_norm(struct sft_graph *graph, sft_value map)
{
    struct sft_shape shape = *sft_graph_shape(graph, map);
    sft_value positive = sft_relu(graph, map), norms;
    norms = sft_sum_to(graph, sft_mul(graph, positive, positive), SFT_SHAPE(shape.dim[0], 1, 1, shape.dim[3]),
                       1.0f);
    norms = sft_reshape(graph, sft_sqrt(graph, norms), SFT_SHAPE(shape.dim[0], shape.dim[3]));
    return sft_sum_to(graph, norms, SFT_SHAPE(shape.dim[0], 1), 1.0f / (float)shape.dim[3]);
}

/* (N, blocks). */
static sft_value all_norms(struct sft_graph *graph, const struct sft_forward_out *out)
{
    sft_value norms = block_norm(graph, out->taps[0].value);
    for (int i = 1; i < out->n_taps; i++)
        norms = sft_concat(graph, norms, block_norm(graph, out->taps[i].value), 1);
    return norms;
}

static sft_value tile(struct sft_graph *graph, sft_value images, int number)
{
    const struct sft_shape *shape = sft_graph_shape(graph, images);
    int64_t side = shape->dim[1] / TILES,
            start[SFT_MAX_RANK] = {0, number / TILES * side, number % TILES * side, 0};
    return sft_slice(graph, images, start, SFT_SHAPE(shape->dim[0], side, side, shape->dim[3]));
}

static sft_value jigsaw(struct sft_graph *graph, sft_value images)
{
    struct sft_shape shape = *sft_graph_shape(graph, images);
    sft_value picture = SFT_NONE;
    for (int y = 0; y < TILES; y++) {
        sft_value row = SFT_NONE;
        for (int x = 0; x < TILES; x++) {
            sft_value next = tile(graph, images, (y * TILES + x + SHIFT) % (TILES * TILES));
            row = x ? sft_concat(graph, row, next, 2) : next;
        }
        picture = y ? sft_concat(graph, picture, row, 1) : row;
    }
    return sft_pad(graph, picture, (const int64_t[SFT_MAX_RANK]){0}, shape);
}

/* A number for each channel. */
static sft_value channels(struct sft_graph *graph, const float *values)
{
    sft_value first = sft_fill(graph, SFT_SHAPE(1), values[0]),
              second = sft_fill(graph, SFT_SHAPE(1), values[1]);
    return sft_concat(graph, sft_concat(graph, first, second, 0), sft_fill(graph, SFT_SHAPE(1), values[2]),
                      0);
}

/* Pixels from 0 to 1 again: x * std + mean. */
static sft_value raw_pixels(const struct sft_pass *pass)
{
    sft_value scaled = sft_mul(pass->graph, pass->images, channels(pass->graph, pass->model->std));
    return sft_add(pass->graph, scaled, channels(pass->graph, pass->model->mean), 1.0f);
}

/* For fitting (N, 2 blocks): S of every block for the image and for its jigsaw; for scoring (N, blocks). */
static sft_value extend(const struct sft_scorer *scorer, const struct sft_pass *pass, enum sft_images kind)
{
    const union sft_knob_value *knob = scorer->knobs;
    struct sft_graph *graph = pass->graph;
    struct sft_forward_out out;
    sft_value images = knob[INPUT].choice == RAW ? raw_pixels(pass) : pass->images, whole;
    if (kind != SFT_IMAGES_FIT) return all_norms(graph, pass->out);
    if (fixed_block(knob, pass->model->variant) >= 0) return SFT_NONE;
    if (sft_model_forward(pass->model, graph, pass->forward, images, &out) != SFT_OK) return SFT_NONE;
    whole = all_norms(graph, &out);
    if (sft_model_forward(pass->model, graph, pass->forward, jigsaw(graph, images), &out) != SFT_OK)
        return SFT_NONE;
    return sft_concat(graph, whole, all_norms(graph, &out), 1);
}

static enum sft_status fit(const struct sft_score_input *in, struct sft_statistics *statistics)
{
    int blocks = in->outputs->extra_width / 2;
    float *block, *ratio;
    SFT_TRY(sft_statistics_add(statistics, "block", SFT_SHAPE(1), &block));
    SFT_TRY(sft_statistics_add(statistics, "ratio", SFT_SHAPE(blocks), &ratio));
    for (int b = 0; b < blocks; b++) {
        double sum = 0;
        for (int64_t i = 0; i < in->outputs->n; i++) {
            const float *norms = in->outputs->extra + i * in->outputs->extra_width;
            sum += (double)norms[b] / (double)norms[blocks + b];
        }
        ratio[b] = (float)(sum / (double)in->outputs->n);
    }
    *block = (float)sft_row_argmax(ratio, blocks);
    return SFT_OK;
}

static int chosen_block(const struct sft_score_input *in)
{
    int block = fixed_block(in->knobs, in->variant);
    return block >= 0 ? block : (int)*sft_statistics_get(in->statistics, "block", SFT_SHAPE(1));
}

static float featurenorm(const struct sft_score_input *in, int64_t i)
{
    return in->outputs->extra[i * in->outputs->extra_width + chosen_block(in)];
}

static enum sft_status compute(const struct sft_score_input *in, float *scores)
{
    int block = chosen_block(in);
    if (block < 0 || block >= in->outputs->extra_width)
        return sft_fail(SFT_USAGE, "featurenorm: there is no block %d; the model has %d", block,
                        in->outputs->extra_width);
    return sft_score_rows(featurenorm, in, scores);
}

const struct sft_score sft_score_featurenorm = {
    .name = "featurenorm",
    .title = "FeatureNorm",
    .summary = "norm of one block's feature maps (Yu et al., CVPR 2023)",
    .needs = SFT_NEEDS_FIT,
    .knobs = knobs,
    .statistics = (const struct sft_statistic_rule[]){{"block", "1"}, {0}},
    .needs_with = needs_with,
    .misfit = misfit,
    .extend = extend,
    .fit = fit,
    .compute = compute,
};

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * RankFeat: Song, Sebe and Wang, "RankFeat: rank-1 feature removal for out-of-distribution detection",
 * NeurIPS 2022. The feature maps of a stage are a matrix, channels by pixels; its largest rank-1 part is
 * removed and the rest of the network run again. S = T LSE(z / T) with z the mean of the logits after the
 * last stage and after the one before it. Of tokens, which are no maps of a stage, the published code takes
 * the last block's alone: a matrix of tokens by channels, before the last norm.
 *
 * The published power iteration starts at random and takes 20 rounds, which small networks' maps often need
 * more of; here it starts from a vector that repeated squaring of the Gram matrix has nearly turned into the
 * right one.
 */
#include <inttypes.h>
#include <math.h>

#include "ood/scores/rank_one.h"
#include "ood/scores/rows.h"
#include "runtime/base/log.h"
#include "runtime/base/words.h"
#include "runtime/ops.h"

enum blocks { BOTH, LAST, PREVIOUS };
static const char *const block_names[] = {"34", "4", "3", NULL};
SFT_ASSERT_WORDS(block_names, PREVIOUS);
enum svd { POWER, EXACT };
static const char *const svd_names[] = {"power", "exact", NULL};
SFT_ASSERT_WORDS(svd_names, EXACT);

enum { BLOCKS, SVD, SQUARINGS, ITERATIONS, TEMPERATURE };
static const struct sft_knob knobs[] = {
    [BLOCKS] = {"rankfeat-blocks", SFT_KNOB_CHOICE, "NAME", "34", 0, 0, block_names,
                "rankfeat: 4 for the last stage, 3 for the one before, 34 for the mean of both logits; of "
                "tokens the last blocks alone"},
    [SVD] = {"rankfeat-svd", SFT_KNOB_CHOICE, "NAME", "power", 0, 0, svd_names,
             "rankfeat: power iteration, or exact by LAPACK (on Vulkan: 1000 iterations)"},
    [SQUARINGS] = {"rankfeat-squarings", SFT_KNOB_INT, "N", "10", 0, 30, NULL,
                   "rankfeat: squarings of the Gram matrix before the power iteration, worth 2^N rounds; 0 "
                   "as published"},
    [ITERATIONS] = {"rankfeat-iterations", SFT_KNOB_INT, "N", "2", 1, 10000, NULL,
                    "rankfeat: rounds of the power iteration; 20 as published"},
    [TEMPERATURE] = {"rankfeat-temperature", SFT_KNOB_REAL, "T", "1", 1e-6, 1e6, NULL,
                     "rankfeat: temperature"},
    {0},
};

/* Of what is not a singular vector more than this remains: a share of the singular value. */
static const float not_converged = 1e-4f;

/* Logits, then two numbers a block. */
static int block_count(const struct sft_outputs *outputs)
{
    return (outputs->extra_width - outputs->classes) / 2;
}

/* The blocks that are looked at. */
static enum blocks blocks_of(const union sft_knob_value *knob, const struct sft_forward_out *out, int last)
{
    bool tokens = out->taps[last].kind == SFT_TAP_TOKENS;
    return tokens && knob[BLOCKS].choice == BOTH ? LAST : (enum blocks)knob[BLOCKS].choice;
}

static const char *misfit(const struct sft_model *model)
{
    return model->variant->stage_taps[0] ? NULL
                                         : "the model has no feature maps whose rank-1 part could be removed";
}

/* The logits without the rank-1 part of a tap, and how well that was found. */
static sft_value without_rank_one(const union sft_knob_value *knob, const struct sft_pass *pass, int tap,
                                  sft_value *quality)
{
    bool exact = knob[SVD].choice == EXACT;
    int iterations = exact ? SFT_EXACT_RANK_ONE : (int)knob[ITERATIONS].integer;
    int squarings = exact ? 0 : (int)knob[SQUARINGS].integer;
    struct sft_forward forward = *pass->forward;
    struct sft_forward_out out;
    forward.from_tap = tap;
    forward.from =
        sft_rank_one_removed(pass->graph, pass->out->taps[tap].value, squarings, iterations, quality);
    if (sft_model_forward(pass->model, pass->graph, &forward, pass->images, &out) != SFT_OK) return SFT_NONE;
    return out.logits;
}

/* (N, C + 2 a block): logits, then each block's quality. */
static sft_value extend(const struct sft_scorer *scorer, const struct sft_pass *pass, enum sft_images images)
{
    const union sft_knob_value *knob = scorer->knobs;
    const int *taps = pass->model->variant->stage_taps;
    const enum blocks blocks = blocks_of(knob, pass->out, taps[0]);
    sft_value quality, other_quality, z, other;
    (void)images;
    z = without_rank_one(knob, pass, taps[blocks == PREVIOUS ? 1 : 0], &quality);
    if (blocks == BOTH) {
        other = without_rank_one(knob, pass, taps[1], &other_quality);
        z = sft_scale(pass->graph, sft_add(pass->graph, z, other, 1.0f), 0.5f);
        quality = sft_concat(pass->graph, quality, other_quality, 1);
    }
    return sft_concat(pass->graph, z, quality, 1);
}

static float rankfeat(const struct sft_score_input *in, int64_t i)
{
    const float *z = in->outputs->extra + i * in->outputs->extra_width;
    int classes = in->outputs->classes;
    float max = sft_row_max(z, classes), t = (float)in->knobs[TEMPERATURE].real;
    return max + t * logf(sft_row_sum_exp(z, classes, max, t));
}

static void warn(const struct sft_score_input *in)
{
    const struct sft_outputs *outputs = in->outputs;
    int64_t loose = 0;
    for (int64_t i = 0; i < outputs->n; i++) {
        const float *quality = outputs->extra + i * outputs->extra_width + outputs->classes;
        bool converged = true;
        for (int b = 0; b < block_count(outputs); b++) converged &= quality[2 * b + 1] <= not_converged;
        loose += !converged;
    }
    if (loose * 10 > outputs->n)
        sft_log(SFT_LOG_INFO,
                "rankfeat: %" PRId64 " of %" PRId64
                " power iterations are not converged; --rankfeat-squarings or "
                "--rankfeat-iterations takes more rounds",
                loose, outputs->n);
}

static enum sft_status compute(const struct sft_score_input *in, float *scores)
{
    warn(in);
    return sft_score_rows(rankfeat, in, scores);
}

const struct sft_score sft_score_rankfeat = {
    .name = "rankfeat",
    .title = "RankFeat",
    .summary = "energy after removal of the features' rank-1 part (Song et al., NeurIPS 2022)",
    .needs = SFT_NEEDS_LOGITS,
    .knobs = knobs,
    .misfit = misfit,
    .extend = extend,
    .compute = compute,
};

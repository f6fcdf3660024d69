/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ODIN: Liang, Li and Srikant, "Enhancing the reliability of out-of-distribution image detection in neural
 * networks", ICLR 2018. S = max softmax(z(x') / T), x' = x - eps * sign(grad_x CE(z(x)/T, argmax z)), sign(0)
 * = +1.
 *
 * The defaults are those of the code behind the paper's tables, for every model: T = 1000 and eps = 0, which
 * is one forward pass. Others tune eps (0.0014 in OpenOOD). At T = 1000 probabilities differ from 1/C in the
 * fourth digit, so single precision, which the reference code uses, can tie.
 */
#include <math.h>

#include "ood/scores/input_step.h"
#include "ood/scores/rows.h"
#include "runtime/ops.h"

enum { TEMPERATURE, EPS, FP64 };
static const struct sft_knob knobs[] = {
    [TEMPERATURE] = {"odin-temperature", SFT_KNOB_REAL, "T", "1000", 1e-3, 1e6, NULL, "odin: temperature"},
    [EPS] = {"odin-eps", SFT_KNOB_REAL, "X", "0", 0, 1, NULL,
             "odin: step against the input's gradient, in the units of normalised images"},
    [FP64] = {"odin-fp64", SFT_KNOB_FLAG, NULL, NULL, 0, 0, NULL,
              "odin: softmax in double precision, without ties"},
    {0},
};

/* The logits of the moved images. */
static sft_value extend(const struct sft_scorer *scorer, const struct sft_pass *pass, enum sft_images images)
{
    const union sft_knob_value *knob = scorer->knobs;
    struct sft_graph *graph = pass->graph;
    struct sft_forward_out moved;
    sft_value z, sign, stepped;
    (void)images;
    if (!(knob[EPS].real > 0)) return SFT_NONE;
    z = sft_scale(graph, pass->out->logits, (float)(1 / knob[TEMPERATURE].real));
    sign = sft_gradient_sign(graph, sft_prediction_loss(graph, z), pass->images);
    stepped = sft_add(graph, pass->images, sign, -(float)knob[EPS].real);
    if (sft_model_forward(pass->model, graph, pass->forward, stepped, &moved) != SFT_OK) return SFT_NONE;
    return moved.logits;
}

static float odin(const struct sft_score_input *in, int64_t i)
{
    int classes = in->outputs->classes;
    const float *logits = in->knobs[EPS].real > 0 ? in->outputs->extra + i * classes : sft_logits_of(in, i);
    float max = sft_row_max(logits, classes);
    double sum = 0, t = in->knobs[TEMPERATURE].real;
    if (!in->knobs[FP64].flag) return 1.0f / sft_row_sum_exp(logits, classes, max, (float)t);
    for (int c = 0; c < classes; c++) sum += exp(((double)logits[c] - (double)max) / t);
    return (float)(1 / sum);
}

static enum sft_status compute(const struct sft_score_input *in, float *scores)
{
    return sft_score_rows(odin, in, scores);
}

const struct sft_score sft_score_odin = {
    .name = "odin",
    .title = "ODIN",
    .summary = "max softmax(z(x - eps sign grad) / T) (Liang et al., ICLR 2018)",
    .needs = SFT_NEEDS_LOGITS,
    .knobs = knobs,
    .extend = extend,
    .compute = compute,
};

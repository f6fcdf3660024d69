/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mahalanobis distance: Lee et al., "A simple unified framework for detecting out-of-distribution samples and
 * adversarial attacks", NeurIPS 2018, as the code of GradNorm applies it. f_l is the mean over pixels of tap l,
 * M_l(x) = max_c -(f_l - mu_lc)^T P_l (f_l - mu_lc) / 2 with class means of training images and the pseudo-inverse of
 * the pooled covariance of what remains. A logistic regression tells clean images from adversarial copies, clamp(x +
 * 0.05 sign(grad CE)) to 0..1 of the normalised image, by all M_l; S = -(its probability of "adversarial").
 *
 * The regression's images are the first 500 of --fit rather than validation images, so that no test image is used, and
 * CE is taken with the predicted class. The published search for a step against the input's gradient is not made: its
 * magnitude is 0. `features` is the short form of ViM and OpenOOD: the classifier's input alone,
 * S = max_c -(h - mu_c)^T P (h - mu_c).
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "ood/logistic.h"
#include "ood/scores/input_step.h"
#include "ood/scores/rows.h"
#include "runtime/alloc.h"
#include "runtime/linalg.h"
#include "runtime/ops.h"

enum kind { TAPS, FEATURES };
static const char *const kinds[] = {"taps", "features", NULL};

enum { KIND };
static const struct sft_knob knobs[] = {
    {"maha", SFT_KNOB_CHOICE, "NAME", "taps", 0, 0, kinds,
     "mahalanobis: all feature maps, weighed by a regression (as published), or the penultimate features alone"},
    {0},
};

enum { TUNE_IMAGES = 500 };
static const float attack = 0.05f;

/* ---- layers: what the distance is measured in ---- */

/* Means over pixels of every tap, side by side (N, widths together). */
static sft_value pooled_taps(struct sft_graph *graph, const struct sft_forward_out *out)
{
    sft_value all = SFT_NONE;
    for (int i = 0; i < out->n_taps; i++) {
        struct sft_shape shape = *sft_graph_shape(graph, out->taps[i]);
        sft_value mean = sft_sum_to(graph, out->taps[i], SFT_SHAPE(shape.dim[0], 1, 1, shape.dim[3]),
                                    1.0f / (float)(shape.dim[1] * shape.dim[2]));
        mean = sft_reshape(graph, mean, SFT_SHAPE(shape.dim[0], shape.dim[3]));
        all = i ? sft_concat(graph, all, mean, 1) : mean;
    }
    return all;
}

/* Between 0 and 1. */
static sft_value clamped(struct sft_graph *graph, sft_value x)
{
    sft_value one = sft_fill(graph, SFT_SHAPE(1), 1.0f);
    return sft_add(graph, sft_relu(graph, x), sft_relu(graph, sft_add(graph, x, one, -1.0f)), -1.0f);
}

static sft_value adversarial_taps(const struct sft_pass *pass)
{
    struct sft_graph *graph = pass->graph;
    struct sft_forward_out out;
    sft_value images = sft_step_against_predicted(pass, pass->out->logits, -attack);
    if (sft_model_forward(pass->model, graph, pass->forward, clamped(graph, images), &out) != SFT_OK) return SFT_NONE;
    return pooled_taps(graph, &out);
}

/* (N, widths); for tuning (N, 2 widths): clean, then adversarial. */
static sft_value extend(const union sft_knob_value *knob, const struct sft_pass *pass, enum sft_images images)
{
    sft_value taps;
    if (knob[KIND].choice == FEATURES) return SFT_NONE;
    taps = pooled_taps(pass->graph, pass->out);
    return images == SFT_IMAGES_TUNE ? sft_concat(pass->graph, taps, adversarial_taps(pass), 1) : taps;
}

/* A stretch of the rows that are looked at. */
struct layer {
    const float *rows;
    int stride, first, width;
};

static struct layer layer_of(const struct sft_score_input *in, const struct sft_outputs *outputs, int number)
{
    struct layer layer = {outputs->features, outputs->width, 0, outputs->width};
    if (in->knobs[KIND].choice == FEATURES) return layer;
    layer = (struct layer){outputs->extra, outputs->extra_width, 0, in->head->tap_widths[0]};
    for (int i = 0; i < number; i++) layer.first += in->head->tap_widths[i], layer.width = in->head->tap_widths[i + 1];
    return layer;
}

static int layer_count(const struct sft_score_input *in)
{
    return in->knobs[KIND].choice == FEATURES ? 1 : in->head->n_taps;
}

/* ---- statistics ---- */

static const char *layer_name(char *text, const char *what, int number)
{
    snprintf(text, SFT_STATISTIC_NAME, "%s.%d", what, number);
    return text;
}

/* R with R^T R the pseudo-inverse of a covariance, whose eigenvalues up to 1e-12 of the largest count as 0; the
 * covariance is used up. R is what is kept: far from all means d^T P d is a small difference of large numbers, and |R
 * d|^2 is not. */
static enum sft_status invert_root(int width, double *covariance, float *root)
{
    double *values = sft_calloc((size_t)width, sizeof(*values));
    enum sft_status status = values ? sft_symmetric_eigen(width, covariance, values) : SFT_MEMORY;
    for (int i = 0; status == SFT_OK && i < width; i++) {
        double scale = values[i] > 1e-12 * values[0] ? 1 / sqrt(values[i]) : 0;
        for (int j = 0; j < width; j++) root[i * width + j] = (float)(scale * covariance[i * width + j]);
    }
    free(values);
    return status;
}

/* R of the covariance of rows minus their class's mean, the mean of the differences removed. */
static enum sft_status find_whitening(const struct sft_score_input *in, const struct layer *layer, const float *means,
                                      float *whitening)
{
    const struct sft_outputs *outputs = in->outputs;
    int64_t n = outputs->n;
    int width = layer->width;
    double *off = sft_calloc((size_t)(n * width), sizeof(*off)), *covariance;
    enum sft_status status;
    if (!off) return SFT_MEMORY;
    covariance = sft_calloc((size_t)width * (size_t)width, sizeof(*covariance));
    for (int j = 0; j < width; j++) {
        double mean = 0;
        for (int64_t i = 0; i < n; i++) {
            off[i * width + j] = (double)layer->rows[i * layer->stride + layer->first + j] -
                                 (double)means[(int64_t)outputs->labels[i] * width + j];
            mean += off[i * width + j] / (double)n;
        }
        for (int64_t i = 0; i < n; i++) off[i * width + j] -= mean;
    }
    status = covariance ? sft_gram(n, width, off, covariance) : SFT_MEMORY;
    for (int i = 0; status == SFT_OK && i < width * width; i++) covariance[i] /= (double)n;
    if (status == SFT_OK) status = invert_root(width, covariance, whitening);
    free(covariance);
    free(off);
    return status;
}

static enum sft_status fit_layer(const struct sft_score_input *in, int number, struct sft_statistics *statistics)
{
    struct layer layer = layer_of(in, in->outputs, number);
    int64_t n = in->outputs->n;
    char name[SFT_STATISTIC_NAME];
    float *means, *whitening, *rows;
    enum sft_status status;
    if (n <= layer.width)
        return sft_fail(SFT_DATA,
                        "mahalanobis: %lld images to fit on and a layer of %d channels: no covariance; take more",
                        (long long)n, layer.width);
    SFT_TRY(sft_statistics_add(statistics, layer_name(name, "mean", number),
                               SFT_SHAPE(in->outputs->classes, layer.width), &means));
    SFT_TRY(sft_statistics_add(statistics, layer_name(name, "whitening", number), SFT_SHAPE(layer.width, layer.width),
                               &whitening));
    rows = sft_calloc((size_t)(n * layer.width), sizeof(*rows));
    if (!rows) return SFT_MEMORY;
    for (int64_t i = 0; i < n * layer.width; i++)
        rows[i] = layer.rows[i / layer.width * layer.stride + layer.first + i % layer.width];
    status = sft_class_means("mahalanobis", n, layer.width, in->outputs->classes, rows, in->outputs->labels, means);
    free(rows);
    return status == SFT_OK ? find_whitening(in, &layer, means, whitening) : status;
}

/* ---- distances ---- */

static double quadratic(const float *row, const float *mean, const float *whitening, int width)
{
    double sum = 0;
    for (int a = 0; a < width; a++) {
        double inner = 0;
        for (int b = 0; b < width; b++) inner += (double)whitening[a * width + b] * ((double)row[b] - (double)mean[b]);
        sum += inner * inner;
    }
    return sum;
}

/* -min_c of the quadratic form of a row of layer `number`. */
static double nearest(const struct sft_score_input *in, const struct sft_statistics *statistics, int number,
                      const float *row, int width)
{
    char name[SFT_STATISTIC_NAME];
    const float *means = sft_statistics_find(statistics, layer_name(name, "mean", number))->values;
    const float *whitening = sft_statistics_find(statistics, layer_name(name, "whitening", number))->values;
    double best = INFINITY;
    for (int c = 0; c < in->outputs->classes; c++) {
        double distance = quadratic(row, means + (int64_t)c * width, whitening, width);
        if (!(distance >= best)) best = distance;
        if (isnan(best)) break;
    }
    return -best;
}

/* M_l of all layers for one row of `outputs`, whose own part starts at `offset`. */
static void distances(const struct sft_score_input *in, const struct sft_statistics *statistics,
                      const struct sft_outputs *outputs, int64_t i, int offset, double *m)
{
    for (int l = 0; l < layer_count(in); l++) {
        struct layer layer = layer_of(in, outputs, l);
        m[l] = nearest(in, statistics, l, layer.rows + i * layer.stride + offset + layer.first, layer.width) / 2;
    }
}

/* ---- the regression ---- */

static enum sft_status fit_regression(const struct sft_score_input *in, struct sft_statistics *statistics)
{
    const struct sft_outputs *tune = in->tune;
    int n = (int)tune->n, layers = layer_count(in), half = tune->extra_width / 2;
    double *x = sft_calloc((size_t)(2 * n * layers), sizeof(*x));
    int *labels = sft_calloc((size_t)(2 * n), sizeof(*labels));
    struct sft_logistic model;
    float *beta;
    enum sft_status status = x && labels ? SFT_OK : SFT_MEMORY;
    for (int i = 0; status == SFT_OK && i < 2 * n; i++) {
        labels[i] = i >= n;
        distances(in, statistics, tune, i % n, i < n ? 0 : half, x + i * layers);
    }
    if (status == SFT_OK) status = sft_logistic_fit(2 * n, layers, x, labels, &model);
    if (status == SFT_OK) status = sft_statistics_add(statistics, "beta", SFT_SHAPE(layers + 1), &beta);
    for (int l = 0; status == SFT_OK && l <= layers; l++) beta[l] = (float)(l < layers ? model.beta[l] : model.beta0);
    free(labels);
    free(x);
    return status;
}

static enum sft_status fit(const struct sft_score_input *in, struct sft_statistics *statistics)
{
    for (int l = 0; l < layer_count(in); l++) SFT_TRY(fit_layer(in, l, statistics));
    return in->knobs[KIND].choice == FEATURES ? SFT_OK : fit_regression(in, statistics);
}

/* ---- the score ---- */

static float score_taps(const struct sft_score_input *in, int64_t i)
{
    const struct sft_statistic *beta = sft_statistics_find(in->statistics, "beta");
    int layers = layer_count(in);
    double m[SFT_MAX_TAPS], logit = (double)beta->values[layers];
    distances(in, in->statistics, in->outputs, i, 0, m);
    for (int l = 0; l < layers; l++) logit += (double)beta->values[l] * m[l];
    return (float)(-1 / (1 + exp(-logit)));
}

static float score_features(const struct sft_score_input *in, int64_t i)
{
    double m;
    distances(in, in->statistics, in->outputs, i, 0, &m);
    return (float)(2 * m);
}

static enum sft_status check_layers(const struct sft_score_input *in)
{
    for (int l = 0; l < layer_count(in); l++) {
        struct layer layer = layer_of(in, in->outputs, l);
        char mean[SFT_STATISTIC_NAME], whitening[SFT_STATISTIC_NAME];
        if (!sft_statistics_get(in->statistics, layer_name(mean, "mean", l),
                                SFT_SHAPE(in->outputs->classes, layer.width)) ||
            !sft_statistics_get(in->statistics, layer_name(whitening, "whitening", l),
                                SFT_SHAPE(layer.width, layer.width)))
            return sft_fail(SFT_DATA, "mahalanobis: the statistics of layer %d are missing or of another shape", l);
    }
    if (in->knobs[KIND].choice == TAPS && !sft_statistics_get(in->statistics, "beta", SFT_SHAPE(layer_count(in) + 1)))
        return sft_fail(SFT_DATA, "mahalanobis: the statistic \"beta\" is missing or of another shape");
    return SFT_OK;
}

static enum sft_status compute(const struct sft_score_input *in, float *scores)
{
    SFT_TRY(check_layers(in));
    return sft_score_rows(in->knobs[KIND].choice == FEATURES ? score_features : score_taps, in, scores);
}

static unsigned needs_with(const union sft_knob_value *knob, const struct sft_variant *variant)
{
    (void)variant;
    return SFT_NEEDS_FIT | SFT_NEEDS_LABELS |
           (unsigned)(knob[KIND].choice == FEATURES ? SFT_NEEDS_FEATURES
                                                    : SFT_NEEDS_LOGITS | SFT_NEEDS_HEAD | SFT_NEEDS_TUNE);
}

const struct sft_score sft_score_mahalanobis = {
    .name = "mahalanobis",
    .title = "Mahalanobis",
    .summary = "distance to the nearest class mean in every layer (Lee et al., NeurIPS 2018)",
    .needs = SFT_NEEDS_LOGITS | SFT_NEEDS_HEAD | SFT_NEEDS_FIT | SFT_NEEDS_LABELS | SFT_NEEDS_TUNE,
    .knobs = knobs,
    .tune_images = TUNE_IMAGES,
    .needs_with = needs_with,
    .extend = extend,
    .fit = fit,
    .compute = compute,
};

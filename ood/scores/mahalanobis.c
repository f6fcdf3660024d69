/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mahalanobis distance: Lee et al., "A simple unified framework for detecting out-of-distribution samples and
 * adversarial attacks", NeurIPS 2018, as the code of GradNorm applies it. f_l is the mean over pixels of tap
 * l, M_l(x) = max_c -(f_l - mu_lc)^T P_l (f_l - mu_lc) / 2 with class means of training images and the
 * pseudo-inverse of the pooled covariance of what remains; with a step eps, M_l of x - eps sign(grad_x
 * -M_l(x)), each tap with a step of its own. A logistic regression tells clean images from adversarial
 * copies, clamp(x + 0.05 sign(grad CE)) to 0..1 of the normalised image, by all M_l; S = -(its probability of
 * "adversarial").
 *
 * The regression's images are the first 500 of --fit rather than validation images, so that no test image is
 * used, and CE is taken with the predicted class. The published search of eps wants 500 more: it tries seven,
 * and keeps the first with the lowest FPR95 between those and their adversarial copies. `features` is the
 * short form of ViM and OpenOOD: the classifier's input alone, S = max_c -(h - mu_c)^T P (h - mu_c), without
 * a step.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "ood/metrics/metrics.h"
#include "ood/scores/gaussians.h"
#include "ood/scores/input_step.h"
#include "ood/scores/logistic.h"
#include "ood/scores/rows.h"
#include "runtime/base/alloc.h"
#include "runtime/base/log.h"
#include "runtime/base/words.h"
#include "runtime/ops.h"

enum kind { TAPS, FEATURES };
static const char *const kinds[] = {"taps", "features", NULL};
SFT_ASSERT_WORDS(kinds, FEATURES);

enum token_mean { CHANNELS, TOKENS };
static const char *const token_means[] = {"rf", "pool", NULL};
SFT_ASSERT_WORDS(token_means, TOKENS);

enum { KIND, EPS, SEARCH, TOKEN_MEAN };
static const struct sft_knob knobs[] = {
    [KIND] =
        {"maha", SFT_KNOB_CHOICE, "NAME", "taps", 0, 0, kinds,
         "mahalanobis: all feature maps, weighed by a regression (as published), or the penultimate features "
         "alone"},
    [EPS] = {"maha-eps", SFT_KNOB_REAL, "X", "0", 0, 1, NULL,
             "mahalanobis: step against the input's gradient, in the units of normalised images"},
    [SEARCH] = {"maha-search", SFT_KNOB_FLAG, NULL, NULL, 0, 0, NULL,
                "mahalanobis: that step by the published search, on images of --fit"},
    [TOKEN_MEAN] = {"maha-t2t", SFT_KNOB_CHOICE, "NAME", "rf", 0, 0, token_means,
                    "mahalanobis of tokens: the mean over channels, a number a token, as RankFeat's code has "
                    "it, or the mean over tokens"},
    {0},
};

enum { TUNE_IMAGES = 500, MAX_STEPS = 7 };
static const float attack = 0.05f;

struct steps {
    int n;
    float eps[MAX_STEPS];
};

/* The steps that tuning tries. */
static struct steps steps_to_tune(const union sft_knob_value *knob)
{
    static const struct steps published = {MAX_STEPS, {0, 0.01f, 0.005f, 0.002f, 0.0014f, 0.001f, 0.0005f}};
    return knob[SEARCH].flag ? published : (struct steps){1, {(float)knob[EPS].real}};
}

static int tune_images(const union sft_knob_value *knob)
{
    return knob[SEARCH].flag ? 2 * TUNE_IMAGES : TUNE_IMAGES;
}

/* ---- statistics: of a layer its Gaussians, then the regression and the step that was kept ---- */

static const char *layer_name(char *text, const char *what, int number)
{
    snprintf(text, SFT_STATISTIC_NAME, "%s.%d", what, number);
    return text;
}

static enum sft_status find_gaussians(const struct sft_statistics *statistics, int number, int classes,
                                      int width, struct sft_gaussians *gaussians)
{
    char mean[SFT_STATISTIC_NAME], whitening[SFT_STATISTIC_NAME];
    *gaussians = (struct sft_gaussians){
        classes, width,
        sft_statistics_get(statistics, layer_name(mean, "mean", number), SFT_SHAPE(classes, width)),
        sft_statistics_get(statistics, layer_name(whitening, "whitening", number), SFT_SHAPE(width, width))};
    if (gaussians->means && gaussians->whitening) return SFT_OK;
    return sft_fail(SFT_DATA, "mahalanobis: the statistics of layer %d are missing or of another shape",
                    number);
}

static enum sft_status find_numbers(const struct sft_statistics *statistics, const char *name, int count,
                                    const float **numbers)
{
    *numbers = sft_statistics_get(statistics, name, SFT_SHAPE(count));
    if (*numbers) return SFT_OK;
    return sft_fail(SFT_DATA, "mahalanobis: the statistic \"%s\" is missing or of another shape", name);
}

/* ---- the network's part ---- */

/* Of tokens (N, T, C): the mean over channels (N, T), or over tokens (N, C). */
static sft_value pooled_tokens(struct sft_graph *graph, const union sft_knob_value *knob, sft_value tokens)
{
    struct sft_shape shape = *sft_graph_shape(graph, tokens), one = shape;
    int gone = knob[TOKEN_MEAN].choice == TOKENS ? 1 : 2;
    one.dim[gone] = 1;
    return sft_reshape(graph, sft_sum_to(graph, tokens, one, 1.0f / (float)shape.dim[gone]),
                       SFT_SHAPE(shape.dim[0], shape.dim[3 - gone]));
}

/* Mean over pixels, (N, channels). */
static sft_value pooled_map(struct sft_graph *graph, sft_value tap)
{
    struct sft_shape shape = *sft_graph_shape(graph, tap);
    sft_value mean = sft_sum_to(graph, tap, SFT_SHAPE(shape.dim[0], 1, 1, shape.dim[3]),
                                1.0f / (float)(shape.dim[1] * shape.dim[2]));
    return sft_reshape(graph, mean, SFT_SHAPE(shape.dim[0], shape.dim[3]));
}

static sft_value pooled(const struct sft_scorer *scorer, struct sft_graph *graph, const struct sft_tap *tap)
{
    return tap->kind == SFT_TAP_TOKENS ? pooled_tokens(graph, scorer->knobs, tap->value)
                                       : pooled_map(graph, tap->value);
}

/* `a` and `b` side by side; `a` may be SFT_NONE. */
static sft_value joined(struct sft_graph *graph, sft_value a, sft_value b)
{
    return a == SFT_NONE ? b : sft_concat(graph, a, b, 1);
}

static sft_value pooled_taps(const struct sft_scorer *scorer, struct sft_graph *graph,
                             const struct sft_forward_out *out)
{
    sft_value all = SFT_NONE;
    for (int l = 0; l < out->n_taps; l++) all = joined(graph, all, pooled(scorer, graph, &out->taps[l]));
    return all;
}

/* -M of features (N, width), summed over images. With z = R (f - origin) and the centres c it is |z|^2 / 2 -
 * max_c (z . c - |c|^2 / 2), whose gradient goes through the nearest class alone. */
static sft_value distance_loss(const struct sft_pass *pass, sft_value features,
                               const struct sft_gaussians *gaussians)
{
    struct sft_graph *graph = pass->graph;
    int classes = gaussians->classes, width = gaussians->width;
    const struct sft_matmul_params by_rows = {.transpose_b = 1};
    sft_value origin, r, c, half_squares, z, near;
    float *room = sft_calloc((size_t)(width + classes * width + classes), sizeof(*room));
    if (!room) return sft_graph_fail(graph, SFT_MEMORY);
    sft_gaussians_centre(gaussians, room, room + width, room + width + classes * width);
    origin = sft_pass_constant(pass, SFT_SHAPE(width), room);
    r = sft_pass_constant(pass, SFT_SHAPE(width, width), gaussians->whitening);
    c = sft_pass_constant(pass, SFT_SHAPE(classes, width), room + width);
    half_squares = sft_pass_constant(pass, SFT_SHAPE(classes), room + width + classes * width);
    free(room);
    z = sft_matmul(graph, sft_add(graph, features, origin, -1.0f), r, SFT_NONE, by_rows);
    near = sft_add(graph, sft_matmul(graph, z, c, SFT_NONE, by_rows), half_squares, -1.0f);
    return sft_add(graph, sft_sum_to(graph, sft_mul(graph, z, z), SFT_SHAPE(1), 0.5f),
                   sft_sum_to(graph, sft_largest_of_rows(graph, near, NULL), SFT_SHAPE(1), 1.0f), -1.0f);
}

/* sign(grad_images -M_l), the taps being those of the images. */
static sft_value away_sign(const struct sft_scorer *scorer, const struct sft_pass *pass, sft_value images,
                           const struct sft_forward_out *out, int l)
{
    sft_value features = pooled(scorer, pass->graph, &out->taps[l]);
    struct sft_gaussians gaussians;
    int width = (int)sft_graph_shape(pass->graph, features)->dim[1];
    enum sft_status status = find_gaussians(&scorer->statistics, l, pass->model->classes, width, &gaussians);
    if (status != SFT_OK) return sft_graph_fail(pass->graph, status);
    return sft_gradient_sign(pass->graph, distance_loss(pass, features, &gaussians), images);
}

/* All taps for the first step, then for the next, (N, steps * widths): each tap of images moved against it.
 */
static sft_value stepped_taps(const struct sft_scorer *scorer, const struct sft_pass *pass, sft_value images,
                              const struct sft_forward_out *out, const struct steps *steps)
{
    sft_value sign[SFT_MAX_TAPS], all = SFT_NONE;
    if (steps->n == 1 && !(steps->eps[0] > 0)) return pooled_taps(scorer, pass->graph, out);
    for (int l = 0; l < out->n_taps; l++) sign[l] = away_sign(scorer, pass, images, out, l);
    for (int s = 0; s < steps->n; s++)
        for (int l = 0; l < out->n_taps; l++) {
            sft_value moved = sft_add(pass->graph, images, sign[l], -steps->eps[s]);
            struct sft_forward_out there;
            if (sft_model_forward(pass->model, pass->graph, pass->forward, moved, &there) != SFT_OK)
                return SFT_NONE;
            all = joined(pass->graph, all, pooled(scorer, pass->graph, &there.taps[l]));
        }
    return all;
}

/* x, kept between 0 and 1. */
static sft_value clamped(struct sft_graph *graph, sft_value x)
{
    sft_value one = sft_fill(graph, SFT_SHAPE(1), 1.0f);
    return sft_add(graph, sft_relu(graph, x), sft_relu(graph, sft_add(graph, x, one, -1.0f)), -1.0f);
}

/* (N, 2 steps * widths): of clean images, then of their adversarial copies. */
static sft_value taps_to_tune(const struct sft_scorer *scorer, const struct sft_pass *pass)
{
    struct sft_graph *graph = pass->graph;
    struct steps steps = steps_to_tune(scorer->knobs);
    struct sft_forward_out out;
    sft_value away = sft_gradient_sign(graph, sft_prediction_loss(graph, pass->out->logits), pass->images);
    sft_value adversarial = clamped(graph, sft_add(graph, pass->images, away, attack));
    if (sft_model_forward(pass->model, graph, pass->forward, adversarial, &out) != SFT_OK) return SFT_NONE;
    return joined(graph, stepped_taps(scorer, pass, pass->images, pass->out, &steps),
                  stepped_taps(scorer, pass, adversarial, &out, &steps));
}

static sft_value extend(const struct sft_scorer *scorer, const struct sft_pass *pass, enum sft_images images)
{
    const float *eps;
    enum sft_status status;
    if (scorer->knobs[KIND].choice == FEATURES) return SFT_NONE;
    if (images == SFT_IMAGES_FIT) return pooled_taps(scorer, pass->graph, pass->out);
    if (images == SFT_IMAGES_TUNE) return taps_to_tune(scorer, pass);
    status = find_numbers(&scorer->statistics, "eps", 1, &eps);
    if (status != SFT_OK) return sft_graph_fail(pass->graph, status);
    return stepped_taps(scorer, pass, pass->images, pass->out, &(struct steps){1, {*eps}});
}

/* ---- layers: what the distance is measured in ---- */

/* Numbers that a tap becomes. */
static int tap_width(const struct sft_score_input *in, int number)
{
    int tokens = in->head->tap_tokens[number];
    return tokens && in->knobs[TOKEN_MEAN].choice == CHANNELS ? tokens : in->head->tap_widths[number];
}

/* A stretch of the rows that are looked at. */
struct layer {
    const float *rows;
    int stride, first, width;
};

static struct layer layer_of(const struct sft_score_input *in, int number)
{
    struct layer layer = {in->outputs->features, in->outputs->width, 0, in->outputs->width};
    if (in->knobs[KIND].choice == FEATURES) return layer;
    layer = (struct layer){in->outputs->extra, in->outputs->extra_width, 0, tap_width(in, 0)};
    for (int i = 0; i < number; i++) layer.first += tap_width(in, i), layer.width = tap_width(in, i + 1);
    return layer;
}

static int layer_count(const struct sft_score_input *in)
{
    return in->knobs[KIND].choice == FEATURES ? 1 : in->head->n_taps;
}

/* M_l of all layers for one row, whose own part starts at `offset`. */
static void distances(const struct sft_score_input *in, int64_t i, int offset, double *m)
{
    for (int l = 0; l < layer_count(in); l++) {
        struct layer layer = layer_of(in, l);
        struct sft_gaussians gaussians;
        m[l] = NAN;
        if (find_gaussians(in->statistics, l, in->outputs->classes, layer.width, &gaussians) == SFT_OK)
            m[l] =
                -sft_gaussians_nearest(&gaussians, layer.rows + i * layer.stride + offset + layer.first) / 2;
    }
}

/* ---- learning ---- */

static enum sft_status fit_layer(const struct sft_score_input *in, int number,
                                 struct sft_statistics *statistics)
{
    struct layer layer = layer_of(in, number);
    int64_t n = in->outputs->n;
    int classes = in->outputs->classes, width = layer.width;
    char name[SFT_STATISTIC_NAME];
    float *means, *whitening, *rows;
    enum sft_status status;
    if (n <= classes)
        return sft_fail(SFT_DATA,
                        "mahalanobis: %lld images to fit on and %d classes: none has a spread; take more",
                        (long long)n, classes);
    if (n <= width)
        sft_log(SFT_LOG_WARNING,
                "mahalanobis: %lld images to fit on and a layer of %d numbers: what they do not spread along "
                "is left out of the distance; take more",
                (long long)n, width);
    SFT_TRY(
        sft_statistics_add(statistics, layer_name(name, "mean", number), SFT_SHAPE(classes, width), &means));
    SFT_TRY(sft_statistics_add(statistics, layer_name(name, "whitening", number), SFT_SHAPE(width, width),
                               &whitening));
    rows = sft_calloc((size_t)(n * width), sizeof(*rows));
    if (!rows) return SFT_MEMORY;
    for (int64_t i = 0; i < n * width; i++)
        rows[i] = layer.rows[i / width * layer.stride + layer.first + i % width];
    status = sft_gaussians_fit("mahalanobis", n, width, classes, rows, in->outputs->labels, means, whitening);
    free(rows);
    return status;
}

static enum sft_status fit(const struct sft_score_input *in, struct sft_statistics *statistics)
{
    for (int l = 0; l < layer_count(in); l++) SFT_TRY(fit_layer(in, l, statistics));
    return SFT_OK;
}

/* Images first .. first + n - 1 with step number `step` of `steps`: x (2n, layers) and labels (2n), clean
 * ones (0), then adversarial ones (1). */
static void list_distances(const struct sft_score_input *in, int step, int steps, int first, int n, double *x,
                           int *labels)
{
    int layers = layer_count(in), widths = in->outputs->extra_width / 2 / steps;
    for (int i = 0; i < 2 * n; i++) {
        labels[i] = i >= n;
        distances(in, first + i % n, (labels[i] * steps + step) * widths, x + i * layers);
    }
}

/* FPR95 between n clean and n adversarial images; x as above. */
static enum sft_status separation(const struct sft_logistic *model, int n, const double *x, double *fpr)
{
    float *scores = sft_calloc((size_t)(2 * n), sizeof(*scores));
    struct sft_curve curve = {0};
    enum sft_status status;
    if (!scores) return SFT_MEMORY;
    for (int i = 0; i < 2 * n; i++) scores[i] = -(float)sft_logistic_logit(model, x + i * model->inputs);
    status = sft_curve_build(n, scores, n, scores + n, &curve);
    if (status == SFT_OK) *fpr = sft_conventions[0].fpr(&curve, 0.95);
    sft_curve_free(&curve);
    free(scores);
    return status;
}

/* Fits the regression for a step; among several steps to the first half of the images, and *fpr is of the
 * others. */
static enum sft_status try_step(const struct sft_score_input *in, int step, int steps,
                                struct sft_logistic *model, double *fpr)
{
    const int n = (int)in->outputs->n, layers = layer_count(in);
    const int train = steps > 1 ? n / 2 : n;
    double *x = sft_calloc((size_t)(2 * n * layers), sizeof(*x));
    int *labels = sft_calloc((size_t)(2 * n), sizeof(*labels));
    enum sft_status status = x && labels ? SFT_OK : SFT_MEMORY;
    *fpr = 0;
    if (status == SFT_OK) {
        list_distances(in, step, steps, 0, train, x, labels);
        status = sft_logistic_fit(2 * train, layers, x, labels, model);
    }
    if (status == SFT_OK && train < n) {
        list_distances(in, step, steps, train, n - train, x, labels);
        status = separation(model, n - train, x, fpr);
    }
    free(labels);
    free(x);
    return status;
}

static enum sft_status tune(const struct sft_score_input *in, struct sft_statistics *statistics)
{
    struct steps steps = steps_to_tune(in->knobs);
    struct sft_logistic model, best = {0};
    double fpr, lowest = INFINITY;
    float *beta, *eps, kept = 0;
    for (int s = 0; s < steps.n; s++) {
        SFT_TRY(try_step(in, s, steps.n, &model, &fpr));
        if (!(fpr < lowest)) continue;
        best = model;
        lowest = fpr;
        kept = steps.eps[s];
    }
    SFT_TRY(sft_statistics_add(statistics, "beta", SFT_SHAPE(best.inputs + 1), &beta));
    SFT_TRY(sft_statistics_add(statistics, "eps", SFT_SHAPE(1), &eps));
    for (int l = 0; l < best.inputs; l++) beta[l] = (float)best.beta[l];
    beta[best.inputs] = (float)best.beta0;
    *eps = kept;
    return SFT_OK;
}

/* ---- the score ---- */

static float score_taps(const struct sft_score_input *in, int64_t i)
{
    const struct sft_statistic *beta = sft_statistics_find(in->statistics, "beta");
    int layers = layer_count(in);
    double m[SFT_MAX_TAPS], logit = (double)beta->values[layers];
    distances(in, i, 0, m);
    for (int l = 0; l < layers; l++) logit += (double)beta->values[l] * m[l];
    return (float)(-1 / (1 + exp(-logit)));
}

static float score_features(const struct sft_score_input *in, int64_t i)
{
    double m;
    distances(in, i, 0, &m);
    return (float)(2 * m);
}

static enum sft_status compute(const struct sft_score_input *in, float *scores)
{
    bool features = in->knobs[KIND].choice == FEATURES;
    struct sft_gaussians gaussians;
    const float *beta;
    for (int l = 0; l < layer_count(in); l++)
        SFT_TRY(find_gaussians(in->statistics, l, in->outputs->classes, layer_of(in, l).width, &gaussians));
    if (!features) SFT_TRY(find_numbers(in->statistics, "beta", layer_count(in) + 1, &beta));
    return sft_score_rows(features ? score_features : score_taps, in, scores);
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
    .needs_with = needs_with,
    .extend = extend,
    .fit = fit,
    .tune_images = tune_images,
    .tune = tune,
    .compute = compute,
};

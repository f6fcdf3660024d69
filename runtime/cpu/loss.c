/* SPDX-License-Identifier: Apache-2.0 */
/* Softmax and losses by row. */
#include <math.h>

#include "runtime/base/logits.h"
#include "runtime/cpu/loops.h"
#include "runtime/cpu/row_kernel.h"
#include "runtime/ops.h"

struct rows {
    const float *z, *y, *dy, *dloss;
    const int32_t *labels;
    const struct sft_row_loss_params *params;
    float *out;
    int64_t width;
};

static void softmax_row(const float *z, float *y, int64_t n)
{
    const struct sft_row_kernel *kernel = sft_row_kernel();
    float share = 1.0f / kernel->exp_sum(z, y, n, 1.0f, kernel->max(z, n, 1.0f));
    for (int64_t i = 0; i < n; i++) y[i] *= share;
}

static void softmax_range(void *context, int64_t first, int64_t last)
{
    const struct rows *r = context;
    for (int64_t i = first; i < last; i += r->width) softmax_row(r->z + i, r->out + i, r->width);
}

static void softmax_grad_range(void *context, int64_t first, int64_t last)
{
    const struct rows *r = context;
    for (int64_t i = first; i < last; i += r->width) {
        double dot = 0.0;
        for (int64_t j = i; j < i + r->width; j++) dot += (double)r->dy[j] * (double)r->y[j];
        for (int64_t j = i; j < i + r->width; j++) r->out[j] = r->y[j] * (r->dy[j] - (float)dot);
    }
}

static int64_t row_width(const struct sft_call *call)
{
    const struct sft_shape *shape = sft_in_shape(call->graph, call->node, 0);
    return shape->dim[shape->rank - 1];
}

enum sft_status sft_cpu_softmax(const struct sft_call *call)
{
    struct rows r = {.z = call->in[0], .out = call->out[0], .width = row_width(call)};
    sft_cpu_ranges(sft_in_count(call->graph, call->node, 0), r.width, softmax_range, &r);
    return SFT_OK;
}

enum sft_status sft_cpu_softmax_grad(const struct sft_call *call)
{
    struct rows r = {.dy = call->in[0], .y = call->in[1], .out = call->out[0], .width = row_width(call)};
    sft_cpu_ranges(sft_in_count(call->graph, call->node, 0), r.width, softmax_grad_range, &r);
    return SFT_OK;
}

/* ---- distances of a row's prediction from the uniform one (docs/methods.md), and slopes dD/dz ---- */

struct distance {
    double (*loss)(const struct rows *r, const float *z, double lse);
    void (*slope)(const struct rows *r, const float *z, double lse, float *slope);
};

/* Outlier exposure: LSE(z) - mean(z) = cross entropy from the uniform distribution. */
static double oe_loss(const struct rows *r, const float *z, double lse)
{
    double sum = 0.0;
    for (int64_t c = 0; c < r->width; c++) sum += (double)z[c];
    return lse - sum / (double)r->width;
}

static void oe_slope(const struct rows *r, const float *z, double lse, float *slope)
{
    for (int64_t c = 0; c < r->width; c++)
        slope[c] = (float)(exp((double)z[c] - lse) - 1.0 / (double)r->width);
}

/* Distances that are sums over classes of v(p): the slope is p_c*(t_c - sum_k p_k t_k) with t = dv/dp. */
typedef double (*class_rule)(double p, double log_p, double uniform);

static double by_class_loss(const struct rows *r, const float *z, double lse, class_rule value)
{
    double sum = 0.0;
    for (int64_t c = 0; c < r->width; c++) {
        double log_p = (double)z[c] - lse;
        sum += value(exp(log_p), log_p, 1.0 / (double)r->width);
    }
    return sum;
}

static void by_class_slope(const struct rows *r, const float *z, double lse, class_rule term, float *slope)
{
    double mean = 0.0, uniform = 1.0 / (double)r->width;
    for (int64_t c = 0; c < r->width; c++) {
        double log_p = (double)z[c] - lse, p = exp(log_p);
        mean += p * term(p, log_p, uniform);
    }
    for (int64_t c = 0; c < r->width; c++) {
        double log_p = (double)z[c] - lse, p = exp(log_p);
        slope[c] = (float)(p * (term(p, log_p, uniform) - mean));
    }
}

static double kl_value(double p, double log_p, double uniform) { return p * (log_p - log(uniform)); }

static double kl_term(double p, double log_p, double uniform)
{
    (void)p;
    (void)uniform;
    return log_p; /* constants cancel */
}

static double l2_value(double p, double log_p, double uniform)
{
    (void)log_p;
    return (p - uniform) * (p - uniform);
}

static double l2_term(double p, double log_p, double uniform)
{
    (void)log_p;
    return 2.0 * (p - uniform);
}

static double js_value(double p, double log_p, double uniform)
{
    double log_m = log(0.5 * (p + uniform));
    return 0.5 * p * (log_p - log_m) + 0.5 * uniform * (log(uniform) - log_m);
}

static double js_term(double p, double log_p, double uniform)
{
    return 0.5 * (log_p - log(0.5 * (p + uniform)));
}

#define SFT_BY_CLASS(name)                                                                                   \
    static double name##_loss(const struct rows *r, const float *z, double lse)                              \
    {                                                                                                        \
        return by_class_loss(r, z, lse, name##_value);                                                       \
    }                                                                                                        \
    static void name##_slope(const struct rows *r, const float *z, double lse, float *slope)                 \
    {                                                                                                        \
        by_class_slope(r, z, lse, name##_term, slope);                                                       \
    }

SFT_BY_CLASS(kl)
SFT_BY_CLASS(l2)
SFT_BY_CLASS(js)

/* Energy margins (Liu et al. 2020): w*relu(m_out - E)^2 on outliers and w*relu(E - m_in)^2 on ID rows, E =
 * -LSE(z). */
static double energy_excess(const struct rows *r, double lse, bool outlier)
{
    double excess = outlier ? (double)r->params->energy_out + lse : -lse - (double)r->params->energy_in;
    return excess > 0.0 ? excess : 0.0;
}

static double energy_loss(const struct rows *r, const float *z, double lse)
{
    double excess = energy_excess(r, lse, true);
    (void)z;
    return (double)r->params->energy_weight * excess * excess;
}

static void energy_slope(const struct rows *r, const float *z, double lse, float *slope)
{
    double factor = 2.0 * (double)r->params->energy_weight * energy_excess(r, lse, true);
    for (int64_t c = 0; c < r->width; c++) slope[c] = (float)(factor * exp((double)z[c] - lse));
}

/* Length of the rectified logits. */
static double logitnorm_loss(const struct rows *r, const float *z, double lse)
{
    double sum = 0.0;
    (void)lse;
    for (int64_t c = 0; c < r->width; c++) sum += z[c] > 0.0f ? (double)z[c] * (double)z[c] : 0.0;
    return sqrt(sum);
}

static void logitnorm_slope(const struct rows *r, const float *z, double lse, float *slope)
{
    double length = logitnorm_loss(r, z, lse);
    for (int64_t c = 0; c < r->width; c++)
        slope[c] = z[c] > 0.0f && length > 0.0 ? (float)((double)z[c] / length) : 0.0f;
}

static const struct distance distances[] = {
    [SFT_DISTANCE_OE] = {oe_loss, oe_slope},
    [SFT_DISTANCE_KL_PU] = {kl_loss, kl_slope},
    [SFT_DISTANCE_L2] = {l2_loss, l2_slope},
    [SFT_DISTANCE_JS] = {js_loss, js_slope},
    [SFT_DISTANCE_ENERGY] = {energy_loss, energy_slope},
    [SFT_DISTANCE_LOGITNORM] = {logitnorm_loss, logitnorm_slope},
};

/* ---- row losses ---- */

static bool margin_on_id(const struct rows *r) { return r->params->distance == SFT_DISTANCE_ENERGY; }

static double id_loss(const struct rows *r, const float *z, int32_t label, double lse)
{
    double loss = lse - (double)z[label], excess = margin_on_id(r) ? energy_excess(r, lse, false) : 0.0;
    return loss + (double)r->params->energy_weight * excess * excess;
}

static void id_slope(const struct rows *r, const float *z, int32_t label, double lse, float *slope)
{
    double factor = 1.0;
    if (margin_on_id(r)) factor -= 2.0 * (double)r->params->energy_weight * energy_excess(r, lse, false);
    for (int64_t c = 0; c < r->width; c++)
        slope[c] = (float)(factor * exp((double)z[c] - lse) - (c == label ? 1.0 : 0.0));
}

static void row_loss_range(void *context, int64_t first, int64_t last)
{
    const struct rows *r = context;
    for (int64_t i = first; i < last; i++) {
        const float *z = r->z + i * r->width;
        double lse = sft_log_sum_exp(z, r->width);
        r->out[i] = (float)(r->labels[i] < 0 ? distances[r->params->distance].loss(r, z, lse)
                                             : id_loss(r, z, r->labels[i], lse));
    }
}

static void row_loss_grad_range(void *context, int64_t first, int64_t last)
{
    const struct rows *r = context;
    for (int64_t i = first; i < last; i++) {
        const float *z = r->z + i * r->width;
        float *slope = r->out + i * r->width;
        double lse = sft_log_sum_exp(z, r->width);
        if (r->labels[i] < 0)
            distances[r->params->distance].slope(r, z, lse, slope);
        else
            id_slope(r, z, r->labels[i], lse, slope);
        for (int64_t c = 0; c < r->width; c++) slope[c] *= r->dloss[i];
    }
}

static struct rows describe(const struct sft_call *call)
{
    return (struct rows){.z = call->in[0],
                         .labels = call->in[1],
                         .dloss = call->in[2],
                         .out = call->out[0],
                         .params = SFT_NODE_PARAMS(struct sft_row_loss_params, call->node),
                         .width = row_width(call)};
}

enum sft_status sft_cpu_row_loss(const struct sft_call *call)
{
    struct rows r = describe(call);
    sft_cpu_ranges(sft_in_count(call->graph, call->node, 1), 1, row_loss_range, &r);
    return SFT_OK;
}

enum sft_status sft_cpu_row_loss_grad(const struct sft_call *call)
{
    struct rows r = describe(call);
    sft_cpu_ranges(sft_in_count(call->graph, call->node, 1), 1, row_loss_grad_range, &r);
    return SFT_OK;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/ref/prepare.h"
#include "tests/ref/ref.h"

/* ---- group normalisation: x is (images, pixels, channels) ---- */

struct norm {
    const struct sft_group_norm_params *params;
    int64_t images, pixels, channels, per_group;
};

static struct norm make_norm(const struct ref_call *call)
{
    const struct sft_shape *x = &call->in_shape[0];
    struct norm v = {.params = call->params, .images = x->dim[0], .channels = x->dim[x->rank - 1]};
    v.pixels = ref_count(x) / v.images / v.channels;
    v.per_group = v.channels / v.params->groups;
    return v;
}

static int64_t statistic(const struct norm *v, int64_t image, int64_t channel)
{
    return image * v->params->groups + channel / v->per_group;
}

static int64_t place(const struct norm *v, int64_t image, int64_t pixel, int64_t channel)
{
    return (image * v->pixels + pixel) * v->channels + channel;
}

static void compute_statistics(const struct norm *v, const double *x, double *mean, double *rstd)
{
    int64_t groups = v->images * v->params->groups;
    double size = (double)(v->pixels * v->per_group);
    memset(mean, 0, (size_t)groups * sizeof(double));
    memset(rstd, 0, (size_t)groups * sizeof(double));
    for (int pass = 0; pass < 2; pass++)
        for (int64_t n = 0; n < v->images; n++)
            for (int64_t i = 0; i < v->pixels; i++)
                for (int64_t c = 0; c < v->channels; c++) {
                    int64_t g = statistic(v, n, c);
                    double value = x[place(v, n, i, c)];
                    if (pass == 0)
                        mean[g] += value / size;
                    else
                        rstd[g] += (value - mean[g]) * (value - mean[g]) / size;
                }
    for (int64_t g = 0; g < groups; g++) rstd[g] = 1.0 / sqrt(rstd[g] + (double)v->params->epsilon);
}

void sft_ref_group_norm(struct ref_call *call)
{
    struct norm v = make_norm(call);
    double *mean = call->out[1], *rstd = call->out[2];
    ref_expect_shape(&call->out_shape[0], "group_norm", call->in_shape[0]);
    ref_expect_shape(&call->out_shape[1], "group_norm", SFT_SHAPE(v.images, v.params->groups));
    ref_expect_shape(&call->out_shape[2], "group_norm", SFT_SHAPE(v.images, v.params->groups));
    compute_statistics(&v, call->in[0], mean, rstd);
    for (int64_t g = 0; v.params->frozen && g < v.images * v.params->groups; g++) {
        mean[g] = call->in[3][g];
        rstd[g] = 1.0 / sqrt(call->in[4][g] + (double)v.params->epsilon);
    }
    for (int64_t n = 0; n < v.images; n++)
        for (int64_t i = 0; i < v.pixels; i++)
            for (int64_t c = 0; c < v.channels; c++) {
                int64_t at = place(&v, n, i, c), g = statistic(&v, n, c);
                double y = (call->in[0][at] - mean[g]) * rstd[g] * call->in[1][c] + call->in[2][c];
                call->out[0][at] = v.params->relu ? fmax(y, 0.0) : y;
            }
}

/* Inputs of the gradient ops, in their order: x, dy, gamma, beta, mean, rstd, sums. */
static double normalized(const struct ref_call *call, const struct norm *v, int64_t n, int64_t i, int64_t c)
{
    int64_t g = statistic(v, n, c);
    return (call->in[0][place(v, n, i, c)] - call->in[4][g]) * call->in[5][g];
}

static double masked(const struct ref_call *call, const struct norm *v, int64_t n, int64_t i, int64_t c)
{
    double y = normalized(call, v, n, i, c) * call->in[2][c] + call->in[3][c];
    return v->params->relu && y <= 0.0 ? 0.0 : call->in[1][place(v, n, i, c)];
}

static void sum_pixels(const struct ref_call *call, const struct norm *v, double *sums)
{
    for (int64_t n = 0; n < v->images; n++)
        for (int64_t c = 0; c < v->channels; c++) {
            double dz = 0.0, dz_xh = 0.0;
            for (int64_t i = 0; i < v->pixels; i++) {
                dz += masked(call, v, n, i, c);
                dz_xh += masked(call, v, n, i, c) * normalized(call, v, n, i, c);
            }
            sums[n * v->channels + c] = dz;
            sums[(v->images + n) * v->channels + c] = dz_xh;
        }
}

void sft_ref_group_norm_sums(struct ref_call *call)
{
    struct norm v = make_norm(call);
    ref_expect_shape(&call->out_shape[0], "group_norm_sums", SFT_SHAPE(2, v.images, v.channels));
    sum_pixels(call, &v, call->out[0]);
}

static void dx_of_group(struct ref_call *call, const struct norm *v, int64_t n, int64_t first)
{
    int64_t last = first + v->per_group;
    double mean = 0.0, along = 0.0, size = (double)(v->pixels * v->per_group);
    for (int64_t i = 0; !v->params->frozen && i < v->pixels; i++)
        for (int64_t c = first; c < last; c++) {
            double scaled = call->in[2][c] * masked(call, v, n, i, c);
            mean += scaled / size;
            along += scaled * normalized(call, v, n, i, c) / size;
        }
    for (int64_t i = 0; i < v->pixels; i++)
        for (int64_t c = first; c < last; c++)
            call->out[0][place(v, n, i, c)] =
                call->in[5][statistic(v, n, c)] *
                (call->in[2][c] * masked(call, v, n, i, c) - mean - normalized(call, v, n, i, c) * along);
}

void sft_ref_group_norm_dx(struct ref_call *call)
{
    struct norm v = make_norm(call);
    ref_expect_shape(&call->out_shape[0], "group_norm_dx", call->in_shape[0]);
    for (int64_t n = 0; n < v.images; n++)
        for (int64_t c = 0; c < v.channels; c += v.per_group) dx_of_group(call, &v, n, c);
}

void sft_ref_group_norm_dparam(struct ref_call *call)
{
    int64_t images = call->in_shape[0].dim[1], channels = call->in_shape[0].dim[2];
    for (int half = 0; half < 2; half++) {
        ref_expect_shape(&call->out_shape[half], "group_norm_dparam", SFT_SHAPE(channels));
        for (int64_t c = 0; c < channels; c++) {
            double sum = 0.0;
            for (int64_t n = 0; n < images; n++) sum += call->in[0][(half * images + n) * channels + c];
            call->out[half][c] = sum;
        }
    }
}

void ref_prepare_group_norm_grad(struct ref_call *call)
{
    struct norm v = make_norm(call);
    if (!v.params->frozen) compute_statistics(&v, call->in[0], call->in[4], call->in[5]);
    for (int64_t n = 0; v.params->relu && n < v.images; n++) /* where rounding may decide about the mask */
        for (int64_t i = 0; i < v.pixels; i++)
            for (int64_t c = 0; c < v.channels; c++)
                if (fabs(normalized(call, &v, n, i, c) * call->in[2][c] + call->in[3][c]) < 1e-4)
                    call->in[1][place(&v, n, i, c)] = 0.0;
    if (call->in[6]) sum_pixels(call, &v, call->in[6]);
}

/* ---- the gradient of layer norm: x, dy, gamma, mean, rstd ---- */

void ref_prepare_layer_norm_grad(struct ref_call *call)
{
    static const struct sft_group_norm_params params = {.groups = 1, .epsilon = 1e-5f};
    const struct sft_shape *x = &call->in_shape[0];
    struct norm v = {&params, x->dim[0], 1, x->dim[1], x->dim[1]};
    compute_statistics(&v, call->in[0], call->in[3], call->in[4]);
}

void sft_ref_layer_norm_grad(struct ref_call *call)
{
    int64_t rows = call->in_shape[0].dim[0], width = call->in_shape[0].dim[1];
    const double *gamma = call->in[2];
    ref_expect_shape(&call->out_shape[0], "layer_norm_grad", call->in_shape[0]);
    for (int i = 1; i < 3; i++) {
        ref_expect_shape(&call->out_shape[i], "layer_norm_grad", SFT_SHAPE(width));
        memset(call->out[i], 0, (size_t)width * sizeof(double));
    }
    for (int64_t r = 0; r < rows; r++) {
        const double *x = call->in[0] + r * width, *dy = call->in[1] + r * width;
        double mean = call->in[3][r], rstd = call->in[4][r], sum = 0.0, along = 0.0;
        for (int64_t c = 0; c < width; c++) {
            sum += gamma[c] * dy[c] / (double)width;
            along += gamma[c] * dy[c] * (x[c] - mean) * rstd / (double)width;
            call->out[1][c] += dy[c] * (x[c] - mean) * rstd;
            call->out[2][c] += dy[c];
        }
        for (int64_t c = 0; c < width; c++)
            call->out[0][r * width + c] = rstd * (gamma[c] * dy[c] - sum - (x[c] - mean) * rstd * along);
    }
}

/* ---- running statistics ---- */

void sft_ref_running_update(struct ref_call *call)
{
    const struct sft_running_update_params *params = call->params;
    double unbiased = (double)params->count / (double)(params->count - 1);
    for (int64_t c = 0; c < ref_count(&call->in_shape[0]); c++) {
        double variance = (1.0 / (call->in[3][c] * call->in[3][c]) - (double)params->epsilon) * unbiased;
        call->in[0][c] += (double)params->momentum * (call->in[2][c] - call->in[0][c]);
        call->in[1][c] += (double)params->momentum * (variance - call->in[1][c]);
    }
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/ref/prepare.h"
#include "tests/ref/ref.h"

static double log_sum_exp(const double *z, int64_t n)
{
    double top = z[0], sum = 0.0;
    for (int64_t i = 1; i < n; i++) top = fmax(top, z[i]);
    for (int64_t i = 0; i < n; i++) sum += exp(z[i] - top);
    return top + log(sum);
}

void sft_ref_softmax(struct ref_call *call)
{
    const struct sft_shape *x = &call->in_shape[0];
    int64_t n = x->dim[x->rank - 1];
    for (int64_t row = 0; row < ref_count(x); row += n) {
        double whole = log_sum_exp(call->in[0] + row, n);
        for (int64_t i = row; i < row + n; i++) call->out[0][i] = exp(call->in[0][i] - whole);
    }
}

void sft_ref_softmax_grad(struct ref_call *call)
{
    const struct sft_shape *x = &call->in_shape[0];
    const double *dy = call->in[0], *y = call->in[1];
    int64_t n = x->dim[x->rank - 1];
    for (int64_t row = 0; row < ref_count(x); row += n) {
        double along = 0.0;
        for (int64_t i = row; i < row + n; i++) along += dy[i] * y[i];
        for (int64_t i = row; i < row + n; i++) call->out[0][i] = y[i] * (dy[i] - along);
    }
}

void ref_prepare_softmax_grad(struct ref_call *call)
{
    struct ref_call forward = {.in_shape[0] = call->in_shape[1], .in[0] = call->in[1], .out[0] = call->in[1]};
    sft_ref_softmax(&forward);
}

/* ---- the loss of one row, and its gradient (docs/methods.md, "The loss") ---- */

struct row {
    const struct sft_row_loss_params *params;
    const double *z;
    int64_t n, label;
    double lse;
};

static double p(const struct row *row, int64_t c) { return exp(row->z[c] - row->lse); }
static double uniform(const struct row *row) { return 1.0 / (double)row->n; }
static double hinge(double x) { return fmax(x, 0.0); }

static double distance_oe(const struct row *row)
{
    double mean = 0.0;
    for (int64_t c = 0; c < row->n; c++) mean += row->z[c] / (double)row->n;
    return row->lse - mean;
}

static double distance_oe_grad(const struct row *row, int64_t c) { return p(row, c) - uniform(row); }

static double distance_kl_pu(const struct row *row)
{
    double sum = log((double)row->n);
    for (int64_t c = 0; c < row->n; c++) sum += p(row, c) * (row->z[c] - row->lse);
    return sum;
}

static double distance_kl_pu_grad(const struct row *row, int64_t c)
{
    double mean = distance_kl_pu(row) - log((double)row->n);
    return p(row, c) * (row->z[c] - row->lse - mean);
}

static double distance_l2(const struct row *row)
{
    double sum = 0.0;
    for (int64_t c = 0; c < row->n; c++) sum += pow(p(row, c) - uniform(row), 2.0);
    return sum;
}

static double distance_l2_grad(const struct row *row, int64_t c)
{
    double along = 0.0;
    for (int64_t k = 0; k < row->n; k++) along += p(row, k) * (p(row, k) - uniform(row));
    return 2.0 * p(row, c) * (p(row, c) - uniform(row) - along);
}

static double middle(const struct row *row, int64_t c) { return 0.5 * (p(row, c) + uniform(row)); }

static double distance_js(const struct row *row)
{
    double sum = 0.0;
    for (int64_t c = 0; c < row->n; c++) {
        double pc = p(row, c), log_middle = log(middle(row, c));
        if (pc > 0.0) sum += 0.5 * pc * (row->z[c] - row->lse - log_middle);
        sum += 0.5 * uniform(row) * (log(uniform(row)) - log_middle);
    }
    return sum;
}

static double js_slope(const struct row *row, int64_t c)
{
    return 0.5 * (row->z[c] - row->lse - log(middle(row, c)));
}

static double distance_js_grad(const struct row *row, int64_t c)
{
    double along = 0.0;
    for (int64_t k = 0; k < row->n; k++) along += p(row, k) * js_slope(row, k);
    return p(row, c) * (js_slope(row, c) - along);
}

static double distance_energy(const struct row *row)
{
    double h = hinge((double)row->params->energy_out + row->lse);
    return (double)row->params->energy_weight * h * h;
}

static double distance_energy_grad(const struct row *row, int64_t c)
{
    return 2.0 * (double)row->params->energy_weight * hinge((double)row->params->energy_out + row->lse) *
           p(row, c);
}

static double distance_logitnorm(const struct row *row)
{
    double sum = 0.0;
    for (int64_t c = 0; c < row->n; c++) sum += hinge(row->z[c]) * hinge(row->z[c]);
    return sqrt(sum);
}

static double distance_logitnorm_grad(const struct row *row, int64_t c)
{
    double norm = distance_logitnorm(row);
    return norm > 0.0 ? hinge(row->z[c]) / norm : 0.0;
}

static const struct {
    double (*value)(const struct row *row);
    double (*grad)(const struct row *row, int64_t c);
} distances[] = {
    [SFT_DISTANCE_OE] = {distance_oe, distance_oe_grad},
    [SFT_DISTANCE_KL_PU] = {distance_kl_pu, distance_kl_pu_grad},
    [SFT_DISTANCE_L2] = {distance_l2, distance_l2_grad},
    [SFT_DISTANCE_JS] = {distance_js, distance_js_grad},
    [SFT_DISTANCE_ENERGY] = {distance_energy, distance_energy_grad},
    [SFT_DISTANCE_LOGITNORM] = {distance_logitnorm, distance_logitnorm_grad},
};

static double energy_excess(const struct row *row)
{
    return row->params->distance == SFT_DISTANCE_ENERGY ? hinge(-row->lse - (double)row->params->energy_in)
                                                        : 0.0;
}

static double row_loss(const struct row *row)
{
    double excess = energy_excess(row);
    if (row->label < 0) return distances[row->params->distance].value(row);
    return row->lse - row->z[row->label] + (double)row->params->energy_weight * excess * excess;
}

static double row_loss_grad(const struct row *row, int64_t c)
{
    if (row->label < 0) return distances[row->params->distance].grad(row, c);
    return p(row, c) - (row->label == c) -
           2.0 * (double)row->params->energy_weight * energy_excess(row) * p(row, c);
}

static struct row make_row(const struct ref_call *call, int64_t i)
{
    struct row row = {
        .params = call->params, .n = call->in_shape[0].dim[1], .label = (int64_t)call->in[1][i]};
    row.z = call->in[0] + i * row.n;
    row.lse = log_sum_exp(row.z, row.n);
    return row;
}

void sft_ref_row_loss(struct ref_call *call)
{
    ref_expect_shape(&call->out_shape[0], "row_loss", SFT_SHAPE(call->in_shape[0].dim[0]));
    for (int64_t i = 0; i < call->in_shape[0].dim[0]; i++) {
        struct row row = make_row(call, i);
        call->out[0][i] = row_loss(&row);
    }
}

void sft_ref_row_loss_grad(struct ref_call *call)
{
    for (int64_t i = 0; i < call->in_shape[0].dim[0]; i++) {
        struct row row = make_row(call, i);
        for (int64_t c = 0; c < row.n; c++)
            call->out[0][i * row.n + c] = call->in[2][i] * row_loss_grad(&row, c);
    }
}

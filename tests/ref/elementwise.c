/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/ref/ref.h"

void sft_ref_add(struct ref_call *call)
{
    double alpha = (double)REF_PARAMS(struct sft_add_params, call)->alpha;
    for (int64_t i = 0; i < ref_count(&call->in_shape[0]); i++)
        call->out[0][i] =
            call->in[0][i] + alpha * call->in[1][ref_broadcast(&call->in_shape[1], &call->in_shape[0], i)];
}

void sft_ref_mul(struct ref_call *call)
{
    for (int64_t i = 0; i < ref_count(&call->in_shape[0]); i++)
        call->out[0][i] =
            call->in[0][i] * call->in[1][ref_broadcast(&call->in_shape[1], &call->in_shape[0], i)];
}

void sft_ref_div(struct ref_call *call)
{
    for (int64_t i = 0; i < ref_count(&call->in_shape[0]); i++) {
        double b = call->in[1][ref_broadcast(&call->in_shape[1], &call->in_shape[0], i)];
        call->out[0][i] = b == 0.0 ? 0.0 : call->in[0][i] / b;
    }
}

void sft_ref_sqrt(struct ref_call *call)
{
    for (int64_t i = 0; i < ref_count(&call->in_shape[0]); i++) call->out[0][i] = sqrt(call->in[0][i]);
}

void sft_ref_sign(struct ref_call *call)
{
    for (int64_t i = 0; i < ref_count(&call->in_shape[0]); i++)
        call->out[0][i] = call->in[0][i] > 0.0 ? 1.0 : call->in[0][i] < 0.0 ? -1.0 : 0.0;
}

void sft_ref_scale(struct ref_call *call)
{
    double factor = (double)REF_PARAMS(struct sft_scale_params, call)->factor;
    for (int64_t i = 0; i < ref_count(&call->in_shape[0]); i++) call->out[0][i] = factor * call->in[0][i];
}

void sft_ref_exp(struct ref_call *call)
{
    for (int64_t i = 0; i < ref_count(&call->in_shape[0]); i++) call->out[0][i] = exp(call->in[0][i]);
}

void sft_ref_relu(struct ref_call *call)
{
    for (int64_t i = 0; i < ref_count(&call->in_shape[0]); i++) call->out[0][i] = fmax(call->in[0][i], 0.0);
}

void sft_ref_relu_grad(struct ref_call *call)
{
    for (int64_t i = 0; i < ref_count(&call->in_shape[0]); i++)
        call->out[0][i] = call->in[1][i] > 0.0 ? call->in[0][i] : 0.0;
}

static double normal_cdf(double x) { return 0.5 * erfc(-x / sqrt(2.0)); }
static double normal_pdf(double x) { return exp(-0.5 * x * x) / sqrt(2.0 * acos(-1.0)); }

void sft_ref_gelu(struct ref_call *call)
{
    for (int64_t i = 0; i < ref_count(&call->in_shape[0]); i++)
        call->out[0][i] = call->in[0][i] * normal_cdf(call->in[0][i]);
}

void sft_ref_gelu_grad(struct ref_call *call)
{
    for (int64_t i = 0; i < ref_count(&call->in_shape[0]); i++) {
        double x = call->in[1][i];
        call->out[0][i] = call->in[0][i] * (normal_cdf(x) + x * normal_pdf(x));
    }
}

void sft_ref_fill(struct ref_call *call)
{
    const struct sft_fill_params *params = call->params;
    ref_expect_shape(&call->out_shape[0], "fill", params->shape);
    for (int64_t i = 0; i < ref_count(&params->shape); i++) call->out[0][i] = (double)params->value;
}

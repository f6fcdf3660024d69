/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/ref/ref.h"

void sft_ref_sum_to(struct ref_call *call)
{
    const struct sft_sum_to_params *params = call->params;
    int64_t n = ref_count(&params->shape);
    ref_expect_shape(&call->out_shape[0], "sum_to", params->shape);
    for (int64_t i = 0; i < n; i++) call->out[0][i] = 0.0;
    for (int64_t i = 0; i < ref_count(&call->in_shape[0]); i++)
        call->out[0][ref_broadcast(&params->shape, &call->in_shape[0], i)] += call->in[0][i];
    for (int64_t i = 0; i < n; i++) call->out[0][i] *= (double)params->scale;
}

void sft_ref_broadcast_to(struct ref_call *call)
{
    const struct sft_sum_to_params *params = call->params;
    ref_expect_shape(&call->out_shape[0], "broadcast_to", params->shape);
    for (int64_t i = 0; i < ref_count(&params->shape); i++)
        call->out[0][i] =
            (double)params->scale * call->in[0][ref_broadcast(&call->in_shape[0], &params->shape, i)];
}

void sft_ref_norm2(struct ref_call *call)
{
    double sum = 0.0;
    for (int64_t i = 0; i < ref_count(&call->in_shape[0]); i++) sum += call->in[0][i] * call->in[0][i];
    ref_expect_shape(&call->out_shape[0], "norm2", SFT_SHAPE(1));
    call->out[0][0] = sqrt(sum) + (double)REF_PARAMS(struct sft_norm2_params, call)->epsilon;
}

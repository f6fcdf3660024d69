/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/ref/ref.h"

void sft_ref_view(struct ref_call *call)
{
    const struct sft_view_params *params = call->params;
    ref_expect_shape(&call->out_shape[0], "view", params->shape);
    for (int64_t i = 0; i < ref_count(&params->shape); i++) call->out[0][i] = call->in[0][params->offset + i];
}

/* The element of `whole` that belongs to element `i` of the box at `start`. */
static int64_t in_whole(const struct sft_shape *box, const struct sft_shape *whole, const int64_t *start,
                        int64_t i)
{
    int64_t at[SFT_MAX_RANK];
    ref_split(box, i, at);
    for (int axis = 0; axis < box->rank; axis++) at[axis] += start[axis];
    return ref_join(whole, at);
}

void sft_ref_slice(struct ref_call *call)
{
    const struct sft_slice_params *params = call->params;
    ref_expect_shape(&call->out_shape[0], "slice", params->shape);
    for (int64_t i = 0; i < ref_count(&params->shape); i++)
        call->out[0][i] = call->in[0][in_whole(&params->shape, &call->in_shape[0], params->start, i)];
}

void sft_ref_pad(struct ref_call *call)
{
    const struct sft_slice_params *params = call->params;
    ref_expect_shape(&call->out_shape[0], "pad", params->shape);
    memset(call->out[0], 0, (size_t)ref_count(&params->shape) * sizeof(double));
    for (int64_t i = 0; i < ref_count(&call->in_shape[0]); i++)
        call->out[0][in_whole(&call->in_shape[0], &params->shape, params->start, i)] = call->in[0][i];
}

void sft_ref_permute(struct ref_call *call)
{
    const struct sft_permute_params *params = call->params;
    const struct sft_shape *x = &call->in_shape[0];
    struct sft_shape y = {.rank = x->rank};
    int64_t at[SFT_MAX_RANK], from[SFT_MAX_RANK];
    for (int i = 0; i < x->rank; i++) y.dim[i] = x->dim[params->axis[i]];
    ref_expect_shape(&call->out_shape[0], "permute", y);
    for (int64_t i = 0; i < ref_count(&y); i++) {
        ref_split(&y, i, at);
        for (int axis = 0; axis < y.rank; axis++) from[params->axis[axis]] = at[axis];
        call->out[0][i] = call->in[0][ref_join(x, from)];
    }
}

void sft_ref_concat(struct ref_call *call)
{
    int axis = REF_PARAMS(struct sft_concat_params, call)->axis;
    struct sft_shape y = call->in_shape[0];
    int64_t at[SFT_MAX_RANK], first = y.dim[axis];
    y.dim[axis] += call->in_shape[1].dim[axis];
    ref_expect_shape(&call->out_shape[0], "concat", y);
    for (int64_t i = 0; i < ref_count(&y); i++) {
        ref_split(&y, i, at);
        int from = at[axis] >= first;
        at[axis] -= from ? first : 0;
        call->out[0][i] = call->in[from][ref_join(&call->in_shape[from], at)];
    }
}

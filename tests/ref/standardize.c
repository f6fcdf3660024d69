/* SPDX-License-Identifier: Apache-2.0 */
/* Weight standardisation: columns of a matrix (rows, outputs). */
#include "tests/ref/prepare.h"
#include "tests/ref/ref.h"

void sft_ref_weight_standardize(struct ref_call *call)
{
    double epsilon = (double)REF_PARAMS(struct sft_weight_standardize_params, call)->epsilon;
    const struct sft_shape *w = &call->in_shape[0];
    int64_t columns = w->dim[w->rank - 1], rows = ref_count(w) / columns;
    ref_expect_shape(&call->out_shape[0], "weight_standardize", *w);
    ref_expect_shape(&call->out_shape[1], "weight_standardize", SFT_SHAPE(columns));
    for (int64_t o = 0; o < columns; o++) {
        double mean = 0.0, variance = 0.0;
        for (int64_t i = 0; i < rows; i++) mean += call->in[0][i * columns + o] / (double)rows;
        for (int64_t i = 0; i < rows; i++)
            variance += pow(call->in[0][i * columns + o] - mean, 2.0) / (double)rows;
        call->out[1][o] = 1.0 / sqrt(variance + epsilon);
        for (int64_t i = 0; i < rows; i++)
            call->out[0][i * columns + o] = (call->in[0][i * columns + o] - mean) * call->out[1][o];
    }
}

void sft_ref_weight_standardize_grad(struct ref_call *call)
{
    const struct sft_shape *w = &call->in_shape[0];
    const double *dy = call->in[0], *y = call->in[1], *rstd = call->in[2];
    int64_t columns = w->dim[w->rank - 1], rows = ref_count(w) / columns;
    for (int64_t o = 0; o < columns; o++) {
        double mean = 0.0, along = 0.0;
        for (int64_t i = 0; i < rows; i++) {
            mean += dy[i * columns + o] / (double)rows;
            along += dy[i * columns + o] * y[i * columns + o] / (double)rows;
        }
        for (int64_t i = 0; i < rows; i++)
            call->out[0][i * columns + o] =
                rstd[o] * (dy[i * columns + o] - mean - y[i * columns + o] * along);
    }
}

void ref_prepare_standardize_grad(struct ref_call *call)
{
    struct ref_call forward = {.params = &(const struct sft_weight_standardize_params){1e-5f}};
    forward.in_shape[0] = forward.out_shape[0] = call->in_shape[1];
    forward.out_shape[1] = call->in_shape[2];
    forward.in[0] = forward.out[0] = call->in[1];
    forward.out[1] = call->in[2];
    sft_ref_weight_standardize(&forward);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/base/rng.h"
#include "tests/ref/prepare.h"
#include "tests/ref/ref.h"

/* ---- dropout ---- */

void sft_ref_dropout(struct ref_call *call)
{
    const struct sft_dropout_params *params = call->params;
    double keep = 1.0 - (double)params->probability;
    uint32_t key[2] = {(uint32_t)(int32_t)call->in[1][0], (uint32_t)(int32_t)call->in[1][1]}, words[4];
    int64_t count = ref_count(&call->in_shape[0]), part = (uint32_t)(int32_t)call->in[1][3];
    for (int64_t i = 0; i < count; i++) {
        int64_t j = (part * count + i) % (INT64_C(1) << 32);
        uint32_t counter[4] = {(uint32_t)(j / 4), params->stream, (uint32_t)(int32_t)call->in[1][2],
                               SFT_STREAM_DROPOUT};
        sft_philox(counter, key, words);
        bool kept = (double)(words[j % 4] >> 8) * 0x1p-24 >= (double)params->probability;
        call->out[0][i] = kept ? call->in[0][i] / keep : 0.0;
    }
}

void sft_ref_normal(struct ref_call *call)
{
    const struct sft_normal_params *params = call->params;
    uint32_t key[2] = {(uint32_t)(int32_t)call->in[0][0], (uint32_t)(int32_t)call->in[0][1]}, words[4];
    ref_expect_shape(&call->out_shape[0], "normal", params->shape);
    for (int64_t i = 0; i < ref_count(&params->shape); i++) {
        uint32_t counter[4] = {(uint32_t)(i / 4), params->stream, (uint32_t)(int32_t)call->in[0][2],
                               SFT_STREAM_PERTURB};
        sft_philox(counter, key, words);
        double u = ((double)(words[i % 4 & 2] >> 8) + 1.0) * 0x1p-24;
        double t = 2.0 * acos(-1.0) * (double)(words[i % 4 | 1] >> 8) * 0x1p-24;
        call->out[0][i] = sqrt(-2.0 * log(u)) * (i % 2 == 0 ? cos(t) : sin(t));
    }
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/ref/ref.h"

void sft_ref_perturb(struct ref_call *call)
{
    double rho = call->in[3][SFT_HYPER_RHO], norm = call->in[2][0];
    for (int64_t i = 0; i < ref_count(&call->in_shape[0]); i++)
        call->out[0][i] = call->in[0][i] + rho * call->in[1][i] / norm;
}

void sft_ref_sgd(struct ref_call *call)
{
    const struct sft_update_params *params = call->params;
    double *w = call->in[0], *v = call->in[1];
    const double *g = call->in[2], *hyper = call->in[3];
    double decay = params->decay ? hyper[SFT_HYPER_WEIGHT_DECAY] : 0.0, momentum = hyper[SFT_HYPER_MOMENTUM];
    for (int64_t i = 0; i < ref_count(&call->in_shape[0]); i++) {
        double d = g[i] + decay * w[i];
        v[i] = momentum * v[i] + d;
        w[i] -= hyper[SFT_HYPER_LR] * (params->nesterov ? d + momentum * v[i] : v[i]);
    }
}

void sft_ref_adam(struct ref_call *call)
{
    const struct sft_update_params *params = call->params;
    double *w = call->in[0], *m = call->in[1], *v = call->in[2];
    const double *g = call->in[3], *hyper = call->in[4];
    double decay = params->decay ? hyper[SFT_HYPER_WEIGHT_DECAY] : 0.0;
    double beta1 = hyper[SFT_HYPER_BETA1], beta2 = hyper[SFT_HYPER_BETA2];
    for (int64_t i = 0; i < ref_count(&call->in_shape[0]); i++) {
        double d = g[i] + (params->decoupled ? 0.0 : decay * w[i]);
        if (params->decoupled) w[i] -= hyper[SFT_HYPER_LR] * decay * w[i];
        m[i] = beta1 * m[i] + (1.0 - beta1) * d;
        v[i] = beta2 * v[i] + (1.0 - beta2) * d * d;
        w[i] -= hyper[SFT_HYPER_LR] * (m[i] / hyper[SFT_HYPER_BIAS1]) /
                (sqrt(v[i] / hyper[SFT_HYPER_BIAS2]) + hyper[SFT_HYPER_EPSILON]);
    }
}

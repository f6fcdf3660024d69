/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "runtime/cpu/loops.h"
#include "runtime/ops.h"

struct update {
    float *w, *m, *v, *y;
    const float *g, *norm, *hyper;
    const struct sft_update_params *params;
};

static void perturb_range(void *context, int64_t first, int64_t last)
{
    const struct update *u = context;
    float scale = u->hyper[SFT_HYPER_RHO] / u->norm[0];
    for (int64_t i = first; i < last; i++) u->y[i] = u->w[i] + scale * u->g[i];
}

enum sft_status sft_cpu_perturb(const struct sft_call *call)
{
    struct update u = {
        .w = call->in[0], .g = call->in[1], .norm = call->in[2], .hyper = call->in[3], .y = call->out[0]};
    sft_cpu_ranges(sft_in_count(call->graph, call->node, 0), 1, perturb_range, &u);
    return SFT_OK;
}

static float decay(const struct update *u)
{
    return u->params->decay ? u->hyper[SFT_HYPER_WEIGHT_DECAY] : 0.0f;
}

static void sgd_range(void *context, int64_t first, int64_t last)
{
    const struct update *u = context;
    float lr = u->hyper[SFT_HYPER_LR];
    float momentum = u->hyper[SFT_HYPER_MOMENTUM];
    float wd = decay(u);
    for (int64_t i = first; i < last; i++) {
        float d = u->g[i] + wd * u->w[i];
        float v = momentum * u->v[i] + d;
        u->v[i] = v;
        u->w[i] -= lr * (u->params->nesterov ? d + momentum * v : v);
    }
}

enum sft_status sft_cpu_sgd(const struct sft_call *call)
{
    struct update u = {.w = call->in[0],
                       .v = call->in[1],
                       .g = call->in[2],
                       .hyper = call->in[3],
                       .params = SFT_NODE_PARAMS(struct sft_update_params, call->node)};
    sft_cpu_ranges(sft_in_count(call->graph, call->node, 0), 1, sgd_range, &u);
    return SFT_OK;
}

static void adam_range(void *context, int64_t first, int64_t last)
{
    const struct update *u = context;
    float lr = u->hyper[SFT_HYPER_LR];
    float beta1 = u->hyper[SFT_HYPER_BETA1];
    float beta2 = u->hyper[SFT_HYPER_BETA2];
    float epsilon = u->hyper[SFT_HYPER_EPSILON], wd = decay(u);
    float coupled = u->params->decoupled ? 0.0f : wd, shrink = u->params->decoupled ? 1.0f - lr * wd : 1.0f;
    for (int64_t i = first; i < last; i++) {
        float g = u->g[i] + coupled * u->w[i];
        float m = beta1 * u->m[i] + (1.0f - beta1) * g;
        float v = beta2 * u->v[i] + (1.0f - beta2) * g * g;
        u->m[i] = m;
        u->v[i] = v;
        m /= u->hyper[SFT_HYPER_BIAS1];
        v /= u->hyper[SFT_HYPER_BIAS2];
        u->w[i] = u->w[i] * shrink - lr * m / (sqrtf(v) + epsilon);
    }
}

enum sft_status sft_cpu_adam(const struct sft_call *call)
{
    struct update u = {.w = call->in[0],
                       .m = call->in[1],
                       .v = call->in[2],
                       .g = call->in[3],
                       .hyper = call->in[4],
                       .params = SFT_NODE_PARAMS(struct sft_update_params, call->node)};
    sft_cpu_ranges(sft_in_count(call->graph, call->node, 0), 1, adam_range, &u);
    return SFT_OK;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Dropout and normal numbers. */
#include <math.h>

#include "runtime/base/rng.h"
#include "runtime/cpu/loops.h"
#include "runtime/ops.h"

/* ---- dropout ---- */

struct dropout {
    const float *x;
    float *y, probability, scale;
    uint32_t key[2], step, stream;
    uint32_t before; /* elements of the parts before this one */
};

static void dropout_range(void *context, int64_t first, int64_t last)
{
    const struct dropout *d = context;
    uint32_t words[4] = {0};
    for (int64_t i = first; i < last; i++) {
        uint32_t drawn = d->before + (uint32_t)i;
        if (drawn % 4 == 0 || i == first) {
            const uint32_t counter[4] = {drawn / 4, d->stream, d->step, SFT_STREAM_DROPOUT};
            sft_philox(counter, d->key, words);
        }
        d->y[i] = (float)(words[drawn % 4] >> 8) * 0x1p-24f >= d->probability ? d->x[i] * d->scale : 0.0f;
    }
}

enum sft_status sft_cpu_dropout(const struct sft_call *call)
{
    const struct sft_dropout_params *params = SFT_NODE_PARAMS(struct sft_dropout_params, call->node);
    const uint32_t *key = call->in[1];
    struct dropout d = {
        .x = call->in[0],
        .y = call->out[0],
        .probability = params->probability,
        .scale = 1.0f / (1.0f - params->probability),
        .key = {key[0], key[1]},
        .step = key[2],
        .stream = params->stream,
        .before = key[3] * (uint32_t)sft_in_count(call->graph, call->node, 0),
    };
    sft_cpu_ranges(sft_in_count(call->graph, call->node, 0), 4, dropout_range, &d);
    return SFT_OK;
}

/* ---- normal numbers ---- */

struct normal {
    float *y;
    uint32_t key[2], step, stream;
};

/* The same arithmetic as shaders/normal.comp: what libraries and drivers make of log and cos differs. */

/* ln x = e ln 2 + 2 artanh((m - 1)/(m + 1)) with x = m 2^e and m around 1. */
static float natural_log(float x)
{
    int e;
    float m = frexpf(x, &e), s, s2;
    if (m < 0.70710678f) {
        m *= 2.0f;
        e--;
    }
    s = (m - 1.0f) / (m + 1.0f);
    s2 = s * s;
    return (float)e * 0.69314718f +
           2.0f * s * (1.0f + s2 * (1.0f / 3.0f + s2 * (0.2f + s2 * (1.0f / 7.0f + s2 * (1.0f / 9.0f)))));
}

/* cos and sin of 2 pi n/2^24, by Taylor series within an eighth of a turn of the nearest quarter. */
static void circle(uint32_t n, float *c, float *s)
{
    uint32_t quarter = (n + (1u << 21)) >> 22 & 3;
    float t = (float)((int32_t)((n + (1u << 21)) & 0x3fffff) - (1 << 21)) * (6.2831853f * 0x1p-24f),
          t2 = t * t;
    float x = 1.0f - t2 * (0.5f - t2 * (1.0f / 24.0f - t2 * (1.0f / 720.0f - t2 * (1.0f / 40320.0f))));
    float y =
        t *
        (1.0f - t2 * (1.0f / 6.0f - t2 * (1.0f / 120.0f - t2 * (1.0f / 5040.0f - t2 * (1.0f / 362880.0f)))));
    *c = quarter & 1 ? y : x;
    *s = quarter & 1 ? x : y;
    if (quarter == 1 || quarter == 2) *c = -*c;
    if (quarter >= 2) *s = -*s;
}

static void box_muller(const uint32_t words[2], float pair[2])
{
    float r = sqrtf(-2.0f * natural_log((float)((words[0] >> 8) + 1) * 0x1p-24f)), c, s;
    circle(words[1] >> 8, &c, &s);
    pair[0] = r * c;
    pair[1] = r * s;
}

static void normal_range(void *context, int64_t first, int64_t last)
{
    const struct normal *n = context;
    uint32_t words[4];
    float four[4] = {0};
    for (int64_t i = first; i < last; i++) {
        if (i % 4 == 0 || i == first) {
            const uint32_t counter[4] = {(uint32_t)(i / 4), n->stream, n->step, SFT_STREAM_PERTURB};
            sft_philox(counter, n->key, words);
            box_muller(words, four);
            box_muller(words + 2, four + 2);
        }
        n->y[i] = four[i % 4];
    }
}

enum sft_status sft_cpu_normal(const struct sft_call *call)
{
    const uint32_t *key = call->in[0];
    struct normal n = {
        .y = call->out[0],
        .key = {key[0], key[1]},
        .step = key[2],
        .stream = SFT_NODE_PARAMS(struct sft_normal_params, call->node)->stream,
    };
    sft_cpu_ranges(sft_out_count(call->graph, call->node, 0), 1, normal_range, &n);
    return SFT_OK;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Patches of an image as rows, and back. Folding gathers: a pixel asks the patches that cover it. */
#include <string.h>

#include "runtime/base/parallel.h"
#include "runtime/cpu/loops.h"
#include "runtime/ops.h"

struct unfold {
    struct sft_unfold_params patch;
    int64_t height, width, channels, down, across; /* down x across patches */
    const float *from;
    float *to;
};

static struct unfold describe(const struct sft_shape *image, const struct sft_unfold_params *patch)
{
    struct unfold u = {
        .patch = *patch, .height = image->dim[1], .width = image->dim[2], .channels = image->dim[3]};
    u.down = (u.height + 2 * patch->pad - patch->kernel) / patch->stride + 1;
    u.across = (u.width + 2 * patch->pad - patch->kernel) / patch->stride + 1;
    return u;
}

/* One patch from the image. */
static void take_patch(const struct unfold *u, const float *image, int64_t p, int64_t q, float *to)
{
    int64_t kernel = u->patch.kernel, taps = kernel * kernel;
    for (int64_t tap = 0; tap < taps; tap++) {
        int64_t h = p * u->patch.stride + tap / kernel - u->patch.pad;
        int64_t w = q * u->patch.stride + tap % kernel - u->patch.pad;
        bool inside = h >= 0 && h < u->height && w >= 0 && w < u->width;
        const float *pixel = image + (h * u->width + w) * u->channels;
        for (int64_t c = 0; c < u->channels; c++) to[c * taps + tap] = inside ? pixel[c] : 0.0f;
    }
}

/* A row of patches; `task` counts them over all images. */
static void take_row(void *context, int64_t task, int slot)
{
    const struct unfold *u = context;
    int64_t size = u->channels * u->patch.kernel * u->patch.kernel;
    const float *image = u->from + task / u->down * u->height * u->width * u->channels;
    (void)slot;
    for (int64_t q = 0; q < u->across; q++)
        take_patch(u, image, task % u->down, q, u->to + (task * u->across + q) * size);
}

enum sft_status sft_cpu_unfold(const struct sft_call *call)
{
    const struct sft_shape *x = sft_in_shape(call->graph, call->node, 0);
    struct unfold u = describe(x, SFT_NODE_PARAMS(struct sft_unfold_params, call->node));
    u.from = call->in[0];
    u.to = call->out[0];
    sft_parallel_for(x->dim[0] * u.down, take_row, &u);
    return SFT_OK;
}

/* The first patch that covers coordinate `at` (padding counted), and the one after the last. */
static int64_t first_over(const struct unfold *u, int64_t at)
{
    return at < u->patch.kernel ? 0 : (at - u->patch.kernel) / u->patch.stride + 1;
}

static int64_t last_over(const struct unfold *u, int64_t at, int64_t count)
{
    return sft_min64(at / u->patch.stride + 1, count);
}

static void gather_pixel(const struct unfold *u, const float *patches, int64_t h, int64_t w, float *pixel)
{
    int64_t kernel = u->patch.kernel, taps = kernel * kernel;
    memset(pixel, 0, (size_t)u->channels * sizeof(float));
    for (int64_t p = first_over(u, h); p < last_over(u, h, u->down); p++)
        for (int64_t q = first_over(u, w); q < last_over(u, w, u->across); q++) {
            int64_t tap = (h - p * u->patch.stride) * kernel + w - q * u->patch.stride;
            const float *patch = patches + (p * u->across + q) * u->channels * taps + tap;
            for (int64_t c = 0; c < u->channels; c++) pixel[c] += patch[c * taps];
        }
}

/* A row of pixels; `task` counts them over all images. */
static void gather_row(void *context, int64_t task, int slot)
{
    const struct unfold *u = context;
    int64_t size = u->channels * u->patch.kernel * u->patch.kernel;
    const float *patches = u->from + task / u->height * u->down * u->across * size;
    (void)slot;
    for (int64_t w = 0; w < u->width; w++)
        gather_pixel(u, patches, task % u->height + u->patch.pad, w + u->patch.pad,
                     u->to + (task * u->width + w) * u->channels);
}

enum sft_status sft_cpu_fold(const struct sft_call *call)
{
    const struct sft_shape *image = sft_out_shape(call->graph, call->node, 0);
    struct unfold u = describe(image, &SFT_NODE_PARAMS(struct sft_fold_params, call->node)->patch);
    u.from = call->in[0];
    u.to = call->out[0];
    sft_parallel_for(image->dim[0] * u.height, gather_row, &u);
    return SFT_OK;
}

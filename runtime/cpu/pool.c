/* SPDX-License-Identifier: Apache-2.0 */
/* Pooling. Gradients gather: an input pixel asks the windows that cover it, so nothing is added from two
 * tasks. */
#include <math.h>

#include "runtime/base/parallel.h"
#include "runtime/cpu/loops.h"
#include "runtime/ops.h"

struct pool {
    const struct sft_pool_params *params;
    const struct sft_shape *in, *out; /* images before and after pooling */
    const float *x, *dy;
    const int32_t *index;
    float *y, *dx;
    int32_t *index_out;
};

/* Positions i with 0 <= start + i < size. */
struct span {
    int64_t first, last;
};

static struct span inside(int64_t start, int64_t kernel, int64_t size)
{
    struct span s = {start < 0 ? -start : 0, kernel < size - start ? kernel : size - start};
    return s;
}

/* Windows that cover position `at`. */
static struct span covering(int64_t at, int64_t kernel, int64_t stride, int64_t count)
{
    int64_t first = at < kernel ? 0 : (at - kernel) / stride + 1, last = at / stride + 1;
    return (struct span){first, last < count ? last : count};
}

/* Of an input pixel's channels, those that are larger than what their window has so far (`empty` where index
 * < 0). */
SFT_CLONES static void take_larger(const float *value, int64_t channels, int32_t at, bool empty,
                                   float *restrict y, int32_t *restrict index)
{
    for (int64_t c = 0; c < channels; c++) {
        bool larger = (value[c] > y[c]) | (empty & (index[c] < 0));
        y[c] = larger ? value[c] : y[c];
        index[c] = larger ? at : index[c];
    }
}

/* Adds a window's gradient to the input pixel `at` in the channels in which it was the largest. */
SFT_CLONES static void add_chosen(const float *dy, const int32_t *index, int64_t channels, int32_t at,
                                  float *restrict dx)
{
    for (int64_t c = 0; c < channels; c++) dx[c] += index[c] == at ? dy[c] : 0.0f;
}

/* One row of output pixels: `task` counts rows over all images. */
static void max_row(void *context, int64_t task, int slot)
{
    const struct pool *p = context;
    const struct sft_pool_params *params = p->params;
    int64_t height = p->in->dim[1], width = p->in->dim[2], channels = p->in->dim[3], columns = p->out->dim[2];
    int64_t image = task / p->out->dim[1], top = task % p->out->dim[1] * params->stride[0] - params->pad[0];
    struct span rows = inside(top, params->kernel[0], height);
    const float *x = p->x + image * height * width * channels;
    (void)slot;
    for (int64_t q = 0; q < columns; q++) {
        int64_t left = q * params->stride[1] - params->pad[1];
        struct span cols = inside(left, params->kernel[1], width);
        bool padded = params->zero_pad && ((rows.last - rows.first) < params->kernel[0] ||
                                           (cols.last - cols.first) < params->kernel[1]);
        float *y = p->y + (task * columns + q) * channels;
        int32_t *index = p->index_out + (task * columns + q) * channels;
        for (int64_t c = 0; c < channels; c++) {
            y[c] = padded ? 0.0f : -INFINITY;
            index[c] = -1;
        }
        for (int64_t r = rows.first; r < rows.last; r++)
            for (int64_t s = cols.first; s < cols.last; s++) {
                int64_t at = (top + r) * width + left + s;
                take_larger(x + at * channels, channels, (int32_t)at, !padded, y, index);
            }
    }
}

static void max_grad_row(void *context, int64_t task, int slot)
{
    const struct pool *p = context;
    const struct sft_pool_params *params = p->params;
    int64_t height = p->in->dim[1], width = p->in->dim[2], channels = p->in->dim[3];
    int64_t image = task / height, h = task % height;
    struct span rows = covering(h + params->pad[0], params->kernel[0], params->stride[0], p->out->dim[1]);
    (void)slot;
    for (int64_t w = 0; w < width; w++) {
        struct span cols = covering(w + params->pad[1], params->kernel[1], params->stride[1], p->out->dim[2]);
        float *dx = p->dx + (task * width + w) * channels;
        int32_t at = (int32_t)(h * width + w);
        for (int64_t c = 0; c < channels; c++) dx[c] = 0.0f;
        for (int64_t r = rows.first; r < rows.last; r++)
            for (int64_t s = cols.first; s < cols.last; s++) {
                int64_t window = ((image * p->out->dim[1] + r) * p->out->dim[2] + s) * channels;
                add_chosen(p->dy + window, p->index + window, channels, at, dx);
            }
    }
}

static void avg_row(void *context, int64_t task, int slot)
{
    const struct pool *p = context;
    const struct sft_pool_params *params = p->params;
    int64_t height = p->in->dim[1], width = p->in->dim[2], channels = p->in->dim[3], columns = p->out->dim[2];
    int64_t image = task / p->out->dim[1], top = task % p->out->dim[1] * params->stride[0] - params->pad[0];
    struct span rows = inside(top, params->kernel[0], height);
    const float *x = p->x + image * height * width * channels;
    float weight = 1.0f / ((float)params->kernel[0] * (float)params->kernel[1]);
    (void)slot;
    for (int64_t q = 0; q < columns; q++) {
        int64_t left = q * params->stride[1] - params->pad[1];
        struct span cols = inside(left, params->kernel[1], width);
        float *y = p->y + (task * columns + q) * channels;
        for (int64_t c = 0; c < channels; c++) y[c] = 0.0f;
        for (int64_t r = rows.first; r < rows.last; r++)
            for (int64_t s = cols.first; s < cols.last; s++)
                for (int64_t c = 0; c < channels; c++)
                    y[c] += x[((top + r) * width + left + s) * channels + c];
        for (int64_t c = 0; c < channels; c++) y[c] *= weight;
    }
}

static void avg_grad_row(void *context, int64_t task, int slot)
{
    const struct pool *p = context;
    const struct sft_pool_params *params = p->params;
    int64_t height = p->in->dim[1], width = p->in->dim[2], channels = p->in->dim[3], image = task / height;
    struct span rows =
        covering(task % height + params->pad[0], params->kernel[0], params->stride[0], p->out->dim[1]);
    float weight = 1.0f / ((float)params->kernel[0] * (float)params->kernel[1]);
    (void)slot;
    for (int64_t w = 0; w < width; w++) {
        struct span cols = covering(w + params->pad[1], params->kernel[1], params->stride[1], p->out->dim[2]);
        float *dx = p->dx + (task * width + w) * channels;
        for (int64_t c = 0; c < channels; c++) dx[c] = 0.0f;
        for (int64_t r = rows.first; r < rows.last; r++)
            for (int64_t s = cols.first; s < cols.last; s++)
                for (int64_t c = 0; c < channels; c++)
                    dx[c] += p->dy[((image * p->out->dim[1] + r) * p->out->dim[2] + s) * channels + c];
        for (int64_t c = 0; c < channels; c++) dx[c] *= weight;
    }
}

static struct pool describe(const struct sft_call *call, bool gradient)
{
    const struct sft_shape *in = sft_in_shape(call->graph, call->node, 0),
                           *out = sft_out_shape(call->graph, call->node, 0);
    return (struct pool){.params = SFT_NODE_PARAMS(struct sft_pool_params, call->node),
                         .in = gradient ? out : in,
                         .out = gradient ? in : out};
}

enum sft_status sft_cpu_max_pool(const struct sft_call *call)
{
    struct pool p = describe(call, false);
    p.x = call->in[0];
    p.y = call->out[0];
    p.index_out = call->out[1];
    sft_parallel_for(p.out->dim[0] * p.out->dim[1], max_row, &p);
    return SFT_OK;
}

static enum sft_status run_gradient(const struct sft_call *call, const int32_t *index, sft_task row)
{
    struct pool p = describe(call, true);
    p.dy = call->in[0];
    p.index = index;
    p.dx = call->out[0];
    sft_parallel_for(p.in->dim[0] * p.in->dim[1], row, &p);
    return SFT_OK;
}

enum sft_status sft_cpu_max_pool_grad(const struct sft_call *call)
{
    return run_gradient(call, call->in[1], max_grad_row);
}

enum sft_status sft_cpu_avg_pool(const struct sft_call *call)
{
    struct pool p = describe(call, false);
    p.x = call->in[0];
    p.y = call->out[0];
    sft_parallel_for(p.out->dim[0] * p.out->dim[1], avg_row, &p);
    return SFT_OK;
}

enum sft_status sft_cpu_avg_pool_grad(const struct sft_call *call)
{
    return run_gradient(call, NULL, avg_grad_row);
}

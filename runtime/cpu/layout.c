/* SPDX-License-Identifier: Apache-2.0 */
/* Moving data: every op here is one strided copy, run over rows of its last axis. */
#include <string.h>

#include "runtime/cpu/loops.h"
#include "runtime/ops.h"

/* Copies a box of `shape` between two tensors; strides in elements. */
struct copy {
    const float *from;
    float *to;
    struct sft_shape shape;
    int64_t from_stride[SFT_MAX_RANK], to_stride[SFT_MAX_RANK];
};

static int64_t row_width(const struct sft_shape *shape)
{
    return shape->rank ? shape->dim[shape->rank - 1] : 1;
}

static void copy_rows(void *context, int64_t first, int64_t last)
{
    const struct copy *c = context;
    int axis = c->shape.rank - 1;
    int64_t width = row_width(&c->shape), from_step = axis < 0 ? 1 : c->from_stride[axis];
    int64_t to_step = axis < 0 ? 1 : c->to_stride[axis];
    for (int64_t at = first; at < last; at += width) {
        int64_t rest = at / width;
        const float *from = c->from;
        float *to = c->to;
        for (int i = axis - 1; i >= 0; i--) {
            from += rest % c->shape.dim[i] * c->from_stride[i];
            to += rest % c->shape.dim[i] * c->to_stride[i];
            rest /= c->shape.dim[i];
        }
        if (from_step == 1 && to_step == 1)
            memcpy(to, from, (size_t)width * sizeof(float));
        else
            for (int64_t i = 0; i < width; i++) to[i * to_step] = from[i * from_step];
    }
}

static void run_copy(struct copy *c)
{
    sft_cpu_ranges(sft_shape_count(&c->shape), row_width(&c->shape), copy_rows, c);
}

static void strides(const struct sft_shape *shape, int64_t *stride)
{
    int64_t step = 1;
    for (int i = shape->rank - 1; i >= 0; i--) {
        stride[i] = step;
        step *= shape->dim[i];
    }
}

static int64_t box_offset(const int64_t *start, const int64_t *stride, int rank)
{
    int64_t offset = 0;
    for (int i = 0; i < rank; i++) offset += start[i] * stride[i];
    return offset;
}

enum sft_status sft_cpu_view(const struct sft_call *call)
{
    (void)call; /* lies in its input's memory */
    return SFT_OK;
}

enum sft_status sft_cpu_slice(const struct sft_call *call)
{
    const struct sft_slice_params *params = SFT_NODE_PARAMS(struct sft_slice_params, call->node);
    struct copy c = {.from = call->in[0], .to = call->out[0], .shape = params->shape};
    strides(sft_in_shape(call->graph, call->node, 0), c.from_stride);
    strides(&c.shape, c.to_stride);
    c.from += box_offset(params->start, c.from_stride, c.shape.rank);
    run_copy(&c);
    return SFT_OK;
}

static void zero_range(void *context, int64_t first, int64_t last)
{
    memset((float *)context + first, 0, (size_t)(last - first) * sizeof(float));
}

enum sft_status sft_cpu_pad(const struct sft_call *call)
{
    const struct sft_slice_params *params = SFT_NODE_PARAMS(struct sft_slice_params, call->node);
    struct copy c = {
        .from = call->in[0], .to = call->out[0], .shape = *sft_in_shape(call->graph, call->node, 0)};
    sft_cpu_ranges(sft_shape_count(&params->shape), 1, zero_range, c.to);
    strides(&c.shape, c.from_stride);
    strides(&params->shape, c.to_stride);
    c.to += box_offset(params->start, c.to_stride, c.shape.rank);
    run_copy(&c);
    return SFT_OK;
}

enum sft_status sft_cpu_permute(const struct sft_call *call)
{
    const int *axis = SFT_NODE_PARAMS(struct sft_permute_params, call->node)->axis;
    struct copy c = {
        .from = call->in[0], .to = call->out[0], .shape = *sft_out_shape(call->graph, call->node, 0)};
    int64_t in_stride[SFT_MAX_RANK];
    strides(sft_in_shape(call->graph, call->node, 0), in_stride);
    strides(&c.shape, c.to_stride);
    for (int i = 0; i < c.shape.rank; i++) c.from_stride[i] = in_stride[axis[i]];
    run_copy(&c);
    return SFT_OK;
}

enum sft_status sft_cpu_concat(const struct sft_call *call)
{
    int axis = SFT_NODE_PARAMS(struct sft_concat_params, call->node)->axis;
    float *to = call->out[0];
    for (int i = 0; i < 2; i++) {
        struct copy c = {.from = call->in[i], .to = to, .shape = *sft_in_shape(call->graph, call->node, i)};
        strides(&c.shape, c.from_stride);
        strides(sft_out_shape(call->graph, call->node, 0), c.to_stride);
        run_copy(&c);
        to += c.shape.dim[axis] * c.to_stride[axis];
    }
    return SFT_OK;
}

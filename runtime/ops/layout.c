/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/op.h"
#include "runtime/ops.h"
#include "runtime/tape.h"

static enum sft_status misfit(const struct sft_graph *graph, const struct sft_node *node)
{
    char text[SFT_SHAPE_TEXT];
    return sft_fail(SFT_USAGE, "%s: does not fit an input of shape %s", node->op->name,
                    sft_shape_str(sft_in_shape(graph, node, 0), text));
}

/* ---- view ---- */

sft_value sft_view(struct sft_graph *graph, sft_value x, int64_t offset, struct sft_shape shape)
{
    struct sft_view_params params = {offset, shape};
    sft_value view = sft_graph_append(graph, &sft_op_view, &x, 1, &params, NULL);
    if (view == SFT_NONE) return SFT_NONE;
    graph->values[view].base = x;
    graph->values[view].offset = offset;
    graph->values[view].dtype = graph->values[x].dtype;
    return view;
}

sft_value sft_reshape(struct sft_graph *graph, sft_value x, struct sft_shape shape)
{
    if (x != SFT_NONE && sft_shape_count(&shape) != sft_shape_count(sft_graph_shape(graph, x)))
        return sft_graph_fail(graph, sft_fail(SFT_USAGE, "reshape: the number of elements changes"));
    return sft_view(graph, x, 0, shape);
}

static enum sft_status infer_view(const struct sft_graph *graph, const struct sft_node *node,
                                  struct sft_shape *out, enum sft_dtype *dtype)
{
    const struct sft_view_params *params = SFT_NODE_PARAMS(struct sft_view_params, node);
    (void)dtype;
    out[0] = params->shape;
    if (!sft_shape_valid(&out[0]) || params->offset < 0 ||
        params->offset > sft_in_count(graph, node, 0) - sft_shape_count(&out[0]))
        return misfit(graph, node);
    return SFT_OK;
}

static void grad_view(struct sft_tape *tape, const struct sft_node *node)
{
    struct sft_graph *graph = tape->graph;
    const struct sft_shape x = *sft_in_shape(graph, node, 0);
    const struct sft_view_params *params = SFT_NODE_PARAMS(struct sft_view_params, node);
    sft_value dy = sft_grad(tape, node->out[0]);
    int64_t whole = sft_shape_count(&x), part = sft_shape_count(&params->shape);
    if (whole != part) {
        dy = sft_reshape(graph, dy, SFT_SHAPE(part));
        dy = sft_pad(graph, dy, &params->offset, SFT_SHAPE(whole));
    }
    sft_add_grad(tape, node->in[0], sft_reshape(graph, dy, x));
}

const struct sft_op sft_op_view = {
    .id = SFT_ID_view,
    .name = "view",
    .min_in = 1,
    .max_in = 1,
    .n_out = 1,
    .params_size = sizeof(struct sft_view_params),
    .view = true,
    .infer = infer_view,
    .grad = grad_view,
};

/* ---- place ---- */

static bool has_place(const struct sft_graph *graph, sft_value value)
{
    const struct sft_value_info *info = &graph->values[value];
    if (info->base != SFT_NONE || info->outside) return true;
    for (size_t i = 0; i < graph->n_values; i++) /* something is a view of it */
        if (graph->values[i].base == value) return true;
    return false;
}

static enum sft_status check_place(const struct sft_graph *graph, sft_value value, sft_value base,
                                   int64_t offset)
{
    const struct sft_value_info *what, *where;
    char text[SFT_SHAPE_TEXT];
    if (value == SFT_NONE || base == SFT_NONE)
        return sft_fail(SFT_USAGE, "place: there is no value, or nothing to place it in");
    what = &graph->values[value];
    where = &graph->values[base];
    if (!where->outside) return sft_fail(SFT_USAGE, "place: only an outside value can hold others");
    if (what->dtype != where->dtype)
        return sft_fail(SFT_USAGE, "place: %s holds numbers of another type", where->name);
    if (offset < 0 || offset > sft_shape_count(&where->shape) - sft_shape_count(&what->shape))
        return sft_fail(SFT_USAGE, "place: a value of %s does not fit into %s at element %lld",
                        sft_shape_str(&what->shape, text), where->name, (long long)offset);
    return SFT_OK;
}

sft_value sft_graph_place(struct sft_graph *graph, sft_value value, sft_value base, int64_t offset)
{
    struct sft_value_info *info;
    enum sft_status status = graph->status;
    if (status == SFT_OK) status = check_place(graph, value, base, offset);
    if (status != SFT_OK) return sft_graph_fail(graph, status);
    if (has_place(graph, value)) value = sft_scale(graph, value, 1.0f);
    if (value == SFT_NONE) return SFT_NONE;
    info = &graph->values[value];
    info->base = base;
    info->offset = offset;
    return value;
}

/* ---- slice and pad: each other's adjoint ---- */

static struct sft_slice_params slice_params(const int64_t *start, struct sft_shape shape)
{
    struct sft_slice_params params = {.shape = shape};
    for (int i = 0; i < shape.rank && i < SFT_MAX_RANK; i++) params.start[i] = start[i];
    return params;
}

static bool box_fits(const struct sft_shape *box, const struct sft_shape *whole, const int64_t *start)
{
    if (box->rank != whole->rank) return false;
    for (int i = 0; i < box->rank; i++)
        if (start[i] < 0 || start[i] > whole->dim[i] - box->dim[i]) return false;
    return true;
}

sft_value sft_slice(struct sft_graph *graph, sft_value x, const int64_t *start, struct sft_shape shape)
{
    struct sft_slice_params params = slice_params(start, shape);
    return sft_graph_append(graph, &sft_op_slice, &x, 1, &params, NULL);
}

static enum sft_status infer_slice(const struct sft_graph *graph, const struct sft_node *node,
                                   struct sft_shape *out, enum sft_dtype *dtype)
{
    const struct sft_slice_params *params = SFT_NODE_PARAMS(struct sft_slice_params, node);
    (void)dtype;
    out[0] = params->shape;
    if (!sft_shape_valid(&out[0]) || !box_fits(&out[0], sft_in_shape(graph, node, 0), params->start))
        return misfit(graph, node);
    return SFT_OK;
}

static void grad_slice(struct sft_tape *tape, const struct sft_node *node)
{
    sft_value dy = sft_grad(tape, node->out[0]);
    sft_add_grad(tape, node->in[0],
                 sft_pad(tape->graph, dy, SFT_NODE_PARAMS(struct sft_slice_params, node)->start,
                         *sft_in_shape(tape->graph, node, 0)));
}

const struct sft_op sft_op_slice = {
    .id = SFT_ID_slice,
    .name = "slice",
    .min_in = 1,
    .max_in = 1,
    .n_out = 1,
    .params_size = sizeof(struct sft_slice_params),
    .infer = infer_slice,
    .grad = grad_slice,
};

sft_value sft_pad(struct sft_graph *graph, sft_value x, const int64_t *start, struct sft_shape shape)
{
    struct sft_slice_params params = slice_params(start, shape);
    return sft_graph_append(graph, &sft_op_pad, &x, 1, &params, NULL);
}

static enum sft_status infer_pad(const struct sft_graph *graph, const struct sft_node *node,
                                 struct sft_shape *out, enum sft_dtype *dtype)
{
    const struct sft_slice_params *params = SFT_NODE_PARAMS(struct sft_slice_params, node);
    (void)dtype;
    out[0] = params->shape;
    if (!sft_shape_valid(&out[0]) || !box_fits(sft_in_shape(graph, node, 0), &out[0], params->start))
        return misfit(graph, node);
    return SFT_OK;
}

static void grad_pad(struct sft_tape *tape, const struct sft_node *node)
{
    sft_value dy = sft_grad(tape, node->out[0]);
    sft_add_grad(tape, node->in[0],
                 sft_slice(tape->graph, dy, SFT_NODE_PARAMS(struct sft_slice_params, node)->start,
                           *sft_in_shape(tape->graph, node, 0)));
}

const struct sft_op sft_op_pad = {
    .id = SFT_ID_pad,
    .name = "pad",
    .min_in = 1,
    .max_in = 1,
    .n_out = 1,
    .params_size = sizeof(struct sft_slice_params),
    .infer = infer_pad,
    .grad = grad_pad,
};

/* ---- permute ---- */

sft_value sft_permute(struct sft_graph *graph, sft_value x, const int *axis)
{
    struct sft_permute_params params = {{0}};
    int rank = sft_graph_shape(graph, x)->rank;
    for (int i = 0; i < rank; i++) params.axis[i] = axis[i];
    return sft_graph_append(graph, &sft_op_permute, &x, 1, &params, NULL);
}

static enum sft_status infer_permute(const struct sft_graph *graph, const struct sft_node *node,
                                     struct sft_shape *out, enum sft_dtype *dtype)
{
    const struct sft_permute_params *params = SFT_NODE_PARAMS(struct sft_permute_params, node);
    const struct sft_shape *x = sft_in_shape(graph, node, 0);
    unsigned seen = 0;
    (void)dtype;
    out[0].rank = x->rank;
    for (int i = 0; i < x->rank; i++) {
        int axis = params->axis[i];
        if (axis < 0 || axis >= x->rank || seen >> axis & 1)
            return sft_fail(SFT_USAGE, "permute: the axes are no permutation");
        seen |= 1u << axis;
        out[0].dim[i] = x->dim[axis];
    }
    return SFT_OK;
}

static void grad_permute(struct sft_tape *tape, const struct sft_node *node)
{
    const struct sft_permute_params *params = SFT_NODE_PARAMS(struct sft_permute_params, node);
    int inverse[SFT_MAX_RANK] = {0}, rank = sft_in_shape(tape->graph, node, 0)->rank;
    for (int i = 0; i < rank; i++) inverse[params->axis[i]] = i;
    sft_add_grad(tape, node->in[0], sft_permute(tape->graph, sft_grad(tape, node->out[0]), inverse));
}

const struct sft_op sft_op_permute = {
    .id = SFT_ID_permute,
    .name = "permute",
    .min_in = 1,
    .max_in = 1,
    .n_out = 1,
    .params_size = sizeof(struct sft_permute_params),
    .infer = infer_permute,
    .grad = grad_permute,
};

/* ---- concat ---- */

sft_value sft_concat(struct sft_graph *graph, sft_value a, sft_value b, int axis)
{
    struct sft_concat_params params = {axis};
    return sft_graph_append(graph, &sft_op_concat, (sft_value[]){a, b}, 2, &params, NULL);
}

static enum sft_status infer_concat(const struct sft_graph *graph, const struct sft_node *node,
                                    struct sft_shape *out, enum sft_dtype *dtype)
{
    const struct sft_shape *a = sft_in_shape(graph, node, 0), *b = sft_in_shape(graph, node, 1);
    int axis = SFT_NODE_PARAMS(struct sft_concat_params, node)->axis;
    (void)dtype;
    if (a->rank != b->rank || axis < 0 || axis >= a->rank) return misfit(graph, node);
    out[0] = *a;
    for (int i = 0; i < a->rank; i++)
        if (i != axis && a->dim[i] != b->dim[i]) return misfit(graph, node);
    out[0].dim[axis] += b->dim[axis];
    return SFT_OK;
}

static void grad_concat(struct sft_tape *tape, const struct sft_node *node)
{
    int axis = SFT_NODE_PARAMS(struct sft_concat_params, node)->axis;
    int64_t start[SFT_MAX_RANK] = {0};
    sft_value dy = sft_grad(tape, node->out[0]);
    for (int i = 0; i < 2; i++) {
        const struct sft_shape shape = *sft_in_shape(tape->graph, node, i);
        if (sft_needs_grad(tape, node->in[i]))
            sft_add_grad(tape, node->in[i], sft_slice(tape->graph, dy, start, shape));
        start[axis] += shape.dim[axis];
    }
}

const struct sft_op sft_op_concat = {
    .id = SFT_ID_concat,
    .name = "concat",
    .min_in = 2,
    .max_in = 2,
    .n_out = 1,
    .params_size = sizeof(struct sft_concat_params),
    .infer = infer_concat,
    .grad = grad_concat,
};

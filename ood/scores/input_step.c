/* SPDX-License-Identifier: Apache-2.0 */
#include "ood/scores/input_step.h"

#include "runtime/autodiff.h"
#include "runtime/ops.h"

sft_value sft_step_against(const struct sft_pass *pass, sft_value loss, float eps)
{
    struct sft_graph *graph = pass->graph;
    sft_value gradient, negative, sign;
    struct sft_shape shape;
    if (sft_graph_status(graph) != SFT_OK) return SFT_NONE;
    if (sft_autodiff(graph, loss, &pass->images, 1, &gradient) != SFT_OK) return SFT_NONE;
    shape = *sft_graph_shape(graph, pass->images);
    negative = sft_relu_grad(graph, sft_fill(graph, shape, 2.0f), sft_scale(graph, gradient, -1.0f)); /* 2 below 0 */
    sign = sft_add(graph, sft_fill(graph, shape, 1.0f), negative, -1.0f);
    return sft_add(graph, pass->images, sign, -eps);
}

sft_value sft_rows_max(struct sft_graph *graph, sft_value x, sft_value *index)
{
    const struct sft_shape *shape = sft_graph_shape(graph, x);
    int64_t n = shape->dim[0], columns = shape->dim[1];
    sft_value max, at = SFT_NONE;
    max = sft_max_pool(graph, sft_reshape(graph, x, SFT_SHAPE(n, 1, columns, 1)),
                       (struct sft_pool_params){.kernel = {1, (int)columns}, .stride = {1, 1}}, &at);
    if (index) *index = sft_reshape(graph, at, SFT_SHAPE(n));
    return sft_reshape(graph, max, SFT_SHAPE(n));
}

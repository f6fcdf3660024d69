/* SPDX-License-Identifier: Apache-2.0 */
#include "ood/scores/input_step.h"

#include "runtime/autodiff.h"
#include "runtime/ops.h"

sft_value sft_largest_of_rows(struct sft_graph *graph, sft_value x, sft_value *at)
{
    int64_t n = sft_graph_shape(graph, x)->dim[0], columns = sft_graph_shape(graph, x)->dim[1];
    const struct sft_pool_params whole_row = {.kernel = {1, (int)columns}, .stride = {1, 1}};
    sft_value y = sft_max_pool(graph, sft_reshape(graph, x, SFT_SHAPE(n, 1, columns, 1)), whole_row, at);
    if (at) *at = sft_reshape(graph, *at, SFT_SHAPE(n));
    return sft_reshape(graph, y, SFT_SHAPE(n));
}

sft_value sft_prediction_loss(struct sft_graph *graph, sft_value logits)
{
    sft_value losses, predicted = SFT_NONE;
    if (sft_graph_status(graph) != SFT_OK) return SFT_NONE;
    sft_largest_of_rows(graph, logits, &predicted);
    losses = sft_row_loss(graph, logits, predicted, (struct sft_row_loss_params){0});
    return sft_sum_to(graph, losses, SFT_SHAPE(1), 1.0f);
}

sft_value sft_gradient_sign(struct sft_graph *graph, sft_value loss, sft_value images)
{
    sft_value gradient, negative;
    struct sft_shape shape;
    if (sft_graph_status(graph) != SFT_OK) return SFT_NONE;
    if (sft_autodiff(graph, loss, &images, 1, &gradient) != SFT_OK) return SFT_NONE;
    shape = *sft_graph_shape(graph, images);
    negative =
        sft_relu_grad(graph, sft_fill(graph, shape, 2.0f), sft_scale(graph, gradient, -1.0f)); /* 2 below 0 */
    return sft_add(graph, sft_fill(graph, shape, 1.0f), negative, -1.0f);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "ood/scores/rank_one.h"

#include "runtime/ops.h"

static sft_value product(struct sft_graph *graph, sft_value a, sft_value b, int transpose_a, int transpose_b)
{
    return sft_matmul(graph, a, b, SFT_NONE,
                      (struct sft_matmul_params){.transpose_a = transpose_a, .transpose_b = transpose_b});
}

/* Divides each matrix by its Frobenius norm. */
static sft_value scaled(struct sft_graph *graph, sft_value g)
{
    int64_t n = sft_graph_shape(graph, g)->dim[0];
    sft_value norm = sft_sqrt(graph, sft_sum_to(graph, sft_mul(graph, g, g), SFT_SHAPE(n, 1, 1), 1.0f));
    return sft_div(graph, g, norm);
}

/* Squarings in a row: of a matrix of rank r and norm 1 the largest eigenvalue is at least 1/sqrt(r), and
 * after these at least r^-4. */
enum { UNSCALED = 3 };

/* About the first right singular vector of each x (N, P, C), up to its length: (N, C). */
static sft_value start_vector(struct sft_graph *graph, sft_value x, int squarings)
{
    struct sft_shape shape = *sft_graph_shape(graph, x);
    const int64_t n = shape.dim[0];
    const int64_t pixels = shape.dim[1], channels = shape.dim[2];
    bool by_channels = channels <= pixels;
    sft_value g = product(graph, x, x, by_channels, !by_channels), vector;
    for (int i = 0; i < squarings; i++) {
        if (i % UNSCALED == 0) g = scaled(graph, g);
        g = product(graph, g, g, 0, 0);
    }
    vector =
        sft_sum_to(graph, g, SFT_SHAPE(n, 1, by_channels ? channels : pixels), 1.0f); /* G is symmetric */
    if (!by_channels) vector = product(graph, vector, x, 0, 0);
    return sft_reshape(graph, vector, SFT_SHAPE(n, channels));
}

sft_value sft_rank_one_removed(struct sft_graph *graph, sft_value map, int squarings, int iterations,
                               sft_value *quality)
{
    struct sft_shape shape = *sft_graph_shape(graph, map);
    sft_value x, start = SFT_NONE;
    int64_t channels;
    if (sft_graph_status(graph) != SFT_OK) return SFT_NONE;
    channels = shape.dim[shape.rank - 1];
    x = sft_reshape(graph, map,
                    SFT_SHAPE(shape.dim[0], sft_shape_count(&shape) / shape.dim[0] / channels, channels));
    if (squarings > 0) start = start_vector(graph, x, squarings);
    return sft_reshape(graph, sft_remove_rank_one(graph, x, start, iterations, quality), shape);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "ood/scores/rank_one.h"

#include <math.h>

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

/* A product with a vector reads the whole matrix: its m^2 operations take as long as so many times m^2 of a
 * product of matrices. Of the vector's products, so many are taken before it is scaled again: each makes it
 * shorter by a factor of up to sqrt(r). */
enum { VECTOR_COST = 16, MOST_LOG_PRODUCTS = 6, UNSCALED_PRODUCTS = 8 };

/* How many of `squarings` to do to a matrix of m rows, when what is left of them becomes products with a
 * vector: two for one, four for two, and so on. */
static int best_squarings(int64_t m, int squarings)
{
    const double size = (double)m;
    double least = INFINITY;
    int best = squarings;
    for (int rest = 0; rest <= squarings && rest <= MOST_LOG_PRODUCTS; rest++) {
        const double cost = (squarings - rest) * size + ldexp(VECTOR_COST, rest);
        if (cost >= least) continue;
        least = cost;
        best = squarings - rest;
    }
    return best;
}

/* The sum of the rows of G, times G again and again: `products` times G altogether. */
static sft_value multiplied(struct sft_graph *graph, sft_value g, int products)
{
    const struct sft_shape shape = *sft_graph_shape(graph, g);
    sft_value vector = sft_sum_to(graph, g, SFT_SHAPE(shape.dim[0], 1, shape.dim[2]), 1.0f); /* symmetric */
    for (int i = 1; i < products; i++) {
        if (i % UNSCALED_PRODUCTS == 0) vector = scaled(graph, vector);
        vector = product(graph, vector, g, 0, 0);
    }
    return vector;
}

/* About the first right singular vector of each x (N, P, C), up to its length: (N, C). */
static sft_value start_vector(struct sft_graph *graph, sft_value x, int squarings)
{
    struct sft_shape shape = *sft_graph_shape(graph, x);
    const int64_t pixels = shape.dim[1], channels = shape.dim[2];
    const bool by_channels = channels <= pixels;
    const int done = best_squarings(by_channels ? channels : pixels, squarings);
    sft_value g = product(graph, x, x, by_channels, !by_channels), vector;
    for (int i = 0; i < done; i++) {
        if (i % UNSCALED == 0) g = scaled(graph, g);
        g = product(graph, g, g, 0, 0);
    }
    vector = multiplied(graph, done < squarings ? scaled(graph, g) : g, 1 << (squarings - done));
    if (!by_channels) vector = product(graph, vector, x, 0, 0);
    return sft_reshape(graph, vector, SFT_SHAPE(shape.dim[0], channels));
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

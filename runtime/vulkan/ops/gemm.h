/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What matrix products and convolutions have in common: a product D = A B, tiled, its sum perhaps split into
 * parts.
 *
 * Two kernel families make it (shaders/lib/gemm_lanes.glsl and gemm_tiled.glsl): one for drivers that run on
 * a CPU, one for GPUs. The plan of a product depends on its shape and the device's limits only.
 */
#ifndef SFT_VULKAN_OPS_GEMM_H
#define SFT_VULKAN_OPS_GEMM_H

#include "runtime/vulkan/recorder.h"

struct sft_vk_gemm {
    int64_t rows, columns, depth; /* of each product */
    int64_t matrices;             /* products of that shape: batch or groups */
    /* Facts about the operands, for the specialisation constants. A quad of A is four k (of one row), or with
     * transposed_a four rows; one of B is four columns, or with transposed_b four k; one of D is four
     * columns. */
    bool vec_a, vec_b, vec_d;
    bool transposed_a, transposed_b;
    /* A transposed B, as matrices of (columns, depth) one after another; the family for CPU drivers
     * transposes it first. */
    int64_t b_matrices, b_columns, b_depth;
};

/* The kernel's file in either family. */
struct sft_vk_gemm_shaders {
    const char *lanes, *tiled;
};

/* Parts of the sum, so that products with few rows and columns occupy a GPU too: by the shape alone, since
 * scratch memory is. */
int64_t sft_vk_gemm_splits(const struct sft_vk_gemm *gemm);

/* Length of a part of a sum of `depth` terms: a multiple of the `step` terms that a kernel loads together. */
int64_t sft_vk_gemm_part(int64_t depth, int64_t splits, int64_t step);

/* The node's scratch memory: room for a B transposed back, then for the parts of a split sum. */
size_t sft_vk_gemm_scratch(const struct sft_vk_gemm *gemm);

/* The parts of a split sum, as the operand of the kernel that makes them. */
struct sft_vk_operand sft_vk_gemm_write_parts(const struct sft_vk_gemm *gemm);

/* Where the device's family wants B in rows and it is not, records its transposition, makes *b the copy and
 * adapts the product. */
enum sft_status sft_vk_gemm_untranspose(struct sft_vk_recorder *recorder, struct sft_vk_gemm *gemm,
                                        struct sft_vk_operand *b) SFT_MUST_CHECK;

/* Names the shader of the device's family, its specialisation constants and its grid: tiles folded into x and
 * y, `layers` in z. */
void sft_vk_gemm_plan(const struct sft_vk_gemm *gemm, const struct sft_vk_limits *limits,
                      const struct sft_vk_gemm_shaders *shaders, int64_t layers,
                      struct sft_vk_dispatch *dispatch);

/* Adds the parts up into `y`, a row of which has the bias' length. */
enum sft_status sft_vk_gemm_reduce(struct sft_vk_recorder *recorder, const struct sft_graph *graph,
                                   const struct sft_vk_gemm *gemm, sft_value bias, sft_value y,
                                   bool relu) SFT_MUST_CHECK;

#endif

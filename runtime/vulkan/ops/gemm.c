/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/vulkan/ops/gemm.h"

#include "runtime/base/divide.h"
#include "runtime/plan.h"
#include "runtime/vulkan/ops/copy.h"
#include "shaders/abi/gemm.h"

SFT_VK_OPERANDS(gemm_reduce_operands, SFT_GEMM_REDUCE_OPERANDS);
SFT_VK_WORDS(gemm_reduce_words, SFT_GEMM_REDUCE_WORDS);

/* ---- split sums ---- */

/* Enough tiles of 64 x 64 to keep a large GPU busy, but parts no shorter than what pays for storing them. */
int64_t sft_vk_gemm_splits(const struct sft_vk_gemm *gemm)
{
    const int64_t enough = 256, shortest = 256;
    int64_t tiles = sft_divide_up(gemm->rows, 64) * sft_divide_up(gemm->columns, 64) * gemm->matrices;
    int64_t splits = sft_divide_up(enough, tiles);
    if (splits > gemm->depth / shortest) splits = gemm->depth / shortest;
    return splits > 1 ? splits : 1;
}

int64_t sft_vk_gemm_part(int64_t depth, int64_t splits, int64_t step)
{
    return sft_round_up(depth / splits + 1, step);
}

/* Bytes of a B transposed back. */
static size_t copy_bytes(const struct sft_vk_gemm *gemm)
{
    int64_t bytes = gemm->b_matrices * gemm->b_columns * gemm->b_depth * SFT_STORED_BYTES;
    return (size_t)sft_round_up(bytes, SFT_PLAN_ALIGNMENT);
}

static size_t part_bytes(const struct sft_vk_gemm *gemm)
{
    int64_t splits = sft_vk_gemm_splits(gemm);
    if (splits == 1) return 0;
    return (size_t)(splits * gemm->matrices * gemm->rows * gemm->columns) * SFT_STORED_BYTES;
}

size_t sft_vk_gemm_scratch(const struct sft_vk_gemm *gemm) { return copy_bytes(gemm) + part_bytes(gemm); }

static struct sft_vk_operand parts_of(const struct sft_vk_gemm *gemm)
{
    return (struct sft_vk_operand){
        .value = SFT_VK_SCRATCH,
        .offset = copy_bytes(gemm),
        .bytes = part_bytes(gemm),
    };
}

struct sft_vk_operand sft_vk_gemm_write_parts(const struct sft_vk_gemm *gemm)
{
    struct sft_vk_operand parts = parts_of(gemm);
    parts.write = true;
    return parts;
}

static struct sft_vk_operand read_parts(const struct sft_vk_gemm *gemm)
{
    struct sft_vk_operand parts = parts_of(gemm);
    parts.read = true;
    return parts;
}

enum sft_status sft_vk_gemm_reduce(struct sft_vk_recorder *recorder, const struct sft_graph *graph,
                                   const struct sft_vk_gemm *gemm, sft_value bias, sft_value y, bool relu)
{
    const struct sft_shape *shape = sft_graph_shape(graph, y);
    int64_t count = sft_shape_count(shape), columns = shape->dim[shape->rank - 1];
    bool vec4 =
        columns % 4 == 0 && sft_vk_aligned(graph, y) && (bias == SFT_NONE || sft_vk_aligned(graph, bias));
    struct sft_vk_dispatch dispatch = {.shader = "gemm_reduce"};
    const struct gemm_reduce_operands operands = {
        .parts = read_parts(gemm),
        .bias = sft_vk_read(bias),
        .d = sft_vk_write(y),
    };
    const struct gemm_reduce_words words = {
        .count = (uint32_t)count,
        .columns = (uint32_t)columns,
        .splits = (uint32_t)sft_vk_gemm_splits(gemm),
        .relu = relu,
    };
    SFT_VK_PUSH(&dispatch, operands, words);
    sft_vk_cover(recorder, &dispatch, vec4 ? count / 4 : count);
    sft_vk_specialise(&dispatch, SFT_GEMM_REDUCE_VEC4_ID, vec4);
    return sft_vk_record(recorder, &dispatch);
}

/* ---- the family for drivers on a CPU ---- */

enum { LANES = 8, NARROWEST_LANES = 16, WIDEST_LANES = 64 };

/* A transposed B into rows of columns. */
static struct sft_vk_box transposition(const struct sft_vk_gemm *gemm)
{
    int64_t columns = gemm->b_columns, depth = gemm->b_depth;
    return (struct sft_vk_box){
        .rank = 3,
        .size = {gemm->b_matrices, depth, columns},
        .from_stride = {columns * depth, 1, depth},
        .to_stride = {columns * depth, columns, 1},
    };
}

enum sft_status sft_vk_gemm_untranspose(struct sft_vk_recorder *recorder, struct sft_vk_gemm *gemm,
                                        struct sft_vk_operand *b)
{
    struct sft_vk_operand from = *b;
    struct sft_vk_operand to = {.value = SFT_VK_SCRATCH, .bytes = copy_bytes(gemm), .write = true};
    struct sft_vk_box box = transposition(gemm);
    if (!sft_vk_recorder_limits(recorder)->cpu_device || !gemm->transposed_b) return SFT_OK;
    *b = (struct sft_vk_operand){.value = SFT_VK_SCRATCH, .bytes = to.bytes, .read = true};
    gemm->transposed_b = false;
    gemm->vec_b = gemm->columns % 4 == 0;
    return sft_vk_copy(recorder, from, to, &box, false);
}

/* The widest tile that wastes no more than a quarter more than the narrowest one. */
static int64_t lanes_columns(int64_t columns)
{
    int64_t most = sft_round_up(columns, NARROWEST_LANES) * 5 / 4;
    int64_t width = WIDEST_LANES;
    while (width > NARROWEST_LANES && sft_round_up(columns, width) > most) width /= 2;
    return width;
}

static void plan_lanes(const struct sft_vk_gemm *gemm, const struct sft_vk_limits *limits,
                       struct sft_vk_dispatch *dispatch)
{
    int64_t width = lanes_columns(gemm->columns);
    int64_t tiles = sft_divide_up(gemm->rows, LANES) * sft_divide_up(gemm->columns, width);
    sft_vk_specialise(dispatch, SFT_GROUP_SIZE_ID, LANES);
    sft_vk_specialise(dispatch, SFT_LANES_COLUMNS_ID, (uint32_t)width);
    sft_vk_specialise(dispatch, SFT_LANES_VEC_A_ID, gemm->vec_a && !gemm->transposed_a);
    sft_vk_specialise(dispatch, SFT_LANES_VEC_B_ID, gemm->vec_b);
    sft_vk_specialise(dispatch, SFT_LANES_VEC_D_ID, gemm->vec_d);
    sft_vk_specialise(dispatch, SFT_LANES_WHOLE_COLUMNS_ID, gemm->columns % width == 0);
    sft_vk_specialise(dispatch, SFT_LANES_WHOLE_STEPS_ID, gemm->depth % 4 == 0);
    sft_vk_grid(limits, tiles, dispatch->groups);
}

/* ---- the family for GPUs ---- */

/* Tiles, largest first; each thread makes `y` x `x` elements of one. */
static const struct tile {
    uint32_t rows, columns, y, x;
} tiles[] = {{128, 128, 8, 8}, {128, 64, 8, 8}, {64, 64, 8, 4},
             {256, 16, 8, 4},  {128, 32, 8, 4}, {32, 64, 4, 4}};
enum { N_TILES = sizeof(tiles) / sizeof(*tiles) };

static uint32_t tile_threads(const struct tile *tile)
{
    return tile->rows / tile->y * (tile->columns / tile->x);
}

static int64_t tile_count(const struct tile *tile, const struct sft_vk_gemm *gemm)
{
    return sft_divide_up(gemm->rows, tile->rows) * sft_divide_up(gemm->columns, tile->columns);
}

static bool tile_fits(const struct tile *tile, const struct sft_vk_limits *limits)
{
    uint32_t line = tile->rows + tile->columns + 2 * SFT_TILE_PAD;
    uint32_t shared = 2 * SFT_TILE_STEP * line * SFT_REAL_BYTES;
    return tile_threads(tile) <= limits->max_invocations && tile_threads(tile) <= limits->max_group_size[0] &&
           shared <= limits->shared_memory;
}

/* Time of a product in arbitrary units: whole rounds of groups over the device times a group's work, where
 * narrow tiles load more for each multiply-add. */
static double tile_time(const struct tile *tile, const struct sft_vk_gemm *gemm, int64_t layers)
{
    const double groups_at_once = 128;
    double groups = (double)(tile_count(tile, gemm) * layers);
    double rounds = groups < groups_at_once ? 1 : groups / groups_at_once;
    double work = (double)tile->rows * tile->columns;
    double loads =
        work * (1.0 / tile->rows + 1.0 / tile->columns) * 8 + work * (1.0 / tile->y + 1.0 / tile->x);
    return rounds * (work + loads);
}

static const struct tile *choose_tile(const struct sft_vk_gemm *gemm, const struct sft_vk_limits *limits,
                                      int64_t layers)
{
    const struct tile *best = NULL;
    for (const struct tile *tile = tiles; tile < tiles + N_TILES; tile++)
        if (tile_fits(tile, limits) &&
            (!best || tile_time(tile, gemm, layers) < tile_time(best, gemm, layers)))
            best = tile;
    return best;
}

static void plan_tiled(const struct sft_vk_gemm *gemm, const struct sft_vk_limits *limits, int64_t layers,
                       struct sft_vk_dispatch *dispatch)
{
    const struct tile *tile = choose_tile(gemm, limits, layers);
    sft_vk_specialise(dispatch, SFT_GROUP_SIZE_ID, tile_threads(tile));
    sft_vk_specialise(dispatch, SFT_TILED_ROWS_ID, tile->rows);
    sft_vk_specialise(dispatch, SFT_TILED_COLUMNS_ID, tile->columns);
    sft_vk_specialise(dispatch, SFT_TILED_Y_ID, tile->y);
    sft_vk_specialise(dispatch, SFT_TILED_X_ID, tile->x);
    sft_vk_specialise(dispatch, SFT_TILED_VEC_A_ID, gemm->vec_a);
    sft_vk_specialise(dispatch, SFT_TILED_VEC_B_ID, gemm->vec_b);
    sft_vk_specialise(dispatch, SFT_TILED_TRANSPOSED_A_ID, gemm->transposed_a);
    sft_vk_specialise(dispatch, SFT_TILED_TRANSPOSED_B_ID, gemm->transposed_b);
    sft_vk_specialise(dispatch, SFT_TILED_VEC_D_ID, gemm->vec_d);
    sft_vk_grid(limits, tile_count(tile, gemm), dispatch->groups);
}

void sft_vk_gemm_plan(const struct sft_vk_gemm *gemm, const struct sft_vk_limits *limits,
                      const struct sft_vk_gemm_shaders *shaders, int64_t layers,
                      struct sft_vk_dispatch *dispatch)
{
    dispatch->shader = limits->cpu_device ? shaders->lanes : shaders->tiled;
    if (limits->cpu_device)
        plan_lanes(gemm, limits, dispatch);
    else
        plan_tiled(gemm, limits, layers, dispatch);
    dispatch->groups[2] = (uint32_t)layers;
}

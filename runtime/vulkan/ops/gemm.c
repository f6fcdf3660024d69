/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/vulkan/ops/gemm.h"

#include "runtime/plan.h"

enum { LANES = 8, WIDEST_LANES = 64, REDUCE_GROUP = 64, COPY_GROUP = 64 };

static int64_t divide_up(int64_t a, int64_t b) { return (a + b - 1) / b; }
static int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }

/* ---- split sums ---- */

/* Enough tiles of 64 x 64 to keep a large GPU busy, but parts no shorter than what pays for storing them. */
int64_t sft_vk_gemm_splits(const struct sft_vk_gemm *gemm)
{
    const int64_t enough = 256, shortest = 256;
    int64_t tiles = divide_up(gemm->rows, 64) * divide_up(gemm->columns, 64) * gemm->matrices;
    int64_t splits = smaller(divide_up(enough, tiles), gemm->depth / shortest);
    return splits > 1 ? splits : 1;
}

/* Bytes of a B transposed back. */
static size_t copy_bytes(const struct sft_vk_gemm *gemm)
{
    size_t bytes = (size_t)(gemm->b_matrices * gemm->b_columns * gemm->b_depth) * sizeof(float);
    return (bytes + SFT_PLAN_ALIGNMENT - 1) / SFT_PLAN_ALIGNMENT * SFT_PLAN_ALIGNMENT;
}

static size_t part_bytes(const struct sft_vk_gemm *gemm)
{
    int64_t splits = sft_vk_gemm_splits(gemm);
    return splits > 1 ? (size_t)(splits * gemm->matrices * gemm->rows * gemm->columns) * sizeof(float) : 0;
}

size_t sft_vk_gemm_scratch(const struct sft_vk_gemm *gemm) { return copy_bytes(gemm) + part_bytes(gemm); }

struct sft_vk_operand sft_vk_gemm_parts(const struct sft_vk_gemm *gemm)
{
    return (struct sft_vk_operand){
        .value = SFT_VK_SCRATCH, .offset = copy_bytes(gemm), .bytes = part_bytes(gemm)};
}

enum sft_status sft_vk_gemm_reduce(struct sft_vk_recorder *recorder, const struct sft_graph *graph,
                                   const struct sft_vk_gemm *gemm, sft_value bias, sft_value y, bool relu)
{
    const struct sft_shape *shape = sft_graph_shape(graph, y);
    int64_t count = sft_shape_count(shape), columns = shape->dim[shape->rank - 1];
    bool vec4 =
        columns % 4 == 0 && sft_vk_aligned(graph, y) && (bias == SFT_NONE || sft_vk_aligned(graph, bias));
    struct sft_vk_operand parts = sft_vk_gemm_parts(gemm);
    parts.read = true;
    struct sft_vk_dispatch dispatch = {
        .shader = "gemm_reduce",
        .spec = {REDUCE_GROUP, vec4},
        .n_spec = 2,
        .operands = {parts, sft_vk_read(bias), sft_vk_write(y)},
        .n_operands = 3,
        .push = {(uint32_t)count, (uint32_t)columns, (uint32_t)sft_vk_gemm_splits(gemm), relu},
        .n_push = 4,
    };
    sft_vk_grid(sft_vk_recorder_limits(recorder),
                (uint64_t)divide_up(count, vec4 ? 4 * REDUCE_GROUP : REDUCE_GROUP), dispatch.groups);
    return sft_vk_record(recorder, &dispatch);
}

/* ---- the family for drivers on a CPU ---- */

enum sft_status sft_vk_gemm_untranspose(struct sft_vk_recorder *recorder, struct sft_vk_gemm *gemm,
                                        struct sft_vk_operand *b)
{
    const struct sft_vk_limits *limits = sft_vk_recorder_limits(recorder);
    uint32_t columns = (uint32_t)gemm->b_columns, depth = (uint32_t)gemm->b_depth, count;
    struct sft_vk_operand copy = {.value = SFT_VK_SCRATCH, .bytes = copy_bytes(gemm), .write = true};
    if (!limits->cpu_device || !gemm->transposed_b) return SFT_OK;
    count = columns * depth * (uint32_t)gemm->b_matrices;
    /* shaders/copy.comp: start, count and axes (size, stride from, stride to), innermost first */
    struct sft_vk_dispatch dispatch = {
        .shader = "copy",
        .spec = {COPY_GROUP, false, 3},
        .n_spec = 3,
        .operands = {*b, copy},
        .n_operands = 2,
        .push = {count, 0, 0, columns, depth, 1, 1, depth, 1, columns * depth, 0, 0, 1, columns,
                 columns * depth, 0, 0},
        .n_push = 17,
    };
    sft_vk_grid(limits, sft_vk_divide_up(count, COPY_GROUP), dispatch.groups);
    *b = (struct sft_vk_operand){.value = SFT_VK_SCRATCH, .bytes = copy.bytes, .read = true};
    gemm->transposed_b = false;
    gemm->vec_b = gemm->columns % 4 == 0;
    return sft_vk_record(recorder, &dispatch);
}

/* The widest tile that wastes no more than a quarter more than the narrowest one. */
static int64_t lanes_columns(int64_t columns)
{
    int64_t width = WIDEST_LANES;
    while (width > 16 && divide_up(columns, width) * width * 4 > divide_up(columns, 16) * 16 * 5) width /= 2;
    return width;
}

static void plan_lanes(const struct sft_vk_gemm *gemm, const struct sft_vk_limits *limits,
                       struct sft_vk_dispatch *dispatch)
{
    int64_t width = lanes_columns(gemm->columns);
    uint32_t spec[] = {LANES,
                       (uint32_t)width,
                       gemm->vec_a && !gemm->transposed_a,
                       gemm->vec_b,
                       gemm->vec_d,
                       gemm->columns % width == 0,
                       gemm->depth % 4 == 0};
    for (size_t i = 0; i < sizeof(spec) / sizeof(*spec); i++) dispatch->spec[dispatch->n_spec++] = spec[i];
    sft_vk_grid(limits, (uint64_t)(divide_up(gemm->rows, LANES) * divide_up(gemm->columns, width)),
                dispatch->groups);
}

/* ---- the family for GPUs ---- */

/* Tiles, largest first; each thread makes `y` x `x` elements of one. */
static const struct tile {
    uint32_t rows, columns, y, x;
} tiles[] = {{128, 128, 8, 8}, {128, 64, 8, 8}, {64, 64, 8, 4},
             {256, 16, 8, 4},  {128, 32, 8, 4}, {32, 64, 4, 4}};
enum { N_TILES = sizeof(tiles) / sizeof(*tiles), TILE_DEPTH = 8, TILE_PAD = 4 };

static uint32_t tile_threads(const struct tile *tile)
{
    return tile->rows / tile->y * (tile->columns / tile->x);
}

static bool tile_fits(const struct tile *tile, const struct sft_vk_limits *limits)
{
    uint32_t shared = 2 * TILE_DEPTH * (tile->rows + tile->columns + 2 * TILE_PAD) * (uint32_t)sizeof(float);
    return tile_threads(tile) <= limits->max_invocations && tile_threads(tile) <= limits->max_group_size[0] &&
           shared <= limits->shared_memory;
}

/* Time of a product in arbitrary units: whole rounds of groups over the device times a group's work, where
 * narrow tiles load more for each multiply-add. */
static double tile_time(const struct tile *tile, const struct sft_vk_gemm *gemm, int64_t layers)
{
    const double groups_at_once = 128;
    double groups =
        (double)(divide_up(gemm->rows, tile->rows) * divide_up(gemm->columns, tile->columns) * layers);
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
    uint32_t spec[] = {
        tile_threads(tile), tile->rows,         tile->columns,      tile->y,    tile->x, gemm->vec_a,
        gemm->vec_b,        gemm->transposed_a, gemm->transposed_b, gemm->vec_d};
    for (size_t i = 0; i < sizeof(spec) / sizeof(*spec); i++) dispatch->spec[dispatch->n_spec++] = spec[i];
    sft_vk_grid(limits,
                (uint64_t)(divide_up(gemm->rows, tile->rows) * divide_up(gemm->columns, tile->columns)),
                dispatch->groups);
}

void sft_vk_gemm_plan(const struct sft_vk_gemm *gemm, const struct sft_vk_limits *limits, const char *lanes,
                      const char *tiled, int64_t layers, struct sft_vk_dispatch *dispatch)
{
    dispatch->shader = limits->cpu_device ? lanes : tiled;
    if (limits->cpu_device)
        plan_lanes(gemm, limits, dispatch);
    else
        plan_tiled(gemm, limits, layers, dispatch);
    dispatch->groups[2] = (uint32_t)layers;
}

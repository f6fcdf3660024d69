/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What matrix products and convolutions tell the Vulkan recorder, against invented limits and without a
 * device: work-groups and memory stay inside the limits, tiles cover the product, and the words handed to the
 * convolution kernels, read as shaders/abi/conv2d.h says, add up to the convolution as it is defined.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/ops.h"
#include "tests/support/cm.h"

#ifdef SFT_HAVE_VULKAN
#include "runtime/vulkan/kernels.h"
#include "shaders/abi/conv2d.h"
#include "shaders/abi/gemm.h"

SFT_VK_WORDS(conv2d_words, SFT_CONV2D_WORDS);
SFT_VK_WORDS(conv2d_dw_words, SFT_CONV2D_DW_WORDS);

static const struct sft_vk_limits minimum = {
    .max_invocations = 128,
    .max_group_size = {128, 128, 64},
    .max_groups = {65535, 65535, 65535},
    .shared_memory = 16384,
};
static const struct sft_vk_limits gpu = {
    .subgroup_size = 32,
    .max_invocations = 1024,
    .max_group_size = {1024, 1024, 64},
    .max_groups = {0x7fffffff, 65535, 65535},
    .shared_memory = 49152,
};
static const struct sft_vk_limits cpu = {
    .subgroup_size = 4,
    .max_invocations = 256,
    .max_group_size = {256, 256, 64},
    .max_groups = {65535, 65535, 65535},
    .shared_memory = 32768,
    .cpu_device = true,
};
static const struct sft_vk_limits *const all_limits[] = {&minimum, &gpu, &cpu};
enum { N_LIMITS = sizeof(all_limits) / sizeof(*all_limits) };

struct conv {
    int images, height, width, channels, filters, rows, columns, stride, pad, dilation, groups;
};
static const struct conv convs[] = {
    {2, 5, 7, 3, 10, 3, 3, 1, 1, 1, 1},  {1, 9, 8, 4, 8, 3, 3, 2, 1, 1, 1},
    {2, 6, 6, 4, 8, 1, 1, 2, 0, 1, 1},   {1, 11, 9, 4, 4, 3, 2, 3, 2, 2, 2},
    {1, 13, 13, 2, 4, 3, 3, 4, 1, 2, 1}, {3, 4, 4, 8, 8, 3, 3, 2, 1, 1, 8},
    {1, 12, 12, 4, 4, 3, 3, 3, 0, 3, 1}, {1, 3, 3, 8, 4, 7, 7, 1, 3, 1, 1},
    {1, 10, 10, 4, 4, 2, 2, 5, 0, 1, 1},
};
enum { N_CONVS = sizeof(convs) / sizeof(*convs) };

static struct sft_conv2d_params params_of(const struct conv *c)
{
    return (struct sft_conv2d_params){.stride = {c->stride, c->stride},
                                      .pad = {c->pad, c->pad},
                                      .dilation = {c->dilation, c->dilation},
                                      .groups = c->groups};
}

static int64_t pixels(int64_t in, int64_t kernel, const struct conv *c)
{
    return (in + 2 * c->pad - c->dilation * (kernel - 1) - 1) / c->stride + 1;
}

static int low(uint32_t word) { return (int16_t)(word & 0xffff); }
static int high(uint32_t word) { return (int16_t)(word >> 16); }

/* ---- sizes ---- */

static uint64_t group_count(const struct sft_vk_dispatch *d) { return (uint64_t)d->groups[0] * d->groups[1]; }

static bool is_tiled(const struct sft_vk_dispatch *d) { return strstr(d->shader, "_tiled") != NULL; }

static uint64_t tile_rows(const struct sft_vk_dispatch *d)
{
    return d->spec[is_tiled(d) ? SFT_TILED_ROWS_ID : SFT_GROUP_SIZE_ID]; /* or a lane for each */
}

static uint64_t tile_columns(const struct sft_vk_dispatch *d)
{
    return d->spec[is_tiled(d) ? SFT_TILED_COLUMNS_ID : SFT_LANES_COLUMNS_ID];
}

/* Both halves of the shared memory hold a step of both operands' lines; each thread makes Y x X elements. */
static void check_tile(const struct sft_vk_limits *limits, const struct sft_vk_dispatch *d)
{
    const uint32_t *spec = d->spec;
    uint64_t line = tile_rows(d) + tile_columns(d) + 2 * SFT_TILE_PAD;
    uint32_t threads = spec[SFT_TILED_ROWS_ID] / spec[SFT_TILED_Y_ID];
    threads *= spec[SFT_TILED_COLUMNS_ID] / spec[SFT_TILED_X_ID];
    assert_true(2 * SFT_TILE_STEP * line * SFT_REAL_BYTES <= limits->shared_memory);
    assert_int_equal(spec[SFT_GROUP_SIZE_ID], threads);
}

static void check_dispatch(const struct sft_vk_limits *limits, const struct sft_vk_dispatch *d,
                           size_t scratch)
{
    uint32_t group = d->spec[SFT_GROUP_SIZE_ID];
    assert_true(group <= limits->max_invocations && group <= limits->max_group_size[0]);
    for (int i = 0; i < 3; i++) assert_true(d->groups[i] >= 1 && d->groups[i] <= limits->max_groups[i]);
    assert_true(8 * d->n_operands + 4 * d->n_words <= SFT_VK_PUSH_BYTES);
    for (int i = 0; i < d->n_operands; i++)
        if (d->operands[i].value == SFT_VK_SCRATCH)
            assert_true(d->operands[i].bytes > 0 && d->operands[i].offset + d->operands[i].bytes <= scratch);
    if (is_tiled(d)) check_tile(limits, d);
}

static void check_cover(const struct sft_vk_dispatch *d, uint64_t rows, uint64_t columns)
{
    uint64_t down = (rows + tile_rows(d) - 1) / tile_rows(d);
    uint64_t across = (columns + tile_columns(d) - 1) / tile_columns(d);
    assert_true(group_count(d) >= down * across);
}

static const struct sft_node *last_node(const struct sft_graph *graph)
{
    return &graph->nodes[graph->n_nodes - 1];
}

static struct sft_vk_recorder record(const struct sft_graph *graph, const struct sft_vk_limits *limits)
{
    struct sft_vk_recorder recorder = {.limits = *limits};
    size_t scratch = sft_vk_scratch(graph, last_node(graph));
    assert_int_equal(sft_vk_record_node(&recorder, graph, graph->n_nodes - 1), SFT_OK);
    for (size_t i = 0; i < recorder.count; i++) check_dispatch(limits, &recorder.dispatches[i], scratch);
    return recorder;
}

static void products_stay_inside_limits(void **state)
{
    static const int64_t sizes[] = {1, 7, 64, 129, 1000, 70000};
    enum { N = sizeof(sizes) / sizeof(*sizes) };
    (void)state;
    for (int i = 0; i < N * N * N * 4 * N_LIMITS; i++) {
        int64_t m = sizes[i % N], n = sizes[i / N % N], k = sizes[i / N / N % N];
        int mode = i / (N * N * N) % 4;
        struct sft_matmul_params params = {mode & 1, mode >> 1, 0};
        struct sft_graph *graph = NULL;
        assert_int_equal(sft_graph_create(&graph), SFT_OK);
        sft_value a =
            sft_graph_input(graph, "a", SFT_F32, params.transpose_a ? SFT_SHAPE(k, m) : SFT_SHAPE(m, k));
        sft_value b =
            sft_graph_input(graph, "b", SFT_F32, params.transpose_b ? SFT_SHAPE(n, k) : SFT_SHAPE(k, n));
        sft_matmul(graph, a, b, SFT_NONE, params);
        assert_int_equal(sft_graph_status(graph), SFT_OK);
        if (m * n < INT32_MAX && m * k < INT32_MAX && n * k < INT32_MAX) {
            struct sft_vk_recorder recorder = record(graph, all_limits[i / (N * N * N) / 4]);
            for (size_t j = 0; j < recorder.count; j++)
                if (strncmp(recorder.dispatches[j].shader, "matmul", 6) == 0)
                    check_cover(&recorder.dispatches[j], (uint64_t)m, (uint64_t)n);
            sft_vk_recorder_uninit(&recorder);
        }
        sft_graph_destroy(&graph);
    }
}

/* ---- the words of conv2d and conv2d_dx, played through ---- */

struct tensors {
    float *source, *weight;
    double *made;
    int *times; /* each element was written */
};

/* The weight that the kernel sees: dx on a CPU driver reads a copy with the last two axes exchanged. */
static double weight_at(const struct tensors *t, const struct conv *c, uint32_t at, bool exchanged)
{
    uint32_t depth = (uint32_t)(c->channels / c->groups), filters = (uint32_t)c->filters;
    uint32_t tap = at / (depth * filters), rest = at % (depth * filters);
    return exchanged ? t->weight[(tap * depth + rest % depth) * filters + rest / depth] : t->weight[at];
}

/* One direction of what the words say of a pixel u of the grid. */
struct line {
    int out;           /* row or column of d */
    int origin, delta; /* of the source at the taps */
    int first, step;   /* of the weight's taps */
    int taps, size;    /* of the source */
};

static struct line line_of(const struct conv2d_words *p, int half(uint32_t), int u)
{
    return (struct line){
        .out = half(p->out_first) + half(p->out_step) * u,
        .origin = half(p->origin) + half(p->pixel_step) * u,
        .delta = half(p->tap_delta),
        .first = half(p->tap_first),
        .step = half(p->tap_step),
        .taps = half(p->tap_count),
        .size = half(p->size),
    };
}

/* The products of one tap for column `column` of a group. */
static double play_tap(const struct tensors *t, const struct conv *c, const struct sft_vk_dispatch *d,
                       const struct conv2d_words *p, uint32_t group, uint32_t column, size_t pixel, int tap)
{
    bool exchanged = d->operands[1].value == SFT_VK_SCRATCH;
    bool transposed = is_tiled(d) && d->spec[SFT_TILED_TRANSPOSED_B_ID];
    double sum = 0;
    for (uint32_t k = 0; k < p->depth; k++) {
        uint32_t w = (uint32_t)tap * p->weight_tap + group * p->weight_group;
        w += transposed ? column * p->weight_stride + k : k * p->weight_stride + column;
        sum += weight_at(t, c, w, exchanged) * t->source[pixel * p->channels + group * p->depth + k];
    }
    return sum;
}

static double play_element(const struct tensors *t, const struct conv *c, const struct sft_vk_dispatch *d,
                           const struct conv2d_words *p, uint32_t group, uint32_t column, int n,
                           const struct line *down, const struct line *across)
{
    double sum = 0;
    for (int i = 0; i < down->taps * across->taps; i++) {
        int r = i / across->taps, s = i % across->taps;
        int y = down->origin + down->delta * r, x = across->origin + across->delta * s;
        int tap = (down->first + r * down->step) * high(p->kernel) + across->first + s * across->step;
        if (y < 0 || x < 0 || y >= down->size || x >= across->size) continue;
        sum += play_tap(t, c, d, p, group, column, (size_t)((n * down->size + y) * across->size + x), tap);
    }
    return sum;
}

static void play_pixel(const struct tensors *t, const struct conv *c, const struct sft_vk_dispatch *d,
                       const struct conv2d_words *p, uint32_t group, int n, int y, int x)
{
    struct line down = line_of(p, low, y), across = line_of(p, high, x);
    size_t pixel = (size_t)((n * low(p->out_size) + down.out) * high(p->out_size) + across.out);
    for (uint32_t column = 0; column < p->columns; column++) {
        size_t at = pixel * p->out_channels + group * p->columns + column;
        t->made[at] += play_element(t, c, d, p, group, column, n, &down, &across);
        t->times[at]++;
    }
}

static void play_dispatch(const struct tensors *t, const struct conv *c, const struct sft_vk_dispatch *d)
{
    struct conv2d_words p;
    assert_int_equal(d->n_words * sizeof(d->words[0]), sizeof(p));
    memcpy(&p, d->words, sizeof(p));
    check_cover(d, p.images * (uint64_t)(low(p.grid) * high(p.grid)), p.columns);
    for (uint32_t g = 0; g < (uint32_t)c->groups; g++)
        for (int n = 0; n < (int)p.images; n++)
            for (int y = 0; y < low(p.grid); y++)
                for (int x = 0; x < high(p.grid); x++) play_pixel(t, c, d, &p, g, n, y, x);
}

static void play(const struct tensors *t, const struct conv *c, const struct sft_vk_recorder *recorder)
{
    for (size_t i = 0; i < recorder->count; i++)
        if (strncmp(recorder->dispatches[i].shader, "conv2d_", 7) == 0)
            play_dispatch(t, c, &recorder->dispatches[i]);
}

/* Scatters or gathers by the definition of the convolution: y += w*x, or dx += w*dy. */
static void define(const float *source, const float *weight, double *made, const struct conv *c,
                   bool backward)
{
    int out_h = (int)pixels(c->height, c->rows, c), out_w = (int)pixels(c->width, c->columns, c);
    int depth = c->channels / c->groups, filters = c->filters / c->groups;
    for (int i = 0; i < c->images * out_h * out_w * c->rows * c->columns; i++) {
        int s = i % c->columns, r = i / c->columns % c->rows, pixel = i / c->columns / c->rows;
        int q = pixel % out_w, p = pixel / out_w % out_h, n = pixel / out_w / out_h;
        int y = p * c->stride - c->pad + r * c->dilation, x = q * c->stride - c->pad + s * c->dilation;
        if (y < 0 || x < 0 || y >= c->height || x >= c->width) continue;
        for (int j = 0; j < c->filters * depth; j++) {
            int k = j / depth, channel = j % depth;
            int xi = ((n * c->height + y) * c->width + x) * c->channels + k / filters * depth + channel;
            int yi = pixel * c->filters + k;
            double w = weight[((r * c->columns + s) * depth + channel) * c->filters + k];
            made[backward ? xi : yi] += w * source[backward ? yi : xi];
        }
    }
}

static float *numbers(size_t n)
{
    float *data = calloc(n, sizeof(*data));
    assert_non_null(data);
    for (size_t i = 0; i < n; i++) data[i] = (float)((int)(i * 2654435761u >> 20 & 15) - 7);
    return data;
}

static void play_conv(const struct conv *c, bool backward, const struct sft_vk_limits *limits)
{
    struct sft_conv2d_params params = params_of(c);
    struct sft_shape x = SFT_SHAPE(c->images, c->height, c->width, c->channels);
    struct sft_shape w = SFT_SHAPE(c->rows, c->columns, c->channels / c->groups, c->filters);
    struct sft_shape y =
        SFT_SHAPE(c->images, pixels(c->height, c->rows, c), pixels(c->width, c->columns, c), c->filters);
    size_t count = (size_t)sft_shape_count(backward ? &x : &y);
    struct tensors t = {numbers((size_t)sft_shape_count(backward ? &y : &x)),
                        numbers((size_t)sft_shape_count(&w)), calloc(count, sizeof(double)),
                        calloc(count, sizeof(int))};
    double *expected = calloc(count, sizeof(double));
    struct sft_graph *graph = NULL;
    assert_true(t.made && t.times && expected);
    assert_int_equal(sft_graph_create(&graph), SFT_OK);
    params.size[0] = c->height;
    params.size[1] = c->width;
    sft_value source = sft_graph_input(graph, "source", SFT_F32, backward ? y : x);
    sft_value weight = sft_graph_input(graph, "weight", SFT_F32, w);
    if (backward)
        sft_conv2d_dx(graph, source, weight, params);
    else
        sft_conv2d(graph, source, weight, SFT_NONE, params);
    assert_int_equal(sft_graph_status(graph), SFT_OK);
    struct sft_vk_recorder recorder = record(graph, limits);
    play(&t, c, &recorder);
    define(t.source, t.weight, expected, c, backward);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(t.times[i], 1);
        assert_true(t.made[i] == expected[i]); /* whole numbers: exact */
    }
    sft_vk_recorder_uninit(&recorder);
    sft_graph_destroy(&graph);
    free(t.source);
    free(t.weight);
    free(t.made);
    free(t.times);
    free(expected);
}

static void convolutions_mean_what_they_say(void **state)
{
    (void)state;
    for (int i = 0; i < N_CONVS * N_LIMITS; i++) {
        play_conv(&convs[i % N_CONVS], false, all_limits[i / N_CONVS]);
        play_conv(&convs[i % N_CONVS], true, all_limits[i / N_CONVS]);
    }
}

/* ---- splits, and what is refused ---- */

static void long_sums_are_split(void **state)
{
    struct sft_graph *graph = NULL;
    struct sft_conv2d_params params = {
        .stride = {1, 1}, .pad = {1, 1}, .dilation = {1, 1}, .groups = 1, .size = {3, 3}};
    (void)state;
    assert_int_equal(sft_graph_create(&graph), SFT_OK);
    sft_value x = sft_graph_input(graph, "x", SFT_F32, SFT_SHAPE(128, 32, 32, 16));
    sft_value dy = sft_graph_input(graph, "dy", SFT_F32, SFT_SHAPE(128, 32, 32, 16));
    sft_conv2d_dw(graph, x, dy, params);
    for (int i = 0; i < N_LIMITS; i++) {
        struct sft_vk_recorder recorder = record(graph, all_limits[i]);
        struct conv2d_dw_words words;
        memcpy(&words, recorder.dispatches[0].words, sizeof(words));
        assert_int_equal(recorder.count, 2);
        assert_string_equal(recorder.dispatches[1].shader, "gemm_reduce");
        assert_true(words.splits > 1 && words.part % 4 == 0);
        assert_true((uint64_t)words.splits * words.part >= 128 * 32 * 32);
        assert_int_equal(recorder.dispatches[0].groups[2], words.splits);
        sft_vk_recorder_uninit(&recorder);
    }
    sft_graph_destroy(&graph);
}

static void huge_images_are_refused(void **state)
{
    struct sft_graph *graph = NULL;
    struct sft_vk_recorder recorder = {.limits = gpu};
    struct sft_conv2d_params params = {.stride = {1, 1}, .dilation = {1, 1}, .groups = 1};
    (void)state;
    assert_int_equal(sft_graph_create(&graph), SFT_OK);
    sft_value x = sft_graph_input(graph, "x", SFT_F32, SFT_SHAPE(1, 40000, 4, 1));
    sft_conv2d(graph, x, sft_graph_input(graph, "w", SFT_F32, SFT_SHAPE(1, 1, 1, 4)), SFT_NONE, params);
    assert_int_equal(sft_graph_status(graph), SFT_OK);
    assert_int_equal(sft_vk_record_node(&recorder, graph, 0), SFT_USAGE);
    sft_vk_recorder_uninit(&recorder);
    sft_graph_destroy(&graph);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(products_stay_inside_limits),
        cmocka_unit_test(convolutions_mean_what_they_say),
        cmocka_unit_test(long_sums_are_split),
        cmocka_unit_test(huge_images_are_refused),
    };
    return cmocka_run_group_tests_name("runtime/vulkan/products", tests, NULL, NULL);
}
#else
int main(void) { return 0; }
#endif

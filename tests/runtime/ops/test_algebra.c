/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What holds whatever the numbers: adjoints (<A x, y> = <x, A'y>), linearity, conv as a matrix product.
 * Scalar products are taken in float64 from what the device returns.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/autodiff.h"
#include "runtime/base/parallel.h"
#include "runtime/base/rng.h"
#include "tests/support/harness.h"

static struct sft_rng rng;

struct array {
    struct sft_tensor *tensor;
    float *numbers;
    int64_t count;
};

static struct array random_array(struct sft_shape shape)
{
    struct array array = {.tensor = test_tensor("random", SFT_F32, shape), .count = sft_shape_count(&shape)};
    array.numbers = test_alloc((size_t)array.count, sizeof(float));
    for (int64_t i = 0; i < array.count; i++) array.numbers[i] = sft_rng_normal(&rng);
    assert_int_equal(sft_tensor_upload(array.tensor, 0, array.count, array.numbers), SFT_OK);
    return array;
}

/* Runs the graph that ends in `value` and returns its numbers. */
static struct array evaluate(struct sft_graph *graph, sft_value value)
{
    struct array array = {.count = 0};
    assert_int_equal(sft_graph_status(graph), SFT_OK);
    array.tensor = test_tensor("result", SFT_F32, *sft_graph_shape(graph, value));
    array.count = sft_shape_count(&array.tensor->shape);
    array.numbers = test_alloc((size_t)array.count, sizeof(float));
    sft_graph_place(graph, value, sft_graph_tensor(graph, array.tensor), 0);
    assert_int_equal(sft_program_run(test_program(graph)), SFT_OK);
    assert_int_equal(sft_tensor_download(array.tensor, 0, array.count, array.numbers), SFT_OK);
    return array;
}

static double dot(struct array a, struct array b)
{
    double sum = 0.0;
    assert_int_equal(a.count, b.count);
    for (int64_t i = 0; i < a.count; i++) sum += (double)a.numbers[i] * (double)b.numbers[i];
    return sum;
}

static void assert_same(double a, double b, struct array size_of, struct array and_of)
{
    double size = sqrt(dot(size_of, size_of) * dot(and_of, and_of));
    if (!(fabs(a - b) <= 1e-6 * size)) fail_msg("%.9g and %.9g differ (of %.3g)", a, b, size);
}

static void assert_near(struct array a, struct array b, double tolerance)
{
    double size = sqrt(dot(a, a) / (double)a.count);
    assert_int_equal(a.count, b.count);
    for (int64_t i = 0; i < a.count; i++)
        if (!(fabs((double)a.numbers[i] - (double)b.numbers[i]) <= tolerance * size))
            fail_msg("element %d: %.9g and %.9g", (int)i, (double)a.numbers[i], (double)b.numbers[i]);
}

/* ---- convolution ---- */

static struct sft_conv2d_params random_conv(int64_t *size, int64_t *kernel)
{
    struct sft_conv2d_params params = {.groups = 1 + (int)sft_rng_below(&rng, 3)};
    for (int i = 0; i < 2; i++) {
        kernel[i] = 1 + sft_rng_below(&rng, 4);
        params.stride[i] = 1 + (int)sft_rng_below(&rng, 3);
        params.pad[i] = (int)sft_rng_below(&rng, 4);
        params.dilation[i] = 1 + (int)sft_rng_below(&rng, 2);
        size[i] = params.dilation[i] * (kernel[i] - 1) + 1 + sft_rng_below(&rng, 9);
    }
    return params;
}

/* <conv(x, w), y> = <x, conv_dx(y, w)> = <w, conv_dw(x, y)> */
static void convolution_and_its_adjoints(void **state)
{
    (void)state;
    for (int i = 0; i < 25; i++) {
        int64_t size[2], kernel[2];
        struct sft_graph *forward = test_graph(), *to_x = test_graph(), *to_w = test_graph();
        struct sft_conv2d_params params = random_conv(size, kernel);
        int64_t in = 1 + sft_rng_below(&rng, 9), out = params.groups * (1 + (int64_t)sft_rng_below(&rng, 9));
        struct array x = random_array(SFT_SHAPE(2, size[0], size[1], in * params.groups));
        struct array w = random_array(SFT_SHAPE(kernel[0], kernel[1], in, out)), y, product, dx, dw;
        product = evaluate(forward, sft_conv2d(forward, sft_graph_tensor(forward, x.tensor),
                                               sft_graph_tensor(forward, w.tensor), SFT_NONE, params));
        y = random_array(product.tensor->shape);
        memcpy(params.size, size, sizeof(size));
        dx = evaluate(to_x, sft_conv2d_dx(to_x, sft_graph_tensor(to_x, y.tensor),
                                          sft_graph_tensor(to_x, w.tensor), params));
        memcpy(params.size, kernel, sizeof(kernel));
        dw = evaluate(to_w, sft_conv2d_dw(to_w, sft_graph_tensor(to_w, x.tensor),
                                          sft_graph_tensor(to_w, y.tensor), params));
        assert_same(dot(product, y), dot(x, dx), product, y);
        assert_same(dot(product, y), dot(w, dw), product, y);
        test_release(NULL);
    }
}

/* A kernel of the image's own size makes a convolution the matrix product (N, H*W*C) x (H*W*C, K). */
static void convolution_as_matrix_product(void **state)
{
    struct sft_conv2d_params params = {.stride = {1, 1}, .dilation = {1, 1}, .groups = 1};
    struct sft_graph *a = test_graph(), *b = test_graph();
    struct array x = random_array(SFT_SHAPE(3, 5, 7, 11)), w = random_array(SFT_SHAPE(5, 7, 11, 13)), one,
                 other;
    (void)state;
    one = evaluate(
        a, sft_conv2d(a, sft_graph_tensor(a, x.tensor), sft_graph_tensor(a, w.tensor), SFT_NONE, params));
    other = evaluate(b, sft_matmul(b, sft_view(b, sft_graph_tensor(b, x.tensor), 0, SFT_SHAPE(3, 385)),
                                   sft_view(b, sft_graph_tensor(b, w.tensor), 0, SFT_SHAPE(385, 13)),
                                   SFT_NONE, (struct sft_matmul_params){0}));
    assert_near(one, other, 1e-5);
}

/* ---- pairs that are each other's adjoint: <A x, y> = <x, B y> ---- */

typedef sft_value (*linear)(struct sft_graph *graph, sft_value x);

static const struct sft_pool_params pool = {
    .kernel = {3, 2}, .stride = {2, 1}, .pad = {1, 0}, .size = {7, 6}};

static sft_value avg_pool(struct sft_graph *graph, sft_value x) { return sft_avg_pool(graph, x, pool); }
static sft_value avg_pool_back(struct sft_graph *graph, sft_value x)
{
    return sft_avg_pool_grad(graph, x, pool);
}
static sft_value total(struct sft_graph *graph, sft_value x)
{
    return sft_sum_to(graph, x, SFT_SHAPE(7, 1, 5), 0.3f);
}
static sft_value repeat(struct sft_graph *graph, sft_value x)
{
    return sft_broadcast_to(graph, x, SFT_SHAPE(2, 7, 6, 5), 0.3f);
}
static sft_value crop(struct sft_graph *graph, sft_value x)
{
    return sft_slice(graph, x, (const int64_t[]){0, 2, 1, 1}, SFT_SHAPE(2, 3, 4, 3));
}
static sft_value frame(struct sft_graph *graph, sft_value x)
{
    return sft_pad(graph, x, (const int64_t[]){0, 2, 1, 1}, SFT_SHAPE(2, 7, 6, 5));
}
static sft_value channels_first(struct sft_graph *graph, sft_value x)
{
    return sft_permute(graph, x, (const int[]){0, 3, 1, 2});
}
static sft_value channels_last(struct sft_graph *graph, sft_value x)
{
    return sft_permute(graph, x, (const int[]){0, 2, 3, 1});
}

static void adjoint_pairs(void **state)
{
    static const linear pairs[][2] = {
        {avg_pool, avg_pool_back}, {total, repeat}, {crop, frame}, {channels_first, channels_last}};
    (void)state;
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        struct sft_graph *there = test_graph(), *back = test_graph();
        struct array x = random_array(SFT_SHAPE(2, 7, 6, 5)), ax, y, by;
        ax = evaluate(there, pairs[i][0](there, sft_graph_tensor(there, x.tensor)));
        y = random_array(ax.tensor->shape);
        by = evaluate(back, pairs[i][1](back, sft_graph_tensor(back, y.tensor)));
        assert_same(dot(ax, y), dot(x, by), x, by);
    }
}

/* ---- linearity: A(x + 2y) = A x + 2 A y ---- */

static sft_value conv_fixed(struct sft_graph *graph, sft_value x)
{
    struct sft_conv2d_params params = {.stride = {2, 1}, .pad = {1, 1}, .dilation = {1, 1}, .groups = 1};
    return sft_conv2d(graph, x, sft_fill(graph, SFT_SHAPE(3, 3, 5, 4), 0.25f), SFT_NONE, params);
}

static sft_value product_fixed(struct sft_graph *graph, sft_value x)
{
    struct sft_matmul_params params = {.transpose_a = 1};
    return sft_matmul(graph, sft_reshape(graph, x, SFT_SHAPE(42, 10)),
                      sft_fill(graph, SFT_SHAPE(42, 9), -0.5f), SFT_NONE, params);
}

static void linear_ops(void **state)
{
    static const linear ops[] = {avg_pool, total, crop, channels_first, conv_fixed, product_fixed};
    (void)state;
    for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
        struct sft_graph *a = test_graph(), *b = test_graph();
        struct array x = random_array(SFT_SHAPE(2, 7, 6, 5)), y = random_array(SFT_SHAPE(2, 7, 6, 5)), one,
                     other;
        one = evaluate(
            a, ops[i](a, sft_add(a, sft_graph_tensor(a, x.tensor), sft_graph_tensor(a, y.tensor), 2.0f)));
        other = evaluate(b, sft_add(b, ops[i](b, sft_graph_tensor(b, x.tensor)),
                                    ops[i](b, sft_graph_tensor(b, y.tensor)), 2.0f));
        assert_near(one, other, 1e-5);
    }
}

/* ---- matrix product ---- */

/* A (B v) = (A B) v for a random v, at sizes around tiles. */
static void products_associate(void **state)
{
    static const int64_t sizes[][3] = {{1, 1, 1}, {31, 33, 65}, {64, 127, 8}, {129, 16, 63}, {5, 300, 7}};
    const struct sft_matmul_params plain = {0};
    (void)state;
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        struct sft_graph *g = test_graph(), *h = test_graph();
        struct array a = random_array(SFT_SHAPE(sizes[i][0], sizes[i][1])), one, other;
        struct array b = random_array(SFT_SHAPE(sizes[i][1], sizes[i][2])),
                     v = random_array(SFT_SHAPE(sizes[i][2], 1));
        sft_value inner =
            sft_matmul(g, sft_graph_tensor(g, b.tensor), sft_graph_tensor(g, v.tensor), SFT_NONE, plain);
        one = evaluate(g, sft_matmul(g, sft_graph_tensor(g, a.tensor), inner, SFT_NONE, plain));
        inner = sft_matmul(h, sft_graph_tensor(h, a.tensor), sft_graph_tensor(h, b.tensor), SFT_NONE, plain);
        other = evaluate(h, sft_matmul(h, inner, sft_graph_tensor(h, v.tensor), SFT_NONE, plain));
        assert_near(one, other, 2e-5);
    }
}

/* ---- normalisation ---- */

/* Group norm does not see a shift or a positive factor of its input. */
static void group_norm_is_invariant(void **state)
{
    struct sft_group_norm_params params = {.groups = 4, .epsilon = 1e-12f};
    struct sft_graph *g[2] = {test_graph(), test_graph()};
    struct array x = random_array(SFT_SHAPE(2, 5, 5, 12)), gamma = random_array(SFT_SHAPE(12)), y[2];
    struct array beta = random_array(SFT_SHAPE(12));
    (void)state;
    for (int i = 0; i < 2; i++) {
        sft_value in = sft_graph_tensor(g[i], x.tensor);
        if (i == 1) in = sft_add(g[i], sft_scale(g[i], in, 4.0f), sft_fill(g[i], SFT_SHAPE(1), 2.0f), 1.0f);
        y[i] = evaluate(g[i], sft_group_norm(g[i], in, sft_graph_tensor(g[i], gamma.tensor),
                                             sft_graph_tensor(g[i], beta.tensor), SFT_NONE, SFT_NONE, params)
                                  .y);
    }
    assert_near(y[0], y[1], 1e-5);
}

/* ---- attention ---- */

enum { MANY = 14400, NARROW = 4 };

static void column_means(struct array x, double *mean)
{
    for (int i = 0; i < NARROW; i++) mean[i] = 0.0;
    for (int64_t i = 0; i < x.count; i++) mean[i % NARROW] += (double)x.numbers[i] / MANY;
}

/* The tokens of 480 pixels. With keys of 0 each token sees the mean of all values, and each value the mean of
 * all gradients. A matrix of tokens by tokens would take 829 MB. */
static void attention_over_many_tokens(void **state)
{
    const struct sft_attention_params params = {1, 0.5f};
    const struct sft_shape shape = SFT_SHAPE(1, MANY, NARROW);
    struct array q = random_array(shape), v = random_array(shape), dy = random_array(shape);
    struct sft_tensor *y = test_tensor("y", SFT_F32, shape);
    struct sft_tensor *dqkv = test_tensor("dqkv", SFT_F32, SFT_SHAPE(1, MANY, 3 * NARROW));
    struct sft_tensor *lse = test_tensor("lse", SFT_F32, SFT_SHAPE(1, 1, MANY));
    struct sft_graph *g = test_graph();
    sft_value in[3] = {sft_graph_tensor(g, q.tensor), sft_fill(g, shape, 0.0f),
                       sft_graph_tensor(g, v.tensor)};
    sft_value out = sft_attention(g, in[0], in[1], in[2], params), sums = g->nodes[g->n_nodes - 1].out[1];
    sft_value gradient =
        sft_attention_grad(g, sft_graph_tensor(g, dy.tensor), out, sums, in[0], in[1], in[2], params);
    float *numbers = test_alloc(3 * MANY * NARROW, sizeof(float));
    struct sft_program *program;
    double mean_v[NARROW], mean_dy[NARROW];
    (void)state;
    column_means(v, mean_v);
    column_means(dy, mean_dy);
    sft_graph_place(g, out, sft_graph_tensor(g, y), 0);
    sft_graph_place(g, sums, sft_graph_tensor(g, lse), 0);
    sft_graph_place(g, gradient, sft_graph_tensor(g, dqkv), 0);
    program = test_program(g);
    assert_true(sft_program_arena(program) < 8 << 20);
    assert_int_equal(sft_program_run(program), SFT_OK);
    assert_int_equal(sft_tensor_download(lse, 0, MANY, numbers), SFT_OK);
    for (int i = 0; i < MANY; i++) assert_true(fabs((double)numbers[i] - log(MANY)) < 1e-5);
    assert_int_equal(sft_tensor_download(y, 0, MANY * NARROW, numbers), SFT_OK);
    for (int i = 0; i < MANY * NARROW; i++) assert_true(fabs((double)numbers[i] - mean_v[i % NARROW]) < 1e-5);
    assert_int_equal(sft_tensor_download(dqkv, 0, 3 * MANY * NARROW, numbers), SFT_OK);
    for (int i = 0; i < 3 * MANY * NARROW; i++) {
        int part = i / NARROW % 3;
        if (part == 0) assert_true(numbers[i] == 0.0f);
        if (part == 2) assert_true(fabs((double)numbers[i] - mean_dy[i % NARROW]) < 1e-5);
    }
}

/* ---- threads ---- */

/* A product, layer norm and attention with more tokens than a tile has, and their gradients. */
static struct array token_block(struct array x, struct array weight, struct array gamma)
{
    const struct sft_group_norm_params norm = {.groups = 1, .epsilon = 1e-5f};
    const struct sft_shape shape = x.tensor->shape,
                           rows = SFT_SHAPE(shape.dim[0] * shape.dim[1], shape.dim[2]);
    struct sft_graph *g = test_graph();
    sft_value in[3] = {sft_graph_tensor(g, x.tensor), sft_graph_tensor(g, weight.tensor),
                       sft_graph_tensor(g, gamma.tensor)};
    sft_value y = sft_reshape(g, in[0], rows), all[3], joined = SFT_NONE;
    y = sft_group_norm(g, y, in[2], in[2], SFT_NONE, SFT_NONE, norm).y;
    y = sft_matmul(g, y, in[1], SFT_NONE, (struct sft_matmul_params){0});
    y = sft_reshape(g, y, SFT_SHAPE(shape.dim[0], shape.dim[1], weight.tensor->shape.dim[1]));
    y = sft_attention(g, y, SFT_NONE, SFT_NONE, (struct sft_attention_params){2, 0.2f});
    y = sft_sum_to(g, sft_gelu(g, y), SFT_SHAPE(1), 1.0f);
    assert_int_equal(sft_autodiff(g, y, in, 3, all), SFT_OK);
    for (int i = 0; i < 3; i++) {
        sft_value flat = sft_reshape(g, all[i], SFT_SHAPE(sft_shape_count(sft_graph_shape(g, all[i]))));
        joined = i ? sft_concat(g, joined, flat, 0) : flat;
    }
    return evaluate(g, joined);
}

static void threads_change_no_bit(void **state)
{
    struct array x = random_array(SFT_SHAPE(1, 613, 60)), weight = random_array(SFT_SHAPE(60, 3 * 2 * 24));
    struct array gamma = random_array(SFT_SHAPE(60)), one, many;
    int threads = sft_parallel_threads();
    (void)state;
    assert_int_equal(sft_parallel_set_threads(1), SFT_OK);
    one = token_block(x, weight, gamma);
    assert_int_equal(sft_parallel_set_threads(5), SFT_OK);
    many = token_block(x, weight, gamma);
    assert_int_equal(sft_parallel_set_threads(threads), SFT_OK);
    assert_int_equal(one.count, many.count);
    assert_memory_equal(one.numbers, many.numbers, (size_t)one.count * sizeof(float));
}

/* ---- dropout ---- */

static void dropout_keeps_its_share(void **state)
{
    static const int32_t keys[2][4] = {{1, 2, 3, 0}, {1, 2, 4, 0}};
    enum { N = 100000 };
    float *y[2];
    int64_t kept = 0, same = 0;
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct sft_graph *g = test_graph();
        struct sft_tensor *key = test_tensor("key", SFT_I32, SFT_SHAPE(4));
        assert_int_equal(sft_tensor_upload(key, 0, 4, keys[i]), SFT_OK);
        y[i] = evaluate(g, sft_dropout(g, sft_fill(g, SFT_SHAPE(N), 3.0f), sft_graph_tensor(g, key),
                                       (struct sft_dropout_params){0.25f, 9}))
                   .numbers;
    }
    for (int i = 0; i < N; i++) {
        assert_true(y[0][i] == 0.0f || y[0][i] == 4.0f);
        kept += y[0][i] != 0.0f;
        same += y[0][i] == y[1][i];
    }
    assert_true(llabs(kept - 75000) < 700); /* 5 standard deviations */
    assert_true(llabs(same - 62500) < 800); /* 0.75^2 + 0.25^2: another step is another mask */
}

#define TEST(function) cmocka_unit_test_teardown(function, test_release)

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        TEST(convolution_and_its_adjoints),
        TEST(convolution_as_matrix_product),
        TEST(adjoint_pairs),
        TEST(linear_ops),
        TEST(products_associate),
        TEST(group_norm_is_invariant),
        TEST(attention_over_many_tokens),
        TEST(threads_change_no_bit),
        TEST(dropout_keeps_its_share),
    };
    sft_rng_init(&rng, 20, SFT_STREAM_TEST, 0);
    return test_run_group("ops/algebra", argc, argv, tests, sizeof(tests) / sizeof(tests[0]));
}

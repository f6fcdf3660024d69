/* SPDX-License-Identifier: Apache-2.0 */
/* One list of convolutions serves all three directions. */
#include "tests/support/test_op.h"

/* clang-format off */
/* Letters as in runtime/ops.h: image n h w, channels c in, k out, kernel r s; stride, padding and dilation by axis. */
#define OUT(size, kernel, stride, pad, dilation) (((size) + 2 * (pad) - (dilation) * ((kernel)-1) - 1) / (stride) + 1)
#define PARAMS(st0, st1, p0, p1, d0, d1, groups, relu, size0, size1)                                                   \
    &(const struct sft_conv2d_params){{st0, st1}, {p0, p1}, {d0, d1}, groups, relu, {size0, size1}}

/* CONVOLUTION(what, large, n, h, w, c, k, r, s, st0, st1, p0, p1, d0, d1, groups) */
#define CONVOLUTIONS                                                                                                   \
    CONVOLUTION("one by one", false, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 1, 1, 1)                                         \
    CONVOLUTION("pointwise", false, 2, 5, 7, 6, 5, 1, 1, 1, 1, 0, 0, 1, 1, 1)                                          \
    CONVOLUTION("pointwise, stride", false, 2, 7, 6, 8, 12, 1, 1, 2, 2, 0, 0, 1, 1, 1)                                 \
    CONVOLUTION("pointwise, padded", false, 1, 3, 4, 5, 3, 1, 1, 1, 1, 1, 2, 1, 1, 1)                                  \
    CONVOLUTION("three by three", false, 2, 5, 6, 4, 8, 3, 3, 1, 1, 1, 1, 1, 1, 1)                                     \
    CONVOLUTION("three channels", false, 2, 8, 8, 3, 16, 3, 3, 1, 1, 1, 1, 1, 1, 1)                                    \
    CONVOLUTION("prime channels", false, 1, 6, 5, 7, 13, 3, 3, 1, 1, 1, 1, 1, 1, 1)                                    \
    CONVOLUTION("no padding", false, 2, 5, 7, 5, 6, 3, 3, 1, 1, 0, 0, 1, 1, 1)                                         \
    CONVOLUTION("wide padding", false, 1, 4, 3, 2, 3, 3, 3, 1, 1, 3, 4, 1, 1, 1)                                       \
    CONVOLUTION("stride 2", false, 2, 7, 8, 4, 6, 3, 3, 2, 2, 1, 1, 1, 1, 1)                                           \
    CONVOLUTION("stride 3", false, 1, 10, 11, 5, 4, 3, 3, 3, 3, 1, 1, 1, 1, 1)                                         \
    CONVOLUTION("stride above the kernel", false, 1, 9, 10, 3, 4, 2, 2, 3, 4, 0, 0, 1, 1, 1)                           \
    CONVOLUTION("strides differ", false, 1, 6, 9, 3, 5, 3, 2, 1, 2, 0, 1, 1, 1, 1)                                     \
    CONVOLUTION("dilation 2", false, 1, 9, 8, 4, 4, 3, 3, 1, 1, 2, 2, 2, 2, 1)                                         \
    CONVOLUTION("dilations differ, stride", false, 1, 11, 9, 3, 4, 3, 3, 2, 1, 2, 1, 3, 1, 1)                          \
    CONVOLUTION("kernel of the image's size", false, 3, 4, 5, 6, 7, 4, 5, 1, 1, 0, 0, 1, 1, 1)                         \
    CONVOLUTION("row kernel", false, 1, 5, 9, 4, 3, 1, 5, 1, 1, 0, 2, 1, 1, 1)                                         \
    CONVOLUTION("column kernel", false, 1, 9, 5, 4, 3, 5, 1, 2, 1, 2, 0, 1, 1, 1)                                      \
    CONVOLUTION("seven by seven, stride", false, 1, 13, 14, 3, 8, 7, 7, 2, 2, 3, 3, 1, 1, 1)                           \
    CONVOLUTION("patches", false, 2, 12, 8, 3, 10, 4, 4, 4, 4, 0, 0, 1, 1, 1)                                          \
    CONVOLUTION("two groups", false, 2, 5, 5, 8, 6, 3, 3, 1, 1, 1, 1, 1, 1, 2)                                         \
    CONVOLUTION("three groups, prime", false, 1, 5, 6, 15, 21, 3, 3, 2, 1, 1, 1, 1, 1, 3)                              \
    CONVOLUTION("depthwise", false, 2, 6, 5, 7, 7, 3, 3, 1, 1, 1, 1, 1, 1, 7)                                          \
    CONVOLUTION("depthwise, stride and multiplier", false, 1, 7, 7, 4, 8, 3, 3, 2, 2, 1, 1, 1, 1, 4)                   \
    CONVOLUTION("one pixel", false, 5, 1, 1, 9, 17, 3, 3, 1, 1, 1, 1, 1, 1, 1)                                         \
    CONVOLUTION("at 16 channels", true, 2, 8, 8, 16, 16, 3, 3, 1, 1, 1, 1, 1, 1, 1)                                    \
    CONVOLUTION("above 32 channels", true, 1, 9, 9, 33, 65, 3, 3, 1, 1, 1, 1, 1, 1, 1)                                 \
    CONVOLUTION("tile of channels, stride", true, 2, 9, 9, 64, 63, 3, 3, 2, 2, 1, 1, 1, 1, 1)                          \
    CONVOLUTION("many pixels", true, 3, 32, 32, 3, 16, 3, 3, 1, 1, 1, 1, 1, 1, 1)                                      \
    CONVOLUTION("many pixels, pointwise", true, 2, 33, 31, 12, 20, 1, 1, 1, 1, 0, 0, 1, 1, 1)                          \
    CONVOLUTION("many channels", true, 2, 4, 4, 128, 130, 3, 3, 1, 1, 1, 1, 1, 1, 1)                                   \
    CONVOLUTION("4x4 tiles", true, 3, 8, 8, 32, 64, 3, 3, 1, 1, 1, 1, 1, 1, 1)                                         \
    CONVOLUTION("4x4 tiles, odd size", true, 2, 9, 11, 64, 32, 3, 3, 1, 1, 1, 1, 1, 1, 1)                              \
    CONVOLUTION("4x4 tiles, no padding", true, 1, 10, 7, 32, 32, 3, 3, 1, 1, 0, 0, 1, 1, 1)                            \
    CONVOLUTION("4x4 tiles, wide padding", true, 1, 8, 8, 32, 32, 3, 3, 1, 1, 2, 1, 1, 1, 1)                           \
    CONVOLUTION("4x4 tiles, many", true, 13, 12, 14, 32, 32, 3, 3, 1, 1, 1, 1, 1, 1, 1)                                \
    CONVOLUTION("many images", true, 37, 4, 4, 8, 8, 3, 3, 1, 1, 1, 1, 1, 1, 1)

#define Y_OF(n, h, w, k, r, s, st0, st1, p0, p1, d0, d1) NORMAL(n, OUT(h, r, st0, p0, d0), OUT(w, s, st1, p1, d1), k)

#define CONVOLUTION(what, large, n, h, w, c, k, r, s, st0, st1, p0, p1, d0, d1, groups)                                \
    {what, PARAMS(st0, st1, p0, p1, d0, d1, groups, 0, 0, 0), large,                                                   \
     {NORMAL(n, h, w, c), NORMAL(r, s, (c) / (groups), k)}},
static const struct test_case forward_cases[] = {
    CONVOLUTIONS
    {"bias", PARAMS(1, 1, 1, 1, 1, 1, 1, 0, 0, 0), false, {NORMAL(2, 5, 4, 3), NORMAL(3, 3, 3, 6), NORMAL(6)}},
    {"relu", PARAMS(1, 1, 1, 1, 1, 1, 1, 1, 0, 0), false, {NORMAL(2, 5, 4, 3), NORMAL(3, 3, 3, 6)}},
    {"bias, relu, stride", PARAMS(2, 2, 1, 1, 1, 1, 1, 1, 0, 0), false,
     {NORMAL(1, 7, 6, 4), NORMAL(3, 3, 4, 9), NORMAL(9)}},
    {"bias, relu, pointwise", PARAMS(1, 1, 0, 0, 1, 1, 1, 1, 0, 0), false,
     {NORMAL(2, 3, 5, 7), NORMAL(1, 1, 7, 10), NORMAL(10)}},
    {"bias, relu, depthwise", PARAMS(1, 1, 1, 1, 1, 1, 5, 1, 0, 0), false,
     {NORMAL(1, 4, 4, 5), NORMAL(3, 3, 1, 5), NORMAL(5)}},
    {"bias, relu, 4x4 tiles", PARAMS(1, 1, 1, 1, 1, 1, 1, 1, 0, 0), true,
     {NORMAL(2, 8, 8, 32), NORMAL(3, 3, 32, 32), NORMAL(32)}},
    {"bias, groups", PARAMS(1, 1, 1, 1, 1, 1, 2, 0, 0, 0), false, {NORMAL(1, 4, 4, 6), NORMAL(3, 3, 3, 4), NORMAL(4)}},
};
#undef CONVOLUTION

#define CONVOLUTION(what, large, n, h, w, c, k, r, s, st0, st1, p0, p1, d0, d1, groups)                                \
    {what, PARAMS(st0, st1, p0, p1, d0, d1, groups, 0, h, w), true,                                                    \
     {Y_OF(n, h, w, k, r, s, st0, st1, p0, p1, d0, d1), NORMAL(r, s, (c) / (groups), k)}},
static const struct test_case dx_cases[] = {CONVOLUTIONS};
#undef CONVOLUTION

#define CONVOLUTION(what, large, n, h, w, c, k, r, s, st0, st1, p0, p1, d0, d1, groups)                                \
    {what, PARAMS(st0, st1, p0, p1, d0, d1, groups, 0, r, s), true,                                                    \
     {NORMAL(n, h, w, c), Y_OF(n, h, w, k, r, s, st0, st1, p0, p1, d0, d1)}},
static const struct test_case dw_cases[] = {CONVOLUTIONS};
#undef CONVOLUTION
/* clang-format on */

static void build_forward(struct sft_graph *graph, const sft_value *in, const void *params, sft_value *out)
{
    out[0] = sft_conv2d(graph, in[0], in[1], in[2], *(const struct sft_conv2d_params *)params);
}

static void build_dx(struct sft_graph *graph, const sft_value *in, const void *params, sft_value *out)
{
    out[0] = sft_conv2d_dx(graph, in[0], in[1], *(const struct sft_conv2d_params *)params);
}

static void build_dw(struct sft_graph *graph, const sft_value *in, const void *params, sft_value *out)
{
    out[0] = sft_conv2d_dw(graph, in[0], in[1], *(const struct sft_conv2d_params *)params);
}

const struct test_op sft_test_op_conv2d = {TEST_OP(conv2d), .build = build_forward, CASES(forward_cases)};
const struct test_op sft_test_op_conv2d_dx = {TEST_OP(conv2d_dx), .build = build_dx, CASES(dx_cases)};
const struct test_op sft_test_op_conv2d_dw = {TEST_OP(conv2d_dw), .build = build_dw, CASES(dw_cases)};

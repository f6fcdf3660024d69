/* SPDX-License-Identifier: Apache-2.0 */
/* One list of convolutions serves all three directions. */
#include "tests/support/test_op.h"

/* clang-format off */
/* Letters as in runtime/ops.h: image n h w, channels c in, k out, kernel r s; stride, padding and dilation by
 * axis. */
#define OUT(size, kernel, stride, pad, dilation)                                                             \
    (((size) + 2 * (pad) - (dilation) * ((kernel)-1) - 1) / (stride) + 1)
#define PARAMS(st0, st1, p0, p1, d0, d1, groups, size0, size1)                                               \
    &(const struct sft_conv2d_params){{st0, st1}, {p0, p1}, {d0, d1}, groups, 0, {size0, size1}}

#define ROW(macro, what, large, image, filter, stride, pad, dilation, groups)                                \
    APPLY(macro, what, large, LIST image, LIST filter, LIST stride, LIST pad, LIST dilation, groups)

/* ROW(macro, what, large, (n, h, w, c), (r, s, k), stride, padding, dilation, groups) */
#define CONVOLUTIONS(M)                                                                                      \
    ROW(M, "one by one", false, (1, 1, 1, 1), (1, 1, 1), (1, 1), (0, 0), (1, 1), 1)                          \
    ROW(M, "pointwise", false, (2, 5, 7, 6), (1, 1, 5), (1, 1), (0, 0), (1, 1), 1)                           \
    ROW(M, "pointwise, stride", false, (2, 7, 6, 8), (1, 1, 12), (2, 2), (0, 0), (1, 1), 1)                  \
    ROW(M, "pointwise, padded", false, (1, 3, 4, 5), (1, 1, 3), (1, 1), (1, 2), (1, 1), 1)                   \
    ROW(M, "three by three", false, (2, 5, 6, 4), (3, 3, 8), (1, 1), (1, 1), (1, 1), 1)                      \
    ROW(M, "three channels", false, (2, 8, 8, 3), (3, 3, 16), (1, 1), (1, 1), (1, 1), 1)                     \
    ROW(M, "prime channels", false, (1, 6, 5, 7), (3, 3, 13), (1, 1), (1, 1), (1, 1), 1)                     \
    ROW(M, "no padding", false, (2, 5, 7, 5), (3, 3, 6), (1, 1), (0, 0), (1, 1), 1)                          \
    ROW(M, "wide padding", false, (1, 4, 3, 2), (3, 3, 3), (1, 1), (3, 4), (1, 1), 1)                        \
    ROW(M, "stride 2", false, (2, 7, 8, 4), (3, 3, 6), (2, 2), (1, 1), (1, 1), 1)                            \
    ROW(M, "stride 3", false, (1, 10, 11, 5), (3, 3, 4), (3, 3), (1, 1), (1, 1), 1)                          \
    ROW(M, "stride above the kernel", false, (1, 9, 10, 3), (2, 2, 4), (3, 4), (0, 0), (1, 1), 1)            \
    ROW(M, "strides differ", false, (1, 6, 9, 3), (3, 2, 5), (1, 2), (0, 1), (1, 1), 1)                      \
    ROW(M, "dilation 2", false, (1, 9, 8, 4), (3, 3, 4), (1, 1), (2, 2), (2, 2), 1)                          \
    ROW(M, "dilations differ, stride", false, (1, 11, 9, 3), (3, 3, 4), (2, 1), (2, 1), (3, 1), 1)           \
    ROW(M, "kernel of the image's size", false, (3, 4, 5, 6), (4, 5, 7), (1, 1), (0, 0), (1, 1), 1)          \
    ROW(M, "row kernel", false, (1, 5, 9, 4), (1, 5, 3), (1, 1), (0, 2), (1, 1), 1)                          \
    ROW(M, "column kernel", false, (1, 9, 5, 4), (5, 1, 3), (2, 1), (2, 0), (1, 1), 1)                       \
    ROW(M, "seven by seven, stride", false, (1, 13, 14, 3), (7, 7, 8), (2, 2), (3, 3), (1, 1), 1)            \
    ROW(M, "patches", false, (2, 12, 8, 3), (4, 4, 10), (4, 4), (0, 0), (1, 1), 1)                           \
    ROW(M, "two groups", false, (2, 5, 5, 8), (3, 3, 6), (1, 1), (1, 1), (1, 1), 2)                          \
    ROW(M, "three groups, prime", false, (1, 5, 6, 15), (3, 3, 21), (2, 1), (1, 1), (1, 1), 3)               \
    ROW(M, "depthwise", false, (2, 6, 5, 7), (3, 3, 7), (1, 1), (1, 1), (1, 1), 7)                           \
    ROW(M, "depthwise, stride and multiplier", false, (1, 7, 7, 4), (3, 3, 8), (2, 2), (1, 1), (1, 1), 4)    \
    ROW(M, "one pixel", false, (5, 1, 1, 9), (3, 3, 17), (1, 1), (1, 1), (1, 1), 1)                          \
    ROW(M, "at 16 channels", true, (2, 8, 8, 16), (3, 3, 16), (1, 1), (1, 1), (1, 1), 1)                     \
    ROW(M, "above 32 channels", true, (1, 9, 9, 33), (3, 3, 65), (1, 1), (1, 1), (1, 1), 1)                  \
    ROW(M, "tile of channels, stride", true, (2, 9, 9, 64), (3, 3, 63), (2, 2), (1, 1), (1, 1), 1)           \
    ROW(M, "many pixels", true, (3, 32, 32, 3), (3, 3, 16), (1, 1), (1, 1), (1, 1), 1)                       \
    ROW(M, "many pixels, pointwise", true, (2, 33, 31, 12), (1, 1, 20), (1, 1), (0, 0), (1, 1), 1)           \
    ROW(M, "many channels", true, (2, 4, 4, 128), (3, 3, 130), (1, 1), (1, 1), (1, 1), 1)                    \
    ROW(M, "few pixels, many columns", true, (1, 9, 7, 37), (1, 1, 203), (1, 1), (0, 0), (1, 1), 1)          \
    ROW(M, "2048 channels", true, (2, 8, 9, 2048), (1, 1, 40), (1, 1), (0, 0), (1, 1), 1)                    \
    ROW(M, "1024 channels, stride", true, (1, 9, 9, 1024), (1, 1, 70), (2, 2), (0, 0), (1, 1), 1)            \
    ROW(M, "4x4 tiles", true, (3, 8, 8, 32), (3, 3, 64), (1, 1), (1, 1), (1, 1), 1)                          \
    ROW(M, "4x4 tiles, odd size", true, (2, 9, 11, 64), (3, 3, 32), (1, 1), (1, 1), (1, 1), 1)               \
    ROW(M, "4x4 tiles, no padding", true, (1, 10, 7, 32), (3, 3, 32), (1, 1), (0, 0), (1, 1), 1)             \
    ROW(M, "4x4 tiles, wide padding", true, (1, 8, 8, 32), (3, 3, 32), (1, 1), (2, 1), (1, 1), 1)            \
    ROW(M, "4x4 tiles, many", true, (13, 12, 14, 32), (3, 3, 32), (1, 1), (1, 1), (1, 1), 1)                 \
    ROW(M, "many images", true, (37, 4, 4, 8), (3, 3, 8), (1, 1), (1, 1), (1, 1), 1)

#define Y_OF(n, h, w, k, r, s, st0, st1, p0, p1, d0, d1)                                                     \
    NORMAL(n, OUT(h, r, st0, p0, d0), OUT(w, s, st1, p1, d1), k)

#define FORWARD(what, large, n, h, w, c, r, s, k, st0, st1, p0, p1, d0, d1, groups)                          \
    {what, PARAMS(st0, st1, p0, p1, d0, d1, groups, 0, 0), large,                                            \
     {NORMAL(n, h, w, c), NORMAL(r, s, (c) / (groups), k)}},
#define DX(what, large, n, h, w, c, r, s, k, st0, st1, p0, p1, d0, d1, groups)                               \
    {what, PARAMS(st0, st1, p0, p1, d0, d1, groups, h, w), true,                                             \
     {Y_OF(n, h, w, k, r, s, st0, st1, p0, p1, d0, d1), NORMAL(r, s, (c) / (groups), k)}},
#define DW(what, large, n, h, w, c, r, s, k, st0, st1, p0, p1, d0, d1, groups)                               \
    {what, PARAMS(st0, st1, p0, p1, d0, d1, groups, r, s), true,                                             \
     {NORMAL(n, h, w, c), Y_OF(n, h, w, k, r, s, st0, st1, p0, p1, d0, d1)}},

/* The same stride and padding on both axes, no dilation. */
#define SQUARE(stride, pad, groups, relu)                                                                    \
    &(const struct sft_conv2d_params){{stride, stride}, {pad, pad}, {1, 1}, groups, relu, {0, 0}}

static const struct test_case forward_cases[] = {
    CONVOLUTIONS(FORWARD)
    {"bias", SQUARE(1, 1, 1, 0), false, {NORMAL(2, 5, 4, 3), NORMAL(3, 3, 3, 6), NORMAL(6)}},
    {"relu", SQUARE(1, 1, 1, 1), false, {NORMAL(2, 5, 4, 3), NORMAL(3, 3, 3, 6)}},
    {"bias, relu, stride", SQUARE(2, 1, 1, 1), false, {NORMAL(1, 7, 6, 4), NORMAL(3, 3, 4, 9), NORMAL(9)}},
    {"bias, relu, pointwise", SQUARE(1, 0, 1, 1), false,
     {NORMAL(2, 3, 5, 7), NORMAL(1, 1, 7, 10), NORMAL(10)}},
    {"bias, relu, depthwise", SQUARE(1, 1, 5, 1), false,
     {NORMAL(1, 4, 4, 5), NORMAL(3, 3, 1, 5), NORMAL(5)}},
    {"bias, relu, 4x4 tiles", SQUARE(1, 1, 1, 1), true,
     {NORMAL(2, 8, 8, 32), NORMAL(3, 3, 32, 32), NORMAL(32)}},
    {"bias, groups", SQUARE(1, 1, 2, 0), false, {NORMAL(1, 4, 4, 6), NORMAL(3, 3, 3, 4), NORMAL(4)}},
};
static const struct test_case dx_cases[] = {CONVOLUTIONS(DX)};
static const struct test_case dw_cases[] = {CONVOLUTIONS(DW)};
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

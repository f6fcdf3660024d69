/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/test_op.h"

/* clang-format off */
#define VIEW(offset, ...) &(const struct sft_view_params){offset, DIMS(__VA_ARGS__)}

static const struct test_case view_cases[] = {
    {"same", VIEW(0, 3, 5), false, {NORMAL(3, 5)}},
    {"flat", VIEW(0, 210), false, {NORMAL(2, 3, 5, 7)}},
    {"part", VIEW(7, 3, 5), false, {NORMAL(29)}},
    {"last", VIEW(28, 1), false, {NORMAL(29)}},
};

#define BOX(first, ...) &(const struct sft_slice_params){{LIST first}, DIMS(__VA_ARGS__)}

static const struct test_case slice_cases[] = {
    {"all", BOX((0, 0), 3, 5), false, {NORMAL(3, 5)}},
    {"rank 1", BOX((3), 7), false, {NORMAL(17)}},
    {"rows", BOX((2, 0), 3, 7), false, {NORMAL(6, 7)}},
    {"columns", BOX((0, 5), 4, 3), false, {NORMAL(4, 9)}},
    {"crop", BOX((0, 1, 2, 0), 2, 3, 4, 3), false, {NORMAL(2, 5, 7, 3)}},
    {"one element", BOX((1, 2, 3), 1, 1, 1), false, {NORMAL(2, 3, 4)}},
    {"rank 5", BOX((1, 0, 2, 1, 0), 1, 3, 2, 2, 1), false, {NORMAL(2, 3, 4, 3, 2)}},
    {"several groups", BOX((1, 3, 5), 5, 61, 67), true, {NORMAL(7, 65, 73)}},
};

static const struct test_case pad_cases[] = {
    {"nothing", BOX((0, 0), 3, 5), false, {NORMAL(3, 5)}},
    {"rank 1", BOX((3), 17), false, {NORMAL(7)}},
    {"rows", BOX((2, 0), 6, 7), false, {NORMAL(3, 7)}},
    {"columns", BOX((0, 5), 4, 9), false, {NORMAL(4, 3)}},
    {"frame", BOX((0, 1, 2, 0), 2, 5, 7, 3), false, {NORMAL(2, 3, 4, 3)}},
    {"one element", BOX((1, 2, 3), 2, 3, 4), false, {NORMAL(1, 1, 1)}},
    {"rank 5", BOX((1, 0, 2, 1, 0), 2, 3, 4, 3, 2), false, {NORMAL(1, 3, 2, 2, 1)}},
    {"several groups", BOX((1, 3, 5), 7, 65, 73), true, {NORMAL(5, 61, 67)}},
};

#define AXES(...) &(const struct sft_permute_params){{__VA_ARGS__}}

static const struct test_case permute_cases[] = {
    {"rank 1", AXES(0), false, {NORMAL(13)}},
    {"nothing", AXES(0, 1, 2), false, {NORMAL(3, 4, 5)}},
    {"transposed", AXES(1, 0), false, {NORMAL(5, 7)}},
    {"transposed row", AXES(1, 0), false, {NORMAL(1, 9)}},
    {"heads", AXES(0, 2, 1, 3), false, {NORMAL(2, 5, 3, 8)}},
    {"channels first", AXES(0, 3, 1, 2), false, {NORMAL(2, 3, 5, 7)}},
    {"channels last", AXES(0, 2, 3, 1), false, {NORMAL(2, 7, 3, 5)}},
    {"qkv", AXES(2, 0, 3, 1, 4), false, {NORMAL(2, 5, 3, 2, 4)}},
    {"reversed", AXES(4, 3, 2, 1, 0), false, {NORMAL(2, 3, 4, 3, 5)}},
    {"around a tile", AXES(1, 0), true, {NORMAL(65, 127)}},
    {"several groups", AXES(2, 1, 0), true, {NORMAL(33, 17, 67)}},
};

#define AXIS(axis) &(const struct sft_concat_params){axis}

static const struct test_case concat_cases[] = {
    {"rank 1", AXIS(0), false, {NORMAL(3), NORMAL(4)}},
    {"rows", AXIS(0), false, {NORMAL(2, 7), NORMAL(5, 7)}},
    {"columns", AXIS(1), false, {NORMAL(3, 4), NORMAL(3, 1)}},
    {"tokens", AXIS(1), false, {NORMAL(2, 1, 8), NORMAL(2, 9, 8)}},
    {"channels", AXIS(3), false, {NORMAL(2, 3, 5, 7), NORMAL(2, 3, 5, 2)}},
    {"rank 5", AXIS(2), false, {NORMAL(2, 3, 1, 2, 3), NORMAL(2, 3, 4, 2, 3)}},
    {"several groups", AXIS(0), true, {NORMAL(31, 257), NORMAL(67, 257)}},
    {"several groups, channels", AXIS(1), true, {NORMAL(1031, 13), NORMAL(1031, 20)}},
};
/* clang-format on */

static void build_view(struct sft_graph *graph, const sft_value *in, const void *params, sft_value *out)
{
    const struct sft_view_params *view = params;
    out[0] = sft_view(graph, in[0], view->offset, view->shape);
}

static void build_slice(struct sft_graph *graph, const sft_value *in, const void *params, sft_value *out)
{
    const struct sft_slice_params *slice = params;
    out[0] = sft_slice(graph, in[0], slice->start, slice->shape);
}

static void build_pad(struct sft_graph *graph, const sft_value *in, const void *params, sft_value *out)
{
    const struct sft_slice_params *pad = params;
    out[0] = sft_pad(graph, in[0], pad->start, pad->shape);
}

static void build_permute(struct sft_graph *graph, const sft_value *in, const void *params, sft_value *out)
{
    out[0] = sft_permute(graph, in[0], ((const struct sft_permute_params *)params)->axis);
}

static void build_concat(struct sft_graph *graph, const sft_value *in, const void *params, sft_value *out)
{
    out[0] = sft_concat(graph, in[0], in[1], ((const struct sft_concat_params *)params)->axis);
}

const struct test_op sft_test_op_view = {TEST_OP(view), .exact = true, .build = build_view,
                                         CASES(view_cases)};
const struct test_op sft_test_op_slice = {TEST_OP(slice), .exact = true, .build = build_slice,
                                          CASES(slice_cases)};
const struct test_op sft_test_op_pad = {TEST_OP(pad), .exact = true, .build = build_pad, CASES(pad_cases)};
const struct test_op sft_test_op_permute = {TEST_OP(permute), .exact = true, .build = build_permute,
                                            CASES(permute_cases)};
const struct test_op sft_test_op_concat = {TEST_OP(concat), .exact = true, .build = build_concat,
                                           CASES(concat_cases)};

/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/ref/prepare.h"
#include "tests/support/test_op.h"

/* clang-format off */
static const struct test_case softmax_cases[] = {
    {"one class", NULL, false, {NORMAL(3, 1)}},
    {"two classes", NULL, false, {NORMAL(5, 2)}},
    {"ten classes", NULL, false, {NORMAL(7, 10)}},
    {"rank 1", NULL, false, {NORMAL(13)}},
    {"attention", NULL, false, {NORMAL(2, 3, 5, 17)}},
    {"around a subgroup", NULL, false, {NORMAL(3, 33)}},
    {"wide", NULL, true, {FILLED(FILL_WIDE, 9, 10)}},
    {"offset", NULL, true, {FILLED(FILL_OFFSET, 4, 10)}},
    {"thousand classes", NULL, true, {NORMAL(3, 1000)}},
    {"many rows", NULL, true, {NORMAL(1031, 10)}},
};

static const struct test_case softmax_grad_cases[] = {
    {"one class", NULL, false, {NORMAL(3, 1), NORMAL(3, 1)}},
    {"ten classes", NULL, false, {NORMAL(7, 10), NORMAL(7, 10)}},
    {"attention", NULL, false, {NORMAL(2, 3, 5, 17), NORMAL(2, 3, 5, 17)}},
    {"thousand classes", NULL, false, {NORMAL(3, 1000), NORMAL(3, 1000)}},
    {"many rows", NULL, false, {NORMAL(1031, 10), NORMAL(1031, 10)}},
};

#define PARAMS(distance) &(const struct sft_row_loss_params){distance, 0.1f, -2.0f, -1.5f}
#define PAPER &(const struct sft_row_loss_params){SFT_DISTANCE_ENERGY, 0.1f, -25.0f, -7.0f}
#define LOGITS(fill, n, c) {FILLED(fill, n, c), FILLED(FILL_LABELS, n)}
#define LOGITS_AND_DLOSS(fill, n, c) {FILLED(fill, n, c), FILLED(FILL_LABELS, n), NORMAL(n)}

#define DISTANCE(distance, rows)                                                                             \
    {#distance ", ten classes", PARAMS(distance), false, rows(FILL_NORMAL, 13, 10)},                         \
    {#distance ", two classes", PARAMS(distance), false, rows(FILL_NORMAL, 6, 2)},                           \
    {#distance ", wide", PARAMS(distance), true, rows(FILL_WIDE, 17, 10)},                                   \
    {#distance ", negative", PARAMS(distance), true, rows(FILL_NEGATIVE, 5, 7)},                             \
    {#distance ", many rows", PARAMS(distance), true, rows(FILL_NORMAL, 517, 67)},                           \
    {#distance ", thousand classes", PARAMS(distance), true, rows(FILL_NORMAL, 5, 1000)}

#define DISTANCES(rows)                                                                                      \
    DISTANCE(SFT_DISTANCE_OE, rows), DISTANCE(SFT_DISTANCE_KL_PU, rows), DISTANCE(SFT_DISTANCE_L2, rows),    \
        DISTANCE(SFT_DISTANCE_JS, rows), DISTANCE(SFT_DISTANCE_ENERGY, rows),                                \
        DISTANCE(SFT_DISTANCE_LOGITNORM, rows),                                                              \
        {"energy of the paper", PAPER, false, rows(FILL_NORMAL, 9, 10)}

static const struct test_case row_loss_cases[] = {DISTANCES(LOGITS)};
static const struct test_case row_loss_grad_cases[] = {DISTANCES(LOGITS_AND_DLOSS)};

#define DROP(probability, stream) &(const struct sft_dropout_params){probability, stream}
#define DROPPED(...) {NORMAL(__VA_ARGS__), FILLED(FILL_WORDS, 4)}

static const struct test_case dropout_cases[] = {
    {"one element", DROP(0.5f, 1), false, DROPPED(1)},
    {"nothing", DROP(0.0f, 2), false, DROPPED(7, 9)},
    {"half", DROP(0.5f, 3), false, DROPPED(5, 13)},
    {"nearly all", DROP(0.99f, 4), false, DROPPED(257)},
    {"a little, rank 4", DROP(0.1f, 0xffffffffu), false, DROPPED(3, 5, 7, 11)},
    {"several groups", DROP(0.3f, 5), true, DROPPED(7, 4099)},
};

#define DRAW(stream, ...) &(const struct sft_normal_params){DIMS(__VA_ARGS__), stream}
#define KEY {FILLED(FILL_WORDS, 4)}

static const struct test_case normal_cases[] = {
    {"one element", DRAW(0, 1), false, KEY},
    {"below four", DRAW(1, 3), false, KEY},
    {"prime, rank 2", DRAW(0xffffffffu, 7, 13), false, KEY},
    {"several groups", DRAW(2, 10007), true, KEY},
};
/* clang-format on */

static void build_softmax(struct sft_graph *graph, const sft_value *in, const void *params, sft_value *out)
{
    (void)params;
    out[0] = sft_softmax(graph, in[0]);
}

static void build_softmax_grad(struct sft_graph *graph, const sft_value *in, const void *params,
                               sft_value *out)
{
    (void)params;
    out[0] = sft_softmax_grad(graph, in[0], in[1]);
}

static void build_row_loss(struct sft_graph *graph, const sft_value *in, const void *params, sft_value *out)
{
    out[0] = sft_row_loss(graph, in[0], in[1], *(const struct sft_row_loss_params *)params);
}

static void build_row_loss_grad(struct sft_graph *graph, const sft_value *in, const void *params,
                                sft_value *out)
{
    out[0] = sft_row_loss_grad(graph, in[0], in[1], in[2], *(const struct sft_row_loss_params *)params);
}

static void build_dropout(struct sft_graph *graph, const sft_value *in, const void *params, sft_value *out)
{
    out[0] = sft_dropout(graph, in[0], in[1], *(const struct sft_dropout_params *)params);
}

static void build_normal(struct sft_graph *graph, const sft_value *in, const void *params, sft_value *out)
{
    const struct sft_normal_params *normal = params;
    out[0] = sft_normal(graph, normal->shape, in[0], normal->stream);
}

const struct test_op sft_test_op_softmax = {TEST_OP(softmax), .build = build_softmax, CASES(softmax_cases)};
const struct test_op sft_test_op_softmax_grad = {TEST_OP(softmax_grad), .build = build_softmax_grad,
                                                 .prepare = ref_prepare_softmax_grad,
                                                 CASES(softmax_grad_cases)};
const struct test_op sft_test_op_row_loss = {TEST_OP(row_loss), .build = build_row_loss,
                                             CASES(row_loss_cases)};
const struct test_op sft_test_op_row_loss_grad = {TEST_OP(row_loss_grad), .worst = 1e-4,
                                                  .build = build_row_loss_grad, CASES(row_loss_grad_cases)};
const struct test_op sft_test_op_dropout = {TEST_OP(dropout), FEW_ROUNDINGS, .build = build_dropout,
                                            CASES(dropout_cases)};
const struct test_op sft_test_op_normal = {TEST_OP(normal), FEW_ROUNDINGS, .build = build_normal,
                                           CASES(normal_cases)};

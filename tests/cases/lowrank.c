/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/test_op.h"

/* clang-format off */
#define ITERATIONS(n) &(const struct sft_remove_rank_one_params){n}
static const struct test_case remove_rank_one_cases[] = {
    {"one round", ITERATIONS(1), true, {NORMAL(2, 3, 5)}},
    {"two columns", ITERATIONS(3), true, {NORMAL(2, 4, 3, 2)}},
    {"odd maps", ITERATIONS(20), true, {FILLED(FILL_NEGATIVE, 3, 5, 7, 11)}},
    {"maps of a small network", ITERATIONS(20), true, {FILLED(FILL_NEGATIVE, 4, 8, 8, 64)}},
    {"from a start", ITERATIONS(1), true, {FILLED(FILL_NEGATIVE, 3, 5, 7, 11), NORMAL(3, 11)}},
    {"exact", ITERATIONS(SFT_EXACT_RANK_ONE), true, {FILLED(FILL_NEGATIVE, 2, 3, 4, 9)}},
    {"exact, more columns than rows", ITERATIONS(SFT_EXACT_RANK_ONE), true,
     {FILLED(FILL_NEGATIVE, 2, 2, 2, 37)}},
    {"wide", ITERATIONS(20), true, {FILLED(FILL_NEGATIVE, 2, 16, 16, 32)}},
    {"more matrices than lanes", ITERATIONS(4), true, {FILLED(FILL_NEGATIVE, 131, 3, 3)}},
};
/* clang-format on */

static void build_remove_rank_one(struct sft_graph *graph, const sft_value *in, const void *params,
                                  sft_value *out)
{
    out[0] = sft_remove_rank_one(graph, in[0], in[1],
                                 ((const struct sft_remove_rank_one_params *)params)->iterations, &out[1]);
}

const struct test_op sft_test_op_remove_rank_one = {TEST_OP(remove_rank_one), .build = build_remove_rank_one,
                                                    CASES(remove_rank_one_cases)};

/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/ref/prepare.h"
#include "tests/support/test_op.h"

/* clang-format off */
#define HEADS(heads, scale) &(const struct sft_attention_params){heads, scale}

/* M(what, large, images, tokens, heads, depth, scale) */
#define SIZES(M)                                                                                             \
    M("one token", false, 1, 1, 1, 4, 0.5f)                                                                  \
    M("one number", false, 2, 3, 1, 1, 1.0f)                                                                 \
    M("odd depth", false, 2, 5, 3, 7, 0.4f)                                                                  \
    M("two tokens, depth above a quad", false, 1, 2, 2, 6, 0.4f)                                             \
    M("below a tile", false, 1, 31, 2, 16, 0.25f)                                                            \
    M("scale below zero", false, 1, 9, 2, 8, -0.5f)                                                          \
    M("many heads", false, 1, 6, 16, 4, 0.5f)                                                                \
    M("above a tile", true, 2, 33, 2, 64, 0.125f)                                                            \
    M("images of tokens", true, 2, 197, 6, 64, 0.125f)                                                       \
    M("one head, several tiles", true, 1, 577, 1, 64, 0.0824786f)                                            \
    M("deep", true, 1, 70, 2, 96, 0.1f)                                                                      \
    M("deep and odd", true, 1, 41, 1, 131, 0.1f)

#define APART(what, large, n, t, heads, d, scale)                                                            \
    {what, HEADS(heads, scale), large,                                                                       \
     {NORMAL(n, t, (heads) * (d)), NORMAL(n, t, (heads) * (d)), NORMAL(n, t, (heads) * (d))}},
#define PACKED(what, large, n, t, heads, d, scale)                                                           \
    {what ", packed", HEADS(heads, scale), large, {NORMAL(n, t, 3 * (heads) * (d))}},
#define GRAD_APART(what, large, n, t, heads, d, scale)                                                       \
    {what, HEADS(heads, scale), false,                                                                       \
     {NORMAL(n, t, (heads) * (d)), NORMAL(n, t, (heads) * (d)), NORMAL(n, heads, t),                         \
      NORMAL(n, t, (heads) * (d)), NORMAL(n, t, (heads) * (d)), NORMAL(n, t, (heads) * (d))}},
#define GRAD_PACKED(what, large, n, t, heads, d, scale)                                                      \
    {what ", packed", HEADS(heads, scale), false,                                                            \
     {NORMAL(n, t, (heads) * (d)), NORMAL(n, t, (heads) * (d)), NORMAL(n, heads, t),                         \
      NORMAL(n, t, 3 * (heads) * (d))}},

static const struct test_case attention_cases[] = {
    SIZES(APART)
    SIZES(PACKED)
    {"sharp", HEADS(2, 0.01f), true, {FILLED(FILL_WIDE, 1, 300, 3 * 2 * 8)}},
    {"all alike", HEADS(2, 1.0f), true, {FILLED(FILL_ZERO, 1, 67, 3 * 2 * 8)}},
};
static const struct test_case attention_grad_cases[] = {SIZES(GRAD_APART) SIZES(GRAD_PACKED)};
/* clang-format on */

static void build_attention(struct sft_graph *graph, const sft_value *in, const void *params, sft_value *out)
{
    out[0] = sft_attention(graph, in[0], in[1], in[2], *(const struct sft_attention_params *)params);
    out[1] = out[0] == SFT_NONE ? SFT_NONE : graph->nodes[graph->n_nodes - 1].out[1];
}

static void build_attention_grad(struct sft_graph *graph, const sft_value *in, const void *params,
                                 sft_value *out)
{
    out[0] = sft_attention_grad(graph, in[0], in[1], in[2], in[3], in[4], in[5],
                                *(const struct sft_attention_params *)params);
}

/* An exponential function makes of a rounding of its argument one that many times larger. */
#define EXPONENTIATED .worst = 3e-5

const struct test_op sft_test_op_attention = {TEST_OP(attention), EXPONENTIATED, .build = build_attention,
                                              CASES(attention_cases)};
const struct test_op sft_test_op_attention_grad = {
    TEST_OP(attention_grad), EXPONENTIATED, .build = build_attention_grad,
    .prepare = ref_prepare_attention_grad, CASES(attention_grad_cases)};

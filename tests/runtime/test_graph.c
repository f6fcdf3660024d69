/* SPDX-License-Identifier: Apache-2.0 */
/* Graphs: wrong calls, what autodiff appends, placement, order of updates. */
#include <string.h>

#include "runtime/autodiff.h"
#include "tests/support/harness.h"

/* ---- wrong calls: SFT_USAGE and a message that names the op ---- */

#define X(...) sft_graph_input(g, "x", SFT_F32, SFT_SHAPE(__VA_ARGS__))
#define WORDS(...) sft_graph_input(g, "words", SFT_I32, SFT_SHAPE(__VA_ARGS__))
#define CONV(...) ((struct sft_conv2d_params){__VA_ARGS__})
#define PLAIN_CONV .stride = {1, 1}, .dilation = {1, 1}, .groups = 1
#define POOL(...) ((struct sft_pool_params){__VA_ARGS__})
#define NORM(...) ((struct sft_group_norm_params){__VA_ARGS__})
#define UNFOLD(...) ((struct sft_unfold_params){__VA_ARGS__})
#define ATTENTION(heads) ((struct sft_attention_params){heads, 1.0f})
#define AT(...) ((const int64_t[]){__VA_ARGS__})

/* WRONG(op, name, call) */
#define WRONG_CALLS                                                                                          \
    WRONG(add, bigger_b, sft_add(g, X(3), X(2, 3), 1))                                                       \
    WRONG(add, misfit, sft_add(g, X(2, 3), X(2), 1))                                                         \
    WRONG(mul, misfit, sft_mul(g, X(4), X(3)))                                                               \
    WRONG(scale, nothing, sft_scale(g, SFT_NONE, 1))                                                         \
    WRONG(relu, nothing, sft_relu(g, SFT_NONE))                                                              \
    WRONG(div, misfit, sft_div(g, X(3), X(4)))                                                               \
    WRONG(sign, nothing, sft_sign(g, SFT_NONE))                                                              \
    WRONG(sqrt, nothing, sft_sqrt(g, SFT_NONE))                                                              \
    WRONG(exp, nothing, sft_exp(g, SFT_NONE))                                                                \
    WRONG(relu_grad, misfit, sft_relu_grad(g, X(3), X(1, 3)))                                                \
    WRONG(gelu, nothing, sft_gelu(g, SFT_NONE))                                                              \
    WRONG(gelu_grad, misfit, sft_gelu_grad(g, X(3), X(4)))                                                   \
    WRONG(fill, empty, sft_fill(g, SFT_SHAPE(2, 0), 1))                                                      \
    WRONG(sum_to, misfit, sft_sum_to(g, X(2, 3), SFT_SHAPE(2), 1))                                           \
    WRONG(sum_to, grows, sft_sum_to(g, X(3), SFT_SHAPE(2, 3), 1))                                            \
    WRONG(broadcast_to, misfit, sft_broadcast_to(g, X(2), SFT_SHAPE(2, 3), 1))                               \
    WRONG(norm2, nothing, sft_norm2(g, SFT_NONE, 0))                                                         \
    WRONG(matmul, inner, sft_matmul(g, X(2, 3), X(4, 5), SFT_NONE, (struct sft_matmul_params){0}))           \
    WRONG(matmul, transposed,                                                                                \
          sft_matmul(g, X(2, 3), X(3, 5), SFT_NONE, (struct sft_matmul_params){.transpose_b = 1}))           \
    WRONG(matmul, bias, sft_matmul(g, X(2, 3), X(3, 5), X(2), (struct sft_matmul_params){0}))                \
    WRONG(matmul, stacked_bias, sft_matmul(g, X(2, 2, 3), X(2, 3, 5), X(5), (struct sft_matmul_params){0}))  \
    WRONG(matmul, stacks, sft_matmul(g, X(2, 2, 3), X(3, 3, 5), SFT_NONE, (struct sft_matmul_params){0}))    \
    WRONG(matmul, vector, sft_matmul(g, X(3), X(3, 5), SFT_NONE, (struct sft_matmul_params){0}))             \
    WRONG(conv2d, channels, sft_conv2d(g, X(1, 5, 5, 4), X(3, 3, 3, 8), SFT_NONE, CONV(PLAIN_CONV)))         \
    WRONG(conv2d, too_small, sft_conv2d(g, X(1, 2, 5, 4), X(3, 3, 4, 8), SFT_NONE, CONV(PLAIN_CONV)))        \
    WRONG(conv2d, bias, sft_conv2d(g, X(1, 5, 5, 4), X(3, 3, 4, 8), X(4), CONV(PLAIN_CONV)))                 \
    WRONG(conv2d, no_stride, sft_conv2d(g, X(1, 5, 5, 4), X(3, 3, 4, 8), SFT_NONE, CONV(.groups = 1)))       \
    WRONG(conv2d, groups,                                                                                    \
          sft_conv2d(g, X(1, 5, 5, 4), X(3, 3, 2, 7), SFT_NONE,                                              \
                     CONV(.stride = {1, 1}, .dilation = {1, 1}, .groups = 2)))                               \
    WRONG(conv2d_dx, size, sft_conv2d_dx(g, X(1, 3, 3, 8), X(3, 3, 4, 8), CONV(PLAIN_CONV, .size = {6, 5}))) \
    WRONG(conv2d_dw, size, sft_conv2d_dw(g, X(1, 5, 5, 4), X(1, 3, 3, 8), CONV(PLAIN_CONV, .size = {2, 3}))) \
    WRONG(conv2d_dw, images,                                                                                 \
          sft_conv2d_dw(g, X(2, 5, 5, 4), X(1, 3, 3, 8), CONV(PLAIN_CONV, .size = {3, 3})))                  \
    WRONG(weight_standardize, vector, sft_weight_standardize(g, X(4), 1e-5f, &other))                        \
    WRONG(weight_standardize_grad, misfit, sft_weight_standardize_grad(g, X(3, 4), X(3, 4), X(3)))           \
    WRONG(group_norm, groups,                                                                                \
          sft_group_norm(g, X(2, 6), X(6), X(6), SFT_NONE, SFT_NONE, NORM(.groups = 4)).y)                   \
    WRONG(group_norm, no_groups,                                                                             \
          sft_group_norm(g, X(2, 6), X(6), X(6), SFT_NONE, SFT_NONE, NORM(.groups = 0)).y)                   \
    WRONG(group_norm, affine,                                                                                \
          sft_group_norm(g, X(2, 6), X(6), X(5), SFT_NONE, SFT_NONE, NORM(.groups = 2)).y)                   \
    WRONG(group_norm, mean, sft_group_norm(g, X(2, 6), X(6), X(6), X(2, 2), X(2, 2), NORM(.groups = 2)).y)   \
    WRONG(group_norm, frozen,                                                                                \
          sft_group_norm(g, X(2, 6), X(6), X(6), X(2, 2), SFT_NONE, NORM(.groups = 2, .frozen = 1)).y)       \
    WRONG(group_norm_sums, misfit,                                                                           \
          sft_group_norm_sums(g, X(2, 6), X(2, 5), X(6), X(6), X(2, 2), X(2, 2), NORM(.groups = 2)))         \
    WRONG(group_norm_dx, no_sums,                                                                            \
          sft_group_norm_dx(g, X(2, 6), X(2, 6), X(6), X(6), X(2, 2), X(2, 2), SFT_NONE, NORM(.groups = 2))) \
    WRONG(group_norm_dparam, rank, sft_group_norm_dparam(g, X(2, 6), &other))                                \
    WRONG(layer_norm_grad, misfit,                                                                           \
          sft_layer_norm_grad(g, X(5, 6), X(5, 6), X(6), X(5, 1), X(6, 1), &other, &other))                  \
    WRONG(running_update, sizes,                                                                             \
          (sft_running_update(g, X(4), X(4), X(4), X(5), (struct sft_running_update_params){0.1f, 0, 9}),    \
           SFT_NONE))                                                                                        \
    WRONG(running_update, one_value,                                                                         \
          (sft_running_update(g, X(4), X(4), X(4), X(4), (struct sft_running_update_params){0.1f, 0, 1}),    \
           SFT_NONE))                                                                                        \
    WRONG(max_pool, too_small,                                                                               \
          sft_max_pool(g, X(1, 2, 2, 3), POOL(.kernel = {3, 3}, .stride = {1, 1}), &other))                  \
    WRONG(max_pool, padding,                                                                                 \
          sft_max_pool(g, X(1, 4, 4, 3), POOL(.kernel = {2, 2}, .stride = {1, 1}, .pad = {2, 2}), &other))   \
    WRONG(max_pool, no_stride, sft_max_pool(g, X(1, 4, 4, 3), POOL(.kernel = {2, 2}), &other))               \
    WRONG(max_pool_grad, index,                                                                              \
          sft_max_pool_grad(g, X(1, 2, 2, 3), WORDS(1, 2, 2, 4),                                             \
                            POOL(.kernel = {2, 2}, .stride = {2, 2}, .size = {4, 4})))                       \
    WRONG(avg_pool, rank, sft_avg_pool(g, X(2, 2, 3), POOL(.kernel = {2, 2}, .stride = {1, 1})))             \
    WRONG(avg_pool_grad, size,                                                                               \
          sft_avg_pool_grad(g, X(1, 2, 2, 3), POOL(.kernel = {2, 2}, .stride = {2, 2}, .size = {7, 4})))     \
    WRONG(unfold, rank, sft_unfold(g, X(4, 4, 3), UNFOLD(3, 1, 1)))                                          \
    WRONG(unfold, too_small, sft_unfold(g, X(1, 2, 2, 3), UNFOLD(3, 1, 0)))                                  \
    WRONG(unfold, no_stride, sft_unfold(g, X(1, 4, 4, 3), UNFOLD(3, 0, 1)))                                  \
    WRONG(unfold, padding, sft_unfold(g, X(1, 4, 4, 3), UNFOLD(3, 1, 3)))                                    \
    WRONG(fold, size, sft_fold(g, X(1, 4, 27), (struct sft_fold_params){UNFOLD(3, 2, 1), {6, 4}}))           \
    WRONG(fold, channels, sft_fold(g, X(1, 4, 28), (struct sft_fold_params){UNFOLD(3, 2, 1), {4, 4}}))       \
    WRONG(fold, no_kernel, sft_fold(g, X(1, 4, 27), (struct sft_fold_params){UNFOLD(0, 2, 1), {4, 4}}))      \
    WRONG(attention, rank, sft_attention(g, X(5, 6), X(5, 6), X(5, 6), ATTENTION(2)))                        \
    WRONG(attention, heads, sft_attention(g, X(1, 5, 6), X(1, 5, 6), X(1, 5, 6), ATTENTION(4)))              \
    WRONG(attention, no_heads, sft_attention(g, X(1, 5, 6), X(1, 5, 6), X(1, 5, 6), ATTENTION(0)))           \
    WRONG(attention, shapes, sft_attention(g, X(1, 5, 6), X(1, 4, 6), X(1, 5, 6), ATTENTION(2)))             \
    WRONG(attention, no_values, sft_attention(g, X(1, 5, 6), X(1, 5, 6), SFT_NONE, ATTENTION(2)))            \
    WRONG(attention, packed, sft_attention(g, X(1, 5, 8), SFT_NONE, SFT_NONE, ATTENTION(2)))                 \
    WRONG(attention_grad, rows,                                                                              \
          sft_attention_grad(g, X(1, 5, 4), X(1, 5, 4), X(1, 5, 2), X(1, 5, 12), SFT_NONE, SFT_NONE,         \
                             ATTENTION(2)))                                                                  \
    WRONG(softmax, scalar, sft_softmax(g, sft_graph_input(g, "x", SFT_F32, (struct sft_shape){0})))          \
    WRONG(softmax_grad, misfit, sft_softmax_grad(g, X(2, 3), X(3, 2)))                                       \
    WRONG(row_loss, float_labels, sft_row_loss(g, X(2, 3), X(2), (struct sft_row_loss_params){0}))           \
    WRONG(row_loss, rows, sft_row_loss(g, X(2, 3), WORDS(3), (struct sft_row_loss_params){0}))               \
    WRONG(row_loss, distance,                                                                                \
          sft_row_loss(g, X(2, 3), WORDS(2), (struct sft_row_loss_params){.distance = 99}))                  \
    WRONG(row_loss_grad, dloss,                                                                              \
          sft_row_loss_grad(g, X(2, 3), WORDS(2), X(3), (struct sft_row_loss_params){0}))                    \
    WRONG(dropout, certain, sft_dropout(g, X(3), WORDS(4), (struct sft_dropout_params){1, 0}))               \
    WRONG(dropout, key, sft_dropout(g, X(3), WORDS(3), (struct sft_dropout_params){0.5f, 0}))                \
    WRONG(normal, key, sft_normal(g, SFT_SHAPE(4), WORDS(3), 0))                                             \
    WRONG(remove_rank_one, vector, sft_remove_rank_one(g, X(5), SFT_NONE, 3, NULL))                          \
    WRONG(remove_rank_one, start, sft_remove_rank_one(g, X(2, 3, 4), X(2, 3), 3, NULL))                      \
    WRONG(remove_rank_one, rounds, sft_remove_rank_one(g, X(2, 3, 4), SFT_NONE, -1, NULL))                   \
    WRONG(view, beyond, sft_view(g, X(10), 5, SFT_SHAPE(2, 3)))                                              \
    WRONG(view, before, sft_view(g, X(10), -1, SFT_SHAPE(2)))                                                \
    WRONG(reshape, count, sft_reshape(g, X(10), SFT_SHAPE(3, 3)))                                            \
    WRONG(slice, beyond, sft_slice(g, X(4, 5), AT(2, 0), SFT_SHAPE(3, 5)))                                   \
    WRONG(slice, rank, sft_slice(g, X(4, 5), AT(0), SFT_SHAPE(4)))                                           \
    WRONG(pad, beyond, sft_pad(g, X(4, 5), AT(2, 0), SFT_SHAPE(5, 5)))                                       \
    WRONG(permute, twice, sft_permute(g, X(2, 3), (const int[]){1, 1}))                                      \
    WRONG(permute, no_axis, sft_permute(g, X(2, 3), (const int[]){0, 2}))                                    \
    WRONG(concat, sizes, sft_concat(g, X(2, 3), X(3, 4), 0))                                                 \
    WRONG(concat, axis, sft_concat(g, X(2, 3), X(2, 3), 2))                                                  \
    WRONG(perturb, gradient, sft_perturb(g, X(3), X(4), X(1), X(16)))                                        \
    WRONG(perturb, hyper, sft_perturb(g, X(3), X(3), X(1), X(15)))                                           \
    WRONG(sgd, state, (sft_sgd(g, X(3), X(4), X(3), X(16), (struct sft_update_params){0}), SFT_NONE))        \
    WRONG(sgd, temporary,                                                                                    \
          (sft_sgd(g, sft_relu(g, X(3)), X(3), X(3), X(16), (struct sft_update_params){0}), SFT_NONE))       \
    WRONG(adam, hyper, (sft_adam(g, X(3), X(3), X(3), X(3), X(3), (struct sft_update_params){0}), SFT_NONE)) \
    WRONG(adam, nothing,                                                                                     \
          (sft_adam(g, X(3), X(3), SFT_NONE, X(3), X(16), (struct sft_update_params){0}), SFT_NONE))

#define WRONG(op, name, call)                                                                                \
    static sft_value wrong_##op##_##name(struct sft_graph *g)                                                \
    {                                                                                                        \
        sft_value other;                                                                                     \
        (void)other;                                                                                         \
        return call;                                                                                         \
    }
WRONG_CALLS
#undef WRONG

static const struct {
    const char *op;
    sft_value (*call)(struct sft_graph *graph);
} wrong_calls[] = {
#define WRONG(op, name, call) {#op, wrong_##op##_##name},
    WRONG_CALLS
#undef WRONG
};

static void wrong_calls_are_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(wrong_calls) / sizeof(wrong_calls[0]); i++) {
        struct sft_graph *graph;
        assert_int_equal(sft_graph_create(&graph), SFT_OK);
        test_catch_log();
        sft_value result = wrong_calls[i].call(graph);
        enum sft_status status = sft_graph_status(graph);
        size_t n_nodes = graph->n_nodes;
        bool named = strstr(test_log(), wrong_calls[i].op) != NULL;
        /* The failure is kept, and nothing is appended any more. */
        sft_value later = sft_fill(graph, SFT_SHAPE(1), 0.0f);
        bool grew = graph->n_nodes != n_nodes;
        sft_graph_destroy(&graph);
        if (status != SFT_USAGE || result != SFT_NONE || later != SFT_NONE || grew || !named)
            fail_msg("wrong call %zu of %s: status %d, value %d, message '%s'", i, wrong_calls[i].op,
                     (int)status, (int)result, test_log());
    }
}

static void every_op_has_a_wrong_call(void **state)
{
    (void)state;
    for (int k = 0; k < SFT_OP_COUNT; k++) {
        bool found = false;
        for (size_t i = 0; i < sizeof(wrong_calls) / sizeof(wrong_calls[0]); i++)
            found |= strcmp(wrong_calls[i].op, sft_ops[k]->name) == 0;
        if (!found) fail_msg("%s: no wrong call is tested", sft_ops[k]->name);
    }
}

static void missing_inputs_are_refused(void **state)
{
    const sft_value none[SFT_MAX_INPUTS] = {SFT_NONE, SFT_NONE, SFT_NONE, SFT_NONE,
                                            SFT_NONE, SFT_NONE, SFT_NONE, SFT_NONE};
    static const uint64_t params[SFT_MAX_PARAMS / 8];
    (void)state;
    test_catch_log();
    for (int k = 0; k < SFT_OP_COUNT; k++) {
        struct sft_graph *graph = test_graph();
        if (sft_ops[k]->min_in == 0) continue;
        assert_int_equal(sft_graph_append(graph, sft_ops[k], none, sft_ops[k]->max_in, params, NULL),
                         SFT_NONE);
        assert_int_equal(sft_graph_status(graph), SFT_USAGE);
        test_expect_last(sft_ops[k]->name);
    }
}

/* ---- the table ---- */

static void every_op_decides_about_its_gradient(void **state)
{
    (void)state;
    for (int k = 0; k < SFT_OP_COUNT; k++) {
        const struct sft_op *op = sft_ops[k];
        if (!op->name || !op->infer || op->id != (enum sft_op_id)k) fail_msg("op %d is not complete", k);
        if (!op->grad == !op->no_grad) fail_msg("%s: needs either a gradient or a reason for none", op->name);
        assert_true(op->params_size <= SFT_MAX_PARAMS && op->max_in <= SFT_MAX_INPUTS &&
                    op->n_out <= SFT_MAX_OUTPUTS);
        assert_true(op->min_in <= op->max_in);
        assert_ptr_equal(sft_op_find(op->name), op);
        assert_ptr_equal(test_ops[k]->op, op);
        assert_true(test_ops[k]->n_cases > 0);
    }
    assert_null(sft_op_find("no such op"));
}

/* ---- what autodiff appends ---- */

static int count_nodes(const struct sft_graph *graph, const struct sft_op *op)
{
    int count = 0;
    for (size_t k = 0; k < graph->n_nodes; k++) count += graph->nodes[k].op == op;
    return count;
}

struct stack {
    struct sft_graph *graph;
    sft_value x, weight[3], gamma[2], beta[2], loss;
};

/* conv, norm + relu, conv, norm, conv, sum */
static struct stack make_stack(void)
{
    struct stack s = {.graph = test_graph()};
    struct sft_graph *g = s.graph;
    struct sft_conv2d_params conv = {PLAIN_CONV, .pad = {1, 1}};
    sft_value y = s.x = X(2, 4, 4, 4);
    for (int i = 0; i < 3; i++) {
        s.weight[i] = X(3, 3, 4, 4);
        y = sft_conv2d(g, y, s.weight[i], SFT_NONE, conv);
        if (i == 2) break;
        s.gamma[i] = X(4);
        s.beta[i] = X(4);
        y = sft_group_norm(g, y, s.gamma[i], s.beta[i], SFT_NONE, SFT_NONE, NORM(.groups = 2, .relu = 1)).y;
    }
    s.loss = sft_sum_to(g, y, SFT_SHAPE(1), 1.0f);
    assert_int_equal(sft_graph_status(g), SFT_OK);
    return s;
}

static void norm_gradients_need_no_weight_gradients(void **state)
{
    struct stack s = make_stack();
    sft_value wanted[4] = {s.gamma[0], s.beta[0], s.gamma[1], s.beta[1]}, grads[4];
    (void)state;
    assert_int_equal(sft_autodiff(s.graph, s.loss, wanted, 4, grads), SFT_OK);
    for (int i = 0; i < 4; i++)
        assert_true(sft_shape_equal(sft_graph_shape(s.graph, grads[i]), &SFT_SHAPE(4)));
    assert_int_equal(count_nodes(s.graph, &sft_op_conv2d_dw), 0);
    assert_int_equal(count_nodes(s.graph, &sft_op_conv2d_dx),
                     2); /* not of the convolution below the first norm */
    assert_int_equal(count_nodes(s.graph, &sft_op_group_norm_sums), 2);
    assert_int_equal(count_nodes(s.graph, &sft_op_group_norm_dparam), 2);
    assert_int_equal(count_nodes(s.graph, &sft_op_group_norm_dx), 1); /* nor of the first norm's input */
}

static void upper_norm_alone_stops_there(void **state)
{
    struct stack s = make_stack();
    sft_value grad;
    (void)state;
    assert_int_equal(sft_autodiff(s.graph, s.loss, &s.gamma[1], 1, &grad), SFT_OK);
    assert_int_equal(count_nodes(s.graph, &sft_op_conv2d_dx), 1);
    assert_int_equal(count_nodes(s.graph, &sft_op_group_norm_sums), 1);
    assert_int_equal(count_nodes(s.graph, &sft_op_group_norm_dx), 0);
}

static void all_weights(void **state)
{
    struct stack s = make_stack();
    sft_value grads[3];
    (void)state;
    assert_int_equal(sft_autodiff(s.graph, s.loss, s.weight, 3, grads), SFT_OK);
    assert_int_equal(count_nodes(s.graph, &sft_op_conv2d_dw), 3);
    assert_int_equal(count_nodes(s.graph, &sft_op_conv2d_dx), 2); /* the images need no gradient */
    assert_int_equal(count_nodes(s.graph, &sft_op_group_norm_dparam), 0);
}

static void unreached_values_have_no_gradient(void **state)
{
    struct sft_graph *g = test_graph();
    sft_value wanted[3] = {X(3), X(3), SFT_NONE}, grads[3];
    sft_value loss = sft_sum_to(g, sft_relu(g, wanted[0]), SFT_SHAPE(1), 1.0f);
    (void)state;
    sft_relu(g, wanted[1]);
    assert_int_equal(sft_autodiff(g, loss, wanted, 3, grads), SFT_OK);
    assert_int_not_equal(grads[0], SFT_NONE);
    assert_int_equal(grads[1], SFT_NONE);
    assert_int_equal(grads[2], SFT_NONE);
}

static void wrong_losses(void **state)
{
    static const char *const messages[] = {"single number", "single number", "norm2"};
    (void)state;
    test_catch_log();
    for (int i = 0; i < 3; i++) {
        struct sft_graph *g = test_graph();
        sft_value x = X(3), losses[] = {x, SFT_NONE, sft_norm2(g, x, 0.0f)}, grad;
        assert_int_equal(sft_autodiff(g, losses[i], &x, 1, &grad), SFT_USAGE);
        assert_int_equal(sft_graph_status(g), SFT_USAGE);
        test_expect_last(messages[i]);
    }
}

/* The outputs beside the first are statistics and indices, through which no gradient goes: a loss that
 * depends on one must not lose that part of its gradient without a word. */
static void expect_refusal(struct sft_graph *g, sft_value loss, sft_value wanted, const char *message)
{
    sft_value grad;
    test_catch_log();
    assert_int_equal(sft_autodiff(g, sft_sum_to(g, loss, SFT_SHAPE(1), 1.0f), &wanted, 1, &grad), SFT_USAGE);
    test_expect_last(message);
}

static void gradients_at_other_outputs_are_refused(void **state)
{
    (void)state;
    for (int both = 0; both < 2; both++) {
        struct sft_graph *g = test_graph();
        sft_value x = X(2, 6), rstd;
        struct sft_group_norm_out norm =
            sft_group_norm(g, x, X(6), X(6), SFT_NONE, SFT_NONE, NORM(.groups = 6));
        expect_refusal(g, both ? sft_mul(g, norm.y, norm.rstd) : norm.mean, x,
                       both ? "group_norm: the loss depends on its output 2"
                            : "group_norm: the loss depends on its output 1");
        g = test_graph();
        x = X(3, 3, 2, 4);
        norm.y = sft_weight_standardize(g, x, 1e-5f, &rstd);
        expect_refusal(g, both ? sft_mul(g, norm.y, rstd) : rstd, x,
                       "weight_standardize: the loss depends on its output 1");
    }
}

/* The statistics are in the graph and some value needs them, but the loss does not depend on them. */
static void unused_outputs_are_no_matter(void **state)
{
    struct sft_graph *g = test_graph();
    sft_value x = X(2, 6), grad;
    struct sft_group_norm_out norm = sft_group_norm(g, x, X(6), X(6), SFT_NONE, SFT_NONE, NORM(.groups = 6));
    (void)state;
    sft_scale(g, norm.mean, 2.0f);
    assert_int_equal(sft_autodiff(g, sft_sum_to(g, norm.y, SFT_SHAPE(1), 1.0f), &x, 1, &grad), SFT_OK);
    assert_int_not_equal(grad, SFT_NONE);
}

/* Labels made of what is wanted are constants: the gradient goes through the logits alone. */
static void integers_have_no_gradient(void **state)
{
    struct sft_graph *g = test_graph();
    sft_value x = X(2, 1, 2, 3), index, wanted[2], grads[2], loss;
    (void)state;
    wanted[0] = x;
    sft_max_pool(g, x, POOL(.kernel = {1, 2}, .stride = {1, 1}), &index);
    wanted[1] = sft_view(g, index, 0, SFT_SHAPE(2));
    loss = sft_row_loss(g, sft_view(g, x, 0, SFT_SHAPE(2, 6)), wanted[1], (struct sft_row_loss_params){0});
    assert_int_equal(sft_autodiff(g, sft_sum_to(g, loss, SFT_SHAPE(1), 1.0f), wanted, 2, grads), SFT_OK);
    assert_int_not_equal(grads[0], SFT_NONE);
    assert_int_equal(grads[1], SFT_NONE);
}

/* ---- on the device ---- */

static struct sft_tensor *tensor_of(int64_t count, const float *numbers)
{
    struct sft_tensor *tensor = test_tensor("numbers", SFT_F32, SFT_SHAPE(count));
    if (numbers) assert_int_equal(sft_tensor_upload(tensor, 0, count, numbers), SFT_OK);
    return tensor;
}

static void assert_numbers(struct sft_tensor *tensor, int64_t count, const float *want)
{
    float got[64];
    assert_int_equal(sft_tensor_download(tensor, 0, count, got), SFT_OK);
    for (int64_t i = 0; i < count; i++)
        if (got[i] != want[i])
            fail_msg("element %d: got %g, want %g", (int)i, (double)got[i], (double)want[i]);
}

static void run_once(const struct sft_graph *graph)
{
    assert_int_equal(sft_graph_status(graph), SFT_OK);
    assert_int_equal(sft_program_run(test_program(graph)), SFT_OK);
}

/* loss = sum(x*x + 3*x + relu(x)): 2x + 3 + (x > 0) */
static void gradients_of_a_value_used_often_add_up(void **state)
{
    static const float x0[5] = {-2, -1, 0.5f, 1, 4}, want[5] = {-1, 1, 5, 6, 12};
    struct sft_tensor *result = tensor_of(5, NULL);
    struct sft_graph *g = test_graph();
    sft_value x = sft_graph_tensor(g, tensor_of(5, x0)), grad, sum;
    (void)state;
    sum = sft_add(g, sft_mul(g, x, x), x, 3.0f);
    sum = sft_add(g, sum, sft_relu(g, x), 1.0f);
    assert_int_equal(sft_autodiff(g, sft_sum_to(g, sum, SFT_SHAPE(1), 1.0f), &x, 1, &grad), SFT_OK);
    sft_graph_place(g, grad, sft_graph_tensor(g, result), 0);
    run_once(g);
    assert_numbers(result, 5, want);
}

/* A gradient must not be changed by the addition that goes into another. */
static void intermediate_and_leaf_gradients(void **state)
{
    static const float x0[2] = {1, 2},
                       want[4] = {3, 6, 4, 4}; /* y = x*x; loss = 3*sum(y)/2 ... and y's own gradient */
    struct sft_tensor *result = tensor_of(4, NULL);
    struct sft_graph *g = test_graph();
    sft_value base = sft_graph_tensor(g, result), wanted[2], grads[2], loss;
    (void)state;
    wanted[0] = sft_graph_tensor(g, tensor_of(2, x0));
    wanted[1] = sft_mul(g, wanted[0], wanted[0]);
    loss = sft_sum_to(g, sft_add(g, wanted[1], sft_scale(g, wanted[1], 0.5f), 1.0f), SFT_SHAPE(1), 1.0f);
    assert_int_equal(sft_autodiff(g, loss, wanted, 2, grads), SFT_OK);
    sft_graph_place(g, grads[0], base, 0);
    sft_graph_place(g, sft_scale(g, grads[1], 8.0f / 3.0f), base, 2);
    run_once(g);
    assert_numbers(result, 4, want);
}

static void places_share_a_tensor(void **state)
{
    static const float x0[4] = {1, -2, 3, -4};
    static const float want[12] = {7, 1, 0, 3, 0, 2, -4, 6, -8, 7, 1, 7};
    struct sft_tensor *flat = tensor_of(12, NULL);
    struct sft_graph *g = test_graph();
    sft_value x = sft_graph_tensor(g, tensor_of(4, x0)), base = sft_graph_tensor(g, flat);
    float sevens[12];
    (void)state;
    for (int i = 0; i < 12; i++) sevens[i] = 7;
    assert_int_equal(sft_tensor_upload(flat, 0, 12, sevens), SFT_OK);
    sft_value relu = sft_relu(g, x), doubled = sft_scale(g, x, 2.0f);
    assert_int_equal(sft_graph_place(g, relu, base, 1), relu);
    assert_int_equal(sft_graph_place(g, doubled, base, 5), doubled);
    sft_value one = sft_view(g, relu, 0, SFT_SHAPE(1)); /* has a place: is copied */
    assert_int_not_equal(sft_graph_place(g, one, base, 10), one);
    run_once(g);
    assert_numbers(flat, 12, want);
}

static void wrong_places(void **state)
{
    (void)state;
    test_catch_log();
    for (int i = 0; i < 6; i++) {
        struct sft_graph *g = test_graph();
        sft_value x = X(4), base = X(10), y = sft_relu(g, x), index;
        sft_max_pool(g, X(1, 2, 2, 1), POOL(.kernel = {2, 2}, .stride = {1, 1}), &index);
        sft_value places[][2] = {{y, base},     {y, base},     {y, sft_relu(g, base)},
                                 {y, SFT_NONE}, {index, base}, {y, WORDS(10)}};
        int64_t offsets[] = {7, -1, 0, 0, 0, 0};
        assert_int_equal(sft_graph_place(g, places[i][0], places[i][1], offsets[i]), SFT_NONE);
        assert_int_equal(sft_graph_status(g), SFT_USAGE);
        assert_string_not_equal(test_log(), "");
    }
}

/* ---- values that share memory ---- */

/* Each makes a graph on two bound tensors of 8 and gives what the refusal says; NULL: it is right. */

static const char *beside_each_other(struct sft_graph *g, sft_value a, sft_value b)
{
    sft_graph_place(g, sft_scale(g, sft_view(g, a, 0, SFT_SHAPE(4)), 2.0f), b, 4);
    sft_graph_place(g, sft_scale(g, sft_view(g, a, 4, SFT_SHAPE(4)), 3.0f), b, 0);
    return NULL;
}

static const char *over_each_other(struct sft_graph *g, sft_value a, sft_value b)
{
    sft_graph_place(g, sft_scale(g, sft_view(g, a, 0, SFT_SHAPE(5)), 2.0f), b, 0);
    sft_graph_place(g, sft_relu(g, sft_view(g, a, 4, SFT_SHAPE(4))), b, 4);
    return "scale and relu: their results are placed over each other in numbers";
}

static const char *over_each_other_by_two_names(struct sft_graph *g, sft_value a, sft_value b)
{
    sft_value again = sft_graph_tensor(g, g->values[b].tensor);
    sft_graph_place(g, sft_scale(g, a, 2.0f), b, 0);
    sft_graph_place(g, sft_relu(g, a), again, 0);
    return "scale and relu: their results are placed over each other";
}

static const char *in_place(struct sft_graph *g, sft_value a, sft_value b)
{
    sft_graph_place(g, sft_add(g, b, a, 1.0f), b, 0);
    return NULL;
}

static const char *over_a_broadcast_operand(struct sft_graph *g, sft_value a, sft_value b)
{
    sft_graph_place(g, sft_add(g, a, b, 1.0f), b, 0);
    return "add: writes to numbers where its input 1 lies";
}

static const char *over_a_shifted_operand(struct sft_graph *g, sft_value a, sft_value b)
{
    (void)a;
    sft_graph_place(g, sft_scale(g, sft_view(g, b, 0, SFT_SHAPE(4)), 2.0f), b, 2);
    return "scale: writes to numbers where its input 0 lies";
}

static const char *over_what_it_permutes(struct sft_graph *g, sft_value a, sft_value b)
{
    (void)a;
    sft_graph_place(g, sft_permute(g, sft_view(g, b, 0, SFT_SHAPE(2, 4)), (const int[]){1, 0}), b, 0);
    return "permute: writes to numbers where its input 0 lies";
}

static void update(struct sft_graph *g, sft_value w, sft_value gradient)
{
    static const float hyper[SFT_HYPER_COUNT] = {[SFT_HYPER_LR] = 0.5f};
    sft_sgd(g, w, sft_graph_tensor(g, tensor_of(8, NULL)), gradient,
            sft_graph_tensor(g, tensor_of(SFT_HYPER_COUNT, hyper)), (struct sft_update_params){0});
}

static const char *updated_before_it_is_read(struct sft_graph *g, sft_value a, sft_value b)
{
    sft_value placed = sft_graph_place(g, sft_scale(g, a, 2.0f), b, 0);
    update(g, b, a);
    sft_relu(g, sft_view(g, placed, 2, SFT_SHAPE(3)));
    return "scale: its result lies in numbers, which sgd updates before relu has read it";
}

static const char *read_and_then_updated(struct sft_graph *g, sft_value a, sft_value b)
{
    sft_relu(g, sft_graph_place(g, sft_scale(g, a, 2.0f), b, 0));
    update(g, b, a);
    return NULL;
}

static const char *updated_and_then_placed(struct sft_graph *g, sft_value a, sft_value b)
{
    update(g, b, a);
    sft_relu(g, sft_graph_place(g, sft_scale(g, b, 2.0f), b, 0));
    return NULL;
}

static const char *update_from_itself(struct sft_graph *g, sft_value a, sft_value b)
{
    (void)a;
    update(g, b, b);
    return "sgd: writes to numbers where its input 2 lies";
}

static void sharing_memory(void **state)
{
    static const char *(*const cases[])(struct sft_graph *, sft_value,
                                        sft_value) = {beside_each_other,
                                                      over_each_other,
                                                      over_each_other_by_two_names,
                                                      in_place,
                                                      over_a_broadcast_operand,
                                                      over_a_shifted_operand,
                                                      over_what_it_permutes,
                                                      updated_before_it_is_read,
                                                      read_and_then_updated,
                                                      updated_and_then_placed,
                                                      update_from_itself};
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct sft_graph *g = test_graph();
        struct sft_program *program;
        sft_value a = sft_graph_tensor(g, tensor_of(8, NULL)), b = sft_graph_tensor(g, tensor_of(8, NULL));
        const char *refusal = cases[i](g, a, b);
        assert_int_equal(sft_graph_status(g), SFT_OK);
        test_catch_log();
        if (sft_program_create(test_device(), g, &program) != (refusal ? SFT_USAGE : SFT_OK))
            fail_msg("sharing %zu: not %s; said: %s", i, refusal ? refusal : "accepted", test_log());
        if (refusal) test_expect_last(refusal);
        test_release_log();
        sft_program_destroy(&program);
    }
}

/* The product reads a tensor that the ReLU behind it writes: the two must stay apart. */
static void a_relu_is_not_fused_over_an_operand(void **state)
{
    static const float x0[4] = {1, -2, 3, -4}, m0[4] = {0, 1, 1, 0}, want[4] = {0, 1, 0, 3};
    struct sft_tensor *numbers = tensor_of(4, x0);
    struct sft_graph *g = test_graph();
    sft_value base = sft_graph_tensor(g, numbers), x = sft_view(g, base, 0, SFT_SHAPE(2, 2)), y;
    (void)state;
    y = sft_matmul(g, x, sft_view(g, sft_graph_tensor(g, tensor_of(4, m0)), 0, SFT_SHAPE(2, 2)), SFT_NONE,
                   (struct sft_matmul_params){0});
    sft_graph_place(g, sft_relu(g, y), base, 0);
    assert_int_equal(count_nodes(sft_program_graph(test_program(g)), &sft_op_relu), 1);
    run_once(g);
    assert_numbers(numbers, 4, want);
}

/* What was read before an update is old, what is read after it is new; the next run goes on from there. */
static void updates_happen_in_order(void **state)
{
    static const float w0[2] = {1, 2}, g0[2] = {1, -1}, old[2] = {1, 2}, new[2] = {0.5f, 2.5f},
                       newer[2] = {0, 3};
    static const float hyper[SFT_HYPER_COUNT] = {[SFT_HYPER_LR] = 0.5f};
    struct sft_tensor *before = tensor_of(2, NULL), *after = tensor_of(2, NULL), *weight = tensor_of(2, w0);
    struct sft_graph *g = test_graph();
    sft_value w = sft_graph_tensor(g, weight);
    struct sft_program *program;
    (void)state;
    sft_graph_place(g, sft_scale(g, w, 1.0f), sft_graph_tensor(g, before), 0);
    sft_sgd(g, w, sft_graph_tensor(g, tensor_of(2, NULL)), sft_graph_tensor(g, tensor_of(2, g0)),
            sft_graph_tensor(g, tensor_of(SFT_HYPER_COUNT, hyper)), (struct sft_update_params){0});
    sft_graph_place(g, sft_scale(g, w, 1.0f), sft_graph_tensor(g, after), 0);
    assert_int_equal(sft_graph_status(g), SFT_OK);
    program = test_program(g);
    assert_int_equal(sft_program_run(program), SFT_OK);
    assert_numbers(before, 2, old);
    assert_numbers(after, 2, new);
    assert_int_equal(sft_program_run(program), SFT_OK);
    assert_numbers(before, 2, new);
    assert_numbers(after, 2, newer);
    assert_numbers(weight, 2, newer);
}

/* A view of a temporary keeps it alive while other temporaries come and go. */
static void views_keep_their_base(void **state)
{
    static const float x0[6] = {1, 2, 3, 4, 5, 6}, want[2] = {10, 12};
    struct sft_tensor *result = tensor_of(2, NULL);
    struct sft_graph *g = test_graph();
    sft_value x = sft_graph_tensor(g, tensor_of(6, x0)), y = sft_scale(g, x, 2.0f), view, other;
    (void)state;
    view = sft_view(g, sft_view(g, y, 2, SFT_SHAPE(2, 2)), 2, SFT_SHAPE(2));
    other = x;
    for (int i = 0; i < 5; i++) other = sft_add(g, other, other, 1.0f);
    other = sft_scale(g, sft_sum_to(g, other, SFT_SHAPE(1), 1.0f), 0.0f);
    sft_graph_place(g, sft_add(g, view, other, 1.0f), sft_graph_tensor(g, result), 0);
    run_once(g);
    assert_numbers(result, 2, want);
}

#define TEST(function) cmocka_unit_test_teardown(function, test_release)

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        TEST(wrong_calls_are_refused),
        TEST(every_op_has_a_wrong_call),
        TEST(missing_inputs_are_refused),
        TEST(every_op_decides_about_its_gradient),
        TEST(norm_gradients_need_no_weight_gradients),
        TEST(upper_norm_alone_stops_there),
        TEST(all_weights),
        TEST(unreached_values_have_no_gradient),
        TEST(wrong_losses),
        TEST(gradients_at_other_outputs_are_refused),
        TEST(unused_outputs_are_no_matter),
        TEST(integers_have_no_gradient),
        TEST(gradients_of_a_value_used_often_add_up),
        TEST(intermediate_and_leaf_gradients),
        TEST(places_share_a_tensor),
        TEST(wrong_places),
        TEST(sharing_memory),
        TEST(a_relu_is_not_fused_over_an_operand),
        TEST(updates_happen_in_order),
        TEST(views_keep_their_base),
    };
    return test_run_group("ops/graph", argc, argv, tests, sizeof(tests) / sizeof(tests[0]));
}

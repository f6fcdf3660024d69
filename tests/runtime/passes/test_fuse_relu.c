/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pass that moves ReLUs into the op before them: what it takes and what it leaves, and that a network
 * written with plain ReLUs becomes node by node the one whose ops were told to hold them.
 */
#include <string.h>

#include "runtime/autodiff.h"
#include "runtime/base/rng.h"
#include "runtime/passes.h"
#include "tests/support/harness.h"

static const struct sft_conv2d_params same_size = {
    .stride = {1, 1}, .pad = {1, 1}, .dilation = {1, 1}, .groups = 1};
static const struct sft_group_norm_params two_groups = {.groups = 2, .epsilon = 1e-5f};

static sft_value input(struct sft_graph *g, struct sft_shape shape)
{
    return sft_graph_input(g, "x", SFT_F32, shape);
}

static sft_value conv(struct sft_graph *g)
{
    return sft_conv2d(g, input(g, SFT_SHAPE(2, 4, 4, 4)), input(g, SFT_SHAPE(3, 3, 4, 4)), SFT_NONE,
                      same_size);
}

static sft_value product(struct sft_graph *g)
{
    struct sft_matmul_params plain = {0};
    return sft_matmul(g, input(g, SFT_SHAPE(3, 4)), input(g, SFT_SHAPE(4, 5)), SFT_NONE, plain);
}

static sft_value norm(struct sft_graph *g)
{
    sft_value x = input(g, SFT_SHAPE(2, 4, 4, 4)), gamma = input(g, SFT_SHAPE(4));
    return sft_group_norm(g, x, gamma, input(g, SFT_SHAPE(4)), SFT_NONE, SFT_NONE, two_groups).y;
}

static sft_value sum_of_squares(struct sft_graph *g, sft_value y)
{
    return sft_sum_to(g, sft_mul(g, y, y), SFT_SHAPE(1), 1.0f);
}

static void run_passes(struct sft_graph *g)
{
    assert_int_equal(sft_graph_status(g), SFT_OK);
    assert_int_equal(sft_passes_run(g, &(struct sft_pass_limits){0, NULL}), SFT_OK);
}

static int count_nodes(const struct sft_graph *graph, const struct sft_op *op)
{
    int count = 0;
    for (size_t k = 0; k < graph->n_nodes; k++) count += graph->nodes[k].op == op;
    return count;
}

/* ---- what it takes ---- */

static void products_and_norms_take_a_relu(void **state)
{
    sft_value (*const makers[])(struct sft_graph * g) = {conv, product, norm};
    (void)state;
    for (size_t i = 0; i < sizeof(makers) / sizeof(makers[0]); i++) {
        struct sft_graph *g = test_graph();
        sft_value y = sft_relu(g, makers[i](g)), reader = sft_scale(g, y, 2.0f);
        run_passes(g);
        assert_int_equal(g->n_nodes, 2);
        assert_int_equal(g->nodes[0].out[0], y);
        assert_int_equal(g->values[y].node, 0);
        assert_int_equal(g->values[reader].node, 1);
    }
}

static void a_result_in_a_tensor_is_written_there(void **state)
{
    struct sft_graph *g = test_graph();
    sft_value base = input(g, SFT_SHAPE(200)), y = sft_relu(g, conv(g));
    (void)state;
    assert_int_equal(sft_graph_place(g, y, base, 8), y);
    run_passes(g);
    assert_int_equal(g->n_nodes, 1);
    assert_int_equal(g->nodes[0].out[0], y);
    assert_int_equal(g->values[y].base, base);
}

/* ---- what it leaves ---- */

static void expect_untouched(struct sft_graph *g)
{
    size_t before = g->n_nodes;
    run_passes(g);
    assert_int_equal(g->n_nodes, before);
    for (size_t k = 0; k < g->n_nodes; k++)
        if (g->nodes[k].op == &sft_op_conv2d)
            assert_int_equal(SFT_NODE_PARAMS(struct sft_conv2d_params, &g->nodes[k])->relu, 0);
}

static void operands_that_others_read_stay(void **state)
{
    struct sft_graph *g = test_graph();
    sft_value z = conv(g);
    (void)state;
    sft_add(g, sft_relu(g, z), z, 1.0f);
    expect_untouched(g);
}

static void operands_that_views_read_stay(void **state)
{
    struct sft_graph *g = test_graph();
    sft_value z = conv(g);
    (void)state;
    sft_relu(g, z);
    sft_reshape(g, z, SFT_SHAPE(128));
    expect_untouched(g);
}

static void operands_in_a_tensor_stay(void **state)
{
    struct sft_graph *g = test_graph();
    sft_value base = input(g, SFT_SHAPE(128)), z = conv(g);
    (void)state;
    sft_relu(g, sft_graph_place(g, z, base, 0));
    expect_untouched(g);
}

/* The tensor that the result goes to is read in between, with its old contents. */
static void results_are_not_written_too_early(void **state)
{
    struct sft_graph *g = test_graph();
    sft_value base = input(g, SFT_SHAPE(128)), z = conv(g);
    (void)state;
    sft_scale(g, base, 2.0f);
    sft_graph_place(g, sft_relu(g, z), base, 0);
    expect_untouched(g);
}

static void other_ops_keep_their_relu(void **state)
{
    struct sft_graph *g = test_graph();
    sft_value x = sft_relu(g, input(g, SFT_SHAPE(7)));
    (void)state;
    sft_relu(g, sft_relu(g, sft_scale(g, x, 2.0f)));
    expect_untouched(g);
}

/* ---- gradients behind a norm ---- */

static void norm_gradients_mask_by_themselves(void **state)
{
    struct sft_graph *g = test_graph();
    sft_value y = norm(g), wanted[] = {0, 1, 2}, grads[3];
    sft_value loss = sum_of_squares(g, sft_relu(g, y));
    (void)state;
    assert_int_equal(sft_autodiff(g, loss, wanted, 3, grads), SFT_OK);
    assert_int_equal(count_nodes(g, &sft_op_relu_grad), 1);
    run_passes(g);
    assert_int_equal(count_nodes(g, &sft_op_relu), 0);
    assert_int_equal(count_nodes(g, &sft_op_relu_grad), 0);
    for (size_t k = 0; k < g->n_nodes; k++)
        if (g->nodes[k].op == &sft_op_group_norm_sums || g->nodes[k].op == &sft_op_group_norm_dx)
            assert_int_equal(SFT_NODE_PARAMS(struct sft_group_norm_params, &g->nodes[k])->relu, 1);
}

static void masked_gradients_that_others_read_stay(void **state)
{
    struct sft_graph *g = test_graph();
    sft_value z = norm(g), wanted[] = {0, 1, z}, grads[3];
    sft_value loss = sum_of_squares(g, sft_relu(g, z));
    (void)state;
    assert_int_equal(sft_autodiff(g, loss, wanted, 3, grads), SFT_OK);
    sft_scale(g, grads[2], 2.0f);
    run_passes(g);
    assert_int_equal(count_nodes(g, &sft_op_relu), 0);
    assert_int_equal(count_nodes(g, &sft_op_relu_grad), 1);
}

/* ---- a network ---- */

enum style {
    PLAIN,   /* ReLUs of their own */
    FLAGGED, /* ops that were told to hold them */
    READ,    /* ReLUs that cannot be moved, because their operands are read again */
    N_STYLES
};

enum { N_WEIGHTS = 5, N_RESULTS = N_WEIGHTS, LARGEST = 144 };

struct network {
    struct sft_graph *graph;
    struct sft_tensor *weights[N_WEIGHTS], *results[N_RESULTS];
    sft_value values[N_WEIGHTS];
};

static const struct sft_shape weight_shapes[N_WEIGHTS] = {
    {4, {2, 4, 4, 4}}, {4, {3, 3, 4, 4}}, {1, {4}}, {1, {4}}, {2, {4, 5}}};

static void make_tensors(struct network *network)
{
    for (int i = 0; i < N_WEIGHTS; i++) {
        int64_t count = sft_shape_count(&weight_shapes[i]);
        float numbers[LARGEST];
        struct sft_rng rng;
        sft_rng_init(&rng, (uint64_t)i, SFT_STREAM_TEST, 0);
        for (int64_t k = 0; k < count; k++) numbers[k] = sft_rng_normal(&rng);
        network->weights[i] = test_tensor("weight", SFT_F32, weight_shapes[i]);
        network->results[i] = test_tensor("result", SFT_F32, weight_shapes[i]);
        assert_int_equal(sft_tensor_upload(network->weights[i], 0, count, numbers), SFT_OK);
        network->values[i] = sft_graph_tensor(network->graph, network->weights[i]);
    }
}

static sft_value relu(struct network *network, enum style style, sft_value z)
{
    struct sft_graph *g = network->graph;
    struct sft_tensor *seen;
    if (style == FLAGGED) return z;
    if (style == READ) {
        seen = test_tensor("seen", SFT_F32, *sft_graph_shape(g, z));
        sft_graph_place(g, sft_scale(g, z, 1.0f), sft_graph_tensor(g, seen), 0);
    }
    return sft_relu(g, z);
}

/* |relu(relu(norm(relu(conv(x, w)))) v)|^2 and its gradient with respect to all of its inputs. */
static struct network make_network(enum style style)
{
    struct network network = {.graph = test_graph()};
    struct sft_graph *g = network.graph;
    struct sft_conv2d_params conv_params = same_size;
    struct sft_group_norm_params norm_params = two_groups;
    struct sft_matmul_params product_params = {0};
    sft_value *in = network.values, grads[N_WEIGHTS], y;
    conv_params.relu = norm_params.relu = product_params.relu = style == FLAGGED;
    make_tensors(&network);
    y = relu(&network, style, sft_conv2d(g, in[0], in[1], SFT_NONE, conv_params));
    y = relu(&network, style, sft_group_norm(g, y, in[2], in[3], SFT_NONE, SFT_NONE, norm_params).y);
    y = sft_reshape(g, y, SFT_SHAPE(32, 4));
    y = relu(&network, style, sft_matmul(g, y, in[4], SFT_NONE, product_params));
    assert_int_equal(sft_autodiff(g, sum_of_squares(g, y), in, N_WEIGHTS, grads), SFT_OK);
    for (int i = 0; i < N_WEIGHTS; i++)
        sft_graph_place(g, grads[i], sft_graph_tensor(g, network.results[i]), 0);
    assert_int_equal(sft_graph_status(g), SFT_OK);
    return network;
}

static int relu_of(const struct sft_node *node)
{
    switch (node->op->id) {
    case SFT_ID_conv2d:
        return SFT_NODE_PARAMS(struct sft_conv2d_params, node)->relu;
    case SFT_ID_matmul:
        return SFT_NODE_PARAMS(struct sft_matmul_params, node)->relu;
    case SFT_ID_group_norm:
    case SFT_ID_group_norm_sums:
    case SFT_ID_group_norm_dx:
        return SFT_NODE_PARAMS(struct sft_group_norm_params, node)->relu;
    default:
        return 0;
    }
}

static void plain_networks_become_flagged_ones(void **state)
{
    struct sft_graph *plain = make_network(PLAIN).graph, *flagged = make_network(FLAGGED).graph;
    (void)state;
    assert_true(plain->n_nodes > flagged->n_nodes);
    run_passes(plain);
    assert_int_equal(plain->n_nodes, flagged->n_nodes);
    for (size_t k = 0; k < plain->n_nodes; k++) {
        assert_ptr_equal(plain->nodes[k].op, flagged->nodes[k].op);
        assert_int_equal(relu_of(&plain->nodes[k]), relu_of(&flagged->nodes[k]));
        for (int i = 0; i < plain->nodes[k].n_in; i++)
            assert_int_equal(plain->nodes[k].in[i] == SFT_NONE, flagged->nodes[k].in[i] == SFT_NONE);
    }
}

static void run_network(enum style style, float results[N_RESULTS][LARGEST])
{
    struct network network = make_network(style);
    struct sft_program *program = test_program(network.graph);
    assert_int_equal(sft_program_run(program), SFT_OK);
    for (int i = 0; i < N_RESULTS; i++) {
        int64_t count = sft_shape_count(&weight_shapes[i]);
        assert_int_equal(sft_tensor_download(network.results[i], 0, count, results[i]), SFT_OK);
    }
}

static void results_are_the_same(void **state)
{
    static float results[N_STYLES][N_RESULTS][LARGEST];
    (void)state;
    for (int style = 0; style < N_STYLES; style++) run_network((enum style)style, results[style]);
    for (int i = 0; i < N_RESULTS; i++)
        for (int64_t k = 0; k < sft_shape_count(&weight_shapes[i]); k++) {
            assert_memory_equal(&results[PLAIN][i][k], &results[FLAGGED][i][k], sizeof(float));
            assert_float_equal(results[PLAIN][i][k], results[READ][i][k], 1e-5);
        }
    assert_true(results[PLAIN][0][0] != 0.0f);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(products_and_norms_take_a_relu, test_release),
        cmocka_unit_test_teardown(a_result_in_a_tensor_is_written_there, test_release),
        cmocka_unit_test_teardown(operands_that_others_read_stay, test_release),
        cmocka_unit_test_teardown(operands_that_views_read_stay, test_release),
        cmocka_unit_test_teardown(operands_in_a_tensor_stay, test_release),
        cmocka_unit_test_teardown(results_are_not_written_too_early, test_release),
        cmocka_unit_test_teardown(other_ops_keep_their_relu, test_release),
        cmocka_unit_test_teardown(norm_gradients_mask_by_themselves, test_release),
        cmocka_unit_test_teardown(masked_gradients_that_others_read_stay, test_release),
        cmocka_unit_test_teardown(plain_networks_become_flagged_ones, test_release),
        cmocka_unit_test_teardown(results_are_the_same, test_release),
    };
    return test_run_group("runtime/passes/fuse_relu", argc, argv, tests, sizeof(tests) / sizeof(tests[0]));
}

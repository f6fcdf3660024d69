/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pass that computes values again: a small residual network with dropout, by hand. What the gradient
 * reads late is copied and not kept, the arena gets as small as was asked for, results are the same bits, and
 * what must not run twice does not.
 */
#include <string.h>

#include "runtime/autodiff.h"
#include "runtime/base/rng.h"
#include "runtime/passes.h"
#include "runtime/plan.h"
#include "tests/support/harness.h"

enum { UNITS = 6, ROWS = 64, WIDTH = 32, VALUES = ROWS * WIDTH, WEIGHTS = WIDTH * WIDTH };

struct network {
    struct sft_graph *graph;
    struct sft_tensor *x, *key, *weights[UNITS], *results[UNITS], *counter;
};

static void fill(struct sft_tensor *tensor, uint64_t seed)
{
    int64_t count = sft_shape_count(&tensor->shape);
    float *numbers = test_alloc((size_t)count, sizeof(float));
    struct sft_rng rng;
    sft_rng_init(&rng, seed, SFT_STREAM_TEST, 0);
    for (int64_t i = 0; i < count; i++) numbers[i] = sft_rng_normal(&rng) * 0.3f;
    assert_int_equal(sft_tensor_upload(tensor, 0, count, numbers), SFT_OK);
}

/* x <- x + dropout(gelu(x)) w, six times; |x|^2; the gradient by each w. `mutates`: the key's neighbour,
 * which the third unit reads, is updated after the forward pass. */
static struct network make_network(bool mutates)
{
    static const int32_t key[4] = {1, 2, 3, 0};
    struct network n = {.graph = test_graph()};
    struct sft_graph *g = n.graph;
    sft_value w[UNITS], grads[UNITS], x, keys, counter, velocity;
    n.x = test_tensor("x", SFT_F32, SFT_SHAPE(ROWS, WIDTH));
    n.key = test_tensor("key", SFT_I32, SFT_SHAPE(4));
    n.counter = test_tensor("counter", SFT_F32, SFT_SHAPE(WIDTH));
    fill(n.x, 100);
    fill(n.counter, 101);
    assert_int_equal(sft_tensor_upload(n.key, 0, 4, key), SFT_OK);
    x = sft_graph_tensor(g, n.x);
    keys = sft_graph_tensor(g, n.key);
    counter = sft_graph_tensor(g, n.counter);
    velocity = sft_graph_tensor(g, test_tensor("velocity", SFT_F32, SFT_SHAPE(WIDTH)));
    for (int i = 0; i < UNITS; i++) {
        sft_value a;
        n.weights[i] = test_tensor("weight", SFT_F32, SFT_SHAPE(WIDTH, WIDTH));
        n.results[i] = test_tensor("result", SFT_F32, SFT_SHAPE(WIDTH, WIDTH));
        fill(n.weights[i], (uint64_t)i);
        w[i] = sft_graph_tensor(g, n.weights[i]);
        a = sft_dropout(g, sft_gelu(g, x), keys, (struct sft_dropout_params){0.25f, (uint32_t)i});
        if (i == 2) a = sft_gelu(g, sft_mul(g, a, counter));
        x = sft_add(g, sft_matmul(g, a, w[i], SFT_NONE, (struct sft_matmul_params){0}), x, 1.0f);
    }
    x = sft_sum_to(g, sft_mul(g, x, x), SFT_SHAPE(1), 1.0f);
    if (mutates) {
        sft_value hyper = sft_graph_tensor(g, test_tensor("hyper", SFT_F32, SFT_SHAPE(SFT_HYPER_COUNT)));
        sft_sgd(g, counter, velocity, sft_scale(g, counter, 1.0f), hyper, (struct sft_update_params){0});
    }
    assert_int_equal(sft_autodiff(g, x, w, UNITS, grads), SFT_OK);
    for (int i = 0; i < UNITS; i++) sft_graph_place(g, grads[i], sft_graph_tensor(g, n.results[i]), 0);
    assert_int_equal(sft_graph_status(g), SFT_OK);
    return n;
}

static size_t no_scratch(const struct sft_graph *graph, const struct sft_node *node)
{
    (void)graph;
    (void)node;
    return 0;
}

static size_t arena_of(const struct sft_graph *graph)
{
    struct sft_plan *plan;
    size_t arena;
    assert_int_equal(sft_plan_create(graph, no_scratch, &plan), SFT_OK);
    arena = plan->arena;
    assert_true(plan->least <= arena);
    sft_plan_destroy(&plan);
    return arena;
}

static size_t run_passes(struct sft_graph *graph, size_t most)
{
    assert_int_equal(sft_passes_run(graph, &(struct sft_pass_limits){most, no_scratch}), SFT_OK);
    return arena_of(graph);
}

static int count_again(const struct sft_graph *graph, const struct sft_op *op)
{
    int count = 0;
    for (size_t k = 0; k < graph->n_nodes; k++)
        count += graph->nodes[k].again && (!op || graph->nodes[k].op == op);
    return count;
}

/* ---- the graph ---- */

static void enough_memory_changes_nothing(void **state)
{
    struct network network = make_network(false);
    size_t whole = arena_of(network.graph), nodes = network.graph->n_nodes;
    (void)state;
    assert_int_equal(run_passes(network.graph, whole), whole);
    assert_int_equal(run_passes(network.graph, 0), whole);
    assert_int_equal(network.graph->n_nodes, nodes);
    assert_int_equal(count_again(network.graph, NULL), 0);
}

/* A unit keeps x, gelu(x) and its dropout: three values of 8 KiB. The two last ones are cheap. */
static void cheap_values_go_first(void **state)
{
    struct network network = make_network(false);
    struct sft_graph *graph = network.graph;
    size_t whole = arena_of(graph);
    (void)state;
    assert_true(run_passes(graph, whole * 3 / 4) <= whole * 3 / 4);
    assert_true(count_again(graph, &sft_op_dropout) > 0);
    assert_int_equal(count_again(graph, &sft_op_matmul), 0);
}

static void products_follow(void **state)
{
    struct network network = make_network(false);
    struct sft_graph *graph = network.graph;
    size_t least, values = VALUES * sizeof(float);
    (void)state;
    least = run_passes(graph, 1); /* as little as it can */
    assert_true(count_again(graph, &sft_op_matmul) > 0);
    assert_true(least <= 8 * values);
    assert_true(arena_of(make_network(false).graph) >= 12 * values);
}

/* A copy stands right before what needs it, and every value is made before it is read. */
static void copies_stand_in_order(void **state)
{
    struct sft_graph *graph = make_network(false).graph;
    (void)state;
    run_passes(graph, 1);
    for (size_t k = 0; k < graph->n_nodes; k++) {
        const struct sft_node *node = &graph->nodes[k];
        for (int i = 0; i < node->n_in; i++)
            if (node->in[i] != SFT_NONE) assert_true(graph->values[node->in[i]].node < (int32_t)k);
        for (int i = 0; i < node->n_out; i++) assert_int_equal(graph->values[node->out[i]].node, k);
        if (node->again) assert_true(node->gradient && !node->op->mutates);
    }
}

/* The third unit's product with what is updated behind the forward pass would be another one. */
static void what_reads_old_contents_is_kept(void **state)
{
    struct sft_graph *still = make_network(false).graph, *moving = make_network(true).graph;
    (void)state;
    run_passes(still, 1);
    run_passes(moving, 1);
    assert_int_equal(count_again(still, &sft_op_mul), 1);
    assert_int_equal(count_again(moving, &sft_op_mul), 0);
    assert_int_equal(count_again(moving, &sft_op_sgd), 0);
}

/* ---- the numbers ---- */

static void take_results(const struct network *network, size_t most, float *results)
{
    struct sft_planned planned;
    struct sft_program *program;
    assert_int_equal(sft_program_plan(test_device(), network->graph, most, &planned), SFT_OK);
    if (most > 1) assert_true(planned.plan->arena <= most);
    assert_int_equal(sft_program_make(test_device(), &planned, NULL, &program), SFT_OK);
    assert_int_equal(sft_program_run(program), SFT_OK);
    for (int i = 0; i < UNITS; i++)
        assert_int_equal(sft_tensor_download(network->results[i], 0, WEIGHTS, results + i * WEIGHTS), SFT_OK);
    sft_program_destroy(&program);
}

static void results_are_the_same_bits(void **state)
{
    static float whole[UNITS * WEIGHTS], less[UNITS * WEIGHTS];
    struct network network = make_network(false);
    struct sft_planned planned;
    size_t arena;
    (void)state;
    assert_int_equal(sft_program_plan(test_device(), network.graph, 0, &planned), SFT_OK);
    arena = planned.plan->arena;
    sft_planned_free(&planned);
    take_results(&network, 0, whole);
    assert_true(whole[0] != 0.0f);
    for (size_t k = 0; k < 3; k++) {
        const size_t most[] = {arena * 9 / 10, arena * 3 / 4, 1};
        memset(less, 0, sizeof(less));
        take_results(&network, most[k], less);
        assert_memory_equal(less, whole, sizeof(whole));
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(enough_memory_changes_nothing, test_release),
        cmocka_unit_test_teardown(cheap_values_go_first, test_release),
        cmocka_unit_test_teardown(products_follow, test_release),
        cmocka_unit_test_teardown(copies_stand_in_order, test_release),
        cmocka_unit_test_teardown(what_reads_old_contents_is_kept, test_release),
        cmocka_unit_test_teardown(results_are_the_same_bits, test_release),
    };
    return test_run_group("runtime/passes/recompute", argc, argv, tests, sizeof(tests) / sizeof(tests[0]));
}

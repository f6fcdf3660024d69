/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Plans, by brute force: the arena is played through node by node, each word marked with the value that was
 * written there last. Reading a value whose words carry another mark means that two live values overlapped.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/base/rng.h"
#include "runtime/cpu/kernels.h"
#include "runtime/ops.h"
#include "runtime/plan.h"
#include "tests/support/cm.h"

struct region {
    size_t first, last; /* words; first == last: none, or not in the arena */
};

struct play {
    const struct sft_graph *graph;
    const struct sft_plan *plan;
    sft_value *mark; /* by word of the arena */
};

static struct region region_of(const struct play *play, sft_value value)
{
    const struct sft_place *place;
    if (value == SFT_NONE) return (struct region){0, 0};
    place = &play->plan->values[value];
    if (place->root != SFT_NONE) return (struct region){0, 0};
    assert_true(place->offset % 4 == 0);
    return (struct region){place->offset / 4,
                           place->offset / 4 + (size_t)sft_shape_count(&play->graph->values[value].shape)};
}

static bool overlap(struct region a, struct region b) { return a.first < b.last && b.first < a.last; }

static sft_value root_of(const struct sft_graph *graph, sft_value value)
{
    while (graph->values[value].base != SFT_NONE) value = graph->values[value].base;
    return value;
}

static void check_inputs(const struct play *play, size_t k)
{
    const struct sft_node *node = &play->graph->nodes[k];
    for (int i = 0; i < node->n_in; i++) {
        struct region region = region_of(play, node->in[i]);
        for (size_t word = region.first; word < region.last; word++)
            if (play->mark[word] != root_of(play->graph, node->in[i]))
                fail_msg("node %zu (%s): input %d was overwritten by value %d", k, node->op->name, i,
                         play->mark[word]);
    }
}

static void check_outputs(const struct play *play, size_t k)
{
    const struct sft_node *node = &play->graph->nodes[k];
    for (int j = 0; j < node->n_out; j++) {
        struct region out = region_of(play, node->out[j]);
        assert_true(out.last * 4 <= play->plan->arena);
        if (out.first != out.last) assert_int_equal(out.first * 4 % SFT_PLAN_ALIGNMENT, 0);
        for (int l = 0; l < j; l++) assert_false(overlap(out, region_of(play, node->out[l])));
        for (int i = 0; i < node->n_in; i++) {
            struct region in = region_of(play, node->in[i]);
            bool over =
                j == 0 && (node->op->in_place >> i & 1) && in.first == out.first && in.last == out.last;
            if (overlap(in, out) && !over)
                fail_msg("node %zu (%s): output %d overlaps input %d", k, node->op->name, j, i);
        }
    }
}

static void check_scratch(const struct play *play, size_t k)
{
    const struct sft_node *node = &play->graph->nodes[k];
    size_t bytes = sft_cpu_scratch(play->graph, node);
    struct region scratch = {play->plan->scratch[k] / 4, (play->plan->scratch[k] + bytes + 3) / 4};
    if (!bytes) return;
    assert_true(scratch.last * 4 <= play->plan->arena);
    for (int i = 0; i < node->n_in; i++) assert_false(overlap(scratch, region_of(play, node->in[i])));
    for (int i = 0; i < node->n_out; i++) assert_false(overlap(scratch, region_of(play, node->out[i])));
    for (size_t word = scratch.first; word < scratch.last; word++) play->mark[word] = SFT_NONE;
}

static void play_view(const struct play *play, const struct sft_node *node)
{
    const struct sft_value_info *info = &play->graph->values[node->out[0]];
    const struct sft_place *own = &play->plan->values[node->out[0]], *base = &play->plan->values[info->base];
    assert_int_equal(own->root, base->root);
    assert_int_equal(own->offset, base->offset + (size_t)info->offset * 4);
}

static void play_plan(const struct sft_graph *graph)
{
    struct sft_plan *plan;
    struct play play = {.graph = graph};
    assert_int_equal(sft_plan_create(graph, sft_cpu_scratch, &plan), SFT_OK);
    play.plan = plan;
    play.mark = malloc(plan->arena + 4);
    assert_non_null(play.mark);
    for (size_t word = 0; word < plan->arena / 4; word++) play.mark[word] = SFT_NONE;
    for (size_t k = 0; k < graph->n_nodes; k++) {
        const struct sft_node *node = &graph->nodes[k];
        check_inputs(&play, k);
        if (node->op->view) {
            play_view(&play, node);
            continue;
        }
        check_outputs(&play, k);
        check_scratch(&play, k);
        for (int j = 0; j < node->n_out; j++) {
            struct region out = region_of(&play, node->out[j]);
            for (size_t word = out.first; word < out.last; word++) play.mark[word] = node->out[j];
        }
    }
    free(play.mark);
    sft_plan_destroy(&plan);
    assert_null(plan);
}

/* ---- random graphs of matrices (side, side), and rows made from them ---- */

enum { POOL = 12 };

static sft_value pick(struct sft_rng *rng, const sft_value *pool) { return pool[sft_rng_below(rng, POOL)]; }

static sft_value random_node(struct sft_graph *graph, struct sft_rng *rng, const sft_value *pool,
                             sft_value flat)
{
    int64_t n = sft_graph_shape(graph, pool[0])->dim[0];
    struct sft_conv2d_params conv = {.stride = {1, 1}, .pad = {1, 1}, .dilation = {1, 1}, .groups = 1};
    sft_value a = pick(rng, pool), b = pick(rng, pool), image, filter;
    switch (sft_rng_below(rng, 9)) {
    case 0:
        return sft_add(graph, a, b, 1.0f);
    case 1:
        return sft_mul(graph, a, sft_sum_to(graph, b, SFT_SHAPE(n), 1.0f));
    case 2:
        return sft_relu(graph, a);
    case 3:
        return sft_matmul(graph, a, b, SFT_NONE, (struct sft_matmul_params){0});
    case 4:
        return sft_reshape(graph, sft_view(graph, a, 0, SFT_SHAPE(n * n)), SFT_SHAPE(n, n));
    case 5:
        return sft_gelu_grad(graph, a, b);
    case 6:
        return sft_view(graph, sft_concat(graph, a, b, 0), n, SFT_SHAPE(n, n));
    case 7:
        a = sft_scale(graph, a, 2.0f);
        return sft_graph_place(graph, a, flat, (int64_t)sft_rng_below(rng, 100));
    default:
        image = sft_reshape(graph, a, SFT_SHAPE(1, n, n, 1));
        filter = sft_view(graph, b, 0, SFT_SHAPE(3, 3, 1, 1));
        return sft_reshape(graph, sft_conv2d(graph, image, filter, SFT_NONE, conv), SFT_SHAPE(n, n));
    }
}

static void random_graphs(void **state)
{
    (void)state;
    for (int seed = 0; seed < 60; seed++) {
        struct sft_graph *graph;
        sft_value pool[POOL], flat;
        struct sft_rng rng;
        int64_t n;
        sft_rng_init(&rng, (uint64_t)seed, SFT_STREAM_TEST, 0);
        n = 3 + sft_rng_below(&rng, 20);
        assert_int_equal(sft_graph_create(&graph), SFT_OK);
        flat = sft_graph_input(graph, "flat", SFT_F32, SFT_SHAPE(n * n + 100));
        for (int i = 0; i < POOL; i++) pool[i] = sft_graph_input(graph, "x", SFT_F32, SFT_SHAPE(n, n));
        for (int i = 0; i < 150; i++) pool[sft_rng_below(&rng, POOL)] = random_node(graph, &rng, pool, flat);
        assert_int_equal(sft_graph_status(graph), SFT_OK);
        play_plan(graph);
        sft_graph_place(graph, sft_scale(graph, pool[0], 1.0f), flat, 0);
        sft_graph_prune(graph);
        play_plan(graph);
        sft_graph_destroy(&graph);
    }
}

/* ---- known arenas ---- */

static size_t arena_of(const struct sft_graph *graph)
{
    struct sft_plan *plan;
    size_t arena;
    assert_int_equal(sft_plan_create(graph, sft_cpu_scratch, &plan), SFT_OK);
    arena = plan->arena;
    sft_plan_destroy(&plan);
    return arena;
}

static void chains_run_in_place(void **state)
{
    struct sft_graph *graph;
    sft_value x;
    (void)state;
    assert_int_equal(sft_graph_create(&graph), SFT_OK);
    x = sft_graph_input(graph, "x", SFT_F32, SFT_SHAPE(1024));
    for (int i = 0; i < 10; i++) x = sft_relu(graph, x);
    assert_int_equal(arena_of(graph), 4096);
    sft_graph_destroy(&graph);
}

/* One value read at the very end stays, the rest of the chain needs one more place. */
static void kept_values_are_not_written_over(void **state)
{
    struct sft_graph *graph;
    sft_value kept, x;
    (void)state;
    assert_int_equal(sft_graph_create(&graph), SFT_OK);
    x = kept = sft_relu(graph, sft_graph_input(graph, "x", SFT_F32, SFT_SHAPE(1024)));
    for (int i = 0; i < 10; i++) x = sft_relu(graph, x);
    sft_add(graph, x, kept, 1.0f);
    assert_int_equal(arena_of(graph), 2 * 4096);
    play_plan(graph);
    sft_graph_destroy(&graph);
}

static void same_input_twice(void **state)
{
    struct sft_graph *graph;
    sft_value x;
    (void)state;
    assert_int_equal(sft_graph_create(&graph), SFT_OK);
    x = sft_relu(graph, sft_graph_input(graph, "x", SFT_F32, SFT_SHAPE(64)));
    x = sft_add(graph, x, x, 1.0f);
    sft_mul(graph, x, x);
    play_plan(graph);
    sft_graph_destroy(&graph);
}

static void placed_values_take_no_arena(void **state)
{
    struct sft_graph *graph;
    sft_value base;
    (void)state;
    assert_int_equal(sft_graph_create(&graph), SFT_OK);
    base = sft_graph_input(graph, "flat", SFT_F32, SFT_SHAPE(100));
    sft_graph_place(graph, sft_relu(graph, sft_graph_input(graph, "x", SFT_F32, SFT_SHAPE(64))), base, 8);
    assert_int_equal(arena_of(graph), 0);
    sft_graph_destroy(&graph);
}

/* Two ways from x, one of which reaches a tensor; an update that nothing reads stays as well. */
static void pruning_keeps_what_is_seen(void **state)
{
    struct sft_graph *graph;
    sft_value x, seen, unseen, base, hyper, kept;
    (void)state;
    assert_int_equal(sft_graph_create(&graph), SFT_OK);
    x = sft_graph_input(graph, "x", SFT_F32, SFT_SHAPE(64));
    base = sft_graph_input(graph, "flat", SFT_F32, SFT_SHAPE(100));
    hyper = sft_graph_input(graph, "hyper", SFT_F32, SFT_SHAPE(SFT_HYPER_COUNT));
    seen = sft_relu(graph, x);
    unseen = sft_reshape(graph, sft_gelu(graph, seen), SFT_SHAPE(8, 8));
    sft_mul(graph, unseen, unseen);
    kept = sft_scale(graph, seen, 3.0f);
    sft_graph_place(graph, kept, base, 4);
    sft_sgd(graph, x, sft_graph_input(graph, "v", SFT_F32, SFT_SHAPE(64)), seen, hyper,
            (struct sft_update_params){0, 0, 1});
    sft_graph_prune(graph);
    assert_int_equal(sft_graph_status(graph), SFT_OK);
    assert_int_equal(graph->n_nodes, 3);
    assert_string_equal(graph->nodes[0].op->name, "relu");
    assert_string_equal(graph->nodes[1].op->name, "scale");
    assert_string_equal(graph->nodes[2].op->name, "sgd");
    assert_int_equal(graph->values[kept].node, 1);
    assert_int_equal(arena_of(graph), 256);
    sft_graph_destroy(&graph);
}

static void empty_graph(void **state)
{
    struct sft_graph *graph;
    (void)state;
    assert_int_equal(sft_graph_create(&graph), SFT_OK);
    assert_int_equal(arena_of(graph), 0);
    sft_graph_destroy(&graph);
    sft_graph_destroy(&graph); /* allowed on nothing */
}

static void printing_names_every_kernel(void **state)
{
    struct sft_graph *graph;
    struct sft_plan *plan;
    char *text = NULL;
    size_t size = 0;
    FILE *file = open_memstream(&text, &size);
    sft_value x;
    (void)state;
    assert_non_null(file);
    assert_int_equal(sft_graph_create(&graph), SFT_OK);
    x = sft_graph_input(graph, "x", SFT_F32, SFT_SHAPE(5, 7));
    sft_norm2(graph, sft_matmul(graph, x, x, SFT_NONE, (struct sft_matmul_params){.transpose_b = 1}), 0.0f);
    assert_int_equal(sft_plan_create(graph, sft_cpu_scratch, &plan), SFT_OK);
    sft_plan_print(graph, plan, file);
    fclose(file);
    assert_non_null(strstr(text, "matmul"));
    assert_non_null(strstr(text, "norm2"));
    assert_non_null(strstr(text, "2 operations"));
    free(text);
    sft_plan_destroy(&plan);
    sft_graph_destroy(&graph);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_graphs),
        cmocka_unit_test(chains_run_in_place),
        cmocka_unit_test(kept_values_are_not_written_over),
        cmocka_unit_test(same_input_twice),
        cmocka_unit_test(placed_values_take_no_arena),
        cmocka_unit_test(pruning_keeps_what_is_seen),
        cmocka_unit_test(empty_graph),
        cmocka_unit_test(printing_names_every_kernel),
    };
    return cmocka_run_group_tests_name("runtime/plan", tests, NULL, NULL);
}

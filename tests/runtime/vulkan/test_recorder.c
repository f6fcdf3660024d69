/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What ops ask of a device, against invented limits: every op's dispatches fit the smallest device that
 * Vulkan 1.3 allows, and misfits are refused before a driver sees them. No Vulkan is touched.
 */
#ifdef SFT_HAVE_VULKAN
#include <string.h>

#include "runtime/base/log.h"
#include "runtime/ops.h"
#include "runtime/vulkan/kernels.h"
#include "shaders/abi/elementwise.h"
#include "shaders/shaders.h"
#include "tests/support/fixture.h"

static const struct sft_vk_limits smallest = {.max_invocations = 128,
                                              .max_group_size = {128, 128, 64},
                                              .max_groups = {65535, 65535, 65535},
                                              .shared_memory = 16384};

static struct sft_graph *new_graph(void)
{
    struct sft_graph *graph;
    assert_int_equal(sft_graph_create(&graph), SFT_OK);
    return graph;
}

static sft_value input(struct sft_graph *graph, struct sft_shape shape)
{
    return sft_graph_input(graph, "x", SFT_F32, shape);
}

/* Records all nodes and returns the recorder. */
static struct sft_vk_recorder record(const struct sft_graph *graph, const struct sft_vk_limits *limits)
{
    struct sft_vk_recorder recorder = {.limits = *limits};
    for (size_t i = 0; i < graph->n_nodes; i++)
        assert_int_equal(sft_vk_record_node(&recorder, graph, i), SFT_OK);
    return recorder;
}

static uint64_t lanes(const struct sft_vk_dispatch *dispatch)
{
    uint64_t groups = (uint64_t)dispatch->groups[0] * dispatch->groups[1] * dispatch->groups[2];
    return groups * dispatch->spec[SFT_GROUP_SIZE_ID];
}

static void grid_folds(void **state)
{
    const uint64_t counts[] = {1, 65535, 65536, 65535 * 2, UINT64_C(65535) * 65535};
    uint32_t groups[3];
    (void)state;
    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
        sft_vk_grid(&smallest, counts[i], groups);
        assert_true(groups[0] <= 65535 && groups[1] <= 65535 && groups[2] == 1);
        assert_true((uint64_t)groups[0] * groups[1] >= counts[i]);
        assert_true((uint64_t)groups[0] * groups[1] < counts[i] + groups[1]);
    }
}

static void elementwise_covers_all_elements(void **state)
{
    struct sft_graph *graph = new_graph();
    struct sft_vk_recorder recorder;
    (void)state;
    sft_relu(graph, input(graph, SFT_SHAPE(40000, 3, 1001)));
    recorder = record(graph, &smallest);
    assert_int_equal(recorder.count, 1);
    assert_true(lanes(&recorder.dispatches[0]) * 4 >= UINT64_C(40000) * 3003);
    sft_vk_recorder_uninit(&recorder);
    sft_graph_destroy(&graph);
}

static void vec4_needs_alignment(void **state)
{
    struct sft_graph *graph = new_graph();
    sft_value x = input(graph, SFT_SHAPE(64));
    struct sft_vk_recorder recorder;
    (void)state;
    sft_relu(graph, sft_view(graph, x, 4, SFT_SHAPE(32)));
    sft_relu(graph, sft_view(graph, x, 3, SFT_SHAPE(32)));
    recorder = record(graph, &smallest);
    assert_int_equal(recorder.count, 2);
    assert_int_equal(recorder.dispatches[0].spec[SFT_ELEMENTWISE_VEC4_ID], 1);
    assert_int_equal(recorder.dispatches[1].spec[SFT_ELEMENTWISE_VEC4_ID], 0);
    assert_true(recorder.dispatches[0].node < recorder.dispatches[1].node);
    sft_vk_recorder_uninit(&recorder);
    sft_graph_destroy(&graph);
}

static void reductions_share_only_on_gpus(void **state)
{
    struct sft_vk_limits cpu = smallest;
    struct sft_graph *graph = new_graph();
    struct sft_vk_recorder recorder;
    const uint32_t *spec;
    (void)state;
    cpu.cpu_device = true;
    sft_softmax(graph, input(graph, SFT_SHAPE(10, 1000)));
    recorder = record(graph, &smallest);
    spec = recorder.dispatches[0].spec;
    assert_true(spec[SFT_GROUP_SIZE_ID] > spec[SFT_TX_ID]);
    assert_true(spec[SFT_GROUP_SIZE_ID] <= smallest.max_invocations);
    sft_vk_recorder_uninit(&recorder);
    recorder = record(graph, &cpu);
    spec = recorder.dispatches[0].spec;
    assert_int_equal(spec[SFT_GROUP_SIZE_ID], spec[SFT_TX_ID]);
    sft_vk_recorder_uninit(&recorder);
    sft_graph_destroy(&graph);
}

#define PROBE_OPERANDS(OPERAND)                                                                              \
    OPERAND(Stored, x)                                                                                       \
    OPERAND(Stored, y)
#define PROBE_WORDS(WORD)                                                                                    \
    WORD(uint, count)                                                                                        \
    WORD(uint, size[2])                                                                                      \
    WORD(float, factor)
SFT_VK_OPERANDS(probe_operands, PROBE_OPERANDS);
SFT_VK_WORDS(probe_words, PROBE_WORDS);

/* Operands and words arrive in the order of their lists, one word after the other. */
static void push_structs_become_lists(void **state)
{
    struct sft_vk_dispatch dispatch = {0};
    const struct probe_operands operands = {.y = sft_vk_write(4), .x = sft_vk_read(3)};
    const struct probe_words words = {.factor = 1.0f, .size = {6, 7}, .count = 5};
    (void)state;
    SFT_VK_PUSH(&dispatch, operands, words);
    assert_int_equal(dispatch.n_operands, 2);
    assert_true(dispatch.operands[0].value == 3 && dispatch.operands[0].read);
    assert_true(dispatch.operands[1].value == 4 && dispatch.operands[1].write);
    assert_int_equal(dispatch.n_words, 4);
    assert_int_equal(dispatch.words[0], 5);
    assert_int_equal(dispatch.words[1], 6);
    assert_int_equal(dispatch.words[2], 7);
    assert_int_equal(dispatch.words[3], 0x3f800000);
}

static void constants_count_themselves(void **state)
{
    struct sft_vk_dispatch dispatch = {0};
    (void)state;
    sft_vk_specialise(&dispatch, 3, 9);
    sft_vk_specialise(&dispatch, 1, 8);
    assert_int_equal(dispatch.n_spec, 4);
    assert_true(dispatch.spec[1] == 8 && dispatch.spec[3] == 9);
}

static void too_many_elements_are_refused(void **state)
{
    struct sft_vk_recorder recorder = {.limits = smallest};
    struct sft_graph *graph = new_graph();
    (void)state;
    sft_relu(graph, input(graph, SFT_SHAPE(INT64_C(1) << 31)));
    assert_int_equal(sft_graph_status(graph), SFT_OK);
    assert_int_equal(sft_vk_record_node(&recorder, graph, 0), SFT_MEMORY);
    sft_vk_recorder_uninit(&recorder);
    sft_graph_destroy(&graph);
}

static void misfits_are_refused(void **state)
{
    struct sft_vk_recorder recorder = {.limits = smallest};
    const struct sft_vk_dispatch good = {.shader = "reduce", .spec = {64}, .n_spec = 1, .groups = {1, 1, 1}};
    struct sft_vk_dispatch bad = good;
    (void)state;
    assert_int_equal(sft_vk_record(&recorder, &good), SFT_OK);
    bad.groups[0] = 65536;
    assert_int_equal(sft_vk_record(&recorder, &bad), SFT_DEVICE);
    bad = good;
    bad.spec[SFT_GROUP_SIZE_ID] = 256;
    assert_int_equal(sft_vk_record(&recorder, &bad), SFT_DEVICE);
    bad = good;
    bad.n_operands = 10;
    bad.n_words = 13; /* 80 + 52 bytes */
    assert_int_equal(sft_vk_record(&recorder, &bad), SFT_DEVICE);
    bad = good;
    bad.groups[1] = 0; /* nothing to do */
    assert_int_equal(sft_vk_record(&recorder, &bad), SFT_OK);
    assert_int_equal(recorder.count, 1);
    sft_vk_recorder_uninit(&recorder);
}

static void shaders_are_spirv(void **state)
{
    (void)state;
    assert_true(sft_shader_count > 0);
    for (int i = 0; i < sft_shader_count; i++) {
        assert_int_equal(sft_shaders[i].words[0], 0x07230203);
        assert_ptr_equal(sft_shader_find(sft_shaders[i].name), &sft_shaders[i]);
    }
    assert_null(sft_shader_find("no such shader"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(grid_folds),
        cmocka_unit_test(elementwise_covers_all_elements),
        cmocka_unit_test(vec4_needs_alignment),
        cmocka_unit_test(reductions_share_only_on_gpus),
        cmocka_unit_test(push_structs_become_lists),
        cmocka_unit_test(constants_count_themselves),
        cmocka_unit_test(too_many_elements_are_refused),
        cmocka_unit_test(misfits_are_refused),
        cmocka_unit_test(shaders_are_spirv),
    };
    test_catch_log();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
#else
int main(void) { return 0; } /* a build without Vulkan has nothing to record */
#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Devices, tensors and programs: what runtime/device.h promises, on the device under test. */
#include <stdlib.h>
#include <string.h>

#include "runtime/open.h"
#include "tests/support/harness.h"

static void devices_are_listed(void **state)
{
    struct sft_device_info *list;
    int count;
    (void)state;
    assert_int_equal(sft_device_list(&list, &count), SFT_OK);
    assert_true(count >= 1);
    assert_string_equal(list[0].word, "cpu");
    for (int i = 0; i < count; i++) {
        assert_string_not_equal(list[i].id, "");
        assert_string_not_equal(list[i].name, "");
        assert_true(list[i].usable || list[i].reason[0]);
        for (int k = 0; k < i; k++) assert_string_not_equal(list[i].id, list[k].id);
    }
    free(list);
}

static void unknown_devices_are_refused(void **state)
{
    static const char *const names[] = {"no such device", "vulkan:99", "vulkan:", "vulkan:-1", ""};
    (void)state;
    test_catch_log();
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        struct sft_device *device;
        enum sft_status status = sft_device_open(names[i], 0, &device);
        if (status != SFT_DEVICE) fail_msg("device '%s': status %d", names[i], (int)status);
        assert_null(device);
        assert_string_not_equal(test_log(), "");
    }
}

static void devices_open_by_id(void **state)
{
    struct sft_device *again;
    (void)state;
    assert_int_equal(sft_device_open(sft_device_get_info(test_device())->id, 0, &again), SFT_OK);
    assert_string_equal(sft_device_get_info(again)->id, sft_device_get_info(test_device())->id);
    sft_device_close(&again);
    assert_null(again);
    sft_device_close(&again);
}

static void tensors_start_as_zeros(void **state)
{
    struct sft_tensor *tensor = test_tensor("zeros", SFT_F32, SFT_SHAPE(3, 1001));
    float numbers[3003];
    (void)state;
    memset(numbers, 1, sizeof(numbers));
    assert_int_equal(sft_tensor_download(tensor, 0, 3003, numbers), SFT_OK);
    for (int i = 0; i < 3003; i++) assert_true(numbers[i] == 0.0f);
}

static void parts_are_copied(void **state)
{
    struct sft_tensor *tensor = test_tensor("parts", SFT_I32, SFT_SHAPE(10));
    int32_t numbers[10], part[3] = {7, -8, 9};
    (void)state;
    assert_int_equal(sft_tensor_upload(tensor, 5, 3, part), SFT_OK);
    memset(part, 0, sizeof(part)); /* the upload has its own copy */
    assert_int_equal(sft_tensor_upload(tensor, 10, 0, part), SFT_OK);
    assert_int_equal(sft_tensor_download(tensor, 0, 10, numbers), SFT_OK);
    for (int i = 0; i < 10; i++) assert_int_equal(numbers[i], i == 5 ? 7 : i == 6 ? -8 : i == 7 ? 9 : 0);
    assert_int_equal(sft_tensor_download(tensor, 6, 2, numbers), SFT_OK);
    assert_int_equal(numbers[0], -8);
    assert_int_equal(numbers[1], 9);
}

/* More than any staging buffer is likely to hold at once. */
static void large_tensors_are_copied(void **state)
{
    enum { N = 20 * 1000 * 1000 };
    struct sft_tensor *tensor = test_tensor("large", SFT_I32, SFT_SHAPE(N));
    int32_t *numbers = test_alloc(N, sizeof(*numbers));
    (void)state;
    for (int i = 0; i < N; i++) numbers[i] = i * 3;
    assert_int_equal(sft_tensor_upload(tensor, 0, N, numbers), SFT_OK);
    memset(numbers, 0, (size_t)N * sizeof(*numbers));
    assert_int_equal(sft_tensor_download(tensor, 0, N, numbers), SFT_OK);
    for (int i = 0; i < N; i++)
        if (numbers[i] != i * 3) fail_msg("element %d: %d", i, numbers[i]);
}

static void ranges_are_checked(void **state)
{
    static const int64_t ranges[][2] = {{-1, 1}, {0, 11},        {10, 1},       {11, 0},
                                        {0, -1}, {1, INT64_MAX}, {INT64_MAX, 1}};
    struct sft_tensor *tensor = test_tensor("small", SFT_F32, SFT_SHAPE(10));
    float numbers[10] = {0};
    (void)state;
    test_catch_log();
    for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
        assert_int_equal(sft_tensor_upload(tensor, ranges[i][0], ranges[i][1], numbers), SFT_USAGE);
        assert_int_equal(sft_tensor_download(tensor, ranges[i][0], ranges[i][1], numbers), SFT_USAGE);
        test_expect_last("small");
    }
}

static void empty_shapes_are_refused(void **state)
{
    struct sft_tensor *tensor;
    (void)state;
    test_catch_log();
    assert_int_equal(sft_tensor_create(test_device(), "empty", SFT_F32, SFT_SHAPE(3, 0), &tensor), SFT_USAGE);
    assert_null(tensor);
    test_expect_last("empty");
}

static void programs_need_bound_tensors(void **state)
{
    struct sft_graph *graph = test_graph();
    struct sft_program *program;
    sft_value x = sft_graph_input(graph, "images", SFT_F32, SFT_SHAPE(4));
    (void)state;
    sft_relu(graph, x);
    test_catch_log();
    assert_int_equal(sft_program_create(test_device(), graph, &program), SFT_USAGE);
    assert_null(program);
    test_expect_last("images");
    sft_graph_bind(graph, x, test_tensor("other shape", SFT_F32, SFT_SHAPE(5)));
    assert_int_equal(sft_program_create(test_device(), graph, &program), SFT_USAGE);
    sft_graph_bind(graph, x, test_tensor("other type", SFT_I32, SFT_SHAPE(4)));
    assert_int_equal(sft_program_create(test_device(), graph, &program), SFT_USAGE);
    test_expect_last("other type");
    sft_graph_bind(graph, x, test_tensor("right", SFT_F32, SFT_SHAPE(4)));
    assert_int_equal(sft_program_create(test_device(), graph, &program), SFT_OK);
    sft_program_destroy(&program);
    assert_null(program);
}

static void failed_graphs_make_no_program(void **state)
{
    struct sft_graph *graph = test_graph();
    struct sft_program *program;
    (void)state;
    test_catch_log();
    sft_add(graph, sft_fill(graph, SFT_SHAPE(2), 1), sft_fill(graph, SFT_SHAPE(3), 1), 1);
    assert_int_equal(sft_program_create(test_device(), graph, &program), SFT_USAGE);
    assert_null(program);
}

/* The graph may go; tensors are read again at each run, in the order of the calls. */
static void programs_outlive_their_graph(void **state)
{
    struct sft_tensor *x = test_tensor("x", SFT_F32, SFT_SHAPE(1)),
                      *y = test_tensor("y", SFT_F32, SFT_SHAPE(1));
    struct sft_graph *graph;
    struct sft_program *program;
    float got[20];
    (void)state;
    assert_int_equal(sft_graph_create(&graph), SFT_OK);
    sft_graph_place(graph, sft_scale(graph, sft_graph_tensor(graph, x), 2.0f), sft_graph_tensor(graph, y), 0);
    program = test_program(graph);
    sft_graph_destroy(&graph);
    for (int i = 0; i < 20; i++) {
        float number = (float)i;
        assert_int_equal(sft_tensor_upload(x, 0, 1, &number), SFT_OK);
        assert_int_equal(sft_program_run(program), SFT_OK);
        if (i % 3) continue; /* two runs without a wait between them */
        assert_int_equal(sft_tensor_download(y, 0, 1, &got[i]), SFT_OK);
        assert_true(got[i] == 2.0f * number);
    }
    assert_int_equal(sft_device_wait(test_device()), SFT_OK);
}

static void budgets_are_kept(void **state)
{
    struct sft_device *small;
    struct sft_tensor *tensor = NULL, *second = NULL;
    struct sft_graph *graph = test_graph();
    struct sft_program *program;
    (void)state;
    test_catch_log();
    assert_int_equal(sft_device_open(sft_device_get_info(test_device())->id, 1 << 20, &small), SFT_OK);
    assert_int_equal(sft_tensor_create(small, "fits", SFT_F32, SFT_SHAPE(200000), &tensor), SFT_OK);
    assert_int_equal(sft_tensor_create(small, "too much", SFT_F32, SFT_SHAPE(100000), &second), SFT_MEMORY);
    assert_null(second);
    test_expect_last("too much");
    sft_relu(graph, sft_graph_tensor(graph, tensor)); /* its arena would not fit */
    assert_int_equal(sft_program_create(small, graph, &program), SFT_MEMORY);
    assert_null(program);
    sft_tensor_destroy(&tensor); /* gives its room back */
    assert_int_equal(sft_tensor_create(small, "now", SFT_F32, SFT_SHAPE(250000), &tensor), SFT_OK);
    sft_tensor_destroy(&tensor);
    sft_device_close(&small);
}

static void profiles_count_seconds(void **state)
{
    struct sft_graph *graph = test_graph();
    struct sft_tensor *result = test_tensor("result", SFT_F32, SFT_SHAPE(100, 100));
    struct sft_program *program;
    sft_value x = sft_fill(graph, SFT_SHAPE(100, 100), 1.0f);
    double total = 0.0;
    (void)state;
    x = sft_matmul(graph, x, x, SFT_NONE, (struct sft_matmul_params){0});
    sft_graph_place(graph, x, sft_graph_tensor(graph, result), 0);
    program = test_program(graph);
    assert_true(sft_program_arena(program) >= 100 * 100 * 4);
    assert_int_equal(sft_program_profile(program, true), SFT_OK);
    for (int i = 0; i < 3; i++) assert_int_equal(sft_program_run(program), SFT_OK);
    assert_int_equal(sft_device_wait(test_device()), SFT_OK);
    for (size_t k = 0; k < sft_program_graph(program)->n_nodes; k++) {
        assert_true(sft_program_seconds(program)[k] >= 0.0);
        total += sft_program_seconds(program)[k];
    }
    assert_true(total > 0.0 && total < 60.0);
    assert_int_equal(sft_program_profile(program, false), SFT_OK);
    assert_int_equal(sft_program_run(program), SFT_OK);
}

static void an_empty_program_runs(void **state)
{
    struct sft_program *program = test_program(test_graph());
    (void)state;
    assert_int_equal(sft_program_run(program), SFT_OK);
    assert_int_equal(sft_device_wait(test_device()), SFT_OK);
}

#define TEST(function) cmocka_unit_test_teardown(function, test_release)

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        TEST(devices_are_listed),
        TEST(unknown_devices_are_refused),
        TEST(devices_open_by_id),
        TEST(tensors_start_as_zeros),
        TEST(parts_are_copied),
        TEST(large_tensors_are_copied),
        TEST(ranges_are_checked),
        TEST(empty_shapes_are_refused),
        TEST(programs_need_bound_tensors),
        TEST(failed_graphs_make_no_program),
        TEST(programs_outlive_their_graph),
        TEST(budgets_are_kept),
        TEST(profiles_count_seconds),
        TEST(an_empty_program_runs),
    };
    return test_run_group("ops/device", argc, argv, tests, sizeof(tests) / sizeof(tests[0]));
}

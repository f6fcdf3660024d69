/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Backends that this folder brings along: they are listed, opened by word and run programs like those of the
 * build, nobody asks one that the word cannot mean, and one that breaks is a warning.
 */
#include <stdlib.h>
#include <string.h>

#include "runtime/open.h"
#include "runtime/ops.h"
#include "runtime/program.h"
#include "runtime/tensor.h"
#include "tests/runtime/null_backend/asked.h"
#include "tests/support/fixture.h"

static int forget_calls(void **state)
{
    (void)state;
    null_lists = null_runs = broken_lists = 0;
    test_catch_log();
    return 0;
}

/* ---- lists ---- */

static void a_broken_backend_is_a_warning(void **state)
{
    struct sft_device_info *list;
    const struct sft_device_info *null = NULL;
    int count;
    (void)state;
    assert_int_equal(sft_device_list(&list, &count), SFT_OK);
    assert_string_equal(list[0].word, "cpu");
    for (int i = 0; i < count; i++)
        if (strcmp(list[i].backend, "null") == 0) null = &list[i];
    assert_non_null(null);
    assert_string_equal(null->word, "null:0");
    assert_int_equal(broken_lists, 1);
    test_expect_log("broken: its devices cannot be listed: the driver is of another age");
    free(list);
}

/* ---- words ---- */

static void words_that_mean_it(void **state)
{
    static const char *const words[] = {"null", "NULL", "null:0", "0-nothing", "idle"};
    (void)state;
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        struct sft_device *device;
        assert_int_equal(sft_device_open(words[i], 0, &device), SFT_OK);
        assert_string_equal(sft_device_get_info(device)->name, "Idle One");
        assert_int_equal(sft_device_wait(device), SFT_OK);
        sft_device_close(&device);
    }
}

static void open_fails(const char *word, const char *reason)
{
    struct sft_device *device;
    assert_int_equal(sft_device_open(word, 0, &device), SFT_DEVICE);
    assert_null(device);
    test_expect_log(reason);
}

static void words_that_mean_nothing(void **state)
{
    (void)state;
    open_fails("null:1", "device 'null:1' is not there");
    test_expect_log("null:0  0-nothing  Idle One");
    test_expect_log("  cpu  ");
    open_fails("null:", "device 'null:' is not there");
    open_fails("nullify", "device 'nullify' is not there");
    open_fails("broken", "the driver is of another age");
    test_expect_log("device 'broken' is not there");
}

static void only_those_meant_are_asked(void **state)
{
    struct sft_device *device;
    (void)state;
    assert_int_equal(sft_device_open("cpu", 0, &device), SFT_OK);
    sft_device_close(&device);
    assert_int_equal(null_lists + broken_lists, 0);
    assert_int_equal(sft_device_open("null", 0, &device), SFT_OK);
    sft_device_close(&device);
    assert_int_equal(null_lists, 1);
    assert_int_equal(broken_lists, 0);
    assert_int_equal(test_log_lines(), 0);
}

/* Everything is asked once, and the device that is nothing to wait for wins. */
static void auto_asks_everyone_once(void **state)
{
    struct sft_device *device;
    (void)state;
    assert_int_equal(sft_device_open("auto", 0, &device), SFT_OK);
    assert_string_equal(sft_device_get_info(device)->word, "null:0");
    assert_int_equal(null_lists, 1);
    assert_int_equal(broken_lists, 1);
    sft_device_close(&device);
}

/* ---- programs ---- */

static void programs_are_planned_and_run(void **state)
{
    struct sft_device *device;
    struct sft_tensor *x, *y;
    struct sft_graph *graph;
    struct sft_program *program;
    float numbers[256], got[256];
    (void)state;
    for (int i = 0; i < 256; i++) numbers[i] = (float)i;
    assert_int_equal(sft_device_open("null", 0, &device), SFT_OK);
    assert_int_equal(sft_tensor_create(device, "x", SFT_F32, SFT_SHAPE(256), &x), SFT_OK);
    assert_int_equal(sft_tensor_create(device, "y", SFT_F32, SFT_SHAPE(256), &y), SFT_OK);
    assert_int_equal(sft_graph_create(&graph), SFT_OK);
    sft_graph_place(graph, sft_gelu(graph, sft_graph_tensor(graph, x)), sft_graph_tensor(graph, y), 0);
    assert_int_equal(sft_program_create(device, graph, &program), SFT_OK);
    assert_int_equal(sft_program_arena(program), 5120); /* NULL_SCRATCH, rounded up */
    for (int i = 0; i < 3; i++) assert_int_equal(sft_program_run(program), SFT_OK);
    assert_int_equal(null_runs, 3);
    assert_int_equal(sft_tensor_upload(y, 0, 256, numbers), SFT_OK);
    assert_int_equal(sft_tensor_download(y, 0, 256, got), SFT_OK);
    assert_memory_equal(got, numbers, sizeof(got));
    sft_program_destroy(&program);
    sft_graph_destroy(&graph);
    sft_tensor_destroy(&y);
    sft_tensor_destroy(&x);
    sft_device_close(&device);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_broken_backend_is_a_warning, forget_calls),
        cmocka_unit_test_setup(words_that_mean_it, forget_calls),
        cmocka_unit_test_setup(words_that_mean_nothing, forget_calls),
        cmocka_unit_test_setup(only_those_meant_are_asked, forget_calls),
        cmocka_unit_test_setup(auto_asks_everyone_once, forget_calls),
        cmocka_unit_test_setup(programs_are_planned_and_run, forget_calls),
    };
    return cmocka_run_group_tests_name("runtime/null_backend/open", tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The backend under the public calls: memory, the order of transfers and runs, cut submissions, profiling,
 * the pipeline cache. The device is that of SFT_TEST_DEVICE, else the first Vulkan one; the ops themselves
 * are tests/ops.
 */
#ifdef SFT_HAVE_VULKAN
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/base/log.h"
#include "runtime/open.h"
#include "runtime/ops.h"
#include "runtime/program.h"
#include "runtime/tensor.h"
#include "runtime/vulkan/pipeline_report.h"
#include "tests/support/fixture.h"

enum { COUNT = 100003 };

static struct sft_device *open_device(void)
{
    const char *want = getenv("SFT_TEST_DEVICE");
    struct sft_device *device;
    assert_int_equal(sft_device_open(want ? want : "vulkan", 0, &device), SFT_OK);
    return device;
}

static struct sft_tensor *new_tensor(struct sft_device *device, int64_t count)
{
    struct sft_tensor *tensor;
    assert_int_equal(sft_tensor_create(device, "t", SFT_F32, SFT_SHAPE(count), &tensor), SFT_OK);
    return tensor;
}

static float *numbers(int64_t count, float first)
{
    float *data = malloc((size_t)count * sizeof(*data));
    assert_non_null(data);
    for (int64_t i = 0; i < count; i++) data[i] = first + (float)(i % 1000);
    return data;
}

/* y = (4x + 2x)/2, in three nodes over temporaries, made ready. */
static struct sft_program *tripled(struct sft_device *device, struct sft_tensor *x, struct sft_tensor *y)
{
    struct sft_graph *graph;
    struct sft_program *program;
    sft_value in, out;
    assert_int_equal(sft_graph_create(&graph), SFT_OK);
    in = sft_graph_tensor(graph, x);
    out = sft_scale(graph, sft_add(graph, sft_scale(graph, in, 4.0f), in, 2.0f), 0.5f);
    sft_graph_place(graph, out, sft_graph_tensor(graph, y), 0);
    assert_int_equal(sft_program_create(device, graph, &program), SFT_OK);
    sft_graph_destroy(&graph);
    return program;
}

static void memory_is_zeroed_and_reused(void **state)
{
    struct sft_device *device = open_device();
    struct sft_tensor *tensors[50];
    float *ones = numbers(COUNT, 1.0f), *back = numbers(COUNT, 1.0f);
    (void)state;
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 50; i++) {
            tensors[i] = new_tensor(device, 1 + (i * 7919 + round * 104729) % COUNT);
            int64_t count = sft_shape_count(&tensors[i]->shape);
            assert_int_equal(sft_tensor_download(tensors[i], 0, count, back), SFT_OK);
            for (int64_t k = 0; k < count; k++) assert_true(back[k] == 0.0f);
            assert_int_equal(sft_tensor_upload(tensors[i], 0, count, ones), SFT_OK);
        }
        for (int i = 0; i < 50; i++) sft_tensor_destroy(&tensors[(i * 17 + round) % 50]);
    }
    free(ones);
    free(back);
    sft_device_close(&device);
}

/* Each upload belongs to the run after it, however far the device lags behind. */
static void uploads_keep_their_order(void **state)
{
    struct sft_device *device = open_device();
    struct sft_tensor *x = new_tensor(device, COUNT), *sum = new_tensor(device, COUNT),
                      *next = new_tensor(device, COUNT);
    struct sft_graph *graph;
    struct sft_program *program;
    float *data = numbers(COUNT, 0.0f);
    (void)state;
    assert_int_equal(sft_graph_create(&graph), SFT_OK);
    sft_graph_place(graph, sft_add(graph, sft_graph_tensor(graph, sum), sft_graph_tensor(graph, x), 1.0f),
                    sft_graph_tensor(graph, next), 0);
    sft_graph_place(graph, sft_scale(graph, sft_graph_tensor(graph, next), 1.0f),
                    sft_graph_tensor(graph, sum), 0);
    assert_int_equal(sft_program_create(device, graph, &program), SFT_OK);
    for (int run = 0; run < 20; run++) {
        for (int64_t i = 0; i < COUNT; i++) data[i] = (float)(run + 1);
        assert_int_equal(sft_tensor_upload(x, 0, COUNT, data), SFT_OK);
        assert_int_equal(sft_program_run(program), SFT_OK);
    }
    assert_int_equal(sft_tensor_download(sum, 0, COUNT, data), SFT_OK);
    for (int64_t i = 0; i < COUNT; i++) assert_true(data[i] == 210.0f);
    free(data);
    sft_program_destroy(&program);
    sft_graph_destroy(&graph);
    sft_tensor_destroy(&x);
    sft_tensor_destroy(&sum);
    sft_tensor_destroy(&next);
    sft_device_close(&device);
}

static void check_tripled(struct sft_device *device, bool profile)
{
    struct sft_tensor *x = new_tensor(device, COUNT), *y = new_tensor(device, COUNT);
    struct sft_program *program = tripled(device, x, y);
    float *data = numbers(COUNT, 5.0f), *back = numbers(COUNT, 0.0f);
    assert_int_equal(sft_tensor_upload(x, 0, COUNT, data), SFT_OK);
    assert_int_equal(sft_program_profile(program, profile), SFT_OK);
    assert_int_equal(sft_program_run(program), SFT_OK);
    assert_int_equal(sft_tensor_download(y, 0, COUNT, back), SFT_OK);
    for (int64_t i = 0; i < COUNT; i++) assert_true(back[i] == 3.0f * data[i]);
    if (profile) assert_true(sft_program_seconds(program)[0] > 0.0);
    free(data);
    free(back);
    sft_program_destroy(&program);
    sft_tensor_destroy(&x);
    sft_tensor_destroy(&y);
}

static void programs_run(void **state)
{
    struct sft_device *device = open_device();
    (void)state;
    check_tripled(device, false);
    check_tripled(device, true);
    assert_int_equal(sft_device_wait(device), SFT_OK);
    sft_device_close(&device);
}

static void cut_submissions_give_the_same(void **state)
{
    struct sft_device *device;
    (void)state;
    setenv("SFT_VK_MAX_SUBMIT_MS", "0.001", 1);
    device = open_device();
    unsetenv("SFT_VK_MAX_SUBMIT_MS");
    check_tripled(device, false);
    sft_device_close(&device);
}

static void allocations_are_limited(void **state)
{
    struct sft_device *device;
    struct sft_tensor *tensor;
    (void)state;
    setenv("SFT_VK_MAX_ALLOC", "1M", 1);
    device = open_device();
    unsetenv("SFT_VK_MAX_ALLOC");
    assert_int_equal(sft_tensor_create(device, "big", SFT_F32, SFT_SHAPE(1 << 20), &tensor), SFT_MEMORY);
    assert_null(tensor);
    check_tripled(device, false); /* the device is as good as before */
    sft_device_close(&device);
}

/* No home, a folder that is a file, one that nobody may write to. */
static void no_cache_is_no_matter(void **state)
{
    static const char *const folders[] = {"/dev/null", "/dev/null/below", "/proc/nothing", ""};
    const char *own = getenv("SFT_VK_CACHE_DIR"), *home = getenv("HOME");
    char kept[512], kept_home[512];
    (void)state;
    snprintf(kept, sizeof(kept), "%s", own ? own : "");
    snprintf(kept_home, sizeof(kept_home), "%s", home ? home : "");
    unsetenv("HOME");
    for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
        struct sft_device *device;
        setenv("SFT_VK_CACHE_DIR", folders[i], 1);
        device = open_device();
        check_tripled(device, false);
        sft_device_close(&device);
    }
    if (home) setenv("HOME", kept_home, 1);
    setenv("SFT_VK_CACHE_DIR", kept, 1);
}

static void slips_in_switches_are_refused(void **state)
{
    static const struct {
        const char *name, *value, *message;
    } slips[] = {
        {"SFT_VK_DISABLE", "fp16,subgrup", "no \"subgrup\""},
        {"SFT_VK_DISABLE", "fp16, bf16", "no \" bf16\""},
        {"SFT_VK_MAX_ALLOC", "-1", "no size"},
        {"SFT_VK_MAX_ALLOC", "0", "no size"},
        {"SFT_VK_MAX_ALLOC", "1MB", "no size"},
        {"SFT_VK_MAX_ALLOC", "99999999999G", "no size"},
        {"SFT_VK_MAX_SUBMIT_MS", "soon", "no number"},
        {"SFT_VK_MAX_SUBMIT_MS", "-5", "no number"},
    };
    const char *want = getenv("SFT_TEST_DEVICE");
    (void)state;
    for (size_t i = 0; i < sizeof(slips) / sizeof(slips[0]); i++) {
        struct sft_device *device;
        setenv(slips[i].name, slips[i].value, 1);
        test_catch_log();
        assert_int_equal(sft_device_open(want ? want : "vulkan", 0, &device), SFT_USAGE);
        unsetenv(slips[i].name);
        assert_null(device);
        test_expect_log(slips[i].message);
    }
}

/* Writes the cache, damages it, and expects the next device to work all the same and to write it anew. */
static void damaged_cache_is_made_anew(void **state)
{
    struct sft_device *device = open_device();
    char command[256];
    (void)state;
    check_tripled(device, false);
    sft_device_close(&device);
    snprintf(command, sizeof(command), "ls %s/*.vkpc >/dev/null", test_folder());
    assert_int_equal(system(command), 0);
    snprintf(command, sizeof(command), "for f in %s/*.vkpc; do printf damaged >\"$f\"; done", test_folder());
    assert_int_equal(system(command), 0);
    device = open_device();
    check_tripled(device, false);
    sft_device_close(&device);
    snprintf(command, sizeof(command), "! grep -qx damaged %s/*.vkpc", test_folder());
    assert_int_equal(system(command), 0);
}

static void every_kernel_compiles(void **state)
{
    struct sft_device *device = open_device();
    struct sft_pipeline_report *list;
    size_t count;
    (void)state;
    assert_int_equal(sft_pipeline_report(device, &list, &count), SFT_OK);
    assert_true(count > 0);
    for (size_t i = 0; i < count; i++) assert_non_null(list[i].shader);
    free(list);
    sft_device_close(&device);
}

static int make_cache_folder(void **state)
{
    if (test_setup_folder(state) != 0) return -1;
    return setenv("SFT_VK_CACHE_DIR", test_folder(), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_is_zeroed_and_reused),
        cmocka_unit_test(uploads_keep_their_order),
        cmocka_unit_test(programs_run),
        cmocka_unit_test(cut_submissions_give_the_same),
        cmocka_unit_test(allocations_are_limited),
        cmocka_unit_test(no_cache_is_no_matter),
        cmocka_unit_test(slips_in_switches_are_refused),
        cmocka_unit_test(damaged_cache_is_made_anew),
        cmocka_unit_test(every_kernel_compiles),
    };
    const char *want = getenv("SFT_TEST_DEVICE");
    if (want && strcmp(want, "cpu") == 0) return 0; /* nothing of this concerns the CPU backend */
    return cmocka_run_group_tests(tests, make_cache_folder, test_remove_folder);
}
#else
int main(void) { return 0; } /* a build without Vulkan has no such backend */
#endif

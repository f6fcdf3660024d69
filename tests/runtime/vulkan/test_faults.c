/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What becomes of calls that the driver answers with a failure, by a layer that makes one of them fail
 * (tests/faults/vk_layer.c): each ends with its status and a message, memory in use is not freed, and the
 * next device works. The device is that of SFT_TEST_DEVICE, else the first Vulkan one.
 */
#ifdef SFT_HAVE_VULKAN
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/open.h"
#include "runtime/ops.h"
#include "runtime/program.h"
#include "runtime/tensor.h"
#include "tests/support/fixture.h"

enum { SIDE = 128, COUNT = SIDE * SIDE };
enum { OUT_OF_HOST_MEMORY = -1, OUT_OF_DEVICE_MEMORY = -2, LOST = -4 };

/* Everything that lives on a device; what failed to be made is NULL. */
struct bench {
    struct sft_device *device;
    struct sft_tensor *x, *y;
    struct sft_program *program;
};

static float numbers[COUNT];

/* ---- faults ---- */

static void arm(const char *call, int number, int result)
{
    char text[128];
    snprintf(text, sizeof(text), "%s:%d:%d", call, number, result);
    unsetenv("SFT_FAIL_VK_SEEN");
    setenv("SFT_FAIL_VK", text, 1);
}

static bool disarm(void)
{
    unsetenv("SFT_FAIL_VK");
    return getenv("SFT_FAIL_VK_SEEN") != NULL;
}

/* ---- what is done on the device ---- */

/* y = x x, several times over, so that the device stays busy for a while. */
static enum sft_status build(struct bench *bench, struct sft_graph *graph)
{
    sft_value x = sft_graph_tensor(graph, bench->x), y = x;
    for (int i = 0; i < 6; i++) y = sft_matmul(graph, x, y, SFT_NONE, (struct sft_matmul_params){0});
    sft_graph_place(graph, y, sft_graph_tensor(graph, bench->y), 0);
    return sft_program_create(bench->device, graph, &bench->program);
}

static enum sft_status make_program(struct bench *bench)
{
    struct sft_graph *graph;
    enum sft_status status;
    SFT_TRY(sft_graph_create(&graph));
    status = build(bench, graph);
    sft_graph_destroy(&graph);
    return status;
}

static enum sft_status open_bench(struct bench *bench)
{
    const char *want = getenv("SFT_TEST_DEVICE");
    const struct sft_shape shape = SFT_SHAPE(SIDE, SIDE);
    *bench = (struct bench){0};
    SFT_TRY(sft_device_open(want ? want : "vulkan", 0, &bench->device));
    SFT_TRY(sft_tensor_create(bench->device, "x", SFT_F32, shape, &bench->x));
    SFT_TRY(sft_tensor_create(bench->device, "y", SFT_F32, shape, &bench->y));
    return make_program(bench);
}

static void close_bench(struct bench *bench)
{
    sft_program_destroy(&bench->program);
    sft_tensor_destroy(&bench->x);
    sft_tensor_destroy(&bench->y);
    sft_device_close(&bench->device);
}

/* x = 1/SIDE everywhere, so y is too. The second upload has to wait behind the program. */
static enum sft_status use(struct bench *bench, float *y)
{
    for (int i = 0; i < COUNT; i++) numbers[i] = 1.0f / SIDE;
    SFT_TRY(sft_tensor_upload(bench->x, 0, COUNT, numbers));
    SFT_TRY(sft_program_run(bench->program));
    SFT_TRY(sft_tensor_upload(bench->x, 0, COUNT, numbers));
    SFT_TRY(sft_program_run(bench->program));
    SFT_TRY(sft_tensor_download(bench->y, 0, COUNT, numbers));
    *y = numbers[COUNT / 3];
    return SFT_OK;
}

static enum sft_status do_everything(void)
{
    struct bench bench;
    float y = 0;
    enum sft_status status = open_bench(&bench);
    if (status == SFT_OK) status = use(&bench, &y);
    if (status == SFT_OK && y != 1.0f / SIDE) fail_msg("the result is %g", (double)y);
    close_bench(&bench);
    return status;
}

/* ---- tests ---- */

static int count_in_log(const char *part)
{
    int count = 0;
    for (const char *at = test_log(); (at = strstr(at, part)); at++) count++;
    return count;
}

static void expect_told(const char *call, int number, enum sft_status status)
{
    if (strstr(test_log(), "validation")) fail_msg("%s %d: %s", call, number, test_log());
    if (status != SFT_OK && status != SFT_FAILED && status != SFT_DEVICE && status != SFT_MEMORY)
        fail_msg("%s %d: status %d", call, number, (int)status);
    if (!strstr(test_log(), call)) fail_msg("%s %d failed and nobody says so: %s", call, number, test_log());
}

/* Each call of each kind in turn. A pipeline cache that cannot be saved is no failure, and neither is a wait
 * before memory is freed: they are told. */
static void every_failure_is_told(void **state)
{
    static const struct {
        const char *call;
        int result;
    } faults[] = {
        {"vkCreateDevice", OUT_OF_HOST_MEMORY},
        {"vkAllocateMemory", OUT_OF_DEVICE_MEMORY},
        {"vkCreateBuffer", OUT_OF_DEVICE_MEMORY},
        {"vkBindBufferMemory", OUT_OF_DEVICE_MEMORY},
        {"vkMapMemory", OUT_OF_HOST_MEMORY},
        {"vkCreateCommandPool", OUT_OF_HOST_MEMORY},
        {"vkCreateSemaphore", OUT_OF_HOST_MEMORY},
        {"vkCreatePipelineLayout", OUT_OF_HOST_MEMORY},
        {"vkCreatePipelineCache", OUT_OF_HOST_MEMORY},
        {"vkGetPipelineCacheData", OUT_OF_HOST_MEMORY},
        {"vkCreateShaderModule", OUT_OF_HOST_MEMORY},
        {"vkCreateComputePipelines", OUT_OF_HOST_MEMORY},
        {"vkAllocateCommandBuffers", OUT_OF_HOST_MEMORY},
        {"vkBeginCommandBuffer", OUT_OF_HOST_MEMORY},
        {"vkEndCommandBuffer", OUT_OF_HOST_MEMORY},
        {"vkQueueSubmit2", OUT_OF_HOST_MEMORY},
        {"vkWaitSemaphores", OUT_OF_HOST_MEMORY},
        {"vkGetSemaphoreCounterValue", OUT_OF_HOST_MEMORY},
        {"vkDeviceWaitIdle", OUT_OF_HOST_MEMORY},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
        for (int number = 1;; number++) {
            enum sft_status status;
            test_catch_log();
            arm(faults[i].call, number, faults[i].result);
            status = do_everything();
            if (!disarm()) {
                if (status != SFT_OK) fail_msg("%s %d: %s", faults[i].call, number, test_log());
                if (number == 1) fail_msg("%s is never called", faults[i].call);
                break;
            }
            expect_told(faults[i].call, number, status);
        }
}

/* The loss is told once and fails the run, not the choice of the device; what follows fails too, and the
 * memory that kernels may still use waits for them. */
static void a_loss_is_told_once(void **state)
{
    static const char *const calls[] = {"vkQueueSubmit2", "vkWaitSemaphores", "vkGetSemaphoreCounterValue"};
    (void)state;
    for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
        struct bench bench;
        float y;
        test_catch_log();
        assert_int_equal(open_bench(&bench), SFT_OK);
        arm(calls[i], 1, LOST);
        assert_int_equal(use(&bench, &y), SFT_FAILED);
        assert_true(disarm());
        assert_int_equal(use(&bench, &y), SFT_FAILED);
        assert_int_equal(sft_device_wait(bench.device), SFT_FAILED);
        close_bench(&bench);
        if (count_in_log("was lost") != 1) fail_msg("told not once: %s", test_log());
    }
    test_catch_log();
    assert_int_equal(do_everything(), SFT_OK);
}

/* A stage of transfers without commands must not be found by the next upload. */
static void a_half_made_stage_is_not_used(void **state)
{
    struct bench bench;
    enum sft_status status = SFT_OK;
    float y;
    (void)state;
    test_catch_log();
    assert_int_equal(open_bench(&bench), SFT_OK);
    for (int i = 0; i < 20 && status == SFT_OK; i++) { /* until the device is busy at the upload */
        assert_int_equal(sft_program_run(bench.program), SFT_OK);
        arm("vkAllocateCommandBuffers", 1, OUT_OF_HOST_MEMORY);
        status = sft_tensor_upload(bench.x, 0, COUNT, numbers);
        disarm();
    }
    assert_int_equal(status, SFT_MEMORY);
    assert_int_equal(use(&bench, &y), SFT_OK);
    assert_true(y == 1.0f / SIDE);
    close_bench(&bench);
}

static int set_up(void **state)
{
    if (test_setup_folder(state) != 0) return -1;
    setenv("VK_ADD_LAYER_PATH", SFT_FAULT_LAYER, 1);
    setenv("VK_INSTANCE_LAYERS", "VK_LAYER_SFT_fault", 1);
    return setenv("SFT_VK_CACHE_DIR", test_folder(), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_failure_is_told),
        cmocka_unit_test(a_loss_is_told_once),
        cmocka_unit_test(a_half_made_stage_is_not_used),
    };
    return cmocka_run_group_tests(tests, set_up, test_remove_folder);
}
#else
int main(void) { return 0; } /* a build without Vulkan has no such backend */
#endif

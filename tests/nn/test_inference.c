/* SPDX-License-Identifier: Apache-2.0 */
/* A forward pass on a device with little memory: its batch is cut, its results are those of the whole. */
#include "nn/inference.h"

#include <math.h>

#include "runtime/base/memory.h"
#include "runtime/base/rng.h"
#include "runtime/open.h"
#include "tests/support/group.h"

enum { N = 96, SIDE = 32, CLASSES = 10 };

static float images[N * SIDE * SIDE * 3];

static void make_images(void)
{
    struct sft_rng rng;
    sft_rng_init(&rng, 1, SFT_STREAM_TEST, 0);
    for (int64_t i = 0; i < N * SIDE * SIDE * 3; i++) images[i] = sft_rng_normal(&rng);
}

/* Logits of all images; how much memory the pass takes on the device. */
static uint64_t run(struct sft_device *device, float logits[N * CLASSES])
{
    const struct sft_model_config config = {.name = "resnetv2_20_gn", .classes = CLASSES};
    float *const outputs[SFT_MAX_OUTPUTS_OF_PASS] = {[SFT_OUTPUT_LOGITS] = logits};
    struct sft_inference *inference;
    struct sft_model *model;
    uint64_t left, before;
    assert_int_equal(sft_model_create(device, &config, &model), SFT_OK);
    assert_int_equal(sft_parameters_init(&model->parameters, 1), SFT_OK);
    before = sft_device_thrift(device);
    assert_int_equal(sft_inference_create(model, N, NULL, 0, &inference), SFT_OK);
    left = sft_device_thrift(device);
    assert_int_equal(sft_inference_batch(inference), N);
    assert_int_equal(sft_inference_run(inference, images, N, outputs), SFT_OK);
    sft_inference_destroy(&inference);
    sft_model_destroy(&model);
    return before - left;
}

static void a_batch_is_cut_to_fit(void **state)
{
    static float whole[N * CLASSES], cut[N * CLASSES];
    const char *id = sft_device_get_info(test_device())->id;
    uint64_t beside = sft_device_is_host(test_device()) ? sft_memory_resident() : 0, taken, less;
    struct sft_device *small;
    (void)state;
    taken = run(test_device(), whole);
    assert_int_equal(sft_device_open(id, beside + taken, &small), SFT_OK);
    less = run(small, cut);
    sft_device_close(&small);
    assert_true(less < taken / 2 + (1 << 20));
    for (int i = 0; i < N * CLASSES; i++) assert_float_equal(cut[i], whole[i], 1e-5 * fabs(whole[i]) + 1e-6);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_batch_is_cut_to_fit)};
    make_images();
    return test_run_group("nn/inference", argc, argv, tests, 1);
}

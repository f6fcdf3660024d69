/* SPDX-License-Identifier: Apache-2.0 */
/* Scores that look into the network, against an independent implementation in float64 (tests/golden/scores.py), on
 * networks and images by formula: 1e-4 relative, image by image. SFT_TEST_DEVICE names the device; the CPU by default.
 */
#include "tests/ood/score_golden.h"

#include "nn/inference.h"
#include "ood/evaluate.h"
#include "tests/nn/formula.h"

enum { BATCH = 3, NUMBERS_OF_IMAGE = 32 * 32 * 3 };

static struct sft_checkpoint *golden;
static struct sft_device *device;

static sft_value append(const void *context, const struct sft_pass *pass)
{
    const struct sft_scorer *scorer = context;
    return scorer->score->extend ? scorer->score->extend(scorer->knobs, pass) : SFT_NONE;
}

static float *room(int64_t n, int width)
{
    float *values = calloc((size_t)n * (size_t)width + 1, sizeof(*values));
    assert_non_null(values);
    return values;
}

/* What the network says about images by formula, in batches. */
static void look_at(struct sft_model *model, const struct sft_scorer *scorer, const char *name, int64_t n,
                    struct sft_outputs *outputs)
{
    const struct sft_inference_extra extra = {append, scorer};
    struct sft_inference *inference;
    float *images = room(n, NUMBERS_OF_IMAGE), *to[SFT_MAX_OUTPUTS_OF_PASS] = {NULL}, *first[3];
    int width[3];
    formula_images(name, n, images);
    assert_int_equal(sft_inference_create(model, BATCH, &extra, 1, &inference), SFT_OK);
    for (int k = 0; k < 3; k++) {
        width[k] = sft_inference_width(inference, k);
        first[k] = room(n, width[k]);
    }
    for (int64_t at = 0; at < n; at += BATCH) {
        for (int k = 0; k < 3; k++) to[k] = first[k] + at * width[k];
        assert_int_equal(
            sft_inference_run(inference, images + at * NUMBERS_OF_IMAGE, n - at < BATCH ? n - at : BATCH, to), SFT_OK);
    }
    *outputs = (struct sft_outputs){.n = n,
                                    .classes = width[0],
                                    .logits = first[0],
                                    .width = width[1],
                                    .features = first[1],
                                    .extra_width = width[2],
                                    .extra = first[2]};
    sft_inference_destroy(&inference);
    free(images);
}

static void free_outputs(struct sft_outputs *outputs)
{
    free((float *)outputs->logits);
    free((float *)outputs->features);
    free((float *)outputs->extra);
}

static void check_case(struct sft_model *model, const struct sft_stored_tensor *expected, const char *description)
{
    int64_t n = sft_shape_count(&expected->shape);
    float *want = golden_values(expected), *got = room(n, 1);
    struct sft_outputs outputs;
    struct sft_scorer scorer;
    struct sft_head head;
    golden_scorer(description, &scorer);
    assert_int_equal(sft_head_read(model, &head), SFT_OK);
    look_at(model, &scorer, "images0", n, &outputs);
    assert_int_equal(sft_scorer_compute(&scorer, &outputs, &head, got), SFT_OK);
    print_message("    %-60s %.1e\n", expected->name, golden_compare(expected->name, n, got, want, 1e-4));
    free_outputs(&outputs);
    sft_scorer_free(&scorer);
    sft_head_free(&head);
    free(want);
    free(got);
}

static void test_network(void **state)
{
    const char *name = *state;
    char prefix[64];
    struct sft_model *model;
    int cases = 0;
    snprintf(prefix, sizeof(prefix), "networks/%s/", name);
    assert_int_equal(sft_model_create(device, &(struct sft_model_config){.name = name, .classes = 10}, &model), SFT_OK);
    assert_int_equal(formula_fill(&model->parameters), SFT_OK);
    for (size_t i = 0; i < golden->n_tensors; i++) {
        const struct sft_stored_tensor *tensor = &golden->tensors[i];
        if (strncmp(tensor->name, prefix, strlen(prefix)) != 0) continue;
        check_case(model, tensor, tensor->name + strlen(prefix));
        cases++;
    }
    assert_true(cases > 0);
    sft_model_destroy(&model);
}

static int setup(void **state)
{
    const char *want = getenv("SFT_TEST_DEVICE");
    (void)state;
    golden = golden_scores_open();
    return sft_device_open(want ? want : "cpu", 0, &device) == SFT_OK ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    sft_checkpoint_close(&golden);
    sft_device_close(&device);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        {"scores/resnetv2_20_gn", test_network, NULL, NULL, (void *)"resnetv2_20_gn"},
        {"scores/vgg11_gn", test_network, NULL, NULL, (void *)"vgg11_gn"},
    };
    return cmocka_run_group_tests_name("golden scores of networks", tests, setup, teardown);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Scores that look into the network, against an independent implementation in float64
 * (tests/golden/scores.py), on networks and images by formula: 1e-4 relative, image by image. */
#include "tests/ood/scores/score_golden.h"

#include "nn/inference.h"
#include "ood/evaluate.h"
#include "tests/nn/formula.h"
#include "tests/support/group.h"

enum { BATCH = 5, NUMBERS_OF_IMAGE = 32 * 32 * 3 };

/* As in the script: images of the training kind for a score that picks a block, that fits Gaussians, and that
 * tunes. */
enum { N_RATIO = 8, N_GAUSSIANS = 100, FIRST_TO_TUNE = 6, N_TUNE = 16 };

static struct sft_checkpoint *golden;

static float *room(int64_t n, int width)
{
    float *values = calloc((size_t)n * (size_t)width + 1, sizeof(*values));
    assert_non_null(values);
    return values;
}

/* What the network says about n images by formula, from number `start` on, in batches. Labels are 0, 1, ...
 * over and over. */
static struct sft_outputs look_at(struct sft_model *model, const struct sft_scorer *scorer,
                                  enum sft_images kind, const char *name, int64_t start, int64_t n)
{
    const struct sft_extension extension = {scorer, kind};
    const struct sft_inference_extra extra = {sft_extend, &extension};
    struct sft_inference *inference;
    float *images = room(start + n, NUMBERS_OF_IMAGE), *to[SFT_MAX_OUTPUTS_OF_PASS] = {NULL}, *first[3];
    int32_t *labels = calloc((size_t)n, sizeof(*labels));
    int width[3];
    formula_images(name, start + n, images);
    assert_non_null(labels);
    assert_int_equal(sft_inference_create(model, n < BATCH ? (int)n : BATCH, &extra, 1, &inference), SFT_OK);
    for (int64_t i = 0; i < n; i++) labels[i] = (int32_t)(i % model->classes);
    for (int k = 0; k < 3; k++) {
        width[k] = sft_inference_width(inference, k);
        first[k] = room(n, width[k]);
    }
    for (int64_t at = 0; at < n; at += BATCH) {
        for (int k = 0; k < 3; k++) to[k] = first[k] + at * width[k];
        assert_int_equal(sft_inference_run(inference, images + (start + at) * NUMBERS_OF_IMAGE,
                                           n - at < BATCH ? n - at : BATCH, to),
                         SFT_OK);
    }
    sft_inference_destroy(&inference);
    free(images);
    return (struct sft_outputs){.n = n,
                                .classes = width[0],
                                .logits = first[0],
                                .width = width[1],
                                .features = first[1],
                                .extra_width = width[2],
                                .extra = first[2],
                                .labels = labels};
}

static void free_outputs(struct sft_outputs *outputs)
{
    free((float *)outputs->logits);
    free((float *)outputs->features);
    free((float *)outputs->extra);
    free((int32_t *)outputs->labels);
}

static void fit(struct sft_model *model, const struct sft_head *head, struct sft_scorer *scorer)
{
    unsigned needs = sft_scorer_needs(scorer);
    struct sft_outputs outputs;
    if (!(needs & SFT_NEEDS_FIT)) return;
    outputs =
        look_at(model, scorer, SFT_IMAGES_FIT, "fit", 0, needs & SFT_NEEDS_LABELS ? N_GAUSSIANS : N_RATIO);
    assert_int_equal(sft_scorer_fit(scorer, &outputs, head), SFT_OK);
    free_outputs(&outputs);
    if (!(needs & SFT_NEEDS_TUNE)) return;
    outputs = look_at(model, scorer, SFT_IMAGES_TUNE, "fit", FIRST_TO_TUNE, N_TUNE);
    assert_int_equal(sft_scorer_tune(scorer, &outputs, head), SFT_OK);
    free_outputs(&outputs);
}

static void check_case(struct sft_model *model, const struct sft_stored_tensor *expected,
                       const char *description)
{
    int64_t n = sft_shape_count(&expected->shape) / 2;
    float *want = golden_values(expected), *got = room(2 * n, 1);
    struct sft_outputs id, ood;
    struct sft_scorer scorer;
    struct sft_head head;
    golden_scorer(description, &scorer);
    scorer.variant = model->variant;
    assert_int_equal(sft_head_read(model, &head), SFT_OK);
    fit(model, &head, &scorer);
    id = look_at(model, &scorer, SFT_IMAGES_ID, "imagesid", 0, n);
    ood = look_at(model, &scorer, SFT_IMAGES_OOD, "imagesood", 0, n);
    assert_int_equal(sft_scorer_compute(&scorer, &id, &head, got), SFT_OK);
    assert_int_equal(sft_scorer_compute(&scorer, &ood, &head, got + n), SFT_OK);
    print_message("    %-90s %.1e\n", expected->name, golden_compare(expected->name, 2 * n, got, want, 1e-4));
    free_outputs(&ood);
    free_outputs(&id);
    sft_scorer_free(&scorer);
    sft_head_free(&head);
    free(want);
    free(got);
}

/* Drivers that run on the CPU take minutes for all cases: there the settings of one score for each kind of
 * pass stand for the others, unless SFT_TEST_ALL is set. */
static bool is_wanted(const char *network, const char *description)
{
    static const char *const few[] = {"odin odin-eps=", "rankfeat", "rankweight", "featurenorm"};
    if (test_is_thorough()) return true;
    if (strcmp(network, "resnetv2_20_gn") != 0) return false;
    for (size_t i = 0; i < sizeof(few) / sizeof(few[0]); i++)
        if (strncmp(description, few[i], strlen(few[i])) == 0 && (i == 0 || !strchr(description, ' ')))
            return true;
    return false;
}

static void test_network(void **state)
{
    const char *name = *state;
    char prefix[64];
    struct sft_model *model;
    int cases = 0;
    snprintf(prefix, sizeof(prefix), "networks/%s/", name);
    assert_int_equal(
        sft_model_create(test_device(), &(struct sft_model_config){.name = name, .classes = 10}, &model),
        SFT_OK);
    assert_int_equal(formula_fill(&model->parameters), SFT_OK);
    for (size_t i = 0; i < golden->n_tensors; i++) {
        const struct sft_stored_tensor *tensor = &golden->tensors[i];
        if (strncmp(tensor->name, prefix, strlen(prefix)) != 0) continue;
        if (!is_wanted(name, tensor->name + strlen(prefix))) continue;
        check_case(model, tensor, tensor->name + strlen(prefix));
        cases++;
    }
    print_message("    %d cases\n", cases);
    assert_true(cases > 0 || !is_wanted(name, "rankfeat"));
    sft_model_destroy(&model);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        {"scores/resnetv2_20_gn", test_network, NULL, NULL, (void *)"resnetv2_20_gn"},
        {"scores/vgg11_gn", test_network, NULL, NULL, (void *)"vgg11_gn"},
    };
    int failed;
    golden = golden_scores_open();
    failed = test_run_group("ood/score_networks", argc, argv, tests, sizeof(tests) / sizeof(tests[0]));
    sft_checkpoint_close(&golden);
    return failed;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* What scores make of tokens, against PyTorch in float64 (tests/golden/t2t.py): t2t_vit_14 at 64 pixels. */
#include "tests/nn/golden.h"

#include "nn/inference.h"
#include "ood/evaluate.h"
#include "tests/nn/formula.h"
#include "tests/ood/scores/score_golden.h"
#include "tests/support/group.h"

enum { N = 3, SIDE = 64, TOKENS = 17, WIDTH = 384, TAPS = 4, EVERY = 48 };

static json_t *golden;
static struct sft_model *model;

static int setup(void **state)
{
    const struct sft_model_config config = {.name = "t2t_vit_14", .classes = 10, .image_size = SIDE};
    (void)state;
    if (sft_model_create(test_device(), &config, &model) != SFT_OK) return -1;
    return formula_fill(&model->parameters) == SFT_OK ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    sft_model_destroy(&model);
    return 0;
}

/* What the scorer appends to a pass over N images; *width numbers an image. */
static float *extra_of(const struct sft_scorer *scorer, enum sft_images kind, int *width)
{
    const struct sft_extension extension = {scorer, kind};
    const struct sft_inference_extra extra = {sft_extend, &extension};
    struct sft_inference *inference;
    float *images = calloc(N * SIDE * SIDE * 3, sizeof(*images)), *values;
    float *to[SFT_MAX_OUTPUTS_OF_PASS] = {NULL};
    assert_non_null(images);
    formula_images_of("scored", N, SIDE, images);
    assert_int_equal(sft_inference_create(model, N, &extra, 1, &inference), SFT_OK);
    *width = sft_inference_width(inference, SFT_OUTPUT_EXTRA);
    values = calloc((size_t)(N * *width), sizeof(*values));
    assert_non_null(values);
    to[SFT_OUTPUT_EXTRA] = values;
    assert_int_equal(sft_inference_run(inference, images, N, to), SFT_OK);
    sft_inference_destroy(&inference);
    free(images);
    return values;
}

static const json_t *expected_of(const char *description)
{
    const json_t *expected = json_object_get(json_object_get(golden, "token_scores"), description);
    assert_non_null(expected);
    return expected;
}

static void check(const char *description, const json_t *expected, const float *values)
{
    double distance = golden_distance(expected, values);
    print_message("    %-32s %.1e\n", description, distance);
    assert_true(distance < 1e-4);
}

/* Scores that are computed from what they append alone. */
static void test_score(void **state)
{
    const char *description = *state;
    struct sft_head head;
    struct sft_scorer scorer;
    struct sft_outputs outputs = {.n = N, .classes = 10};
    float scores[N], logits[N * 10] = {0}, *extra;
    golden_scorer(description, &scorer);
    scorer.variant = model->variant;
    assert_int_equal(sft_head_read(model, &head), SFT_OK);
    extra = extra_of(&scorer, SFT_IMAGES_ID, &outputs.extra_width);
    outputs.extra = extra;
    outputs.logits = logits;
    assert_int_equal(sft_scorer_compute(&scorer, &outputs, &head, scores), SFT_OK);
    assert_int_equal(json_array_size(expected_of(description)), N);
    check(description, expected_of(description), scores);
    free(extra);
    sft_scorer_free(&scorer);
    sft_head_free(&head);
}

/* A number a token and tap, as the published code has it. */
static void test_mean_of_channels(void **state)
{
    const char *description = "mahalanobis maha-t2t=rf";
    struct sft_scorer scorer;
    struct sft_head head;
    float *extra;
    int width;
    (void)state;
    golden_scorer(description, &scorer);
    extra = extra_of(&scorer, SFT_IMAGES_FIT, &width);
    assert_int_equal(width, TAPS * TOKENS);
    assert_int_equal(sft_head_read(model, &head), SFT_OK);
    assert_int_equal(head.n_taps, TAPS);
    assert_int_equal(head.tap_widths[0], WIDTH);
    assert_int_equal(head.tap_tokens[TAPS - 1], TOKENS);
    check(description, expected_of(description), extra);
    sft_head_free(&head);
    sft_scorer_free(&scorer);
    free(extra);
}

/* A number a channel and tap; the file has some of them. */
static void test_mean_of_tokens(void **state)
{
    const char *description = "mahalanobis maha-t2t=pool";
    float *extra, some[N * TAPS * WIDTH / EVERY];
    struct sft_scorer scorer;
    int width;
    (void)state;
    golden_scorer(description, &scorer);
    extra = extra_of(&scorer, SFT_IMAGES_FIT, &width);
    assert_int_equal(width, TAPS * WIDTH);
    for (int i = 0; i < N * TAPS * WIDTH / EVERY; i++) some[i] = extra[i * EVERY];
    check(description, expected_of(description), some);
    sft_scorer_free(&scorer);
    free(extra);
}

static void test_misfit(void **state)
{
    struct sft_scorer scorer;
    (void)state;
    golden_scorer("featurenorm", &scorer);
    assert_non_null(strstr(sft_scorer_misfit(&scorer, model), "tokens"));
    sft_scorer_free(&scorer);
    golden_scorer("rankfeat", &scorer);
    assert_null(sft_scorer_misfit(&scorer, model));
    sft_scorer_free(&scorer);
}

#define CASE(test, description)                                                                              \
    {                                                                                                        \
        description, test, setup, teardown, (void *)description                                              \
    }

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        CASE(test_score, "rankfeat"),
        CASE(test_score, "rankfeat rankfeat-blocks=3"),
        CASE(test_score, "rankweight"),
        CASE(test_mean_of_channels, "mean of channels"),
        CASE(test_mean_of_tokens, "mean of tokens"),
        CASE(test_misfit, "misfit"),
    };
    int failed;
    golden = golden_open(SFT_TEST_DATA "/golden/t2t.json");
    failed =
        golden ? test_run_group("ood/token_scores", argc, argv, tests, sizeof(tests) / sizeof(tests[0])) : 1;
    json_decref(golden);
    return failed;
}

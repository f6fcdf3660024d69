/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SAM-only-norm steps against a PyTorch transcription of SAM-ON in float64
 * (tests/golden/make_models.py, t2t.py): losses and gradient norm of every step, and all parameters
 * afterwards.
 */
#include "tests/nn/golden.h"

#include "tests/nn/formula.h"
#include "tests/sam/expected.h"
#include "tests/support/group.h"

enum { MAX_ROWS = 16, MAX_IMAGES = MAX_ROWS * 32 * 32 * 3 };

/* A network of a golden file. */
struct subject {
    const char *name, *file;
    double norms;  /* how far the gradient norms of later steps may be off: after ReLUs that flipped */
    double change; /* and what the steps changed, in a mean element; SGD in place of SAM is off by 2 to 3 */
};

/* Pixels a side of the images. */
static int side_of(const json_t *expected)
{
    return json_object_get(expected, "side") ? (int)number(expected, "side") : 32;
}

static void run_step(struct sft_step *step, const struct subject *subject, const json_t *expected,
                     int number_of_step)
{
    static float images[MAX_IMAGES];
    const json_t *losses = json_array_get(json_object_get(expected, "losses"), (size_t)number_of_step);
    int n_id = (int)number(expected, "n_id"), n_ood = (int)number(expected, "n_ood"),
        side = side_of(expected);
    const struct sft_step_rates rates = expected_rates(expected, number_of_step);
    struct sft_step_result result;
    int32_t labels[MAX_ROWS];
    char name[32];
    snprintf(name, sizeof(name), "step%d", number_of_step);
    assert_true((n_id + n_ood) * side * side * 3 <= MAX_IMAGES);
    formula_images_of(name, n_id + n_ood, side, images);
    formula_labels(n_id, n_ood, labels);
    assert_int_equal(sft_step_run(step, &rates, images, labels, &result), SFT_OK);
    check_relative(result.loss_id, golden_number(losses, 0), "ID loss", 1e-4);
    check_relative(result.loss_ood, golden_number(losses, 1), "outlier loss", 1e-4);
    check_relative(result.perturb_norm,
                   golden_number(json_object_get(expected, "grad_norms"), (size_t)number_of_step),
                   "gradient norm", number_of_step == 0 ? 1e-5 : subject->norms);
}

/* The largest distances of parameters, and of their changes since the formula's values. */
static void check_parameters(const struct sft_model *model, const json_t *expected, double change)
{
    const struct sft_parameters *parameters = &model->parameters;
    float *flat = calloc((size_t)parameters->weights_size, sizeof(*flat)), *start;
    json_t *changes = json_object_get(expected, "change");
    double most = 0, most_change = 0;
    assert_non_null(flat);
    assert_int_equal(sft_tensor_download(parameters->weights, 0, parameters->weights_size, flat), SFT_OK);
    for (int i = 0; i < parameters->n; i++) {
        const struct sft_parameter *item = &parameters->items[i];
        if (item->kind == SFT_BUFFER) continue;
        start = calloc((size_t)item->count, sizeof(*start));
        assert_non_null(start);
        for (int64_t k = 0; k < item->count; k++) start[k] = formula_value(item, k);
        most = fmax(most,
                    golden_parameter_distance(json_object_get(json_object_get(expected, "final"), item->name),
                                              item, flat, NULL, 0));
        most_change = fmax(most_change, golden_parameter_distance(json_object_get(changes, item->name), item,
                                                                  flat, start, 0));
        free(start);
    }
    free(flat);
    print_message("    parameters %.1e, their changes %.1e\n", most, most_change);
    assert_true(most < 1e-4);
    assert_true(most_change < change);
}

static void test_steps(void **state)
{
    const struct subject *subject = *state;
    json_t *golden = golden_open(subject->file);
    const json_t *expected = json_object_get(json_object_get(golden, "sam_only_norm"), subject->name);
    struct sft_model *model;
    struct sft_step *step;
    struct sft_step_params params = {.optimizer = sft_optimizer_find("sam-norm"),
                                     .lambda = 1.0f,
                                     .loss = {.distance = SFT_DISTANCE_OE},
                                     .no_dropout = true};
    assert_non_null(golden);
    params.n_id = (int)number(expected, "n_id");
    params.n_ood = (int)number(expected, "n_ood");
    assert_non_null(params.optimizer);
    assert_int_equal(
        sft_model_create(
            test_device(),
            &(struct sft_model_config){.name = subject->name, .classes = 10, .image_size = side_of(expected)},
            &model),
        SFT_OK);
    assert_int_equal(formula_fill(&model->parameters), SFT_OK);
    assert_int_equal(sft_step_create(model, &params, &step), SFT_OK);
    for (int i = 0; i < (int)number(expected, "steps"); i++) run_step(step, subject, expected, i);
    check_parameters(model, expected, subject->change);
    sft_step_destroy(&step);
    sft_model_destroy(&model);
    json_decref(golden);
}

int main(int argc, char **argv)
{
    static const char models[] = SFT_TEST_DATA "/golden/models.json",
                      t2t[] = SFT_TEST_DATA "/golden/t2t.json";
    static const struct subject subjects[] = {{"resnetv2_20_gn", models, 1e-2, 0.3},
                                              {"vgg11_gn", models, 1e-2, 0.3},
                                              {"t2t_vit_14", t2t, 1e-4, 1e-2},
                                              {"t2t_vit_t_14", t2t, 1e-4, 1e-2}};
    enum { TESTS = sizeof(subjects) / sizeof(subjects[0]) };
    static char names[TESTS][SFT_MAX_NAME];
    struct CMUnitTest tests[TESTS] = {{0}};
    for (int i = 0; i < TESTS; i++) {
        sft_name(names[i], "sam-norm/%s", subjects[i].name);
        tests[i] = (struct CMUnitTest){names[i], test_steps, NULL, NULL, (void *)&subjects[i]};
    }
    return test_run_group("sam/golden", argc, argv, tests, TESTS);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SAM-only-norm steps of networks for ImageNet and CIFAR against a PyTorch transcription of SAM-ON in float64
 * (tests/golden/models_conv.py): losses and gradient norm of every step, and what the first step changed.
 * Their ReLUs keep paths from staying together, PyTorch's own in float32 too, which says how near is near
 * enough. With SFT_TEST_GOLDEN the cases of that file.
 */
#include "tests/nn/case.h"

#include "tests/sam/expected.h"
#include "tests/support/group.h"

enum { MAX_ROWS = 32 };

/* Three times what the framework's float32 is off by in a step, or `usual`. */
static double step_tolerance(const struct golden_case *golden, const char *key, int step, double usual)
{
    json_t *measured = json_object_get(json_object_get(golden->expected, "float32"), key);
    return fmax(usual, 3 * golden_number(measured, (size_t)step));
}

static void run_step(struct sft_step *step, const struct golden_case *golden, int number_of_step)
{
    const json_t *expected = golden->expected;
    const json_t *losses = json_array_get(json_object_get(expected, "losses"), (size_t)number_of_step);
    int n_id = (int)number(expected, "n_id"), n_ood = (int)number(expected, "n_ood");
    const struct sft_step_rates rates = expected_rates(expected, number_of_step);
    struct sft_step_result result;
    int32_t labels[MAX_ROWS];
    double tolerance = step_tolerance(golden, "losses", number_of_step, 1e-4);
    char name[32];
    float *images;
    snprintf(name, sizeof(name), "step%d", number_of_step);
    images = case_images(golden, name, n_id + n_ood);
    formula_labels(n_id, n_ood, labels);
    assert_int_equal(sft_step_run(step, &rates, images, labels, &result), SFT_OK);
    free(images);
    check_relative(result.loss_id, golden_number(losses, 0), "ID loss", tolerance);
    check_relative(result.loss_ood, golden_number(losses, 1), "outlier loss", tolerance);
    check_relative(result.perturb_norm,
                   golden_number(json_object_get(expected, "grad_norms"), (size_t)number_of_step),
                   "gradient norm", /* after the first: after ReLUs that flipped */
                   step_tolerance(golden, "grad_norms", number_of_step, number_of_step == 0 ? 1e-5 : 1e-2));
}

/* Elements of parameter `item` before the first step, in the file's layout. */
static float *start_of(const struct golden_case *golden, const struct sft_parameter *item)
{
    const float scale = formula_scale(item, case_scales(golden));
    float *start = calloc((size_t)item->count, sizeof(*start));
    assert_non_null(start);
    for (int64_t k = 0; k < item->count; k++) start[k] = scale * formula_value(item, k);
    return start;
}

/* The largest distance of a parameter's change from its summary. */
static double distance_of_changes(const struct golden_case *golden, const struct sft_model *model)
{
    const struct sft_parameters *parameters = &model->parameters;
    const json_t *summaries = json_object_get(golden->expected, "first_change");
    float *flat = calloc((size_t)parameters->weights_size, sizeof(*flat));
    double most = 0;
    assert_non_null(flat);
    assert_int_equal(sft_tensor_download(parameters->weights, 0, parameters->weights_size, flat), SFT_OK);
    for (int i = 0; i < parameters->n; i++) {
        const struct sft_parameter *item = &parameters->items[i];
        float *start;
        if (item->kind == SFT_BUFFER) continue;
        start = start_of(golden, item);
        most = fmax(most,
                    golden_parameter_distance(json_object_get(summaries, item->name), item, flat, start, 0));
        free(start);
    }
    free(flat);
    print_message("    first change   %.1e\n", most);
    return most;
}

static void test_steps(void **state)
{
    const struct golden_case *golden = *state;
    const json_t *expected = golden->expected;
    struct sft_model *model = case_model(golden, test_device(), 0);
    struct sft_step *step;
    const struct sft_step_params params = {.optimizer = sft_optimizer_find("sam-norm"),
                                           .n_id = (int)number(expected, "n_id"),
                                           .n_ood = (int)number(expected, "n_ood"),
                                           .lambda = 1.0f,
                                           .loss = {.distance = SFT_DISTANCE_OE},
                                           .no_dropout = true};
    assert_non_null(params.optimizer);
    assert_int_equal(sft_step_create(model, &params, &step), SFT_OK);
    for (int i = 0; i < (int)number(expected, "steps"); i++) {
        run_step(step, golden, i);
        if (i == 0)
            assert_true(distance_of_changes(golden, model) < case_tolerance(golden, "first_change", 1e-3));
    }
    sft_step_destroy(&step);
    sft_model_destroy(&model);
}

enum { MAX_TESTS = 32 };
static struct {
    char names[MAX_TESTS][SFT_MAX_NAME];
    struct golden_case cases[MAX_TESTS];
    struct CMUnitTest tests[MAX_TESTS];
    size_t n;
} group;

static void add_cases(json_t *file)
{
    struct golden_case golden;
    json_object_foreach(json_object_get(file, "sam_only_norm"), golden.name, golden.expected)
    {
        const size_t i = group.n;
        if (!case_is_wanted(&golden)) continue;
        if (i == MAX_TESTS) abort();
        group.n++;
        snprintf(group.names[i], SFT_MAX_NAME, "sam-norm/%s", golden.name);
        group.cases[i] = golden;
        group.tests[i] = (struct CMUnitTest){group.names[i], test_steps, NULL, NULL, &group.cases[i]};
    }
}

int main(int argc, char **argv)
{
    const char *chosen = getenv("SFT_TEST_GOLDEN");
    json_t *file = golden_open(chosen ? chosen : SFT_TEST_DATA "/golden/models_conv.json");
    int failed;
    if (!file) return 1;
    add_cases(file);
    failed = test_run_group("sam/golden_conv", argc, argv, group.tests, group.n);
    json_decref(file);
    return failed;
}

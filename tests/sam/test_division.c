/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Steps that have to fit: cut into micro-batches they are the undivided step to rounding, dropout included;
 * with values computed again they are the same bits; the plan keeps to its memory, or says what it needs.
 */
#include <math.h>

#include "runtime/base/rng.h"
#include "sam/step.h"
#include "tests/nn/formula.h"
#include "tests/support/group.h"

enum { SIDE = 32, N_ID = 5, N_OOD = 4, ROWS = N_ID + N_OOD, CLASSES = 10, STEPS = 3 };

static float images[STEPS][ROWS * SIDE * SIDE * 3];
static const int32_t labels[ROWS] = {3, 1, 4, 1, 5, -1, -1, -1, -1};

static void make_images(void)
{
    struct sft_rng rng;
    sft_rng_init(&rng, 1, SFT_STREAM_TEST, 0);
    for (int t = 0; t < STEPS; t++)
        for (int64_t i = 0; i < ROWS * SIDE * SIDE * 3; i++) images[t][i] = sft_rng_normal(&rng);
}

static struct sft_model *make_model(const char *name)
{
    const struct sft_model_config config = {.name = name, .classes = CLASSES};
    struct sft_model *model;
    assert_int_equal(sft_model_create(test_device(), &config, &model), SFT_OK);
    assert_int_equal(sft_parameters_init(&model->parameters, 1), SFT_OK);
    return model;
}

static struct sft_step_params params_of(const char *optimizer)
{
    return (struct sft_step_params){.optimizer = sft_optimizer_find(optimizer),
                                    .n_id = N_ID,
                                    .n_ood = N_OOD,
                                    .lambda = 0.5f,
                                    .constants = sft_constants_default()};
}

struct outcome {
    struct sft_step_plan plan;
    struct sft_step_result results[STEPS];
    float *weights; /* afterwards */
    int64_t size;
};

static struct outcome run(const char *model_name, const struct sft_step_params *params)
{
    struct sft_model *model = make_model(model_name);
    struct outcome outcome = {.size = model->parameters.weights_size};
    struct sft_step *step;
    assert_int_equal(sft_step_create(model, params, &step), SFT_OK);
    outcome.plan = *sft_step_get_plan(step);
    for (int t = 0; t < STEPS; t++) {
        const struct sft_step_rates rates = {
            .step = t, .steps = STEPS, .seed = 7, .lr = 0.01, .rho = 0.1, .momentum = 0.9};
        assert_int_equal(sft_step_run(step, &rates, images[t], labels, &outcome.results[t]), SFT_OK);
    }
    outcome.weights = malloc((size_t)outcome.size * sizeof(float));
    assert_non_null(outcome.weights);
    assert_int_equal(sft_tensor_download(model->parameters.weights, 0, outcome.size, outcome.weights),
                     SFT_OK);
    sft_step_destroy(&step);
    sft_model_destroy(&model);
    return outcome;
}

/* Of the weights, relative to their length; and of the first losses, which no change of weights is in. */
static double distance(const struct outcome *a, const struct outcome *b)
{
    double square = 0, whole = 0, worst = 0;
    for (int64_t i = 0; i < a->size; i++) {
        double d = (double)a->weights[i] - (double)b->weights[i];
        square += d * d;
        whole += (double)b->weights[i] * (double)b->weights[i];
    }
    for (int t = 0; t < STEPS; t++) worst = fmax(worst, fabs(a->results[t].loss / b->results[t].loss - 1));
    return fmax(worst, sqrt(square / whole));
}

/* ---- the same step ---- */

static const struct {
    const char *model, *optimizer;
} runs[] = {{"resnetv2_20_gn", "sam-norm"}, {"resnetv2_20_gn", "sgd"}, {"vgg11_gn", "sam-norm"}};

static void slices_are_the_whole_step(void **state)
{
    (void)state;
    for (size_t i = 0; i < (test_is_thorough() ? sizeof(runs) / sizeof(runs[0]) : 1); i++) {
        struct sft_step_params params = params_of(runs[i].optimizer);
        struct outcome whole = run(runs[i].model, &params), cut;
        params.slices = 4;
        cut = run(runs[i].model, &params);
        print_message("    %s, %s: %.1e\n", runs[i].model, runs[i].optimizer, distance(&cut, &whole));
        assert_int_equal(whole.plan.slices, 1);
        assert_int_equal(cut.plan.slices, 3); /* of 3 rows each */
        assert_true(distance(&cut, &whole) < 1e-4);
        free(whole.weights);
        free(cut.weights);
    }
}

static void computing_again_is_the_same_bits(void **state)
{
    (void)state;
    for (int i = 0; i < (test_is_thorough() ? 2 : 1); i++) {
        struct sft_step_params params = params_of(i ? "sgd" : "sam-norm");
        struct outcome whole = run("resnetv2_20_gn", &params), less;
        uint64_t most = whole.plan.arena * 2 / 3;
        params.slices = 1;
        params.memory = whole.plan.state + whole.plan.batch + most;
        less = run("resnetv2_20_gn", &params);
        assert_int_equal(less.plan.slices, 1);
        assert_true(less.plan.again > 0 && less.plan.flops_again > 0);
        assert_true(less.plan.arena <= most);
        assert_int_equal(less.size, whole.size);
        assert_memory_equal(less.weights, whole.weights, (size_t)whole.size * sizeof(float));
        assert_memory_equal(less.results, whole.results, sizeof(whole.results));
        free(whole.weights);
        free(less.weights);
    }
}

static void both_together(void **state)
{
    struct sft_step_params params = params_of("sam-norm");
    struct outcome whole, less;
    uint64_t temporary;
    (void)state;
    if (!test_is_thorough()) skip();
    whole = run("resnetv2_20_gn", &params);
    temporary = whole.plan.arena;
    params.slices = 3;
    less = run("resnetv2_20_gn", &params);
    params.memory = less.plan.state + less.plan.batch + less.plan.arena * 3 / 4;
    free(less.weights);
    less = run("resnetv2_20_gn", &params);
    assert_true(less.plan.again > 0);
    assert_true(less.plan.arena < temporary / 3);
    assert_true(distance(&less, &whole) < 1e-4);
    free(whole.weights);
    free(less.weights);
}

/* ---- the choice ---- */

static void plans_keep_to_their_memory(void **state)
{
    static const char *const optimizers[] = {"sam-norm", "sgd", "looksam", "esam", "ssam-f", "friendly-sam"};
    struct sft_model *model = make_model("resnetv2_20_gn");
    (void)state;
    for (size_t i = 0; i < sizeof(optimizers) / sizeof(optimizers[0]); i++) {
        struct sft_step_params params = params_of(optimizers[i]);
        struct sft_step_plan last = {.seconds = 0};
        uint64_t whole;
        struct sft_step *step;
        assert_int_equal(sft_step_plan(model, &params, &step), SFT_OK);
        whole =
            sft_step_get_plan(step)->state + sft_step_get_plan(step)->batch + sft_step_get_plan(step)->arena;
        for (int percent = 100; percent >= 45; percent -= 11) {
            struct sft_step_plan plan;
            sft_step_destroy(&step);
            params.memory = whole * (uint64_t)percent / 100;
            assert_int_equal(sft_step_plan(model, &params, &step), SFT_OK);
            plan = *sft_step_get_plan(step);
            assert_true(plan.state + plan.batch + plan.arena <= params.memory);
            assert_true(plan.arena_least <= plan.arena);
            assert_true(plan.seconds >= 0.8 * last.seconds); /* less memory is hardly ever faster */
            last = plan;
        }
        sft_step_destroy(&step);
    }
    sft_model_destroy(&model);
}

/* Without a limit a step is left whole; what is cheap to save is saved where thrift asks for it. */
static void thrift_is_taken_where_it_is_cheap(void **state)
{
    struct sft_model *model = make_model("resnetv2_20_gn");
    struct sft_step_params params = params_of("sam-norm");
    struct sft_step *step;
    struct sft_step_plan whole, thrifty;
    (void)state;
    assert_int_equal(sft_step_plan(model, &params, &step), SFT_OK);
    whole = *sft_step_get_plan(step);
    sft_step_destroy(&step);
    params.thrift = whole.state + whole.batch + whole.arena * 7 / 10;
    assert_int_equal(sft_step_plan(model, &params, &step), SFT_OK);
    thrifty = *sft_step_get_plan(step);
    sft_step_destroy(&step);
    assert_true(thrifty.arena <= whole.arena * 7 / 10);
    assert_true(thrifty.seconds <= whole.seconds * 1.05);
    params.thrift = whole.state + whole.batch + 1; /* impossible: the fastest is taken */
    assert_int_equal(sft_step_plan(model, &params, &step), SFT_OK);
    assert_int_equal(sft_step_get_plan(step)->arena, whole.arena);
    sft_step_destroy(&step);
    sft_model_destroy(&model);
}

/* ---- what does not go ---- */

static void says_what_is_needed(void **state)
{
    struct sft_model *model = make_model("resnetv2_20_gn"), *batch_norm = make_model("resnetv2_20_bn");
    struct sft_step_params params = params_of("sam-norm");
    struct sft_step *step;
    (void)state;
    test_catch_log();
    params.memory = 1 << 20;
    assert_int_equal(sft_step_create(model, &params, &step), SFT_MEMORY);
    assert_null(step);
    test_expect_last("needs at least 3 MiB beside the model");
    test_expect_last("temporary values of 1 image at a time; 1 MiB are left: use a larger --memory");
    params.memory = 5 << 20;
    assert_int_equal(sft_step_create(batch_norm, &params, &step), SFT_MEMORY);
    test_expect_last("batch norm needs the whole batch at once");
    params.memory = 0;
    params.slices = 2;
    assert_int_equal(sft_step_create(batch_norm, &params, &step), SFT_USAGE);
    test_expect_last("batch norm makes its statistics of the whole batch");
    params.slices = ROWS + 1;
    assert_int_equal(sft_step_create(model, &params, &step), SFT_USAGE);
    params.slices = 2;
    params.frozen_bn = true;
    assert_int_equal(sft_step_create(batch_norm, &params, &step), SFT_OK);
    test_release_log();
    sft_step_destroy(&step);
    sft_model_destroy(&model);
    sft_model_destroy(&batch_norm);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slices_are_the_whole_step),
        cmocka_unit_test(computing_again_is_the_same_bits),
        cmocka_unit_test(both_together),
        cmocka_unit_test(plans_keep_to_their_memory),
        cmocka_unit_test(thrift_is_taken_where_it_is_cheap),
        cmocka_unit_test(says_what_is_needed),
    };
    make_images();
    return test_run_group("sam/division", argc, argv, tests, sizeof(tests) / sizeof(tests[0]));
}

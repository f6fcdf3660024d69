/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SAM's relatives: five steps of each against a PyTorch transcription of its formula in float64
 * (tests/golden/optimizer_family.py), on a tiny network without kinks, so that float32 stays on the same
 * path; and with rho 0 each is its base optimiser, bit by bit.
 */
#include "tests/nn/golden.h"

#include <string.h>

#include "nn/layers/layers.h"
#include "sam/step.h"
#include "tests/nn/formula.h"
#include "tests/support/group.h"

enum {
    SIDE = 8,
    CLASSES = 5,
    N_ID = 4,
    N_OOD = 4,
    ROWS = N_ID + N_OOD,
    PIXELS = ROWS * SIDE * SIDE * 3,
    SEED = 7
};

static json_t *golden;

/* ---- the network ---- */

static void build_tiny(struct sft_build *build, sft_value images)
{
    const struct sft_conv first = {.kernel = 3, .stride = 2, .pad = 1, .out = 4, .bias = true};
    const struct sft_conv second = {.kernel = 3, .stride = 2, .pad = 1, .out = 4};
    sft_value x = sft_conv_layer(build, "conv1", images, first);
    x = sft_gelu(build->graph, sft_norm_layer(build, "norm1", x, SFT_NORM_GROUP, 2, false));
    x = sft_conv_layer(build, "conv2", x, second);
    x = sft_gelu(build->graph, sft_norm_layer(build, "norm2", x, SFT_NORM_GROUP, 4, false));
    sft_head_layer(build, "head", sft_global_pool_layer(build, x), SFT_HEAD_LINEAR);
}

static const struct sft_variant tiny = {
    .name = "tiny", .build = build_tiny, .norm = SFT_NORM_GROUP, .image_size = SIDE};

static struct sft_model *make_tiny(void)
{
    const struct sft_network network = {.variant = &tiny, .outputs = CLASSES, .image_size = SIDE};
    struct sft_model *model = calloc(1, sizeof(*model));
    assert_non_null(model);
    model->variant = &tiny;
    model->classes = CLASSES;
    model->image_size = SIDE;
    assert_int_equal(sft_network_declare(&network, &model->parameters), SFT_OK);
    assert_int_equal(sft_parameters_allocate(&model->parameters, test_device()), SFT_OK);
    assert_int_equal(formula_fill(&model->parameters), SFT_OK);
    return model;
}

static void make_batch(int step, float *images, int32_t *labels)
{
    char name[32];
    snprintf(name, sizeof(name), "family%d", step);
    for (int64_t i = 0; i < PIXELS; i++) images[i] = formula_uniform(formula_hash(name), i);
    for (int i = 0; i < ROWS; i++) labels[i] = i < N_ID ? (3 * i + 1) % CLASSES : -1;
}

/* Steps 0 .. n-1; stops at a failure. */
static enum sft_status take_steps(struct sft_step *step, const struct sft_step_rates *rates, int n,
                                  struct sft_step_result *results)
{
    float images[PIXELS];
    int32_t labels[ROWS];
    for (int t = 0; t < n; t++) {
        struct sft_step_rates now = *rates;
        now.step = t;
        now.steps = n;
        make_batch(t, images, labels);
        SFT_TRY(sft_step_run(step, &now, images, labels, &results[t]));
    }
    return SFT_OK;
}

static struct sft_step_params usual_params(const char *optimizer)
{
    struct sft_step_params params = {.optimizer = sft_optimizer_find(optimizer),
                                     .n_id = N_ID,
                                     .n_ood = N_OOD,
                                     .lambda = 1.0f,
                                     .constants = sft_constants_default()};
    assert_non_null(params.optimizer);
    return params;
}

/* ---- like PyTorch ---- */

static double option(const json_t *run, const char *key, double otherwise)
{
    const json_t *value = json_object_get(json_object_get(run, "options"), key);
    return json_is_number(value) ? json_number_value(value) : otherwise;
}

static int choice(const json_t *run, const char *key, const char *const *words)
{
    const char *word = json_string_value(json_object_get(json_object_get(run, "options"), key));
    for (int i = 0; word && words[i]; i++)
        if (strcmp(words[i], word) == 0) return i;
    if (word) fail_msg("%s: no such choice: %s", key, word);
    return 0;
}

static struct sft_step_params params_of(const json_t *run)
{
    struct sft_step_params params = usual_params(json_string_value(json_object_get(run, "optimizer")));
    struct sft_constants *c = &params.constants;
    params.perturbed = (enum sft_perturbed)choice(run, "perturb", sft_perturbed_words);
    params.adaptive = (enum sft_adaptive)choice(run, "adaptive", sft_adaptive_words);
    params.separate = option(run, "separate", 0) > 0;
    params.parts = (int)option(run, "parts", 0);
    c->eta = (float)option(run, "eta", (double)c->eta);
    c->adaptive_biases = option(run, "adaptive_biases", 0) > 0;
    c->gsam_alpha = (float)option(run, "gsam_alpha", (double)c->gsam_alpha);
    c->look_every = (int64_t)option(run, "look_every", (double)c->look_every);
    c->look_alpha = (float)option(run, "look_alpha", (double)c->look_alpha);
    c->wsam_gamma = (float)option(run, "wsam_gamma", (double)c->wsam_gamma);
    c->wsam_coupled = option(run, "wsam_coupled", 0) > 0;
    c->friendly_sigma = (float)option(run, "friendly_sigma", (double)c->friendly_sigma);
    c->friendly_lambda = (float)option(run, "friendly_lambda", (double)c->friendly_lambda);
    c->ssam_sparsity = (float)option(run, "ssam_sparsity", (double)c->ssam_sparsity);
    c->ssam_every = (int64_t)option(run, "ssam_every", (double)c->ssam_every);
    c->ssam_samples = (int64_t)option(run, "ssam_samples", (double)c->ssam_samples);
    c->ssam_drop = (float)option(run, "ssam_drop", (double)c->ssam_drop);
    c->ssam_score = (enum sft_ssam_score)choice(run, "ssam_score", sft_ssam_score_words);
    c->esam_beta = (float)option(run, "esam_beta", (double)c->esam_beta);
    c->esam_gamma = (float)option(run, "esam_gamma", (double)c->esam_gamma);
    return params;
}

static double distance(double value, double expected)
{
    return fabs(value - expected) / (expected == 0 ? 1 : fabs(expected));
}

static double result_distance(const json_t *run, const struct sft_step_result *results, int n)
{
    double most = 0;
    for (size_t t = 0; t < (size_t)n; t++) {
        const json_t *losses = json_array_get(json_object_get(run, "losses"), t);
        most = fmax(most, distance(results[t].loss_id, golden_number(losses, 0)));
        most = fmax(most, distance(results[t].loss_ood, golden_number(losses, 1)));
        most = fmax(
            most, distance(results[t].perturb_norm, golden_number(json_object_get(run, "perturb_norms"), t)));
        most =
            fmax(most, distance(results[t].grad_norm, golden_number(json_object_get(run, "grad_norms"), t)));
    }
    return most;
}

/* A parameter near 1 is stored to 6e-8, so that five steps' change is known to about 1e-7: of a smaller
 * change than this four digits cannot be asked. */
static const double LEAST_CHANGE = 1e-3;

/* Of the parameters' changes, by tensor, relative to the change of a mean element. */
static double change_distance(const json_t *run, const struct sft_model *model)
{
    const struct sft_parameters *parameters = &model->parameters;
    float flat[1024], start[1024];
    double most = 0;
    assert_true(parameters->weights_size <= 1024);
    assert_int_equal(sft_tensor_download(parameters->weights, 0, parameters->weights_size, flat), SFT_OK);
    for (int i = 0; i < parameters->n; i++) {
        const struct sft_parameter *item = &parameters->items[i];
        const json_t *expected = json_object_get(json_object_get(run, "change"), item->name);
        assert_non_null(expected);
        for (int64_t k = 0; k < item->count; k++) start[k] = formula_value(item, k);
        most = fmax(most, golden_parameter_distance(expected, item, flat, start,
                                                    LEAST_CHANGE * sqrt((double)item->count)));
    }
    return most;
}

/* With `slices` above 1 the same in micro-batches. */
static void check_run(const json_t *run, int slices)
{
    const struct sft_step_rates rates = {.seed = SEED,
                                         .lr = json_number_value(json_object_get(golden, "lr")),
                                         .rho = option(run, "rho", 0.05),
                                         .momentum = json_number_value(json_object_get(golden, "momentum")),
                                         .weight_decay =
                                             json_number_value(json_object_get(golden, "weight_decay"))};
    struct sft_step_params params = params_of(run);
    struct sft_step_result results[8];
    struct sft_model *model = make_tiny();
    struct sft_step *step;
    int steps = (int)json_integer_value(json_object_get(golden, "steps"));
    double result, change;
    char *options = json_dumps(json_object_get(run, "options"), JSON_COMPACT);
    params.slices = slices;
    assert_int_equal(sft_step_create(model, &params, &step), SFT_OK);
    assert_int_equal(sft_step_get_plan(step)->slices, slices);
    assert_int_equal(take_steps(step, &rates, steps, results), SFT_OK);
    result = result_distance(run, results, steps);
    change = change_distance(run, model);
    print_message("    %-13s losses and norms %.1e, changes %.1e  %s\n", params.optimizer->name, result,
                  change, options);
    free(options);
    sft_step_destroy(&step);
    sft_model_destroy(&model);
    assert_true(result < 1e-4);
    assert_true(change < 1e-4);
}

static void like_pytorch(void **state)
{
    json_t *runs = json_object_get(golden, "runs"), *run;
    size_t i;
    (void)state;
    assert_true(json_array_size(runs) >= 30);
    json_array_foreach(runs, i, run) check_run(run, 1);
}

/* Three slices of eight rows: the last one is not full. Where not all is wanted, a fifth of the runs. */
static void like_pytorch_in_slices(void **state)
{
    json_t *run;
    size_t i;
    (void)state;
    json_array_foreach(json_object_get(golden, "runs"), i, run)
    {
        const int rows = ROWS / (int)option(run, "parts", 1);
        if (i % 5 != 0 && !test_is_thorough()) continue;
        check_run(run, rows < 3 ? rows : rows == 4 ? 2 : 3);
    }
}

/* ---- without a perturbation ---- */

static void run_without_rho(const char *optimizer, float *weights, int64_t *size)
{
    const struct sft_step_rates rates = {.seed = SEED, .lr = 0.05, .momentum = 0.9, .weight_decay = 5e-4};
    struct sft_step_params params = usual_params(optimizer);
    struct sft_step_result results[5];
    struct sft_model *model = make_tiny();
    struct sft_step *step;
    params.constants.look_every = 2;
    params.constants.ssam_every = 2;
    params.constants.esam_gamma = 1.0f; /* all images: otherwise the loss is another one, whatever rho is */
    *size = model->parameters.weights_size;
    assert_true(*size <= 1024);
    assert_int_equal(sft_step_create(model, &params, &step), SFT_OK);
    assert_int_equal(take_steps(step, &rates, 5, results), SFT_OK);
    assert_int_equal(sft_tensor_download(model->parameters.weights, 0, *size, weights), SFT_OK);
    sft_step_destroy(&step);
    sft_model_destroy(&model);
}

static void base_optimizer_without_rho(void **state)
{
    float base[1024], weights[1024];
    const struct sft_optimizer *optimizer;
    int64_t size;
    (void)state;
    run_without_rho("sgd", base, &size);
    for (int i = 0; (optimizer = sft_optimizer_at(i)); i++) {
        if (optimizer->descent != SFT_DESCENT_SGD) continue;
        run_without_rho(optimizer->name, weights, &size);
        for (int64_t k = 0; k < size; k++)
            if (weights[k] != base[k])
                fail_msg("%s, element %d: %.9g, sgd %.9g", optimizer->name, (int)k, (double)weights[k],
                         (double)base[k]);
    }
}

/* ---- stopped and resumed: all that an optimiser carries on is in its states ---- */

static void copy_tensor(struct sft_tensor *from, struct sft_tensor *to)
{
    float values[1024];
    assert_true(sft_shape_count(&from->shape) <= 1024);
    assert_int_equal(sft_tensor_download(from, 0, sft_shape_count(&from->shape), values), SFT_OK);
    assert_int_equal(sft_tensor_upload(to, 0, sft_shape_count(&to->shape), values), SFT_OK);
}

static void one_step(struct sft_step *step, int t)
{
    const struct sft_step_rates rates = {
        .step = t, .steps = 6, .seed = SEED, .lr = 0.05, .rho = 0.1, .momentum = 0.9, .weight_decay = 5e-4};
    struct sft_step_result result;
    float images[PIXELS];
    int32_t labels[ROWS];
    make_batch(t, images, labels);
    assert_int_equal(sft_step_run(step, &rates, images, labels, &result), SFT_OK);
}

static void check_resume(const struct sft_optimizer *optimizer)
{
    struct sft_step_params params = usual_params(optimizer->name);
    struct sft_model *models[2] = {make_tiny(), make_tiny()};
    struct sft_step *steps[2];
    struct sft_tensor *const *states, *const *resumed;
    float weights[2][1024];
    int n, n_resumed;
    params.constants.look_every = params.constants.ssam_every = 2;
    for (int i = 0; i < 2; i++) assert_int_equal(sft_step_create(models[i], &params, &steps[i]), SFT_OK);
    for (int t = 0; t < 3; t++) one_step(steps[0], t);
    states = sft_step_states(steps[0], &n);
    resumed = sft_step_states(steps[1], &n_resumed);
    assert_int_equal(n, n_resumed);
    for (int i = 0; i < n; i++) copy_tensor(states[i], resumed[i]);
    copy_tensor(models[0]->parameters.weights, models[1]->parameters.weights);
    for (int i = 0; i < 2; i++) {
        for (int t = 3; t < 6; t++) one_step(steps[i], t);
        assert_int_equal(sft_tensor_download(models[i]->parameters.weights, 0,
                                             models[i]->parameters.weights_size, weights[i]),
                         SFT_OK);
    }
    for (int64_t k = 0; k < models[0]->parameters.weights_size; k++)
        if (weights[0][k] != weights[1][k]) fail_msg("%s: element %d differs", optimizer->name, (int)k);
    for (int i = 0; i < 2; i++) {
        sft_step_destroy(&steps[i]);
        sft_model_destroy(&models[i]);
    }
}

static void same_when_resumed(void **state)
{
    (void)state;
    for (int i = 0; sft_optimizer_at(i); i++) check_resume(sft_optimizer_at(i));
}

/* ---- a traced step ---- */

/* The gradient of the first pass is that of SGD at the same weights, the steps are not changed by looking,
 * and the loss afterwards is the next step's first one on the same images. */
static void trace(void **state)
{
    struct sft_step_params params = usual_params("sam-norm"), sgd = usual_params("sgd");
    const struct sft_step_rates rates = {.seed = SEED, .lr = 0.05, .rho = 0.5, .momentum = 0.9};
    struct sft_model *models[3] = {make_tiny(), make_tiny(), make_tiny()};
    struct sft_step *plain, *traced, *base;
    struct sft_step_result result;
    float images[PIXELS], a[1024], b[1024];
    int32_t labels[ROWS];
    int64_t size = models[0]->parameters.weights_size;
    double loss;
    (void)state;
    assert_int_equal(sft_step_create(models[0], &params, &plain), SFT_OK);
    params.traced = true;
    assert_int_equal(sft_step_create(models[1], &params, &traced), SFT_OK);
    assert_int_equal(sft_step_create(models[2], &sgd, &base), SFT_OK);
    make_batch(0, images, labels);
    assert_int_equal(sft_step_run(base, &rates, images, labels, &result), SFT_OK);
    assert_int_equal(sft_step_run(plain, &rates, images, labels, &result), SFT_OK);
    assert_int_equal(sft_step_run(traced, &rates, images, labels, &result), SFT_OK);
    assert_int_equal(sft_tensor_download(sft_step_gradient(base), 0, size, a), SFT_OK);
    assert_int_equal(sft_tensor_download(sft_step_first_gradient(traced), 0, size, b), SFT_OK);
    assert_memory_equal(a, b, (size_t)size * sizeof(float));
    assert_int_equal(sft_tensor_download(models[0]->parameters.weights, 0, size, a), SFT_OK);
    assert_int_equal(sft_tensor_download(models[1]->parameters.weights, 0, size, b), SFT_OK);
    assert_memory_equal(a, b, (size_t)size * sizeof(float));
    assert_int_equal(sft_step_loss(traced, &loss), SFT_OK);
    assert_int_equal(sft_step_run(plain, &rates, images, labels, &result), SFT_OK);
    assert_true(loss == result.loss);
    sft_step_destroy(&plain);
    sft_step_destroy(&traced);
    sft_step_destroy(&base);
    for (int i = 0; i < 3; i++) sft_model_destroy(&models[i]);
}

/* ---- what does not go ---- */

static void refuses(void **state)
{
    struct sft_model *model = make_tiny();
    struct sft_step_params params[6] = {usual_params("sgd"),  usual_params("sam-norm"),
                                        usual_params("sam"),  usual_params("looksam"),
                                        usual_params("wsam"), usual_params("sam")};
    struct sft_step *step;
    (void)state;
    params[0].perturbed = SFT_PERTURB_ALL;
    params[1].parts = 3;
    params[2].parts = 8;
    params[3].parts = 2;
    params[4].parts = 2;
    params[5].parts = 2;
    params[5].traced = true;
    for (int i = 0; i < 6; i++) {
        assert_int_equal(sft_step_create(model, &params[i], &step), SFT_USAGE);
        assert_null(step);
    }
    sft_model_destroy(&model);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(like_pytorch),
        cmocka_unit_test(like_pytorch_in_slices),
        cmocka_unit_test(base_optimizer_without_rho),
        cmocka_unit_test(same_when_resumed),
        cmocka_unit_test(trace),
        cmocka_unit_test(refuses),
    };
    int failed;
    golden = golden_open(SFT_TEST_DATA "/golden/optimizer_family.json");
    failed = golden ? test_run_group("sam/family", argc, argv, tests, sizeof(tests) / sizeof(tests[0])) : 1;
    json_decref(golden);
    return failed;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every model against PyTorch in float64 (tests/golden/make_models.py): parameter counts, logits, gradients
 * of every parameter, running statistics.
 */
#include "tests/nn/golden.h"

#include "nn/layers/layers.h"
#include "nn/loss.h"
#include "runtime/autodiff.h"
#include "runtime/program.h"
#include "tests/nn/formula.h"
#include "tests/support/group.h"

enum { N = 4, N_ID = 2, CLASSES = 10 };

static json_t *golden;

static struct sft_model *make(const char *name)
{
    struct sft_model *model;
    assert_int_equal(
        sft_model_create(test_device(), &(struct sft_model_config){.name = name, .classes = CLASSES}, &model),
        SFT_OK);
    assert_int_equal(formula_fill(&model->parameters), SFT_OK);
    return model;
}

static struct sft_tensor *make_images(const json_t *expected)
{
    static float images[N * 32 * 32 * 3];
    struct sft_tensor *tensor;
    formula_images(json_string_value(json_object_get(expected, "images")), N, images);
    assert_int_equal(sft_tensor_create(test_device(), "images", SFT_F32, SFT_SHAPE(N, 32, 32, 3), &tensor),
                     SFT_OK);
    assert_int_equal(sft_tensor_upload(tensor, 0, N * 32 * 32 * 3, images), SFT_OK);
    return tensor;
}

static struct sft_tensor *make_tensor(const char *name, enum sft_dtype dtype, int64_t count, const void *data)
{
    struct sft_tensor *tensor;
    assert_int_equal(sft_tensor_create(test_device(), name, dtype, SFT_SHAPE(count), &tensor), SFT_OK);
    if (data) assert_int_equal(sft_tensor_upload(tensor, 0, count, data), SFT_OK);
    return tensor;
}

/* Has `value` written to a new tensor. */
static struct sft_tensor *keep(struct sft_graph *graph, sft_value value)
{
    struct sft_tensor *tensor =
        make_tensor("kept", SFT_F32, sft_shape_count(sft_graph_shape(graph, value)), NULL);
    sft_graph_place(graph, value, sft_graph_tensor(graph, tensor), 0);
    return tensor;
}

static void run(struct sft_graph *graph)
{
    struct sft_program *program;
    assert_int_equal(sft_graph_status(graph), SFT_OK);
    assert_int_equal(sft_program_create(test_device(), graph, &program), SFT_OK);
    assert_int_equal(sft_program_run(program), SFT_OK);
    assert_int_equal(sft_device_wait(test_device()), SFT_OK);
    sft_program_destroy(&program);
}

static void check_values(struct sft_tensor *tensor, const json_t *expected, const char *what,
                         double tolerance)
{
    float values[N * CLASSES];
    double distance;
    assert_int_equal(json_array_size(expected), sft_shape_count(&tensor->shape));
    assert_int_equal(sft_tensor_download(tensor, 0, sft_shape_count(&tensor->shape), values), SFT_OK);
    distance = golden_distance(expected, values);
    print_message("    %-14s %.1e\n", what, distance);
    assert_true(distance < tolerance);
}

/* Compares each parameter of `kinds` in a flat tensor with the summaries under `expected`. */
static void check_parameters(const struct sft_model *model, unsigned kinds, struct sft_tensor *tensor,
                             json_t *expected, const char *what, double tolerance)
{
    int64_t count = sft_shape_count(&tensor->shape);
    float *flat = calloc((size_t)count, sizeof(*flat));
    const char *worst = "";
    double most = 0;
    double nothing = 1e-3 * golden_largest(expected); /* before a batch norm, a bias has no gradient */
    assert_non_null(flat);
    assert_int_equal(sft_tensor_download(tensor, 0, count, flat), SFT_OK);
    for (int i = 0; i < model->parameters.n; i++) {
        const struct sft_parameter *item = &model->parameters.items[i];
        double distance;
        if (!(kinds >> item->kind & 1)) continue;
        distance = golden_parameter_distance(json_object_get(expected, item->name), item, flat, NULL,
                                             item->kind == SFT_BIAS ? nothing : 0);
        if (distance <= most) continue;
        most = distance;
        worst = item->name;
    }
    print_message("    %-14s %.1e (%s)\n", what, most, worst);
    free(flat);
    assert_true(most < tolerance);
}

static void test_eval(void **state)
{
    const char *name = *state;
    const json_t *expected = json_object_get(json_object_get(golden, "models"), name);
    struct sft_model *model = make(name);
    struct sft_tensor *images = make_images(expected), *logits;
    struct sft_forward forward;
    struct sft_forward_out out;
    struct sft_graph *graph;

    assert_int_equal(sft_parameters_count(&model->parameters, SFT_KINDS_TRAINED),
                     json_integer_value(json_object_get(expected, "parameters")));
    assert_int_equal(sft_graph_create(&graph), SFT_OK);
    forward = sft_forward_on(graph, &model->parameters);
    assert_int_equal(sft_model_forward(model, graph, &forward, sft_graph_tensor(graph, images), &out),
                     SFT_OK);
    assert_int_equal(out.n_params, model->parameters.n);
    for (int i = 0; i < out.n_taps; i++) assert_int_equal(out.taps[i].kind, SFT_TAP_MAP);
    logits = keep(graph, out.logits);
    run(graph);
    check_values(logits, json_object_get(expected, "logits"), "logits", 1e-4);
    sft_graph_destroy(&graph);
    sft_tensor_destroy(&logits);
    sft_tensor_destroy(&images);
    sft_model_destroy(&model);
}

/* A training pass: batch statistics, no dropout, the SFT loss over N_ID + (N - N_ID) images, and all
 * gradients. */
static void test_gradients(void **state)
{
    const char *name = *state;
    const json_t *expected = json_object_get(json_object_get(golden, "models"), name);
    struct sft_model *model = make(name);
    const struct sft_parameters *parameters = &model->parameters;
    int wanted[SFT_MAX_PARAMETERS], n = sft_parameters_select(parameters, SFT_KINDS_TRAINED, wanted);
    sft_value values[SFT_MAX_PARAMETERS], grads[SFT_MAX_PARAMETERS], flat;
    int32_t labels[N];
    float weights[N], rows[N];
    struct sft_tensor *images = make_images(expected), *label_tensor, *weight_tensor;
    struct sft_tensor *gradient, *logits, *losses;
    struct sft_forward forward;
    struct sft_forward_out out;
    struct sft_loss_out loss;
    struct sft_graph *graph;

    formula_labels(N_ID, N - N_ID, labels);
    sft_loss_weights(labels, N, 1.0f, weights);
    label_tensor = make_tensor("labels", SFT_I32, N, labels);
    weight_tensor = make_tensor("row weights", SFT_F32, N, weights);
    gradient = make_tensor("gradient", SFT_F32, parameters->weights_size, NULL);

    assert_int_equal(sft_graph_create(&graph), SFT_OK);
    forward = sft_forward_on(graph, &model->parameters);
    forward.bn = SFT_BN_UPDATE;
    assert_int_equal(sft_model_forward(model, graph, &forward, sft_graph_tensor(graph, images), &out),
                     SFT_OK);
    loss = sft_loss(graph, NULL, out.logits, sft_graph_tensor(graph, label_tensor),
                    sft_graph_tensor(graph, weight_tensor),
                    (struct sft_row_loss_params){.distance = SFT_DISTANCE_OE});
    for (int i = 0; i < n; i++) values[i] = out.params[wanted[i]];
    assert_int_equal(sft_autodiff(graph, loss.total, values, n, grads), SFT_OK);
    flat = sft_graph_tensor(graph, gradient);
    for (int i = 0; i < n; i++) {
        assert_int_not_equal(grads[i], SFT_NONE);
        sft_graph_place(graph, grads[i], flat, parameters->items[wanted[i]].offset);
    }
    logits = keep(graph, out.logits);
    losses = keep(graph, loss.rows);
    run(graph);

    check_values(logits, json_object_get(expected, "train_logits"), "train logits", 1e-4);
    assert_int_equal(sft_tensor_download(losses, 0, N, rows), SFT_OK);
    for (int part = 0; part < 2; part++) {
        double mean = ((double)rows[2 * part] + (double)rows[2 * part + 1]) / 2;
        assert_true(fabs(mean / golden_number(json_object_get(expected, "loss"), (size_t)part) - 1) < 1e-5);
    }
    check_parameters(model, SFT_KINDS_TRAINED, gradient, json_object_get(expected, "gradients"), "gradients",
                     1e-4);
    if (parameters->buffers)
        check_parameters(model, 1u << SFT_BUFFER, parameters->buffers, json_object_get(expected, "buffers"),
                         "statistics", 1e-5);
    sft_graph_destroy(&graph);
    sft_tensor_destroy(&losses);
    sft_tensor_destroy(&logits);
    sft_tensor_destroy(&gradient);
    sft_tensor_destroy(&weight_tensor);
    sft_tensor_destroy(&label_tensor);
    sft_tensor_destroy(&images);
    sft_model_destroy(&model);
}

/* Only norm gradients wanted: the graph may hold no weight gradient of a convolution. */
static void test_norm_gradients_are_cheap(void **state)
{
    struct sft_model *model = make("resnetv2_20_gn");
    int wanted[SFT_MAX_PARAMETERS], n = sft_parameters_select(&model->parameters, SFT_KINDS_NORM, wanted);
    sft_value values[SFT_MAX_PARAMETERS], grads[SFT_MAX_PARAMETERS];
    struct sft_forward forward;
    struct sft_forward_out out;
    struct sft_graph *graph;
    (void)state;
    assert_int_equal(sft_graph_create(&graph), SFT_OK);
    forward = sft_forward_on(graph, &model->parameters);
    assert_int_equal(
        sft_model_forward(model, graph, &forward, sft_forward_images(graph, N, model->image_size), &out),
        SFT_OK);
    for (int i = 0; i < n; i++) values[i] = out.params[wanted[i]];
    assert_int_equal(sft_autodiff(graph, sft_sum_to(graph, out.logits, SFT_SHAPE(1), 1.0f), values, n, grads),
                     SFT_OK);
    for (size_t k = 0; k < graph->n_nodes; k++)
        assert_string_not_equal(graph->nodes[k].op->name, "conv2d_dw");
    sft_graph_destroy(&graph);
    sft_model_destroy(&model);
}

static void test_refusals(void **state)
{
    struct sft_model *model;
    struct sft_graph *graph;
    struct sft_forward forward;
    struct sft_forward_out out;
    (void)state;
    assert_int_equal(
        sft_model_create(test_device(), &(struct sft_model_config){.name = "vgg12", .classes = 10}, &model),
        SFT_USAGE);
    assert_null(model);
    assert_int_equal(
        sft_model_create(test_device(), &(struct sft_model_config){.name = "vgg11", .classes = 1}, &model),
        SFT_USAGE);
    assert_int_equal(
        sft_model_create(test_device(),
                         &(struct sft_model_config){.name = "vgg11_gn", .classes = 10, .gn_groups = 7},
                         &model),
        SFT_USAGE);
    model = make("resnetv2_20_gn");
    assert_int_equal(sft_graph_create(&graph), SFT_OK);
    forward = sft_forward_on(graph, &model->parameters);
    assert_int_equal(sft_model_forward(model, graph, &forward,
                                       sft_graph_input(graph, "images", SFT_F32, SFT_SHAPE(2, 30, 32, 3)),
                                       &out),
                     SFT_USAGE);
    sft_graph_destroy(&graph);
    sft_model_destroy(&model);
}

/* Taps the images as tokens, which they are not. */
static void build_mistaken(struct sft_build *build, sft_value images)
{
    sft_build_tap(build, SFT_TAP_TOKENS, images);
}

/* Taps the images as tokens that they are made into. */
static void build_tokens(struct sft_build *build, sft_value images)
{
    sft_build_tap(build, SFT_TAP_TOKENS,
                  sft_reshape(build->graph, images, SFT_SHAPE(sft_build_dim(build, images, 0), 64, 3)));
}

static void test_tap_kinds(void **state)
{
    const struct sft_variant mistaken = {.name = "mistaken", .build = build_mistaken};
    const struct sft_variant tokens = {.name = "tokens", .build = build_tokens};
    const struct sft_network wrong = {.variant = &mistaken, .outputs = 2, .image_size = 8};
    const struct sft_network right = {.variant = &tokens, .outputs = 2, .image_size = 8};
    struct sft_parameters parameters = {0};
    (void)state;
    assert_int_equal(sft_network_declare(&right, &parameters), SFT_OK);
    assert_int_equal(sft_network_declare(&wrong, &parameters), SFT_FAILED);
}

static int wanted_layers;

static void build_dropouts(struct sft_build *build, sft_value images)
{
    for (int i = 0; i < wanted_layers; i++) images = sft_dropout_layer(build, images, 0.5f);
}

static void build_taps(struct sft_build *build, sft_value images)
{
    for (int i = 0; i < wanted_layers; i++) images = sft_build_tap(build, SFT_TAP_MAP, images);
}

/* What lies beyond a limit would share masks with another pass, or never be seen. */
static void test_limits(void **state)
{
    const struct sft_variant variants[] = {{.name = "dropouts", .build = build_dropouts},
                                           {.name = "taps", .build = build_taps}};
    const int limits[] = {SFT_DROPOUT_STREAMS, SFT_MAX_TAPS};
    (void)state;
    for (int i = 0; i < 2; i++) {
        const struct sft_network network = {.variant = &variants[i], .outputs = 2, .image_size = 8};
        struct sft_parameters parameters = {0};
        wanted_layers = limits[i];
        assert_int_equal(sft_network_declare(&network, &parameters), SFT_OK);
        wanted_layers++;
        test_catch_log();
        assert_int_equal(sft_network_declare(&network, &parameters), SFT_FAILED);
        test_expect_last("more than 64");
        test_release_log();
    }
}

int main(int argc, char **argv)
{
    enum { MAX_TESTS = 64 };
    static char names[MAX_TESTS][SFT_MAX_NAME];
    struct CMUnitTest tests[MAX_TESTS] = {{0}};
    const struct sft_variant *variant;
    json_t *models;
    size_t n = 0;
    int failed;
    golden = golden_open(SFT_TEST_DATA "/golden/models.json");
    if (!golden) return 1;
    models = json_object_get(golden, "models");
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_refusals);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_tap_kinds);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_limits);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_norm_gradients_are_cheap);
    for (int i = 0; (variant = sft_model_variant(i)) && n + 2 < MAX_TESTS; i++) {
        const json_t *expected = json_object_get(models, variant->name);
        if (!expected) continue;
        snprintf(names[n], SFT_MAX_NAME, "logits/%s", variant->name);
        tests[n] = (struct CMUnitTest){names[n], test_eval, NULL, NULL, (void *)variant->name};
        n++;
        if (!json_object_get(expected, "gradients")) continue;
        snprintf(names[n], SFT_MAX_NAME, "gradients/%s", variant->name);
        tests[n] = (struct CMUnitTest){names[n], test_gradients, NULL, NULL, (void *)variant->name};
        n++;
    }
    failed = test_run_group("nn/models", argc, argv, tests, n);
    json_decref(golden);
    return failed;
}

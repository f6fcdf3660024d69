/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every model against PyTorch in float64 (tests/golden/make_models.py, models_conv.py): parameter counts,
 * logits, gradients of every parameter, running statistics. With SFT_TEST_GOLDEN the cases of that file
 * alone, as models_conv.py makes it for other sizes.
 */
#include "tests/nn/case.h"

#include "nn/layers/layers.h"
#include "nn/loss.h"
#include "runtime/autodiff.h"
#include "runtime/program.h"
#include "tests/support/graph.h"
#include "tests/support/group.h"

enum { MAX_ROWS = 32, CLASSES = 10 };

static struct sft_model *make(const char *name)
{
    const struct golden_case usual = {name, NULL};
    return case_model(&usual, test_device(), 0);
}

static int id_rows(const struct golden_case *golden) { return case_int(golden, "n_id", 2); }

static int all_rows(const struct golden_case *golden)
{
    return id_rows(golden) + case_int(golden, "n_ood", 2);
}

static struct sft_tensor *make_images(const struct golden_case *golden)
{
    const char *name = json_string_value(json_object_get(golden->expected, "images"));
    const int64_t n = all_rows(golden), size = case_size(golden);
    float *images = case_images(golden, name, n);
    struct sft_tensor *tensor = test_tensor(SFT_F32, SFT_SHAPE(n, size, size, 3), images);
    free(images);
    return tensor;
}

static void check_values(struct sft_tensor *tensor, const json_t *expected, const char *what,
                         double tolerance)
{
    float values[MAX_ROWS * CLASSES];
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

/* Logits in evaluation. */
static void check_logits(const struct golden_case *golden, struct sft_model *model, const json_t *expected,
                         double tolerance)
{
    struct sft_tensor *images = make_images(golden), *logits;
    struct sft_forward forward;
    struct sft_forward_out out;
    struct sft_graph *graph;
    assert_int_equal(sft_graph_create(&graph), SFT_OK);
    forward = sft_forward_on(graph, &model->parameters);
    assert_int_equal(sft_model_forward(model, graph, &forward, sft_graph_tensor(graph, images), &out),
                     SFT_OK);
    assert_int_equal(out.n_params, model->parameters.n);
    for (int i = 0; i < out.n_taps; i++) assert_int_equal(out.taps[i].kind, SFT_TAP_MAP);
    logits = test_keep(graph, out.logits);
    test_run(graph);
    check_values(logits, expected, "logits", tolerance);
    sft_graph_destroy(&graph);
    sft_tensor_destroy(&logits);
    sft_tensor_destroy(&images);
}

static void test_eval(void **state)
{
    const struct golden_case *golden = *state;
    struct sft_model *model = case_model(golden, test_device(), 0);
    assert_int_equal(sft_parameters_count(&model->parameters, SFT_KINDS_TRAINED),
                     json_integer_value(json_object_get(golden->expected, "parameters")));
    check_logits(golden, model, json_object_get(golden->expected, "logits"), 1e-4);
    sft_model_destroy(&model);
}

/* Filters so small that the epsilon of their standardisation shows. */
static void test_epsilons(void **state)
{
    const struct golden_case *golden = *state;
    json_t *logits = json_object_get(golden->expected, "logits"), *expected;
    const char *epsilon;
    json_object_foreach(logits, epsilon, expected)
    {
        struct sft_model *model = case_model(golden, test_device(), strtof(epsilon, NULL));
        check_logits(golden, model, expected, 1e-4);
        sft_model_destroy(&model);
    }
}

/* What a training pass leaves. */
struct pass {
    struct sft_tensor *labels, *weights;           /* of the rows */
    struct sft_tensor *gradient, *logits, *losses; /* results */
};

static struct pass open_pass(const struct golden_case *golden, const struct sft_model *model)
{
    const int n = all_rows(golden), n_id = id_rows(golden);
    int32_t labels[MAX_ROWS];
    float weights[MAX_ROWS];
    struct pass pass;
    assert_true(n <= MAX_ROWS);
    formula_labels(n_id, n - n_id, labels);
    sft_loss_weights(labels, n, 1.0f, weights);
    pass.labels = test_tensor(SFT_I32, SFT_SHAPE(n), labels);
    pass.weights = test_tensor(SFT_F32, SFT_SHAPE(n), weights);
    pass.gradient = test_tensor(SFT_F32, SFT_SHAPE(model->parameters.weights_size), NULL);
    return pass;
}

static void close_pass(struct pass *pass)
{
    sft_tensor_destroy(&pass->losses);
    sft_tensor_destroy(&pass->logits);
    sft_tensor_destroy(&pass->gradient);
    sft_tensor_destroy(&pass->weights);
    sft_tensor_destroy(&pass->labels);
}

/* Appends the gradients of all parameters, into pass->gradient. */
static void add_gradients(struct sft_graph *graph, const struct sft_model *model,
                          const struct sft_forward_out *out, sft_value loss, const struct pass *pass)
{
    const struct sft_parameters *parameters = &model->parameters;
    int wanted[SFT_MAX_PARAMETERS], n = sft_parameters_select(parameters, SFT_KINDS_TRAINED, wanted);
    sft_value values[SFT_MAX_PARAMETERS], grads[SFT_MAX_PARAMETERS];
    sft_value flat = sft_graph_tensor(graph, pass->gradient);
    for (int i = 0; i < n; i++) values[i] = out->params[wanted[i]];
    assert_int_equal(sft_autodiff(graph, loss, values, n, grads), SFT_OK);
    for (int i = 0; i < n; i++) {
        assert_int_not_equal(grads[i], SFT_NONE);
        sft_graph_place(graph, grads[i], flat, parameters->items[wanted[i]].offset);
    }
}

/* A training pass: batch statistics, no dropout, the SFT loss, and all gradients. */
static void run_pass(struct sft_model *model, struct sft_tensor *images, struct pass *pass)
{
    struct sft_forward forward;
    struct sft_forward_out out;
    struct sft_loss_out loss;
    struct sft_graph *graph;
    assert_int_equal(sft_graph_create(&graph), SFT_OK);
    forward = sft_forward_on(graph, &model->parameters);
    forward.bn = SFT_BN_UPDATE;
    assert_int_equal(sft_model_forward(model, graph, &forward, sft_graph_tensor(graph, images), &out),
                     SFT_OK);
    loss = sft_loss(graph, NULL, out.logits, sft_graph_tensor(graph, pass->labels),
                    sft_graph_tensor(graph, pass->weights),
                    (struct sft_row_loss_params){.distance = SFT_DISTANCE_OE});
    add_gradients(graph, model, &out, loss.total, pass);
    pass->logits = test_keep(graph, out.logits);
    pass->losses = test_keep(graph, loss.rows);
    test_run(graph);
    sft_graph_destroy(&graph);
}

/* The mean loss of ID rows, and of outliers. */
static void check_losses(const struct golden_case *golden, const struct pass *pass)
{
    const json_t *expected = json_object_get(golden->expected, "loss");
    const int n = all_rows(golden), n_id = id_rows(golden), starts[] = {0, n_id, n};
    float rows[MAX_ROWS];
    assert_int_equal(sft_tensor_download(pass->losses, 0, n, rows), SFT_OK);
    for (int part = 0; part < 2; part++) {
        double mean = 0;
        for (int i = starts[part]; i < starts[part + 1]; i++) mean += (double)rows[i];
        mean /= starts[part + 1] - starts[part];
        assert_true(fabs(mean / golden_number(expected, (size_t)part) - 1) < 1e-5);
    }
}

static void test_gradients(void **state)
{
    const struct golden_case *golden = *state;
    const json_t *expected = golden->expected;
    const bool tamed = json_object_get(expected, "tamed") != NULL;
    struct sft_model *model = case_model(golden, test_device(), 0);
    struct sft_tensor *images = make_images(golden);
    struct pass pass = open_pass(golden, model);

    run_pass(model, images, &pass);
    check_values(pass.logits, json_object_get(expected, "train_logits"), "train logits",
                 case_tolerance(golden, "train_logits", 1e-4));
    check_losses(golden, &pass);
    check_parameters(model, SFT_KINDS_TRAINED, pass.gradient, json_object_get(expected, "gradients"),
                     "gradients", tamed ? case_tolerance(golden, "gradients", 1e-3) : 1e-4);
    if (model->parameters.buffers)
        check_parameters(model, 1u << SFT_BUFFER, model->parameters.buffers,
                         json_object_get(expected, "buffers"), "statistics", 1e-5);
    close_pass(&pass);
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
        sft_model_forward(model, graph, &forward, sft_forward_images(graph, 4, model->image_size), &out),
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

/* ---- the tests of all cases ---- */

enum { MAX_TESTS = 128 };
static struct {
    char names[MAX_TESTS][SFT_MAX_NAME];
    struct golden_case cases[MAX_TESTS];
    struct CMUnitTest tests[MAX_TESTS];
    size_t n;
} group;

static void add(const char *kind, CMUnitTestFunction test, const struct golden_case *golden)
{
    const size_t i = group.n;
    if (i == MAX_TESTS) abort();
    snprintf(group.names[i], SFT_MAX_NAME, "%s/%s", kind, golden->name);
    group.cases[i] = *golden;
    group.tests[i] = (struct CMUnitTest){group.names[i], test, NULL, NULL, &group.cases[i]};
    group.n++;
}

static void add_cases(json_t *file)
{
    const struct golden_case epsilons = {
        json_string_value(json_object_get(json_object_get(file, "epsilons"), "model")),
        json_object_get(file, "epsilons")};
    struct golden_case golden;
    json_object_foreach(json_object_get(file, "models"), golden.name, golden.expected)
    {
        if (!case_is_wanted(&golden)) continue;
        add("logits", test_eval, &golden);
        if (json_object_get(golden.expected, "gradients")) add("gradients", test_gradients, &golden);
    }
    if (epsilons.expected && case_is_wanted(&epsilons)) add("epsilons", test_epsilons, &epsilons);
}

int main(int argc, char **argv)
{
    static const struct CMUnitTest others[] = {
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_tap_kinds),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_norm_gradients_are_cheap),
    };
    const char *chosen = getenv("SFT_TEST_GOLDEN");
    const char *const usual[] = {SFT_TEST_DATA "/golden/models.json",
                                 SFT_TEST_DATA "/golden/models_conv.json"};
    json_t *files[2] = {0};
    int failed;
    for (int i = 0; i < (chosen ? 1 : 2); i++) {
        files[i] = golden_open(chosen ? chosen : usual[i]);
        if (!files[i]) return 1;
        add_cases(files[i]);
    }
    for (size_t i = 0; !chosen && i < sizeof(others) / sizeof(others[0]); i++)
        group.tests[group.n++] = others[i];
    failed = test_run_group("nn/models", argc, argv, group.tests, group.n);
    for (int i = 0; i < 2; i++) json_decref(files[i]);
    return failed;
}

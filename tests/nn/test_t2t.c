/* SPDX-License-Identifier: Apache-2.0 */
/*
 * T2T-ViT against PyTorch in float64 (tests/golden/t2t.py): logits, losses and gradients at 64 pixels, how
 * many parameters there are, position embeddings of other sizes; and what needs no reference.
 */
#include "tests/nn/golden.h"

#include "nn/loss.h"
#include "nn/model.h"
#include "runtime/autodiff.h"
#include "runtime/program.h"
#include "tests/nn/formula.h"
#include "tests/support/graph.h"
#include "tests/support/group.h"

enum { N = 4, N_ID = 2, CLASSES = 10, SIDE = 64, PIXELS = SIDE * SIDE * 3 };

static json_t *golden;

static const json_t *part_of(const char *part, const char *name)
{
    return json_object_get(json_object_get(golden, part), name);
}

static struct sft_model *make(const char *name, int size)
{
    const struct sft_model_config config = {.name = name, .classes = CLASSES, .image_size = size};
    struct sft_model *model;
    assert_int_equal(sft_model_create(test_device(), &config, &model), SFT_OK);
    return model;
}

static float *fetch(struct sft_tensor *tensor)
{
    int64_t count = sft_shape_count(&tensor->shape);
    float *values = calloc((size_t)count, sizeof(*values));
    assert_non_null(values);
    assert_int_equal(sft_tensor_download(tensor, 0, count, values), SFT_OK);
    return values;
}

static void check_values(struct sft_tensor *tensor, const json_t *expected, const char *what)
{
    float *values = fetch(tensor);
    double distance = golden_distance(expected, values);
    print_message("    %-10s %.1e\n", what, distance);
    assert_int_equal(json_array_size(expected), sft_shape_count(&tensor->shape));
    assert_true(distance < 1e-4);
    free(values);
}

static void check_gradients(const struct sft_model *model, struct sft_tensor *gradient, json_t *expected)
{
    const struct sft_parameters *parameters = &model->parameters;
    const double nothing = 1e-3 * golden_largest(expected);
    const char *worst = "";
    float *flat = fetch(gradient);
    double most = 0;
    for (int i = 0; i < parameters->n; i++) {
        const struct sft_parameter *item = &parameters->items[i];
        const json_t *summary = json_object_get(expected, item->name);
        double distance;
        assert_true((summary != NULL) == (item->kind != SFT_BUFFER));
        if (!summary) continue;
        distance = golden_parameter_distance(summary, item, flat, NULL, nothing);
        if (distance > most) most = distance, worst = item->name;
    }
    print_message("    %-10s %.1e (%s)\n", "gradients", most, worst);
    assert_true(most < 1e-4);
    free(flat);
}

struct pass {
    struct sft_graph *graph;
    struct sft_forward_out out;
    struct sft_loss_out loss;
    struct sft_tensor *images, *labels, *weights;
};

static struct pass begin(const struct sft_model *model, const char *name)
{
    static float images[N * PIXELS];
    float weights[N];
    int32_t labels[N];
    struct pass pass;
    struct sft_forward forward;
    formula_images_of(name, N, SIDE, images);
    formula_labels(N_ID, N - N_ID, labels);
    sft_loss_weights(labels, N, 1.0f, weights);
    pass.images = test_tensor(SFT_F32, SFT_SHAPE(N, SIDE, SIDE, 3), images);
    pass.labels = test_tensor(SFT_I32, SFT_SHAPE(N), labels);
    pass.weights = test_tensor(SFT_F32, SFT_SHAPE(N), weights);
    assert_int_equal(sft_graph_create(&pass.graph), SFT_OK);
    forward = sft_forward_on(pass.graph, &model->parameters);
    assert_int_equal(
        sft_model_forward(model, pass.graph, &forward, sft_graph_tensor(pass.graph, pass.images), &pass.out),
        SFT_OK);
    pass.loss = sft_loss(pass.graph, NULL, pass.out.logits, sft_graph_tensor(pass.graph, pass.labels),
                         sft_graph_tensor(pass.graph, pass.weights),
                         (struct sft_row_loss_params){.distance = SFT_DISTANCE_OE});
    return pass;
}

static void end(struct pass *pass)
{
    sft_graph_destroy(&pass->graph);
    sft_tensor_destroy(&pass->images);
    sft_tensor_destroy(&pass->labels);
    sft_tensor_destroy(&pass->weights);
}

/* All trained parameters' gradients of the loss, laid out like the weights. */
static struct sft_tensor *differentiate(const struct sft_model *model, struct pass *pass)
{
    const struct sft_parameters *parameters = &model->parameters;
    struct sft_tensor *gradient = test_tensor(SFT_F32, SFT_SHAPE(parameters->weights_size), NULL);
    int wanted[SFT_MAX_PARAMETERS], n = sft_parameters_select(parameters, SFT_KINDS_TRAINED, wanted);
    sft_value values[SFT_MAX_PARAMETERS], grads[SFT_MAX_PARAMETERS];
    for (int i = 0; i < n; i++) values[i] = pass->out.params[wanted[i]];
    assert_int_equal(sft_autodiff(pass->graph, pass->loss.total, values, n, grads), SFT_OK);
    for (int i = 0; i < n; i++)
        sft_graph_place(pass->graph, grads[i], sft_graph_tensor(pass->graph, gradient),
                        parameters->items[wanted[i]].offset);
    return gradient;
}

static void test_network(void **state)
{
    const char *name = *state;
    const json_t *expected = part_of("models", name);
    struct sft_model *model = make(name, SIDE);
    struct sft_tensor *gradient, *logits, *losses;
    struct pass pass;
    float *rows;
    assert_int_equal(formula_fill(&model->parameters), SFT_OK);
    assert_int_equal(sft_parameters_count(&model->parameters, SFT_KINDS_TRAINED),
                     json_integer_value(json_object_get(expected, "parameters")));
    pass = begin(model, json_string_value(json_object_get(expected, "images")));
    assert_int_equal(pass.out.n_taps, 4);
    for (int i = 0; i < 4; i++) assert_int_equal(pass.out.taps[i].kind, SFT_TAP_TOKENS);
    gradient = differentiate(model, &pass);
    logits = test_keep(pass.graph, pass.out.logits);
    losses = test_keep(pass.graph, pass.loss.rows);
    test_run(pass.graph);
    check_values(logits, json_object_get(expected, "logits"), "logits");
    rows = fetch(losses);
    for (size_t part = 0; part < 2; part++)
        assert_true(fabs((double)(rows[2 * part] + rows[2 * part + 1]) / 2 /
                             golden_number(json_object_get(expected, "loss"), part) -
                         1) < 1e-5);
    check_gradients(model, gradient, json_object_get(expected, "gradients"));
    free(rows);
    end(&pass);
    sft_tensor_destroy(&losses);
    sft_tensor_destroy(&logits);
    sft_tensor_destroy(&gradient);
    sft_model_destroy(&model);
}

/* The numbers of the published networks: 1000 classes, 224 pixels. */
static void test_counts(void **state)
{
    const char *name = NULL;
    json_t *expected;
    (void)state;
    json_object_foreach(json_object_get(golden, "counts"), name, expected)
    {
        const struct sft_variant *variant = sft_model_find(name);
        const struct sft_network network = {.variant = variant, .outputs = 1000, .image_size = 224};
        struct sft_parameters parameters = {0};
        assert_non_null(variant);
        assert_int_equal(variant->image_size, 224);
        assert_int_equal(sft_network_declare(&network, &parameters), SFT_OK);
        assert_int_equal(sft_parameters_count(&parameters, SFT_KINDS_TRAINED),
                         json_integer_value(json_object_get(expected, "trained")));
        assert_int_equal(sft_parameters_count(&parameters, SFT_KINDS_TRAINED | 1u << SFT_BUFFER),
                         json_integer_value(json_object_get(expected, "stored")));
        assert_int_equal(sft_parameters_select(&parameters, SFT_KINDS_NORM, NULL),
                         2 * json_integer_value(json_object_get(expected, "norm_layers")));
        assert_int_equal(sft_parameters_count(&parameters, SFT_KINDS_NORM),
                         json_integer_value(json_object_get(expected, "norm")));
        sft_parameters_free(&parameters);
    }
}

static const float *buffer_of(const struct sft_model *model, const float *buffers, const char *name)
{
    int number = sft_parameters_find(&model->parameters, name);
    assert_true(number >= 0);
    assert_int_equal(model->parameters.items[number].kind, SFT_BUFFER);
    return buffers + model->parameters.items[number].offset;
}

/* New models have the sinusoids and, in w, rows of length sqrt(32) at right angles. */
static void test_init(void **state)
{
    struct sft_model *model = make("t2t_vit_14", 48);
    float *buffers, expected[10 * 384];
    const float *w;
    (void)state;
    assert_int_equal(sft_parameters_init(&model->parameters, 5), SFT_OK);
    buffers = fetch(model->parameters.buffers);
    sft_positions_sinusoid(10, 384, expected);
    assert_memory_equal(buffer_of(model, buffers, "pos_embed"), expected, sizeof(expected));
    w = buffer_of(model, buffers, "tokens_to_token.attention2.w");
    for (int i = 0; i < 32; i++)
        for (int k = 0; k < 32; k++) {
            double product = 0;
            for (int j = 0; j < 64; j++) product += (double)w[i * 64 + j] * (double)w[k * 64 + j];
            assert_true(fabs(product - (i == k ? 32 : 0)) < 1e-4);
        }
    assert_true(memcmp(w, buffer_of(model, buffers, "tokens_to_token.attention1.w"), 64 * sizeof(float)) !=
                0);
    free(buffers);
    sft_model_destroy(&model);
}

static void test_positions(void **state)
{
    const json_t *cases = json_object_get(golden, "positions"),
                 *sinusoid = json_object_get(golden, "sinusoid");
    float in[128], out[1024];
    (void)state;
    sft_positions_sinusoid(10, 6, out);
    assert_int_equal(json_array_size(sinusoid), 60);
    assert_true(golden_distance(sinusoid, out) < 1e-6);
    for (size_t i = 0; i < json_array_size(cases); i++) {
        const json_t *one = json_array_get(cases, i), *values = json_object_get(one, "values");
        int from = (int)json_integer_value(json_object_get(one, "from")),
            to = (int)json_integer_value(json_object_get(one, "to")), width = 3;
        for (int64_t k = 0; k < (1 + from * from) * width; k++)
            in[k] = formula_uniform(formula_hash("positions"), k);
        sft_positions_resample(from, to, width, in, out);
        assert_int_equal(json_array_size(values), (1 + to * to) * width);
        assert_true(golden_distance(values, out) < 1e-6);
    }
    assert_int_equal(sft_positions_side(197), 14);
    assert_int_equal(sft_positions_side(577), 24);
    assert_int_equal(sft_positions_side(196), 0);
    assert_int_equal(sft_positions_side(1), 0);
}

/* ---- files ---- */

static struct sft_model *reopen(int size, enum sft_pos_embed how)
{
    struct sft_model *model;
    const struct sft_model_config config = {.image_size = size, .pos_embed = how};
    assert_int_equal(sft_model_open(test_device(), test_path("t2t.safetensors"), &config, &model), SFT_OK);
    return model;
}

static void save(const struct sft_model *model)
{
    assert_int_equal(sft_model_save(model, test_path("t2t.safetensors"), NULL, 0), SFT_OK);
}

static void assert_same(struct sft_tensor *a, struct sft_tensor *b)
{
    float *x = fetch(a), *y = fetch(b);
    assert_int_equal(sft_shape_count(&a->shape), sft_shape_count(&b->shape));
    assert_memory_equal(x, y, (size_t)sft_shape_count(&a->shape) * sizeof(*x));
    free(x);
    free(y);
}

static void check_positions(const struct sft_model *model, const float *expected, int64_t count)
{
    float *buffers = fetch(model->parameters.buffers);
    int number = sft_parameters_find(&model->parameters, "pos_embed");
    assert_int_equal(model->parameters.items[number].count, count);
    assert_memory_equal(buffer_of(model, buffers, "pos_embed"), expected, (size_t)count * sizeof(*expected));
    free(buffers);
}

/* A file of 64 pixels opened for 96: w stays, position embeddings become those of 36 places; what is saved
 * then is a file of 96 pixels. */
static void test_other_size(void **state)
{
    enum { WIDTH = 384, BEFORE = 17 * WIDTH, AFTER = 37 * WIDTH };
    static float interpolated[AFTER], computed[AFTER];
    struct sft_model *model = make("t2t_vit_14", SIDE), *larger, *again;
    float *buffers, *others;
    (void)state;
    assert_int_equal(formula_fill(&model->parameters), SFT_OK);
    buffers = fetch(model->parameters.buffers);
    sft_positions_resample(4, 6, WIDTH, buffer_of(model, buffers, "pos_embed"), interpolated);
    sft_positions_sinusoid(37, WIDTH, computed);
    save(model);

    larger = reopen(96, SFT_POS_EMBED_RECOMPUTE);
    assert_int_equal(larger->native_size, SIDE);
    check_positions(larger, computed, AFTER);
    sft_model_destroy(&larger);

    larger = reopen(96, SFT_POS_EMBED_INTERP);
    assert_int_equal(larger->image_size, 96);
    check_positions(larger, interpolated, AFTER);
    others = fetch(larger->parameters.buffers);
    assert_memory_equal(buffer_of(larger, others, "tokens_to_token.attention2.w"),
                        buffer_of(model, buffers, "tokens_to_token.attention2.w"), 32 * 64 * sizeof(float));
    assert_same(larger->parameters.weights, model->parameters.weights);

    save(larger);
    again = reopen(0, SFT_POS_EMBED_INTERP);
    assert_int_equal(again->image_size, 96);
    assert_int_equal(again->native_size, 96);
    assert_same(again->parameters.buffers, larger->parameters.buffers);
    free(buffers);
    free(others);
    sft_model_destroy(&again);
    sft_model_destroy(&larger);
    sft_model_destroy(&model);
}

static void expect_refused(const char *name, int size, const char *why)
{
    const struct sft_model_config config = {.name = name, .classes = CLASSES, .image_size = size};
    struct sft_model *model;
    test_catch_log();
    assert_int_equal(sft_model_create(test_device(), &config, &model), SFT_USAGE);
    test_expect_last(why);
    test_release_log();
}

static void test_sizes(void **state)
{
    struct sft_model *model = make("t2t_vit_14", SIDE);
    (void)state;
    expect_refused("t2t_vit_t_19", 100, "takes multiples of 16");
    expect_refused("vgg11_gn", 64, "takes 32 to 63");
    expect_refused("vgg11_gn", 31, "takes 32 to 63");
    expect_refused("resnetv2_20_gn", -1, "takes 1 or more");
    assert_int_equal(sft_model_takes(model, SIDE), SFT_OK);
    test_catch_log();
    assert_int_equal(sft_model_takes(model, 96), SFT_USAGE);
    test_expect_last("--img-size 96");
    test_release_log();
    sft_model_destroy(&model);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_counts),
        cmocka_unit_test(test_positions),
        cmocka_unit_test(test_init),
        cmocka_unit_test_setup_teardown(test_other_size, test_setup_folder, test_remove_folder),
        cmocka_unit_test(test_sizes),
        {"network/t2t_vit_14", test_network, NULL, NULL, (void *)"t2t_vit_14"},
        {"network/t2t_vit_t_14", test_network, NULL, NULL, (void *)"t2t_vit_t_14"},
    };
    int failed;
    golden = golden_open(SFT_TEST_DATA "/golden/t2t.json");
    failed = golden ? test_run_group("nn/t2t", argc, argv, tests, sizeof(tests) / sizeof(tests[0])) : 1;
    json_decref(golden);
    return failed;
}

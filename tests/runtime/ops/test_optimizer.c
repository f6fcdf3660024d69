/* SPDX-License-Identifier: Apache-2.0 */
/* SGD, Adam, AdamW and SAM's perturbation against PyTorch (golden file, several steps) and numbers worked by
 * hand. */
#include <jansson.h>
#include <math.h>
#include <string.h>

#include "tests/support/harness.h"

static json_t *golden;

static struct sft_tensor *upload(const char *name, int64_t count, const float *numbers)
{
    struct sft_tensor *tensor = test_tensor(name, SFT_F32, SFT_SHAPE(count));
    if (numbers) assert_int_equal(sft_tensor_upload(tensor, 0, count, numbers), SFT_OK);
    return tensor;
}

static void assert_numbers(struct sft_tensor *tensor, const double *want, int64_t count, double tolerance)
{
    float got[64];
    assert_int_equal(sft_tensor_download(tensor, 0, count, got), SFT_OK);
    for (int64_t i = 0; i < count; i++)
        if (!(fabs((double)got[i] - want[i]) <= tolerance * (1.0 + fabs(want[i]))))
            fail_msg("element %d: got %.9g, want %.9g", (int)i, (double)got[i], want[i]);
}

/* ---- PyTorch ---- */

enum { MOST = 16 };

static int read_numbers(const json_t *array, double *numbers)
{
    int count = (int)json_array_size(array);
    assert_true(count >= 1 && count <= MOST);
    for (int i = 0; i < count; i++) numbers[i] = json_number_value(json_array_get(array, (size_t)i));
    return count;
}

static int read_floats(const json_t *array, float *numbers)
{
    double exact[MOST];
    int count = read_numbers(array, exact);
    for (int i = 0; i < count; i++) numbers[i] = (float)exact[i];
    return count;
}

static double number(const json_t *run, const char *key)
{
    const json_t *value = json_object_get(run, key);
    assert_true(json_is_number(value));
    return json_number_value(value);
}

/* What changes from step to step: t counts from 1. */
static void fill_hyper(const json_t *run, int t, float *hyper)
{
    double beta1 = number(run, "beta1"), beta2 = number(run, "beta2");
    memset(hyper, 0, SFT_HYPER_COUNT * sizeof(*hyper));
    hyper[SFT_HYPER_LR] = (float)number(run, "lr");
    hyper[SFT_HYPER_MOMENTUM] = (float)number(run, "momentum");
    hyper[SFT_HYPER_WEIGHT_DECAY] = (float)number(run, "weight_decay");
    hyper[SFT_HYPER_BETA1] = (float)beta1;
    hyper[SFT_HYPER_BETA2] = (float)beta2;
    hyper[SFT_HYPER_EPSILON] = (float)number(run, "epsilon");
    hyper[SFT_HYPER_BIAS1] = (float)(1.0 - pow(beta1, t));
    hyper[SFT_HYPER_BIAS2] = (float)(1.0 - pow(beta2, t));
}

static void check_run(const json_t *run)
{
    float start[MOST], gradient[MOST], hyper_now[SFT_HYPER_COUNT];
    int count = read_floats(json_object_get(golden, "start"), start);
    struct sft_tensor *weight = upload("w", count, start), *g = upload("g", count, NULL);
    struct sft_tensor *hyper = upload("hyper", SFT_HYPER_COUNT, NULL);
    struct sft_update_params params = {(int)number(run, "nesterov"), (int)number(run, "decoupled"), 1};
    struct sft_graph *graph = test_graph();
    sft_value w = sft_graph_tensor(graph, weight), m = sft_graph_tensor(graph, upload("m", count, NULL));
    sft_value v = sft_graph_tensor(graph, upload("v", count, NULL)), gv = sft_graph_tensor(graph, g);
    struct sft_program *program;
    if (strcmp(json_string_value(json_object_get(run, "op")), "sgd") == 0)
        sft_sgd(graph, w, v, gv, sft_graph_tensor(graph, hyper), params);
    else
        sft_adam(graph, w, m, v, gv, sft_graph_tensor(graph, hyper), params);
    assert_int_equal(sft_graph_status(graph), SFT_OK);
    program = test_program(graph);
    for (int t = 1; t <= (int)json_array_size(json_object_get(run, "after")); t++) {
        double want[MOST];
        fill_hyper(run, t, hyper_now);
        read_floats(json_array_get(json_object_get(golden, "gradients"), (size_t)t - 1), gradient);
        read_numbers(json_array_get(json_object_get(run, "after"), (size_t)t - 1), want);
        assert_int_equal(sft_tensor_upload(hyper, 0, SFT_HYPER_COUNT, hyper_now), SFT_OK);
        assert_int_equal(sft_tensor_upload(g, 0, count, gradient), SFT_OK);
        assert_int_equal(sft_program_run(program), SFT_OK);
        assert_numbers(weight, want, count, 1e-6);
    }
}

static void like_pytorch(void **state)
{
    const json_t *runs;
    size_t i;
    json_t *run;
    (void)state;
    golden = json_load_file(SFT_TEST_DATA "/golden/optimizers.json", 0, NULL);
    assert_non_null(golden);
    runs = json_object_get(golden, "runs");
    assert_int_equal(json_array_size(runs), 7);
    json_array_foreach(runs, i, run) check_run(run);
}

static int release_golden(void **state)
{
    json_decref(golden);
    return test_release(state);
}

/* ---- by hand ---- */

/* lr 0.5, momentum 0.5, decay 0.25; w = 2, g = 1, v = 4 give d = 1.5, v = 3.5, w = 2 - 0.5*3.5, and with
 * Nesterov's momentum w = 2 - 0.5*(1.5 + 1.75). */
static void sgd_by_hand(void **state)
{
    static const float w0 = 2, v0 = 4, g0 = 1;
    static const float hyper[SFT_HYPER_COUNT] = {
        [SFT_HYPER_LR] = 0.5f, [SFT_HYPER_MOMENTUM] = 0.5f, [SFT_HYPER_WEIGHT_DECAY] = 0.25f};
    static const struct {
        struct sft_update_params params;
        double w, v;
    } rows[] = {{{0, 0, 1}, 0.25, 3.5}, {{1, 0, 1}, 0.375, 3.5}, {{0, 0, 0}, 0.5, 3.0}};
    (void)state;
    for (int i = 0; i < 3; i++) {
        struct sft_tensor *w = upload("w", 1, &w0), *v = upload("v", 1, &v0);
        struct sft_graph *graph = test_graph();
        sft_sgd(graph, sft_graph_tensor(graph, w), sft_graph_tensor(graph, v),
                sft_graph_tensor(graph, upload("g", 1, &g0)),
                sft_graph_tensor(graph, upload("hyper", SFT_HYPER_COUNT, hyper)), rows[i].params);
        assert_int_equal(sft_program_run(test_program(graph)), SFT_OK);
        assert_numbers(w, &rows[i].w, 1, 0.0);
        assert_numbers(v, &rows[i].v, 1, 0.0);
    }
}

/* The first step of Adam is lr * sign(g), whatever the size of g. */
static void adam_first_step(void **state)
{
    static const float zero[4] = {0}, g0[4] = {1e-3f, -5, 100, -1e-4f};
    static const double want[4] = {-0.125, 0.125, -0.125, 0.125};
    static const float hyper[SFT_HYPER_COUNT] = {[SFT_HYPER_LR] = 0.125f,
                                                 [SFT_HYPER_BETA1] = 0.9f,
                                                 [SFT_HYPER_BETA2] = 0.999f,
                                                 [SFT_HYPER_BIAS1] = 0.1f,
                                                 [SFT_HYPER_BIAS2] = 0.001f};
    struct sft_tensor *w = upload("w", 4, zero);
    struct sft_graph *graph = test_graph();
    (void)state;
    sft_adam(graph, sft_graph_tensor(graph, w), sft_graph_tensor(graph, upload("m", 4, zero)),
             sft_graph_tensor(graph, upload("v", 4, zero)), sft_graph_tensor(graph, upload("g", 4, g0)),
             sft_graph_tensor(graph, upload("hyper", SFT_HYPER_COUNT, hyper)),
             (struct sft_update_params){.decay = 1});
    assert_int_equal(sft_program_run(test_program(graph)), SFT_OK);
    assert_numbers(w, want, 4, 1e-5);
}

/* g = (3, 4) has norm 5: with rho 0.5 the step is (0.3, 0.4), and w itself is not touched. */
static void perturbation_by_hand(void **state)
{
    static const float w0[2] = {1, -1}, g0[2] = {3, 4}, hyper[SFT_HYPER_COUNT] = {[SFT_HYPER_RHO] = 0.5f};
    static const double want[2] = {1.3, -0.6}, kept[2] = {1, -1};
    struct sft_tensor *weight = upload("w", 2, w0), *moved = upload("moved", 2, NULL);
    struct sft_graph *graph = test_graph();
    sft_value g = sft_graph_tensor(graph, upload("g", 2, g0)), y;
    (void)state;
    y = sft_perturb(graph, sft_graph_tensor(graph, weight), g, sft_norm2(graph, g, 0.0f),
                    sft_graph_tensor(graph, upload("hyper", SFT_HYPER_COUNT, hyper)));
    sft_graph_place(graph, y, sft_graph_tensor(graph, moved), 0);
    assert_int_equal(sft_program_run(test_program(graph)), SFT_OK);
    assert_numbers(moved, want, 2, 1e-7);
    assert_numbers(weight, kept, 2, 0.0);
}

#define TEST(function) cmocka_unit_test_teardown(function, test_release)

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(like_pytorch, release_golden),
        TEST(sgd_by_hand),
        TEST(adam_first_step),
        TEST(perturbation_by_hand),
    };
    return test_run_group("ops/optimizer", argc, argv, tests, sizeof(tests) / sizeof(tests[0]));
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The grouped classifier of MOS: its text form, and labels, loss, gradient and predictions against PyTorch
 * in float64. */
#include <string.h>
#include <unistd.h>

#include "nn/loss.h"
#include "nn/model.h"
#include "nn/prediction.h"
#include "runtime/autodiff.h"
#include "runtime/program.h"
#include "tests/nn/mos.h"
#include "tests/support/group.h"

static void refuse(const char *text, int classes, const char *word)
{
    struct sft_groups *groups;
    test_catch_log();
    assert_int_equal(sft_groups_create(text, classes, "there", &groups), SFT_DATA);
    assert_null(groups);
    test_release_log();
    if (!strstr(test_log(), "there") || !strstr(test_log(), word))
        fail_msg("\"%s\" does not say \"%s\"", test_log(), word);
}

static void test_text(void **state)
{
    static const int first[] = {0, 3, 5, 7}, class_of[] = {-1, 2, 0, -1, 1, -1, 3},
                     output_of[] = {2, 4, 1, 6};
    struct sft_groups *groups;
    (void)state;
    assert_int_equal(sft_groups_create("2,0;1;3", 4, "there", &groups), SFT_OK);
    assert_int_equal(groups->n, 3);
    assert_int_equal(groups->outputs, 7);
    assert_memory_equal(groups->first, first, sizeof(first));
    assert_memory_equal(groups->class_of, class_of, sizeof(class_of));
    assert_memory_equal(groups->output_of, output_of, sizeof(output_of));
    sft_groups_destroy(&groups);
    refuse("0,1,2,3", 4, "one group");
    refuse("", 4, "one group");
    refuse("0,1;2", 4, "class 3 is in no group");
    refuse("0,1;2,3,1", 4, "class 1 is in group 1 and again in group 2");
    refuse("0,1,0;2,3", 4, "class 0 is in group 1 and again in group 1");
    refuse("0,1;2,4", 4, "\"4\" is no class; they are 0 to 3");
    refuse("0,1;2,-1", 4, "no class");
    refuse("0,1;2,3x", 4, "\"3x\" is no class");
    refuse("0,1;2,99999999999999999999", 4, "no class");
    refuse("0,1;;2,3", 4, "group 2: a class is missing");
    refuse("0,1;2,3,", 4, "group 2: a class is missing");
    refuse("0;1", 0, "0 classes");
}

/* By hand: class 1 is the only one of group 1, class 0 the second of group 0. */
static void test_targets(void **state)
{
    static const int32_t labels[] = {1, 0, 3, -1}, expected[] = {0, 2, 0, -1, 1, 0, 0, -1, 0, 0, 1, -1};
    struct sft_groups *groups;
    int32_t targets[12];
    (void)state;
    assert_int_equal(sft_groups_create("2,0;1;3", 4, "there", &groups), SFT_OK);
    sft_groups_targets(groups, labels, 4, targets);
    assert_memory_equal(targets, expected, sizeof(expected));
    sft_groups_targets(NULL, labels, 4, targets);
    assert_memory_equal(targets, labels, sizeof(labels));
    sft_groups_destroy(&groups);
}

static void test_predictions(void **state)
{
    struct mos mos;
    (void)state;
    mos_open(&mos);
    for (size_t i = 0; i < MOS_ROWS; i++) {
        float *logits = mos.logits + i * MOS_OUTPUTS;
        struct sft_prediction got = sft_predict(mos.groups, MOS_CLASSES, logits);
        double expected = golden_number(json_object_get(mos.golden, "probability"), i);
        assert_int_equal(got.label, golden_number(json_object_get(mos.golden, "predicted"), i));
        if (!(fabs(got.probability / expected - 1) < 1e-12)) fail_msg("image %zu: %.17g", i, got.probability);
        logits[i % MOS_OUTPUTS] = NAN;
        assert_int_equal(sft_predict(mos.groups, MOS_CLASSES, logits).label, -1);
    }
    mos_close(&mos);
}

static struct sft_tensor *make_tensor(enum sft_dtype dtype, struct sft_shape shape, const void *data)
{
    struct sft_tensor *tensor;
    assert_int_equal(sft_tensor_create(test_device(), "test", dtype, shape, &tensor), SFT_OK);
    if (data) assert_int_equal(sft_tensor_upload(tensor, 0, sft_shape_count(&shape), data), SFT_OK);
    return tensor;
}

/* Appends the mean loss of the rows and its gradient, and runs it. */
static void run_loss(const struct mos *mos, float *rows, float *gradient)
{
    int32_t targets[MOS_GROUPS * MOS_ROWS];
    float weights[MOS_ROWS];
    struct sft_tensor *tensors[5];
    struct sft_graph *graph;
    struct sft_program *program;
    struct sft_loss_out loss;
    sft_value logits, grad;
    sft_groups_targets(mos->groups, mos->labels, MOS_ROWS, targets);
    sft_loss_weights(mos->labels, MOS_ROWS, 1.0f, weights);
    tensors[0] = make_tensor(SFT_F32, SFT_SHAPE(MOS_ROWS, MOS_OUTPUTS), mos->logits);
    tensors[1] = make_tensor(SFT_I32, SFT_SHAPE(MOS_GROUPS, MOS_ROWS), targets);
    tensors[2] = make_tensor(SFT_F32, SFT_SHAPE(MOS_ROWS), weights);
    tensors[3] = make_tensor(SFT_F32, SFT_SHAPE(MOS_ROWS), NULL);
    tensors[4] = make_tensor(SFT_F32, SFT_SHAPE(MOS_ROWS, MOS_OUTPUTS), NULL);
    assert_int_equal(sft_graph_create(&graph), SFT_OK);
    logits = sft_graph_tensor(graph, tensors[0]);
    loss = sft_loss(graph, mos->groups, logits, sft_graph_tensor(graph, tensors[1]),
                    sft_graph_tensor(graph, tensors[2]), (struct sft_row_loss_params){0});
    assert_int_equal(sft_autodiff(graph, loss.total, &logits, 1, &grad), SFT_OK);
    sft_graph_place(graph, sft_scale(graph, loss.rows, 1.0f), sft_graph_tensor(graph, tensors[3]), 0);
    sft_graph_place(graph, grad, sft_graph_tensor(graph, tensors[4]), 0);
    assert_int_equal(sft_graph_status(graph), SFT_OK);
    assert_int_equal(sft_program_create(test_device(), graph, &program), SFT_OK);
    assert_int_equal(sft_program_run(program), SFT_OK);
    assert_int_equal(sft_tensor_download(tensors[3], 0, MOS_ROWS, rows), SFT_OK);
    assert_int_equal(sft_tensor_download(tensors[4], 0, MOS_ROWS * MOS_OUTPUTS, gradient), SFT_OK);
    sft_program_destroy(&program);
    sft_graph_destroy(&graph);
    for (int i = 0; i < 5; i++) sft_tensor_destroy(&tensors[i]);
}

static void test_loss(void **state)
{
    float rows[MOS_ROWS], gradient[MOS_ROWS * MOS_OUTPUTS];
    struct mos mos;
    (void)state;
    mos_open(&mos);
    run_loss(&mos, rows, gradient);
    assert_true(golden_distance(json_object_get(mos.golden, "loss"), rows) < 1e-6);
    for (size_t i = 0; i < MOS_ROWS; i++) {
        const json_t *expected = json_array_get(json_object_get(mos.golden, "gradient"), i);
        double distance = golden_distance(expected, gradient + i * MOS_OUTPUTS);
        if (!(distance < 1e-5)) fail_msg("the gradient of image %zu is %.1e off", i, distance);
    }
    mos_close(&mos);
}

/* The head has a logit more for each group; the file tells the groups. */
static void test_file(void **state)
{
    const struct sft_model_config config = {.name = "vgg11_gn", .classes = 4, .mos_groups = "2,0;1;3"};
    char path[] = "/tmp/sft-groups-XXXXXX";
    struct sft_model *model, *again;
    (void)state;
    assert_int_not_equal(mkstemp(path), -1);
    assert_int_equal(sft_model_create(test_device(), &config, &model), SFT_OK);
    assert_int_equal(sft_model_outputs(model), 7);
    assert_int_equal(sft_model_save(model, path, NULL, 0), SFT_OK);
    assert_int_equal(sft_model_open(test_device(), path, NULL, &again), SFT_OK);
    assert_int_equal(again->classes, 4);
    assert_string_equal(again->groups->text, "2,0;1;3");
    assert_int_equal(again->parameters.weights_size, model->parameters.weights_size);
    sft_model_destroy(&again);
    sft_model_destroy(&model);
    unlink(path);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text), cmocka_unit_test(test_targets), cmocka_unit_test(test_predictions),
        cmocka_unit_test(test_loss), cmocka_unit_test(test_file),
    };
    return test_run_group("nn/groups", argc, argv, tests, sizeof(tests) / sizeof(tests[0]));
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every pipeline of whole steps, of every optimiser, and of the passes of every score, as the driver's
 * compiler makes it: none may spill registers. Prints what the driver tells. Nothing is executed, so it also
 * runs on a driver without its hardware:
 *
 *     vulkan-lab run radv:navi31 build/tests/test_runtime_vulkan_pipelines
 */
#ifdef SFT_HAVE_VULKAN

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ood/evaluate.h"
#include "runtime/autodiff.h"
#include "runtime/open.h"
#include "runtime/ops.h"
#include "runtime/program.h"
#include "runtime/tensor.h"
#include "runtime/vulkan/pipeline_report.h"
#include "sam/step.h"
#include "tests/nn/formula.h"
#include "tests/support/cm.h"

static struct sft_device *device;

static int open_device(void **state)
{
    (void)state;
    return sft_device_open("vulkan", 0, &device) == SFT_OK ? 0 : -1;
}

static int close_device(void **state)
{
    (void)state;
    sft_device_close(&device);
    return 0;
}

static void print_report(const struct sft_pipeline_report *report)
{
    print_message("  %-24s %-28s", report->shader, report->constants);
    for (int i = 0; i < report->n_statistics; i++)
        if (report->statistics[i].value != 0)
            print_message(" %s %g;", report->statistics[i].name, report->statistics[i].value);
    print_message("\n");
}

static void check_reports(void)
{
    struct sft_pipeline_report *list;
    size_t count;
    double spills = 0;
    assert_int_equal(sft_pipeline_report(device, &list, &count), SFT_OK);
    assert_true(count > 0);
    for (size_t i = 0; i < count; i++) {
        print_report(&list[i]);
        spills += list[i].spills;
    }
    free(list);
    print_message("%d pipelines, %g spills\n", (int)count, spills);
    assert_true(spills == 0);
}

static void step_pipelines(void **state)
{
    const struct sft_model_config config = {.name = *state, .classes = 10};
    const struct sft_step_params params = {
        .optimizer = sft_optimizer_find("sam-norm"), .n_id = 64, .n_ood = 64, .lambda = 1};
    struct sft_model *model;
    struct sft_step *step;
    assert_int_equal(sft_model_create(device, &config, &model), SFT_OK);
    assert_int_equal(sft_step_create(model, &params, &step), SFT_OK);
    check_reports();
    sft_step_destroy(&step);
    sft_model_destroy(&model);
}

/* A step of each optimiser, whose pipelines are few beyond those above. */
static void optimizer_pipelines(void **state)
{
    const struct sft_model_config config = {.name = "resnetv2_20_gn", .classes = 10};
    struct sft_model *model;
    (void)state;
    assert_int_equal(sft_model_create(device, &config, &model), SFT_OK);
    for (int i = 0; sft_optimizer_at(i); i++) {
        struct sft_step_params params = {.optimizer = sft_optimizer_at(i),
                                         .constants = sft_constants_default(),
                                         .n_id = 8,
                                         .n_ood = 8,
                                         .lambda = 1};
        struct sft_step *step;
        assert_int_equal(sft_step_create(model, &params, &step), SFT_OK);
        sft_step_destroy(&step);
    }
    check_reports();
    sft_model_destroy(&model);
}

enum { LEARNED_FROM = 100 };

/* Teaches a score that learns from such images with made-up outputs: what its next pass looks like needs no
 * more. */
static void learn(struct sft_model *model, struct sft_scorer *scorer, enum sft_images images, int extra_width)
{
    struct sft_head head;
    struct sft_outputs outputs = {.n = LEARNED_FROM, .classes = model->classes, .extra_width = extra_width};
    int32_t labels[LEARNED_FROM];
    float *numbers;
    if (!(sft_scorer_needs(scorer) & SFT_NEEDS_FIT)) return;
    assert_int_equal(sft_head_read(model, &head), SFT_OK);
    outputs.width = head.width;
    numbers =
        calloc((size_t)(LEARNED_FROM * (outputs.classes + outputs.width + extra_width)), sizeof(*numbers));
    assert_non_null(numbers);
    for (int i = 0; i < LEARNED_FROM * (outputs.classes + outputs.width + extra_width); i++)
        numbers[i] = formula_uniform(1, i);
    for (int i = 0; i < LEARNED_FROM; i++) labels[i] = i % outputs.classes;
    outputs.labels = labels;
    outputs.logits = numbers;
    outputs.features = outputs.logits + LEARNED_FROM * outputs.classes;
    outputs.extra = outputs.features + LEARNED_FROM * outputs.width;
    if (images == SFT_IMAGES_FIT) assert_int_equal(sft_scorer_fit(scorer, &outputs, &head), SFT_OK);
    if (images == SFT_IMAGES_TUNE) assert_int_equal(sft_scorer_tune(scorer, &outputs, &head), SFT_OK);
    free(numbers);
    sft_head_free(&head);
}

/* Steps against the gradient, which are no default. */
static void set_steps(struct sft_scorer *scorer)
{
    for (int k = 0; k < sft_score_knobs(scorer->score); k++) {
        const struct sft_knob *knob = &scorer->score->knobs[k];
        if (strstr(knob->name, "-eps"))
            assert_int_equal(sft_knob_read(knob, "0.001", &scorer->knobs[k]), SFT_OK);
    }
}

/* The pass of every score that appends to it, for images to fit on, to tune on and to score. */
static void score_pipelines(void **state)
{
    const struct sft_model_config config = {.name = "resnetv2_20_gn", .classes = 10};
    struct sft_model *model;
    (void)state;
    assert_int_equal(sft_model_create(device, &config, &model), SFT_OK);
    for (int i = 0; i < sft_score_count(); i++) {
        struct sft_scorer scorer;
        struct sft_extension extension = {&scorer, SFT_IMAGES_FIT};
        const struct sft_inference_extra extra = {sft_extend, &extension};
        if (!sft_score_at(i)->extend) continue;
        assert_int_equal(sft_scorer_init(sft_score_at(i), &scorer), SFT_OK);
        set_steps(&scorer);
        for (; extension.images <= SFT_IMAGES_OOD; extension.images++) {
            struct sft_inference *inference;
            assert_int_equal(sft_inference_create(model, 100, &extra, 1, &inference), SFT_OK);
            learn(model, &scorer, extension.images, sft_inference_width(inference, SFT_OUTPUT_EXTRA));
            sft_inference_destroy(&inference);
        }
        sft_scorer_free(&scorer);
    }
    check_reports();
    sft_model_destroy(&model);
}

/* ---- what vision transformers add ---- */

enum { OPERANDS = 4 };

/* Layer norm, packed attention of `heads` heads of 64, and an exponential, of two images' tokens. */
static sft_value token_loss(struct sft_graph *graph, const sft_value *in, int heads)
{
    const struct sft_attention_params attention = {heads, 0.125f};
    const struct sft_group_norm_params norm = {.groups = 1, .epsilon = 1e-5f};
    sft_value y = sft_unfold(graph, in[0], (struct sft_unfold_params){3, 2, 1});
    const struct sft_shape shape = *sft_graph_shape(graph, y);
    const struct sft_shape rows = SFT_SHAPE(shape.dim[0] * shape.dim[1], shape.dim[2]);
    y = sft_group_norm(graph, sft_reshape(graph, y, rows), in[1], in[2], SFT_NONE, SFT_NONE, norm).y;
    y = sft_matmul(graph, y, in[3], SFT_NONE, (struct sft_matmul_params){0});
    y = sft_reshape(graph, y, SFT_SHAPE(shape.dim[0], shape.dim[1], 3 * 64 * heads));
    y = sft_exp(graph, sft_gelu(graph, sft_attention(graph, y, SFT_NONE, SFT_NONE, attention)));
    return sft_sum_to(graph, y, SFT_SHAPE(1), 1.0f);
}

static void token_pipelines(void **state)
{
    const int heads = *(const int *)*state;
    const struct sft_shape shapes[OPERANDS] = {SFT_SHAPE(2, 28, 28, 64), SFT_SHAPE(576), SFT_SHAPE(576),
                                               SFT_SHAPE(576, 3 * 64 * heads)};
    struct sft_tensor *tensors[OPERANDS], *results[OPERANDS];
    sft_value in[OPERANDS], grads[OPERANDS];
    struct sft_graph *graph;
    struct sft_program *program;
    assert_int_equal(sft_graph_create(&graph), SFT_OK);
    for (int i = 0; i < OPERANDS; i++) {
        assert_int_equal(sft_tensor_create(device, "x", SFT_F32, shapes[i], &tensors[i]), SFT_OK);
        assert_int_equal(sft_tensor_create(device, "dx", SFT_F32, shapes[i], &results[i]), SFT_OK);
        in[i] = sft_graph_tensor(graph, tensors[i]);
    }
    assert_int_equal(sft_autodiff(graph, token_loss(graph, in, heads), in, OPERANDS, grads), SFT_OK);
    for (int i = 0; i < OPERANDS; i++)
        sft_graph_place(graph, grads[i], sft_graph_tensor(graph, results[i]), 0);
    assert_int_equal(sft_graph_status(graph), SFT_OK);
    assert_int_equal(sft_program_create(device, graph, &program), SFT_OK);
    check_reports();
    sft_program_destroy(&program);
    sft_graph_destroy(&graph);
    for (int i = 0; i < OPERANDS; i++) {
        sft_tensor_destroy(&tensors[i]);
        sft_tensor_destroy(&results[i]);
    }
}

int main(void)
{
    static int one = 1, eight = 8;
    const struct CMUnitTest tests[] = {
        {"step/resnetv2_20_gn", step_pipelines, NULL, NULL, "resnetv2_20_gn"},
        {"step/vgg11_gn", step_pipelines, NULL, NULL, "vgg11_gn"},
        {"step/vgg11_bn", step_pipelines, NULL, NULL, "vgg11_bn"},
        {"tokens of one head", token_pipelines, NULL, NULL, &one},
        {"tokens of eight heads", token_pipelines, NULL, NULL, &eight},
        {"steps of every optimiser", optimizer_pipelines, NULL, NULL, NULL},
        {"passes of every score", score_pipelines, NULL, NULL, NULL},
    };
    return cmocka_run_group_tests(tests, open_device, close_device);
}
#else
int main(void) { return 0; } /* a build without Vulkan has no pipelines */
#endif

/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/trial.h"

#include "runtime/base/clock.h"
#include "runtime/ops.h"
#include "runtime/program.h"
#include "runtime/tensor.h"

enum { IMAGES = 16, SIDE = 32, CHANNELS = 64, RUNS = 3 };
enum { TENSOR_IMAGES, TENSOR_WEIGHT, TENSOR_AFFINE, TENSOR_RESULT, N_TENSORS };

static enum sft_status create_tensors(struct sft_device *device, struct sft_tensor **tensors)
{
    static const struct {
        const char *name;
        struct sft_shape shape;
    } wanted[N_TENSORS] = {
        [TENSOR_IMAGES] = {"images", {4, {IMAGES, SIDE, SIDE, CHANNELS}}},
        [TENSOR_WEIGHT] = {"weight", {4, {3, 3, CHANNELS, CHANNELS}}},
        [TENSOR_AFFINE] = {"affine", {1, {CHANNELS}}},
        [TENSOR_RESULT] = {"result", {4, {IMAGES, SIDE, SIDE, CHANNELS}}},
    };
    for (int i = 0; i < N_TENSORS; i++)
        SFT_TRY(sft_tensor_create(device, wanted[i].name, SFT_F32, wanted[i].shape, &tensors[i]));
    return SFT_OK;
}

/* A 3x3 convolution and a normalisation: what a step is made of. */
static enum sft_status build(struct sft_graph *graph, struct sft_tensor **tensors)
{
    struct sft_conv2d_params conv = {.stride = {1, 1}, .pad = {1, 1}, .dilation = {1, 1}, .groups = 1};
    struct sft_group_norm_params norm = {.groups = 8, .epsilon = 1e-5f};
    sft_value x = sft_graph_tensor(graph, tensors[TENSOR_IMAGES]);
    sft_value weight = sft_graph_tensor(graph, tensors[TENSOR_WEIGHT]);
    sft_value affine = sft_graph_tensor(graph, tensors[TENSOR_AFFINE]);
    x = sft_conv2d(graph, x, weight, SFT_NONE, conv);
    x = sft_relu(graph, sft_group_norm(graph, x, affine, affine, SFT_NONE, SFT_NONE, norm).y);
    sft_graph_place(graph, x, sft_graph_tensor(graph, tensors[TENSOR_RESULT]), 0);
    return sft_graph_status(graph);
}

static enum sft_status time_program(struct sft_device *device, const struct sft_graph *graph, double *seconds)
{
    struct sft_program *program;
    enum sft_status status;
    double start = 0;
    SFT_TRY(sft_program_create(device, graph, &program));
    for (int run = -1; run < RUNS; run++) {
        if (run == 0) start = sft_now();
        SFT_TRY_OUT(sft_program_run(program));
        SFT_TRY_OUT(sft_device_wait(device));
    }
    *seconds = (sft_now() - start) / RUNS;
out:
    sft_program_destroy(&program);
    return status;
}

enum sft_status sft_trial_run(const struct sft_device_info *info, double *seconds)
{
    struct sft_device *device = NULL;
    struct sft_tensor *tensors[N_TENSORS] = {NULL};
    struct sft_graph *graph = NULL;
    enum sft_status status;
    SFT_TRY(sft_device_open_listed(info, 0, &device));
    SFT_TRY_OUT(create_tensors(device, tensors));
    SFT_TRY_OUT(sft_graph_create(&graph));
    SFT_TRY_OUT(build(graph, tensors));
    SFT_TRY_OUT(time_program(device, graph, seconds));
out:
    sft_graph_destroy(&graph);
    for (int i = 0; i < N_TENSORS; i++) sft_tensor_destroy(&tensors[i]);
    sft_device_close(&device);
    return status;
}

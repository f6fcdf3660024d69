/* SPDX-License-Identifier: Apache-2.0 */
#include "nn/inference.h"

#include <stdlib.h>

#include "runtime/base/alloc.h"
#include "runtime/device.h"
#include "runtime/ops.h"
#include "runtime/program.h"

struct sft_inference {
    struct sft_model *model;
    int batch, rows; /* images of a call, and of one run of the program: the batch is cut so that it fits */
    int n_outputs, width[SFT_MAX_OUTPUTS_OF_PASS];
    struct sft_tensor *images, *outputs[SFT_MAX_OUTPUTS_OF_PASS]; /* NULL: there is none */
    struct sft_tensor **constants;
    size_t n_constants, constants_room;
    struct sft_planned planned; /* until the program is made of it */
    struct sft_program *program;
};

static enum sft_status add_constant(struct sft_inference *inference, struct sft_shape shape,
                                    const float *values, struct sft_tensor **constant)
{
    size_t number = inference->n_constants;
    SFT_TRY(
        sft_grow(&inference->constants, &inference->constants_room, number + 1, sizeof(struct sft_tensor *)));
    SFT_TRY(sft_tensor_create(inference->model->parameters.weights->device, "constant", SFT_F32, shape,
                              constant));
    inference->constants[inference->n_constants++] = *constant;
    return sft_tensor_upload(*constant, 0, sft_shape_count(&shape), values);
}

sft_value sft_pass_constant(const struct sft_pass *pass, struct sft_shape shape, const float *values)
{
    struct sft_tensor *constant;
    enum sft_status status = add_constant(pass->inference, shape, values, &constant);
    return status == SFT_OK ? sft_graph_tensor(pass->graph, constant) : sft_graph_fail(pass->graph, status);
}

static enum sft_status add_output(struct sft_inference *inference, struct sft_graph *graph, sft_value value)
{
    static const char *const names[] = {"logits", "features", "extra"};
    int number = inference->n_outputs++;
    struct sft_shape shape;
    SFT_TRY(sft_graph_status(graph));
    if (value == SFT_NONE) return SFT_OK;
    shape = *sft_graph_shape(graph, value);
    inference->width[number] = (int)(sft_shape_count(&shape) / inference->rows);
    SFT_TRY(sft_tensor_describe(inference->model->parameters.weights->device,
                                names[number < SFT_OUTPUT_EXTRA ? number : SFT_OUTPUT_EXTRA], SFT_F32, shape,
                                &inference->outputs[number]));
    sft_graph_place(graph, sft_scale(graph, value, 1.0f), sft_graph_tensor(graph, inference->outputs[number]),
                    0);
    return sft_graph_status(graph);
}

static enum sft_status build(struct sft_inference *inference, struct sft_graph *graph,
                             const struct sft_inference_extra *extras, int n_extras)
{
    struct sft_model *model = inference->model;
    struct sft_device *device = model->parameters.weights->device;
    struct sft_forward forward = sft_forward_on(graph, &model->parameters);
    struct sft_forward_out out;
    struct sft_pass pass = {
        .model = model, .graph = graph, .forward = &forward, .out = &out, .inference = inference};
    int64_t side = model->image_size;
    SFT_TRY(sft_tensor_describe(device, "images", SFT_F32, SFT_SHAPE(inference->rows, side, side, 3),
                                &inference->images));
    pass.images = sft_graph_tensor(graph, inference->images);
    SFT_TRY(sft_model_forward(model, graph, &forward, pass.images, &out));
    SFT_TRY(add_output(inference, graph, out.logits));
    SFT_TRY(add_output(inference, graph, out.features));
    for (int i = 0; i < n_extras; i++)
        SFT_TRY(add_output(inference, graph, extras[i].append(extras[i].context, &pass)));
    sft_graph_prune(graph);
    return sft_program_plan(device, graph, 0, &inference->planned);
}

static void forget(struct sft_inference *inference)
{
    sft_program_destroy(&inference->program);
    sft_planned_free(&inference->planned);
    sft_tensor_destroy(&inference->images);
    for (int k = 0; k < inference->n_outputs; k++) sft_tensor_destroy(&inference->outputs[k]);
    for (size_t k = 0; k < inference->n_constants; k++) sft_tensor_destroy(&inference->constants[k]);
    inference->n_outputs = 0;
    inference->n_constants = 0;
}

/* For so many images at a time; nothing but constants is allocated. */
static enum sft_status plan(struct sft_inference *inference, int rows,
                            const struct sft_inference_extra *extras, int n_extras)
{
    struct sft_graph *graph = NULL;
    enum sft_status status;
    forget(inference);
    inference->rows = rows;
    status = sft_graph_create(&graph);
    if (status == SFT_OK) status = build(inference, graph, extras, n_extras);
    sft_graph_destroy(&graph);
    return status;
}

static uint64_t bytes_of(const struct sft_inference *inference)
{
    uint64_t bytes = inference->planned.plan->arena + inference->images->bytes;
    for (int k = 0; k < inference->n_outputs; k++)
        if (inference->outputs[k]) bytes += inference->outputs[k]->bytes;
    return bytes;
}

/* A pass over some images is as fast as one over many: it takes a quarter of the memory at most. */
static enum sft_status plan_to_fit(struct sft_inference *inference, const struct sft_inference_extra *extras,
                                   int n_extras)
{
    const struct sft_device *device = inference->model->parameters.weights->device;
    uint64_t room = sft_device_room(device), share = sft_device_thrift(device) / 4;
    uint64_t largest = sft_device_largest(device);
    SFT_TRY(plan(inference, inference->batch, extras, n_extras));
    if (share > room) share = room;
    if (largest && share > largest) share = largest;
    while (inference->rows > 1 && bytes_of(inference) > share)
        SFT_TRY(plan(inference, (inference->rows + 1) / 2, extras, n_extras));
    return SFT_OK;
}

static enum sft_status start(struct sft_inference *inference)
{
    SFT_TRY(sft_tensor_allocate(inference->images));
    for (int k = 0; k < inference->n_outputs; k++)
        if (inference->outputs[k]) SFT_TRY(sft_tensor_allocate(inference->outputs[k]));
    return sft_program_make(inference->model->parameters.weights->device, &inference->planned, NULL,
                            &inference->program);
}

enum sft_status sft_inference_create(struct sft_model *model, int batch,
                                     const struct sft_inference_extra *extras, int n_extras,
                                     struct sft_inference **out)
{
    struct sft_inference *inference;
    enum sft_status status;
    *out = NULL;
    if (batch < 1) return sft_fail(SFT_USAGE, "a batch of %d images: must be at least 1", batch);
    if (n_extras > SFT_MAX_OUTPUTS_OF_PASS - SFT_OUTPUT_EXTRA)
        return sft_fail(SFT_USAGE, "a pass with %d further outputs: there is room for %d", n_extras,
                        SFT_MAX_OUTPUTS_OF_PASS - SFT_OUTPUT_EXTRA);
    inference = sft_calloc(1, sizeof(*inference));
    if (!inference) return SFT_MEMORY;
    inference->model = model;
    inference->batch = batch;
    status = plan_to_fit(inference, extras, n_extras);
    if (status == SFT_OK) status = start(inference);
    if (status == SFT_OK)
        *out = inference;
    else
        sft_inference_destroy(&inference);
    return status;
}

void sft_inference_destroy(struct sft_inference **inference)
{
    struct sft_inference *i = *inference;
    if (!i) return;
    forget(i);
    free(i->constants);
    free(i);
    *inference = NULL;
}

int sft_inference_batch(const struct sft_inference *inference) { return inference->batch; }

int sft_inference_width(const struct sft_inference *inference, int output)
{
    return output < inference->n_outputs ? inference->width[output] : 0;
}

/* Up to `rows` images, which start at number `first`. */
static enum sft_status run_some(struct sft_inference *inference, const float *images, int64_t first,
                                int64_t n, float *const *outputs)
{
    int64_t side = inference->images->shape.dim[1], image = side * side * 3;
    SFT_TRY(sft_tensor_upload(inference->images, 0, n * image, images + first * image));
    SFT_TRY(sft_program_run(inference->program));
    for (int k = 0; k < inference->n_outputs; k++)
        if (outputs[k] && inference->outputs[k])
            SFT_TRY(sft_tensor_download(inference->outputs[k], 0, n * inference->width[k],
                                        outputs[k] + first * inference->width[k]));
    return SFT_OK;
}

enum sft_status sft_inference_run(struct sft_inference *inference, const float *images, int64_t n,
                                  float *const *outputs)
{
    if (n < 1 || n > inference->batch)
        return sft_fail(SFT_USAGE, "%d images: this pass takes 1 to %d", (int)n, inference->batch);
    for (int64_t first = 0; first < n; first += inference->rows)
        SFT_TRY(run_some(inference, images, first, n - first < inference->rows ? n - first : inference->rows,
                         outputs));
    return SFT_OK;
}

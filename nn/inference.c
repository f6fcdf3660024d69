/* SPDX-License-Identifier: Apache-2.0 */
#include "nn/inference.h"

#include <stdlib.h>

#include "runtime/alloc.h"
#include "runtime/ops.h"

struct sft_inference {
    struct sft_model *model;
    int batch, width;
    struct sft_tensor *images, *logits, *features;
    struct sft_program *program;
};

static enum sft_status create_output(struct sft_inference *inference, struct sft_graph *graph, const char *name,
                                     sft_value value, struct sft_tensor **tensor)
{
    struct sft_shape shape = *sft_graph_shape(graph, value);
    SFT_TRY(sft_tensor_create(inference->model->parameters.weights->device, name, SFT_F32, shape, tensor));
    sft_graph_place(graph, sft_scale(graph, value, 1.0f), sft_graph_tensor(graph, *tensor), 0);
    return sft_graph_status(graph);
}

static enum sft_status build(struct sft_inference *inference, struct sft_graph *graph)
{
    struct sft_model *model = inference->model;
    struct sft_device *device = model->parameters.weights->device;
    struct sft_forward forward = sft_forward_on(graph, model);
    struct sft_forward_out out;
    int64_t side = model->image_size;
    SFT_TRY(
        sft_tensor_create(device, "images", SFT_F32, SFT_SHAPE(inference->batch, side, side, 3), &inference->images));
    SFT_TRY(sft_model_forward(model, graph, &forward, sft_graph_tensor(graph, inference->images), &out));
    inference->width = (int)sft_graph_shape(graph, out.features)->dim[1];
    SFT_TRY(create_output(inference, graph, "logits", out.logits, &inference->logits));
    SFT_TRY(create_output(inference, graph, "features", out.features, &inference->features));
    return sft_program_create(device, graph, &inference->program);
}

enum sft_status sft_inference_create(struct sft_model *model, int batch, struct sft_inference **out)
{
    struct sft_inference *inference;
    struct sft_graph *graph = NULL;
    enum sft_status status;
    *out = NULL;
    if (batch < 1) return sft_fail(SFT_USAGE, "a batch of %d images: must be at least 1", batch);
    inference = sft_calloc(1, sizeof(*inference));
    if (!inference) return SFT_MEMORY;
    inference->model = model;
    inference->batch = batch;
    status = sft_graph_create(&graph);
    if (status == SFT_OK) status = build(inference, graph);
    sft_graph_destroy(&graph);
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
    sft_program_destroy(&i->program);
    sft_tensor_destroy(&i->images);
    sft_tensor_destroy(&i->logits);
    sft_tensor_destroy(&i->features);
    free(i);
    *inference = NULL;
}

int sft_inference_batch(const struct sft_inference *inference) { return inference->batch; }
int sft_inference_width(const struct sft_inference *inference) { return inference->width; }

enum sft_status sft_inference_run(struct sft_inference *inference, const float *images, int64_t n, float *logits,
                                  float *features)
{
    int64_t side = inference->model->image_size;
    if (n < 1 || n > inference->batch)
        return sft_fail(SFT_USAGE, "%d images: this pass takes 1 to %d", (int)n, inference->batch);
    SFT_TRY(sft_tensor_upload(inference->images, 0, n * side * side * 3, images));
    SFT_TRY(sft_program_run(inference->program));
    if (logits) SFT_TRY(sft_tensor_download(inference->logits, 0, n * inference->model->classes, logits));
    if (features) SFT_TRY(sft_tensor_download(inference->features, 0, n * inference->width, features));
    return SFT_OK;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "nn/forward.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/ops.h"

const char *sft_name(char *buffer, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(buffer, SFT_MAX_NAME, format, args);
    va_end(args);
    return buffer;
}

static sft_value declare(struct sft_build *build, const char *name, const struct sft_parameter_rule *rule)
{
    struct sft_parameter parameter = {.name = (char *)name,
                                      .kind = rule->kind,
                                      .shape = rule->shape,
                                      .file_shape = rule->file_shape.rank ? rule->file_shape : rule->shape,
                                      .init = rule->init};
    enum sft_status status = sft_parameters_add(build->declared, &parameter);
    if (status != SFT_OK) return sft_graph_fail(build->graph, status);
    return sft_graph_input(build->graph, "parameter", SFT_F32, rule->shape);
}

static sft_value read_from(struct sft_build *build, const struct sft_parameter *parameter)
{
    const struct sft_forward *forward = build->forward;
    bool is_norm = parameter->kind == SFT_NORM_WEIGHT || parameter->kind == SFT_NORM_BIAS;
    sft_value flat = forward->weights;
    if (is_norm && forward->norm != SFT_NONE) flat = forward->norm;
    if (parameter->kind == SFT_BUFFER) flat = forward->buffers;
    return sft_view(build->graph, flat, parameter->offset, parameter->shape);
}

sft_value sft_build_parameter(struct sft_build *build, const char *layer, const char *suffix,
                              struct sft_parameter_rule rule)
{
    char name[SFT_MAX_NAME];
    int number = build->next_parameter++;
    sft_value value;

    if (sft_graph_status(build->graph) != SFT_OK) return SFT_NONE;
    sft_name(name, "%s.%s", layer, suffix);
    if (build->declared) {
        value = declare(build, name, &rule);
    } else {
        const struct sft_parameter *parameter = &build->model->parameters.items[number];
        if (number >= build->model->parameters.n || strcmp(parameter->name, name) != 0 ||
            !sft_shape_equal(&parameter->shape, &rule.shape))
            return sft_graph_fail(build->graph, sft_fail(SFT_FAILED, "%s: %s differs from its declaration",
                                                         build->model->variant->name, name));
        value = read_from(build, parameter);
    }
    if (number < SFT_MAX_PARAMETERS) build->out->params[number] = value;
    build->out->n_params = build->next_parameter;
    return value;
}

sft_value sft_build_tap(struct sft_build *build, sft_value map)
{
    if (build->forward->from != SFT_NONE && build->forward->from_tap == build->out->n_taps)
        map = build->forward->from;
    if (build->out->n_taps < SFT_MAX_TAPS) build->out->taps[build->out->n_taps++] = map;
    return map;
}

uint32_t sft_build_dropout_stream(struct sft_build *build)
{
    return build->forward->dropout_stream + build->next_dropout++;
}

int64_t sft_build_dim(const struct sft_build *build, sft_value value, int axis)
{
    return value == SFT_NONE ? 0 : sft_graph_shape(build->graph, value)->dim[axis];
}

static enum sft_status run(struct sft_build *build, sft_value images)
{
    build->out->n_taps = build->out->n_params = 0;
    build->out->logits = build->out->features = SFT_NONE;
    build->model->variant->build(build, images);
    return sft_graph_status(build->graph);
}

enum sft_status sft_build_declare(struct sft_model *model)
{
    const struct sft_forward forward = {SFT_NONE, SFT_NONE, SFT_NONE, SFT_BN_BATCH, SFT_NONE, 0, SFT_NONE, 0};
    struct sft_forward_out out;
    struct sft_build build = {
        .model = model, .forward = &forward, .out = &out, .declared = &model->parameters};
    enum sft_status status;
    SFT_TRY(sft_graph_create(&build.graph));
    status = run(&build, sft_model_images(model, build.graph, 1));
    sft_graph_destroy(&build.graph);
    return status;
}

static bool has_size(const struct sft_graph *graph, sft_value value, int64_t count)
{
    return value != SFT_NONE && sft_shape_count(sft_graph_shape(graph, value)) == count;
}

static enum sft_status check_forward(const struct sft_model *model, const struct sft_graph *graph,
                                     const struct sft_forward *forward, sft_value images)
{
    const struct sft_parameters *parameters = &model->parameters;
    const struct sft_shape *shape = sft_graph_shape(graph, images);
    char text[SFT_SHAPE_TEXT];
    if (shape->rank != 4 || shape->dim[1] != model->image_size || shape->dim[2] != model->image_size ||
        shape->dim[3] != 3)
        return sft_fail(SFT_USAGE, "%s: images of %s; takes Nx%dx%dx3", model->variant->name,
                        shape->rank < 0 ? "no shape" : sft_shape_str(shape, text), model->image_size,
                        model->image_size);
    if (!has_size(graph, forward->weights, parameters->weights_size) ||
        (forward->norm != SFT_NONE && !has_size(graph, forward->norm, parameters->norm_size)) ||
        (parameters->buffers_size && !has_size(graph, forward->buffers, parameters->buffers_size)))
        return sft_fail(SFT_USAGE,
                        "%s: flat weights, norm parameters or buffers of another size than the model's",
                        model->variant->name);
    return SFT_OK;
}

enum sft_status sft_model_forward(const struct sft_model *model, struct sft_graph *graph,
                                  const struct sft_forward *forward, sft_value images,
                                  struct sft_forward_out *out)
{
    struct sft_build build = {.graph = graph, .model = model, .forward = forward, .out = out};
    SFT_TRY(sft_graph_status(graph));
    SFT_TRY(check_forward(model, graph, forward, images));
    return run(&build, images);
}

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

/* The number-th declared parameter, which has to be the one that is asked for. */
static sft_value read_declared(struct sft_build *build, int number, const char *name,
                               const struct sft_parameter_rule *rule)
{
    const struct sft_parameters *parameters = build->network->parameters;
    const struct sft_parameter *parameter = &parameters->items[number];
    if (number >= parameters->n || strcmp(parameter->name, name) != 0 ||
        !sft_shape_equal(&parameter->shape, &rule->shape))
        return sft_graph_fail(build->graph, sft_fail(SFT_FAILED, "%s: %s differs from its declaration",
                                                     build->network->variant->name, name));
    return read_from(build, parameter);
}

sft_value sft_build_parameter(struct sft_build *build, const char *layer, const char *suffix,
                              struct sft_parameter_rule rule)
{
    char name[SFT_MAX_NAME];
    int number = build->next_parameter++;
    sft_value value;
    if (sft_graph_status(build->graph) != SFT_OK) return SFT_NONE;
    sft_name(name, "%s%s%s", layer, suffix ? "." : "", suffix ? suffix : "");
    value = build->declared ? declare(build, name, &rule) : read_declared(build, number, name, &rule);
    if (number < SFT_MAX_PARAMETERS) build->out->params[number] = value;
    build->out->n_params = build->next_parameter;
    return value;
}

static sft_value check_tap(struct sft_build *build, enum sft_tap_kind kind, sft_value value)
{
    static const int ranks[] = {[SFT_TAP_MAP] = 4, [SFT_TAP_TOKENS] = 3};
    if (value == SFT_NONE || sft_graph_shape(build->graph, value)->rank == ranks[kind]) return value;
    return sft_graph_fail(build->graph, sft_fail(SFT_FAILED, "%s: tap %d has not the shape of its kind",
                                                 build->network->variant->name, build->out->n_taps));
}

static sft_value too_many(struct sft_build *build, const char *what, int most)
{
    return sft_graph_fail(
        build->graph, sft_fail(SFT_FAILED, "%s: more than %d %s", build->network->variant->name, most, what));
}

sft_value sft_build_tap(struct sft_build *build, enum sft_tap_kind kind, sft_value value)
{
    struct sft_forward_out *out = build->out;
    if (build->forward->from != SFT_NONE && build->forward->from_tap == out->n_taps)
        value = build->forward->from;
    value = check_tap(build, kind, value);
    if (out->n_taps == SFT_MAX_TAPS) return too_many(build, "taps", SFT_MAX_TAPS);
    out->taps[out->n_taps++] = (struct sft_tap){value, kind};
    return value;
}

uint32_t sft_build_dropout_stream(struct sft_build *build)
{
    if (build->next_dropout == SFT_DROPOUT_STREAMS)
        too_many(build, "layers with dropout", SFT_DROPOUT_STREAMS);
    return build->forward->dropout_stream + build->next_dropout++;
}

int64_t sft_build_dim(const struct sft_build *build, sft_value value, int axis)
{
    return value == SFT_NONE ? 0 : sft_graph_shape(build->graph, value)->dim[axis];
}

struct sft_forward sft_forward_on(struct sft_graph *graph, const struct sft_parameters *parameters)
{
    return (struct sft_forward){
        .weights = sft_graph_tensor(graph, parameters->weights),
        .norm = SFT_NONE,
        .buffers = parameters->buffers ? sft_graph_tensor(graph, parameters->buffers) : SFT_NONE,
        .bn = SFT_BN_RUNNING,
        .dropout_key = SFT_NONE,
        .from = SFT_NONE,
    };
}

sft_value sft_forward_images(struct sft_graph *graph, int64_t n, int image_size)
{
    return sft_graph_input(graph, "images", SFT_F32, SFT_SHAPE(n, image_size, image_size, 3));
}

static enum sft_status run(struct sft_build *build, sft_value images)
{
    build->out->n_taps = build->out->n_params = 0;
    build->out->logits = build->out->features = SFT_NONE;
    build->network->variant->build(build, images);
    return sft_graph_status(build->graph);
}

enum sft_status sft_network_declare(const struct sft_network *network, struct sft_parameters *parameters)
{
    const struct sft_forward nothing = {
        .weights = SFT_NONE,
        .norm = SFT_NONE,
        .buffers = SFT_NONE,
        .bn = SFT_BN_BATCH,
        .dropout_key = SFT_NONE,
        .from = SFT_NONE,
    };
    struct sft_forward_out out;
    struct sft_build build = {.network = network, .forward = &nothing, .out = &out, .declared = parameters};
    enum sft_status status;
    SFT_TRY(sft_graph_create(&build.graph));
    status = run(&build, sft_forward_images(build.graph, 1, network->image_size));
    sft_graph_destroy(&build.graph);
    return status;
}

static bool has_size(const struct sft_graph *graph, sft_value value, int64_t count)
{
    return value != SFT_NONE && sft_shape_count(sft_graph_shape(graph, value)) == count;
}

static enum sft_status check_images(const struct sft_network *network, const struct sft_graph *graph,
                                    sft_value images)
{
    const struct sft_shape *shape = sft_graph_shape(graph, images);
    int size = network->image_size;
    char text[SFT_SHAPE_TEXT];
    if (shape->rank == 4 && shape->dim[1] == size && shape->dim[2] == size && shape->dim[3] == 3)
        return SFT_OK;
    return sft_fail(SFT_USAGE, "%s: images of %s; takes Nx%dx%dx3", network->variant->name,
                    shape->rank < 0 ? "no shape" : sft_shape_str(shape, text), size, size);
}

static enum sft_status check_flat(const struct sft_network *network, const struct sft_graph *graph,
                                  const struct sft_forward *forward)
{
    const struct sft_parameters *parameters = network->parameters;
    bool norm = forward->norm == SFT_NONE || has_size(graph, forward->norm, parameters->norm_size);
    bool buffers = !parameters->buffers_size || has_size(graph, forward->buffers, parameters->buffers_size);
    if (has_size(graph, forward->weights, parameters->weights_size) && norm && buffers) return SFT_OK;
    return sft_fail(SFT_USAGE,
                    "%s: flat weights, norm parameters or buffers of another size than the model's",
                    network->variant->name);
}

enum sft_status sft_network_forward(const struct sft_network *network, struct sft_graph *graph,
                                    const struct sft_forward *forward, sft_value images,
                                    struct sft_forward_out *out)
{
    struct sft_build build = {.graph = graph, .network = network, .forward = forward, .out = out};
    SFT_TRY(sft_graph_status(graph));
    SFT_TRY(check_images(network, graph, images));
    SFT_TRY(check_flat(network, graph, forward));
    return run(&build, images);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "nn/model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nn/class_order.h"
#include "nn/header.h"
#include "nn/hub_config.h"
#include "runtime/base/alloc.h"
#include "runtime/base/file.h"
#include "runtime/base/log.h"

static enum sft_status unknown(const char *name)
{
    const struct sft_variant *variant;
    char list[1024] = "";
    size_t used = 0;
    for (int i = 0; (variant = sft_model_variant(i)) && used < sizeof(list); i++)
        used += (size_t)snprintf(list + used, sizeof(list) - used, "%s%s", i ? ", " : "", variant->name);
    return sft_fail(SFT_USAGE, "no model is named \"%s\"; there are %s", name ? name : "", list);
}

int sft_model_outputs(const struct sft_model *model)
{
    return model->groups ? model->groups->outputs : model->classes;
}

static struct sft_network network_of(const struct sft_model *model)
{
    return (struct sft_network){
        .variant = model->variant,
        .gn_groups = model->gn_groups,
        .outputs = sft_model_outputs(model),
        .image_size = model->image_size,
        .standardize_epsilon = model->standardize_epsilon,
        .parameters = &model->parameters,
    };
}

/* "takes multiples of 16", "takes 32 to 63". */
static const char *sizes_str(const struct sft_sizes *sizes, char text[64])
{
    if (sizes->multiple > 1)
        snprintf(text, 64, "multiples of %d", sizes->multiple);
    else if (sizes->most)
        snprintf(text, 64, "%d to %d", sizes->least, sizes->most);
    else
        snprintf(text, 64, "%d or more", sizes->least > 1 ? sizes->least : 1);
    return text;
}

enum sft_status sft_variant_takes(const struct sft_variant *variant, int image_size)
{
    const struct sft_sizes *sizes = &variant->sizes;
    char text[64];
    bool fits = image_size >= 1 && image_size >= sizes->least && (!sizes->most || image_size <= sizes->most);
    if (fits && (!sizes->multiple || image_size % sizes->multiple == 0)) return SFT_OK;
    return sft_fail(SFT_USAGE, "%s: images of %d pixels a side; it takes %s", variant->name, image_size,
                    sizes_str(sizes, text));
}

enum sft_status sft_model_takes(const struct sft_model *model, int image_size)
{
    SFT_TRY(sft_variant_takes(model->variant, image_size));
    if (!model->variant->positions.name || image_size == model->image_size) return SFT_OK;
    return sft_fail(
        SFT_USAGE,
        "%s: images of %d pixels a side, and position embeddings for %d; --img-size %d makes others",
        model->variant->name, image_size, model->image_size, image_size);
}

static enum sft_status check_config(const struct sft_model_config *config)
{
    if (!config->name || !sft_model_find(config->name)) return unknown(config->name);
    if (config->classes < 2)
        return sft_fail(SFT_USAGE, "%s: %d classes; needs at least 2", config->name, config->classes);
    if (config->image_size) SFT_TRY(sft_variant_takes(sft_model_find(config->name), config->image_size));
    if (config->gn_groups < 0) return sft_fail(SFT_USAGE, "%s: %d groups", config->name, config->gn_groups);
    return SFT_OK;
}

static void set_normalisation(const struct sft_model_config *config, struct sft_model *model)
{
    bool own = config->std[0] > 0;
    memcpy(model->mean, own ? config->mean : model->variant->mean, sizeof(model->mean));
    memcpy(model->std, own ? config->std : model->variant->std, sizeof(model->std));
}

/* Fills a model in; its parameters are declared, nothing is allocated on a device. */
static enum sft_status describe(const struct sft_model_config *config, struct sft_model *model)
{
    struct sft_network network;
    model->variant = sft_model_find(config->name);
    model->classes = config->classes;
    model->gn_groups = config->gn_groups;
    model->image_size = config->image_size ? config->image_size : model->variant->image_size;
    model->standardize_epsilon =
        config->standardize_epsilon > 0 ? config->standardize_epsilon : SFT_STANDARDIZE_EPSILON;
    set_normalisation(config, model);
    model->framing = sft_framing_complete(sft_framing_over(config->framing, model->variant->framing));
    if (config->mos_groups)
        SFT_TRY(sft_groups_create(config->mos_groups, config->classes, "mos_groups", &model->groups));
    network = network_of(model);
    return sft_network_declare(&network, &model->parameters);
}

enum sft_status sft_model_create(struct sft_device *device, const struct sft_model_config *config,
                                 struct sft_model **model)
{
    enum sft_status status;
    *model = NULL;
    SFT_TRY(check_config(config));
    *model = sft_calloc(1, sizeof(**model));
    if (!*model) return SFT_MEMORY;
    status = describe(config, *model);
    if (status == SFT_OK) status = sft_parameters_allocate(&(*model)->parameters, device);
    if (status != SFT_OK) sft_model_destroy(model);
    return status;
}

void sft_model_destroy(struct sft_model **model)
{
    if (!*model) return;
    sft_parameters_free(&(*model)->parameters);
    sft_groups_destroy(&(*model)->groups);
    sft_class_names_free(&(*model)->class_names);
    free(*model);
    *model = NULL;
}

/* ---- images of another size than the file's ---- */

static void make_positions(enum sft_pos_embed how, const struct sft_parameter *item, int side,
                           const float *from, float *to)
{
    int64_t width = item->shape.dim[item->shape.rank - 1], vectors = item->count / width;
    if (how == SFT_POS_EMBED_RECOMPUTE)
        sft_positions_sinusoid(1 + (int64_t)side * side, width, to);
    else
        sft_positions_resample(sft_positions_side(vectors), side, width, from, to);
}

static enum sft_status resize_positions(struct sft_model *model, int number, int side)
{
    struct sft_parameters *parameters = &model->parameters;
    const struct sft_parameter *item = &parameters->items[number];
    struct sft_shape shape = item->shape;
    float *from = sft_calloc((size_t)item->count, sizeof(*from)), *to;
    enum sft_status status = SFT_MEMORY;
    shape.dim[shape.rank - 2] = 1 + (int64_t)side * side;
    to = sft_calloc((size_t)sft_shape_count(&shape), sizeof(*to));
    if (!from || !to) goto out;
    SFT_TRY_OUT(sft_tensor_download(parameters->buffers, item->offset, item->count, from));
    make_positions(model->pos_embed, item, side, from, to);
    status = sft_parameters_reshape(parameters, number, shape, to);
out:
    free(from);
    free(to);
    return status;
}

/* Makes a model that was loaded at the file's size one for `size`. */
static enum sft_status resize(struct sft_model *model, int size)
{
    const struct sft_positions_rule *rule = &model->variant->positions;
    SFT_TRY(resize_positions(model, sft_parameters_find(&model->parameters, rule->name), size / rule->patch));
    model->image_size = size;
    sft_log(SFT_LOG_INFO, "%s: position embeddings for images of %d pixels, %s", model->variant->name, size,
            model->pos_embed == SFT_POS_EMBED_RECOMPUTE ? "computed anew" : "interpolated from the file's");
    return SFT_OK;
}

/* Reads the values into a model of the file's own size, and makes that one of the size asked for. */
static enum sft_status load(const struct sft_checkpoint *checkpoint, const struct sft_model_config *config,
                            struct sft_model *model)
{
    int native = sft_model_native_size(checkpoint, model->variant), size = config->image_size;
    SFT_TRY(sft_parameters_load(&model->parameters, checkpoint));
    model->native_size = native;
    model->pos_embed = (enum sft_pos_embed)config->pos_embed;
    return native && size && size != native ? resize(model, size) : SFT_OK;
}

static enum sft_status read_class_names(const struct sft_checkpoint *checkpoint, struct sft_model *model)
{
    const char *text = sft_checkpoint_metadata(checkpoint, "class_names");
    enum sft_status status;
    if (!text) return sft_hub_config_labels(checkpoint, model->classes, &model->class_names);
    status = sft_class_names_parse(text, &model->class_names);
    if (status == SFT_MEMORY) return status;
    if (status == SFT_OK && model->class_names.n == model->classes) return SFT_OK;
    sft_log(SFT_LOG_WARNING,
            "%s: metadata \"class_names\" is no JSON array of %d texts, one for each class; it is left out",
            checkpoint->path, model->classes);
    sft_class_names_free(&model->class_names);
    return SFT_OK;
}

/* ---- order of classes ---- */

static const char sorted_order[] = "sorted", mos_order[] = "mos", file_order[] = "file";

/* The user's word, or else what the file and its layout say. */
static const char *order_of(const struct sft_checkpoint *checkpoint, const struct sft_model_config *config)
{
    const char *said = sft_checkpoint_metadata(checkpoint, "class_order");
    if (config->class_order) return config->class_order;
    if (said) return said;
    if (config->layout->class_order && config->classes == SFT_IMAGENET_CLASSES)
        return config->layout->class_order;
    return sorted_order;
}

/* Of a file that says so itself, its own names are in that order. */
static bool has_said(const struct sft_checkpoint *checkpoint, const struct sft_model_config *config)
{
    return !config->class_order && sft_checkpoint_metadata(checkpoint, "class_order");
}

/* Puts names in the order of the file's rows into the model. */
static enum sft_status read_order(const struct sft_checkpoint *checkpoint,
                                  const struct sft_model_config *config, const char *order,
                                  struct sft_model *model)
{
    struct sft_class_names *names = &model->class_names;
    if (has_said(checkpoint, config)) {
        SFT_TRY(read_class_names(checkpoint, model));
        return names->n ? SFT_OK
                        : sft_fail(SFT_DATA,
                                   "%s: metadata \"class_order\" without \"class_names\"; name the "
                                   "order with --class-order",
                                   checkpoint->path);
    }
    if (strcmp(order, mos_order) != 0) return sft_class_order_read(order, model->classes, names);
    if (model->classes == SFT_IMAGENET_CLASSES) return sft_class_order_mos(names);
    return sft_fail(SFT_DATA, "%s: --class-order mos is of ImageNet's %d classes, and the head has %d",
                    checkpoint->path, SFT_IMAGENET_CLASSES, model->classes);
}

/* A grouped head's logits are in the order of its groups, which name the classes. */
static enum sft_status order_classes(const struct sft_checkpoint *checkpoint,
                                     const struct sft_model_config *config, struct sft_model *model)
{
    const char *order = order_of(checkpoint, config);
    int *rows;
    model->file.class_order = sorted_order;
    if (strcmp(order, sorted_order) == 0) return read_class_names(checkpoint, model);
    SFT_TRY(read_order(checkpoint, config, order, model));
    SFT_TRY(sft_class_order_sort(checkpoint->path, &model->class_names, &rows));
    if (rows) model->file.class_order = strcmp(order, mos_order) == 0 ? mos_order : file_order;
    if (model->groups)
        free(rows);
    else
        sft_parameters_order_classes(&model->parameters, rows);
    return SFT_OK;
}

/* ---- opening ---- */

/* What is not as usual, so that who knows better can contradict. */
static void tell(const struct sft_checkpoint *checkpoint, const struct sft_model *model)
{
    const struct sft_layout *layout = model->file.layout;
    const bool moved = model->file.class_order != sorted_order;
    if (layout->rules || moved)
        sft_log(SFT_LOG_INFO, "%s: %s in the layout %s%s", checkpoint->path, model->variant->name,
                layout->name,
                moved ? "; its classes are in an order of its own, and put into that of data" : "");
    if (layout->remark && model->classes == SFT_IMAGENET_CLASSES)
        sft_log(SFT_LOG_INFO, "%s: %s", checkpoint->path, layout->remark);
}

static enum sft_status create_native(struct sft_device *device, const struct sft_checkpoint *checkpoint,
                                     const struct sft_model_config *config, struct sft_model **model)
{
    const struct sft_variant *variant = sft_model_find(config->name);
    struct sft_model_config own = *config;
    int native = variant ? sft_model_native_size(checkpoint, variant) : 0;
    if (native && own.image_size) SFT_TRY(sft_variant_takes(variant, own.image_size));
    if (native) own.image_size = native;
    return sft_model_create(device, &own, model);
}

/* Creates the model that `config` and the file describe, at the size of the file's position embeddings. */
static enum sft_status create_for(struct sft_device *device, const struct sft_checkpoint *checkpoint,
                                  struct sft_model_config *config, struct sft_model **model)
{
    char *groups = NULL;
    enum sft_status status;
    SFT_TRY(sft_model_guess(checkpoint, config));
    if (config->imagenet_groups) {
        groups = sft_class_order_mos_groups();
        if (!groups) return SFT_MEMORY;
        config->mos_groups = groups;
    }
    status = create_native(device, checkpoint, config, model);
    if (groups) config->mos_groups = NULL;
    free(groups);
    return status;
}

enum sft_status sft_model_open(struct sft_device *device, const char *path,
                               const struct sft_model_config *config, struct sft_model **model)
{
    struct sft_model_config full = config ? *config : (struct sft_model_config){0};
    struct sft_checkpoint *checkpoint;
    enum sft_status status;
    *model = NULL;
    SFT_TRY(sft_checkpoint_open(path, &checkpoint));
    SFT_TRY_OUT(create_for(device, checkpoint, &full, model));
    (*model)->file.layout = full.layout;
    SFT_TRY_OUT(order_classes(checkpoint, &full, *model));
    SFT_TRY_OUT(load(checkpoint, &full, *model));
    SFT_TRY_OUT(sft_checkpoint_sha256(checkpoint, (*model)->file.sha256));
    (*model)->file.bytes = (int64_t)checkpoint->bytes;
    tell(checkpoint, *model);
out:
    sft_checkpoint_close(&checkpoint);
    if (status != SFT_OK) sft_model_destroy(model);
    return status;
}

/* ---- saving ---- */

/* What a file of these names is taken for that says nothing itself. */
static float usual_epsilon(const struct sft_model *model)
{
    const struct sft_layout *layout = model->file.layout;
    return layout && layout->standardize_epsilon > 0 ? layout->standardize_epsilon : SFT_STANDARDIZE_EPSILON;
}

static bool has_own_normalisation(const struct sft_model *model)
{
    return memcmp(model->mean, model->variant->mean, sizeof(model->mean)) != 0 ||
           memcmp(model->std, model->variant->std, sizeof(model->std)) != 0 ||
           (model->file.layout && model->file.layout->std[0] > 0);
}

static bool has_own_framing(const struct sft_model *model)
{
    const struct sft_framing *own = &model->framing, usual = sft_framing_complete(model->variant->framing);
    return own->resize != usual.resize || own->interpolation != usual.interpolation ||
           own->crop != usual.crop || (model->file.layout && model->file.layout->framing.resize);
}

static enum sft_status describe_input(const struct sft_model *model, struct sft_header *header)
{
    const float epsilon = model->standardize_epsilon;
    if (model->image_size != model->variant->image_size)
        SFT_TRY(sft_header_integer(header, "image_size", model->image_size));
    if (has_own_normalisation(model)) {
        SFT_TRY(sft_header_channels(header, "mean", model->mean));
        SFT_TRY(sft_header_channels(header, "std", model->std));
    }
    if (has_own_framing(model)) SFT_TRY(sft_header_framing(header, model->framing));
    if (epsilon == SFT_STANDARDIZE_EPSILON && epsilon == usual_epsilon(model)) return SFT_OK;
    return sft_header_number(header, "ws_epsilon", epsilon);
}

/* In the order of the file's rows. */
static enum sft_status describe_classes(const struct sft_model *model, struct sft_header *header)
{
    const int *rows = model->parameters.rows;
    struct sft_class_names in_file = {0};
    enum sft_status status;
    if (rows) SFT_TRY(sft_header_text(header, "class_order", model->file.class_order));
    if (model->class_names.n == 0) return SFT_OK;
    if (!rows) return sft_header_class_names(header, &model->class_names);
    status = sft_class_order_unsort(&model->class_names, rows, &in_file);
    if (status == SFT_OK) status = sft_header_class_names(header, &in_file);
    sft_class_names_free(&in_file);
    return status;
}

static enum sft_status describe_in_header(const struct sft_model *model, struct sft_header *header)
{
    SFT_TRY(sft_header_text(header, "model", model->variant->name));
    SFT_TRY(sft_header_integer(header, "classes", model->classes));
    SFT_TRY(sft_header_integer(header, "gn_groups", model->gn_groups));
    if (model->groups) SFT_TRY(sft_header_text(header, "mos_groups", model->groups->text));
    SFT_TRY(describe_input(model, header));
    return describe_classes(model, header);
}

enum sft_status sft_model_save(const struct sft_model *model, const char *path,
                               const struct sft_metadata *metadata, size_t n_metadata)
{
    struct sft_header header = {0};
    enum sft_status status;
    SFT_TRY_OUT(describe_in_header(model, &header));
    for (size_t i = 0; i < n_metadata; i++)
        SFT_TRY_OUT(sft_header_text(&header, metadata[i].key, metadata[i].value));
    status = sft_parameters_save(&model->parameters, path, header.pairs, header.n);
out:
    sft_header_free(&header);
    return status;
}

enum sft_status sft_model_forward(const struct sft_model *model, struct sft_graph *graph,
                                  const struct sft_forward *forward, sft_value images,
                                  struct sft_forward_out *out)
{
    const struct sft_network network = network_of(model);
    return sft_network_forward(&network, graph, forward, images, out);
}

enum sft_status sft_model_fingerprint(const struct sft_model *model, char hex[65])
{
    const struct sft_parameters *parameters = &model->parameters;
    int64_t n = parameters->weights_size + parameters->buffers_size;
    float *values = sft_calloc((size_t)n, sizeof(*values));
    enum sft_status status = SFT_MEMORY;
    if (!values) return SFT_MEMORY;
    status = sft_tensor_download(parameters->weights, 0, parameters->weights_size, values);
    if (status == SFT_OK && parameters->buffers)
        status = sft_tensor_download(parameters->buffers, 0, parameters->buffers_size,
                                     values + parameters->weights_size);
    if (status == SFT_OK) sft_sha256(values, (size_t)n * sizeof(*values), hex);
    free(values);
    return status;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "nn/model.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nn/forward.h"
#include "nn/models/families.h"
#include "runtime/base/alloc.h"
#include "runtime/base/file.h"

static const struct sft_variant *const families[] = {
#define SFT_FAMILY(name) sft_variants_##name,
#include "nn/models/families.def"
#undef SFT_FAMILY
};
enum { FAMILIES = sizeof(families) / sizeof(families[0]) };

const struct sft_variant *sft_model_variant(int i)
{
    for (int family = 0; family < FAMILIES; family++)
        for (const struct sft_variant *variant = families[family]; variant->name; variant++)
            if (i-- == 0) return variant;
    return NULL;
}

const struct sft_variant *sft_model_find(const char *name)
{
    const struct sft_variant *variant;
    for (int i = 0; (variant = sft_model_variant(i)); i++)
        if (strcmp(variant->name, name) == 0) return variant;
    return NULL;
}

static enum sft_status unknown(const char *name)
{
    const struct sft_variant *variant;
    char list[1024] = "";
    size_t used = 0;
    for (int i = 0; (variant = sft_model_variant(i)) && used < sizeof(list); i++)
        used += (size_t)snprintf(list + used, sizeof(list) - used, "%s%s", i ? ", " : "", variant->name);
    return sft_fail(SFT_USAGE, "no model is named \"%s\"; there are %s", name ? name : "", list);
}

/* A model without values: parameters declared, nothing allocated on a device. */
static enum sft_status declare(const struct sft_model_config *config, struct sft_model **model)
{
    const struct sft_variant *variant = config->name ? sft_model_find(config->name) : NULL;
    enum sft_status status;
    if (!variant) return unknown(config->name);
    if (config->classes < 2)
        return sft_fail(SFT_USAGE, "%s: %d classes; needs at least 2", config->name, config->classes);
    if (config->gn_groups < 0) return sft_fail(SFT_USAGE, "%s: %d groups", config->name, config->gn_groups);
    *model = sft_calloc(1, sizeof(**model));
    if (!*model) return SFT_MEMORY;
    (*model)->variant = variant;
    (*model)->classes = config->classes;
    (*model)->gn_groups = config->gn_groups;
    (*model)->image_size = variant->image_size;
    for (int c = 0; c < 3; c++) {
        (*model)->mean[c] = variant->mean;
        (*model)->std[c] = variant->std;
    }
    status = SFT_OK;
    if (config->mos_groups)
        status = sft_groups_create(config->mos_groups, config->classes, "mos_groups", &(*model)->groups);
    if (status == SFT_OK) status = sft_build_declare(*model);
    if (status != SFT_OK) sft_model_destroy(model);
    return status;
}

enum sft_status sft_model_create(struct sft_device *device, const struct sft_model_config *config,
                                 struct sft_model **model)
{
    enum sft_status status;
    *model = NULL;
    SFT_TRY(declare(config, model));
    status = sft_parameters_allocate(&(*model)->parameters, device);
    if (status != SFT_OK) sft_model_destroy(model);
    return status;
}

void sft_model_destroy(struct sft_model **model)
{
    if (!*model) return;
    sft_parameters_free(&(*model)->parameters);
    sft_groups_destroy(&(*model)->groups);
    free(*model);
    *model = NULL;
}

int sft_model_outputs(const struct sft_model *model)
{
    return model->groups ? model->groups->outputs : model->classes;
}

/* ---- which model a file is for ---- */

static enum sft_status metadata_number(const struct sft_checkpoint *checkpoint, const char *key, int *number)
{
    const char *text = sft_checkpoint_metadata(checkpoint, key);
    char *end;
    long value;
    if (!text) return SFT_OK;
    value = strtol(text, &end, 10);
    if (end == text || *end != '\0' || value < 0 || value > 1 << 24)
        return sft_fail(SFT_DATA, "%s: metadata \"%s\" is \"%.40s\", not a number", checkpoint->path, key,
                        text);
    *number = (int)value;
    return SFT_OK;
}

static const struct sft_stored_tensor *find_tensor(const struct sft_checkpoint *checkpoint, const char *name)
{
    char wrapped[2 * SFT_MAX_NAME];
    const struct sft_stored_tensor *stored = sft_checkpoint_find(checkpoint, name);
    if (stored) return stored;
    snprintf(wrapped, sizeof(wrapped), "module.%s", name);
    return sft_checkpoint_find(checkpoint, wrapped);
}

/* Whether the file has every parameter of `model` in the right shape, the head's class axis apart. */
static bool fits(const struct sft_model *model, const struct sft_checkpoint *checkpoint)
{
    for (int i = 0; i < model->parameters.n; i++) {
        const struct sft_parameter *item = &model->parameters.items[i];
        const struct sft_stored_tensor *stored = find_tensor(checkpoint, item->name);
        struct sft_shape shape = item->file_shape;
        if (!stored) return false;
        if (item->kind == SFT_HEAD_WEIGHT || item->kind == SFT_HEAD_BIAS) shape.dim[0] = stored->shape.dim[0];
        if (!sft_shape_equal(&stored->shape, &shape)) return false;
    }
    return true;
}

/* The variant whose parameters are all in the file; of several (a smaller net may be part of a larger) the
 * largest. */
static enum sft_status search(const struct sft_checkpoint *checkpoint, const char **name)
{
    const struct sft_variant *variant;
    int most = 0;
    for (int i = 0; (variant = sft_model_variant(i)); i++) {
        struct sft_model *model;
        SFT_TRY(declare(&(struct sft_model_config){.name = variant->name, .classes = 2}, &model));
        if (model->parameters.n > most && fits(model, checkpoint)) {
            most = model->parameters.n;
            *name = variant->name;
        }
        sft_model_destroy(&model);
    }
    if (most > 0) return SFT_OK;
    return sft_fail(
        SFT_DATA,
        "%s: holds the weights of no model that is known here; name the model to see what is missing",
        checkpoint->path);
}

/* Logits by the size of the head's bias; the least possible where the file has no such head, so that loading
 * can say so. */
static enum sft_status count_outputs(const struct sft_checkpoint *checkpoint, const char *name, int *outputs)
{
    struct sft_model *model;
    const struct sft_stored_tensor *stored = NULL;
    int head;
    SFT_TRY(declare(&(struct sft_model_config){.name = name, .classes = 2}, &model));
    if (sft_parameters_select(&model->parameters, 1u << SFT_HEAD_BIAS, &head) == 1)
        stored = find_tensor(checkpoint, model->parameters.items[head].name);
    *outputs = 2;
    if (stored && stored->shape.rank == 1 && stored->shape.dim[0] > 2 && stored->shape.dim[0] < INT_MAX)
        *outputs = (int)stored->shape.dim[0];
    sft_model_destroy(&model);
    return SFT_OK;
}

enum sft_status sft_model_guess(const struct sft_checkpoint *checkpoint, struct sft_model_config *config)
{
    const char *name = sft_checkpoint_metadata(checkpoint, "model");
    const struct sft_variant *variant = name ? sft_model_find(name) : NULL;
    if (!config->name && variant) config->name = variant->name;
    if (!config->name) SFT_TRY(search(checkpoint, &config->name));
    if (config->gn_groups == 0) SFT_TRY(metadata_number(checkpoint, "gn_groups", &config->gn_groups));
    if (!config->mos_groups) config->mos_groups = sft_checkpoint_metadata(checkpoint, "mos_groups");
    if (config->classes) return SFT_OK;
    SFT_TRY(count_outputs(checkpoint, config->name, &config->classes));
    if (config->mos_groups) config->classes -= sft_groups_count(config->mos_groups);
    return SFT_OK;
}

enum sft_status sft_model_open(struct sft_device *device, const char *path,
                               const struct sft_model_config *config, struct sft_model **model)
{
    struct sft_model_config full = config ? *config : (struct sft_model_config){0};
    struct sft_checkpoint *checkpoint;
    enum sft_status status;
    *model = NULL;
    SFT_TRY(sft_checkpoint_open(path, &checkpoint));
    SFT_TRY_OUT(sft_model_guess(checkpoint, &full));
    SFT_TRY_OUT(sft_model_create(device, &full, model));
    SFT_TRY_OUT(sft_parameters_load(&(*model)->parameters, checkpoint));
out:
    sft_checkpoint_close(&checkpoint);
    if (status != SFT_OK) sft_model_destroy(model);
    return status;
}

enum sft_status sft_model_save(const struct sft_model *model, const char *path,
                               const struct sft_metadata *metadata, size_t n_metadata)
{
    char classes[16], groups[16];
    const struct sft_metadata own[] = {{"model", model->variant->name},
                                       {"classes", classes},
                                       {"gn_groups", groups},
                                       {"mos_groups", model->groups ? model->groups->text : NULL}};
    size_t n_own = model->groups ? 4 : 3;
    struct sft_metadata *all = sft_calloc(n_own + n_metadata, sizeof(*all));
    enum sft_status status;
    if (!all) return SFT_MEMORY;
    snprintf(classes, sizeof(classes), "%d", model->classes);
    snprintf(groups, sizeof(groups), "%d", model->gn_groups);
    memcpy(all, own, n_own * sizeof(*all));
    if (n_metadata) memcpy(all + n_own, metadata, n_metadata * sizeof(*all));
    status = sft_parameters_save(&model->parameters, path, all, n_own + n_metadata);
    free(all);
    return status;
}

/* ---- forward pass ---- */

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

struct sft_forward sft_forward_on(struct sft_graph *graph, const struct sft_model *model)
{
    const struct sft_parameters *parameters = &model->parameters;
    return (struct sft_forward){.weights = sft_graph_tensor(graph, parameters->weights),
                                .norm = SFT_NONE,
                                .buffers = parameters->buffers ? sft_graph_tensor(graph, parameters->buffers)
                                                               : SFT_NONE,
                                .bn = SFT_BN_RUNNING,
                                .dropout_key = SFT_NONE,
                                .from = SFT_NONE};
}

sft_value sft_model_images(const struct sft_model *model, struct sft_graph *graph, int64_t n)
{
    return sft_graph_input(graph, "images", SFT_F32, SFT_SHAPE(n, model->image_size, model->image_size, 3));
}

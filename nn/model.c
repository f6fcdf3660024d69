/* SPDX-License-Identifier: Apache-2.0 */
#include "nn/model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/base/alloc.h"
#include "runtime/base/file.h"

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
        .parameters = &model->parameters,
    };
}

static enum sft_status check_config(const struct sft_model_config *config)
{
    if (!config->name || !sft_model_find(config->name)) return unknown(config->name);
    if (config->classes < 2)
        return sft_fail(SFT_USAGE, "%s: %d classes; needs at least 2", config->name, config->classes);
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
    model->image_size = model->variant->image_size;
    set_normalisation(config, model);
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
    free(*model);
    *model = NULL;
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

/* "R,G,B", so that reading gives the same numbers. */
static void write_channels(const float values[3], char *text, size_t room)
{
    snprintf(text, room, "%.9g,%.9g,%.9g", (double)values[0], (double)values[1], (double)values[2]);
}

enum { MAX_DESCRIPTION = 6, DESCRIPTION_TEXT = 64 };

/* What is said about a model in a file's header; `texts` holds the numbers. Returns how many there are. */
static size_t describe_in_header(const struct sft_model *model, struct sft_metadata own[MAX_DESCRIPTION],
                                 char texts[MAX_DESCRIPTION][DESCRIPTION_TEXT])
{
    size_t n = 0;
    snprintf(texts[0], DESCRIPTION_TEXT, "%d", model->classes);
    snprintf(texts[1], DESCRIPTION_TEXT, "%d", model->gn_groups);
    write_channels(model->mean, texts[2], DESCRIPTION_TEXT);
    write_channels(model->std, texts[3], DESCRIPTION_TEXT);
    own[n++] = (struct sft_metadata){"model", model->variant->name};
    own[n++] = (struct sft_metadata){"classes", texts[0]};
    own[n++] = (struct sft_metadata){"gn_groups", texts[1]};
    if (model->groups) own[n++] = (struct sft_metadata){"mos_groups", model->groups->text};
    if (memcmp(model->mean, model->variant->mean, sizeof(model->mean)) == 0 &&
        memcmp(model->std, model->variant->std, sizeof(model->std)) == 0)
        return n;
    own[n++] = (struct sft_metadata){"mean", texts[2]};
    own[n++] = (struct sft_metadata){"std", texts[3]};
    return n;
}

enum sft_status sft_model_save(const struct sft_model *model, const char *path,
                               const struct sft_metadata *metadata, size_t n_metadata)
{
    char texts[MAX_DESCRIPTION][DESCRIPTION_TEXT];
    struct sft_metadata *all = sft_calloc(MAX_DESCRIPTION + n_metadata, sizeof(*all));
    enum sft_status status;
    size_t n;
    if (!all) return SFT_MEMORY;
    n = describe_in_header(model, all, texts);
    if (n_metadata) memcpy(all + n, metadata, n_metadata * sizeof(*all));
    status = sft_parameters_save(&model->parameters, path, all, n + n_metadata);
    free(all);
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

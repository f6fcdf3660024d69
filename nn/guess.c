/* SPDX-License-Identifier: Apache-2.0 */
#include "nn/guess.h"

#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>

#include "nn/forward.h"
#include "nn/groups.h"
#include "nn/models/families.h"

/* ---- metadata ---- */

static enum sft_status read_number(const struct sft_checkpoint *checkpoint, const char *key, int *number)
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

/* Reads "R,G,B"; leaves `values` alone where the file has no such key. */
static enum sft_status read_channels(const struct sft_checkpoint *checkpoint, const char *key, float least,
                                     float values[3])
{
    const char *text = sft_checkpoint_metadata(checkpoint, key), *at = text;
    for (int c = 0; text && c < 3; c++) {
        char *end;
        values[c] = strtof(at, &end);
        if (end == at || *end != (c < 2 ? ',' : '\0') || !isfinite(values[c]) || values[c] < least)
            return sft_fail(SFT_DATA,
                            "%s: metadata \"%s\" is \"%.80s\", not three numbers with commas between them",
                            checkpoint->path, key, text);
        at = end + 1;
    }
    return SFT_OK;
}

/* Mean and deviation, which belong together. */
static enum sft_status read_normalisation(const struct sft_checkpoint *checkpoint,
                                          struct sft_model_config *config)
{
    if (!sft_checkpoint_metadata(checkpoint, "mean") != !sft_checkpoint_metadata(checkpoint, "std"))
        return sft_fail(SFT_DATA, "%s: metadata has one of \"mean\" and \"std\" without the other",
                        checkpoint->path);
    SFT_TRY(read_channels(checkpoint, "mean", -INFINITY, config->mean));
    return read_channels(checkpoint, "std", 1e-6f, config->std);
}

/* ---- names and shapes ---- */

int sft_model_native_size(const struct sft_checkpoint *checkpoint, const struct sft_variant *variant)
{
    const struct sft_stored_tensor *stored =
        variant->positions.name ? sft_checkpoint_find_parameter(checkpoint, variant->positions.name) : NULL;
    if (!stored || stored->shape.rank < 2) return 0;
    return sft_positions_side(stored->shape.dim[stored->shape.rank - 2]) * variant->positions.patch;
}

/* The parameters of a variant with 2 classes at the file's size of images, without values. */
static enum sft_status declare(const struct sft_variant *variant, const struct sft_checkpoint *checkpoint,
                               struct sft_parameters *parameters)
{
    int size = sft_model_native_size(checkpoint, variant);
    const struct sft_network network = {
        .variant = variant, .outputs = 2, .image_size = size ? size : variant->image_size};
    enum sft_status status;
    *parameters = (struct sft_parameters){0};
    status = sft_network_declare(&network, parameters);
    if (status != SFT_OK) sft_parameters_free(parameters);
    return status;
}

static bool is_head(const struct sft_parameter *item)
{
    return item->kind == SFT_HEAD_WEIGHT || item->kind == SFT_HEAD_BIAS;
}

/* Whether the file has every parameter in the right shape, the head's class axis apart. */
static bool fits(const struct sft_parameters *parameters, const struct sft_checkpoint *checkpoint)
{
    for (int i = 0; i < parameters->n; i++) {
        const struct sft_parameter *item = &parameters->items[i];
        const struct sft_stored_tensor *stored = sft_checkpoint_find_parameter(checkpoint, item->name);
        struct sft_shape shape = item->file_shape;
        if (!stored) return false;
        if (is_head(item)) shape.dim[0] = stored->shape.dim[0];
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
        struct sft_parameters parameters;
        SFT_TRY(declare(variant, checkpoint, &parameters));
        if (parameters.n > most && fits(&parameters, checkpoint)) {
            most = parameters.n;
            *name = variant->name;
        }
        sft_parameters_free(&parameters);
    }
    if (most > 0) return SFT_OK;
    return sft_fail(
        SFT_DATA,
        "%s: holds the weights of no model that is known here; name the model to see what is missing",
        checkpoint->path);
}

/* The stored tensor of the only parameter of that kind; NULL where there is none. */
static const struct sft_stored_tensor *stored_of(const struct sft_parameters *parameters,
                                                 enum sft_parameter_kind kind,
                                                 const struct sft_checkpoint *checkpoint)
{
    int number;
    if (sft_parameters_select(parameters, 1u << kind, NULL) != 1) return NULL;
    sft_parameters_select(parameters, 1u << kind, &number);
    return sft_checkpoint_find_parameter(checkpoint, parameters->items[number].name);
}

/* Logits by the size of the head; the least possible where the file has no such head, so that loading can say
 * so. */
static enum sft_status count_outputs(const struct sft_checkpoint *checkpoint,
                                     const struct sft_variant *variant, int *outputs)
{
    const struct sft_stored_tensor *weight, *bias;
    struct sft_parameters parameters;
    SFT_TRY(declare(variant, checkpoint, &parameters));
    weight = stored_of(&parameters, SFT_HEAD_WEIGHT, checkpoint);
    bias = stored_of(&parameters, SFT_HEAD_BIAS, checkpoint);
    sft_parameters_free(&parameters);
    *outputs = 2;
    if (!weight || !bias || weight->shape.rank < 1 || bias->shape.rank != 1) return SFT_OK;
    if (weight->shape.dim[0] != bias->shape.dim[0])
        return sft_fail(SFT_DATA,
                        "%s: tensor %s is of %" PRId64 " classes and %s of %" PRId64 "; the file is damaged",
                        checkpoint->path, weight->name, weight->shape.dim[0], bias->name, bias->shape.dim[0]);
    if (bias->shape.dim[0] > 2 && bias->shape.dim[0] < INT_MAX) *outputs = (int)bias->shape.dim[0];
    return SFT_OK;
}

/* ---- all of it ---- */

enum sft_status sft_model_guess(const struct sft_checkpoint *checkpoint, struct sft_model_config *config)
{
    const char *name = sft_checkpoint_metadata(checkpoint, "model");
    const struct sft_variant *variant = name ? sft_model_find(name) : NULL;
    if (!config->name && variant) config->name = variant->name;
    if (!config->name) SFT_TRY(search(checkpoint, &config->name));
    if (config->gn_groups == 0) SFT_TRY(read_number(checkpoint, "gn_groups", &config->gn_groups));
    if (config->image_size == 0) SFT_TRY(read_number(checkpoint, "image_size", &config->image_size));
    variant = sft_model_find(config->name);
    if (config->image_size == 0 && variant) config->image_size = sft_model_native_size(checkpoint, variant);
    if (!config->mos_groups) config->mos_groups = sft_checkpoint_metadata(checkpoint, "mos_groups");
    if (config->std[0] == 0) SFT_TRY(read_normalisation(checkpoint, config));
    if (config->classes || !variant) return SFT_OK;
    SFT_TRY(count_outputs(checkpoint, variant, &config->classes));
    if (config->mos_groups) config->classes -= sft_groups_count(config->mos_groups);
    return SFT_OK;
}

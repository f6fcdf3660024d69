/* SPDX-License-Identifier: Apache-2.0 */
#include "nn/guess.h"

#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "nn/class_order.h"
#include "nn/forward.h"
#include "nn/groups.h"
#include "nn/hub_config.h"
#include "nn/layouts/match.h"
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

static enum sft_status read_epsilon(const struct sft_checkpoint *checkpoint, float *epsilon)
{
    const char *text = sft_checkpoint_metadata(checkpoint, "ws_epsilon");
    char *end;
    if (!text) return SFT_OK;
    *epsilon = strtof(text, &end);
    if (end != text && *end == '\0' && *epsilon > 0 && *epsilon < 1) return SFT_OK;
    return sft_fail(SFT_DATA, "%s: metadata \"ws_epsilon\" is \"%.40s\", not a small number",
                    checkpoint->path, text);
}

/* How pictures are framed, where `config` does not say. */
static enum sft_status read_framing(const struct sft_checkpoint *checkpoint, struct sft_model_config *config)
{
    struct sft_framing said;
    SFT_TRY(sft_framing_read(sft_checkpoint_metadata(checkpoint, "resize"),
                             sft_checkpoint_metadata(checkpoint, "interpolation"),
                             sft_checkpoint_metadata(checkpoint, "crop"), checkpoint->path, &said));
    config->framing = sft_framing_over(config->framing, said);
    return SFT_OK;
}

int sft_model_native_size(const struct sft_checkpoint *checkpoint, const struct sft_variant *variant)
{
    const struct sft_stored_tensor *stored =
        variant->positions.name ? sft_match_find(checkpoint, variant->positions.name) : NULL;
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

/* ---- searching ---- */

static void add_fit(const struct sft_variant *variant, const struct sft_match *match, bool larger,
                    struct sft_model_search *search)
{
    if (larger) search->n_fits = 0;
    if (search->n_fits < SFT_MAX_FITS) search->fits[search->n_fits++] = variant;
    search->layout = match->layout;
    search->parameters = match->n;
}

/* Without a fit, the variant of which most is there: more than half. */
static void add_near(const struct sft_variant *variant, const struct sft_match *match,
                     struct sft_model_search *search)
{
    const int off = match->missing + match->misshaped + match->extra;
    if (search->n_fits || 2 * match->found <= match->n || (search->nearest && off >= search->off)) return;
    sft_text_free(&search->differences);
    search->nearest = variant;
    search->layout = match->layout;
    search->off = off;
    sft_match_tell(match, &search->differences);
}

static enum sft_status consider(const struct sft_checkpoint *checkpoint, const struct sft_variant *variant,
                                struct sft_model_search *search)
{
    struct sft_parameters parameters;
    struct sft_match match;
    enum sft_status status;
    SFT_TRY(declare(variant, checkpoint, &parameters));
    status = sft_match_best(parameters.items, parameters.n, checkpoint, true, &match);
    if (status == SFT_OK) {
        if (!sft_match_fits(&match))
            add_near(variant, &match, search);
        else if (!search->n_fits || match.n >= search->parameters)
            add_fit(variant, &match, match.n > search->parameters, search);
    }
    sft_match_free(&match);
    sft_parameters_free(&parameters);
    return status;
}

enum sft_status sft_model_search(const struct sft_checkpoint *checkpoint, struct sft_model_search *search)
{
    const struct sft_variant *variant;
    *search = (struct sft_model_search){.n_fits = 0};
    for (int i = 0; (variant = sft_model_variant(i)); i++) SFT_TRY(consider(checkpoint, variant, search));
    if (search->n_fits) {
        sft_text_free(&search->differences);
        search->nearest = NULL;
    }
    return search->differences.status;
}

void sft_model_search_free(struct sft_model_search *search) { sft_text_free(&search->differences); }

/* "a, b or c" */
static void list_fits(const struct sft_model_search *search, struct sft_text *text)
{
    for (int i = 0; i < search->n_fits; i++) {
        const char *before = i == 0 ? "" : i == search->n_fits - 1 ? " or " : ", ";
        sft_text_printf(text, "%s%s", before, search->fits[i]->name);
    }
}

static enum sft_status ask(const struct sft_checkpoint *checkpoint, const struct sft_model_search *search)
{
    struct sft_text list = {0};
    enum sft_status status;
    list_fits(search, &list);
    status = list.status;
    if (status == SFT_OK)
        status =
            sft_fail(SFT_DATA, "%s: may be %s, which have the same names and shapes; say which with --model",
                     checkpoint->path, list.data);
    sft_text_free(&list);
    return status;
}

static enum sft_status choose(const struct sft_checkpoint *checkpoint, const struct sft_model_search *search,
                              const char **name)
{
    if (search->n_fits > 1) return ask(checkpoint, search);
    if (search->n_fits == 1) {
        *name = search->fits[0]->name;
        return SFT_OK;
    }
    if (search->nearest)
        return sft_fail(
            SFT_DATA, "%s: holds the weights of no model that is known here; nearest is %s (%s): %s",
            checkpoint->path, search->nearest->name, search->layout->name, search->differences.data);
    return sft_fail(
        SFT_DATA,
        "%s: holds the weights of no model that is known here; name the model to see what is missing",
        checkpoint->path);
}

static enum sft_status find_variant(const struct sft_checkpoint *checkpoint, const char **name)
{
    struct sft_model_search search;
    enum sft_status status = sft_model_search(checkpoint, &search);
    if (status == SFT_OK) status = choose(checkpoint, &search, name);
    sft_model_search_free(&search);
    return status;
}

/* ---- the head ---- */

/* The stored tensor of the only parameter of that kind; NULL where there is none. */
static const struct sft_stored_tensor *stored_of(const struct sft_match *match, enum sft_parameter_kind kind)
{
    const struct sft_stored_tensor *found = NULL;
    int n = 0;
    for (int i = 0; i < match->n; i++) {
        if (match->items[i].kind != kind) continue;
        found = match->stored[i];
        n++;
    }
    return n == 1 ? found : NULL;
}

/* Logits by the size of the head; the least possible where the file has no such head, so that loading can say
 * so. */
static enum sft_status count_outputs(const struct sft_match *match, int *outputs)
{
    const struct sft_stored_tensor *weight = stored_of(match, SFT_HEAD_WEIGHT),
                                   *bias = stored_of(match, SFT_HEAD_BIAS);
    int64_t rows;
    *outputs = 2;
    if (!weight || !bias || weight->shape.rank < 1 || bias->shape.rank != 1) return SFT_OK;
    rows = weight->shape.dim[match->layout->out_last ? weight->shape.rank - 1 : 0];
    if (rows != bias->shape.dim[0])
        return sft_fail(SFT_DATA,
                        "%s: tensor %s is of %" PRId64 " classes and %s of %" PRId64 "; the file is damaged",
                        match->checkpoint->path, weight->name, rows, bias->name, bias->shape.dim[0]);
    if (rows > 2 && rows < INT_MAX) *outputs = (int)rows;
    return SFT_OK;
}

/* ---- what goes with the layout ---- */

static bool says_mos(const struct sft_model_config *config, const struct sft_layout *layout)
{
    const char *order = config->class_order ? config->class_order : layout->class_order;
    return order && strcmp(order, "mos") == 0;
}

/* Classes, and where they are in the groups of MOS that the file does not tell of. */
static void set_classes(int outputs, const struct sft_layout *layout, struct sft_model_config *config)
{
    enum { GROUPED = SFT_IMAGENET_CLASSES + SFT_MOS_GROUPS };
    config->classes = outputs;
    if (config->mos_groups)
        config->classes -= sft_groups_count(config->mos_groups);
    else if (outputs == GROUPED && says_mos(config, layout)) {
        config->classes = SFT_IMAGENET_CLASSES;
        config->imagenet_groups = true;
    }
}

static enum sft_status read_layout(const struct sft_checkpoint *checkpoint, const struct sft_variant *variant,
                                   struct sft_model_config *config)
{
    struct sft_parameters parameters;
    struct sft_match match = {.stored = NULL};
    int outputs;
    enum sft_status status;
    SFT_TRY(declare(variant, checkpoint, &parameters));
    SFT_TRY_OUT(sft_match_best(parameters.items, parameters.n, checkpoint, true, &match));
    SFT_TRY_OUT(count_outputs(&match, &outputs));
    config->layout = match.layout;
    if (config->standardize_epsilon == 0) config->standardize_epsilon = match.layout->standardize_epsilon;
    if (config->std[0] == 0 && match.layout->std[0] > 0) {
        memcpy(config->mean, match.layout->mean, sizeof(config->mean));
        memcpy(config->std, match.layout->std, sizeof(config->std));
    }
    config->framing = sft_framing_over(config->framing, match.layout->framing);
    if (!config->classes) set_classes(outputs, match.layout, config);
out:
    sft_match_free(&match);
    sft_parameters_free(&parameters);
    return status;
}

/* ---- all of it ---- */

/* What the metadata of the file says. */
static enum sft_status read_metadata(const struct sft_checkpoint *checkpoint, struct sft_model_config *config)
{
    const char *name = sft_checkpoint_metadata(checkpoint, "model");
    const struct sft_variant *variant = name ? sft_model_find(name) : NULL;
    if (!config->name && variant) config->name = variant->name;
    if (config->gn_groups == 0) SFT_TRY(read_number(checkpoint, "gn_groups", &config->gn_groups));
    if (config->image_size == 0) SFT_TRY(read_number(checkpoint, "image_size", &config->image_size));
    if (!config->mos_groups) config->mos_groups = sft_checkpoint_metadata(checkpoint, "mos_groups");
    if (config->std[0] == 0) SFT_TRY(read_normalisation(checkpoint, config));
    if (config->standardize_epsilon == 0) SFT_TRY(read_epsilon(checkpoint, &config->standardize_epsilon));
    return read_framing(checkpoint, config);
}

/* What the config.json beside it says. */
static enum sft_status read_hub(const struct sft_checkpoint *checkpoint, struct sft_model_config *config)
{
    struct sft_hub_config said;
    SFT_TRY(sft_hub_config_read(checkpoint, &said));
    if (!config->name) config->name = said.architecture;
    if (config->image_size == 0) config->image_size = said.image_size;
    config->framing = sft_framing_over(config->framing, said.framing);
    if (config->std[0] == 0) {
        memcpy(config->mean, said.mean, sizeof(config->mean));
        memcpy(config->std, said.std, sizeof(config->std));
    }
    return SFT_OK;
}

enum sft_status sft_model_guess(const struct sft_checkpoint *checkpoint, struct sft_model_config *config)
{
    const struct sft_variant *variant;
    SFT_TRY(read_metadata(checkpoint, config));
    SFT_TRY(read_hub(checkpoint, config));
    if (!config->name) SFT_TRY(find_variant(checkpoint, &config->name));
    variant = sft_model_find(config->name);
    if (config->image_size == 0 && variant) config->image_size = sft_model_native_size(checkpoint, variant);
    return variant ? read_layout(checkpoint, variant, config) : SFT_OK;
}

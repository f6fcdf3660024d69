/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Opening a source, and what all sources share: parts, the memory of decoded pictures, the hash.
 */
#include "datasets/dataset.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "datasets/contents.h"
#include "datasets/formats/table.h"
#include "datasets/spec.h"
#include "runtime/base/alloc.h"
#include "runtime/base/file.h"
#include "runtime/base/log.h"

/* Pictures are kept decoded until they fill this much. */
#define KEPT_BYTES ((int64_t)256 << 20)

/* A picture kept decoded. */
struct kept {
    int width, height, label;
    uint8_t rgb[];
};

/* Other labels than the source's. */
struct labels {
    int *map; /* (classes of the source) */
    char **names;
    int classes;
};

struct sft_dataset {
    char *spec, *split;
    const struct sft_format *format;
    struct sft_source source;
    int64_t first, count;         /* the part in use: source images first .. first+count-1, ... */
    int64_t *index;               /* ... or, when not NULL, index[first .. first+count-1] */
    _Atomic(struct kept *) *kept; /* (source.count), or NULL; filled by whoever reads an image first */
    atomic_llong kept_bytes;
    atomic_uchar *turned; /* (source.count bits), or NULL: pictures that were read and are stored turned */
    atomic_llong turned_count;
    struct labels *labels; /* as others number the classes; NULL: as the source does */
    char hash[65];         /* of the images in use; "" until it is asked for */
};

const char *sft_dataset_format_help(int i)
{
    const struct sft_format *format = sft_format_at(i);
    return format ? format->help : NULL;
}

static enum sft_status take_range(struct sft_dataset *dataset, const struct sft_spec *spec)
{
    int64_t end = spec->end < 0 ? dataset->count : spec->end;
    if (!spec->has_range) return SFT_OK;
    if (spec->first >= end || end > dataset->count)
        return sft_fail(SFT_USAGE, "%s: [%" PRId64 ":%" PRId64 "] is no part of its %" PRId64 " images",
                        dataset->spec, spec->first, end, dataset->count);
    dataset->first = spec->first;
    dataset->count = end - spec->first;
    return SFT_OK;
}

static enum sft_status open_source(struct sft_dataset *dataset, const struct sft_spec *spec)
{
    struct sft_source *source = &dataset->source;
    if (spec->split[0] && !spec->format->has_splits)
        return sft_split_absent(source, SFT_USAGE, "%s: #%s: the format %s has no splits; leave #%s out",
                                spec->path, spec->split, spec->format->name, spec->split);
    SFT_TRY(spec->format->open(spec->path, spec->split, source));
    SFT_TRY(sft_files_whole());
    if (source->count < 1) return sft_fail(SFT_DATA, "%s: no images in it", dataset->spec);
    dataset->count = source->count;
    if (source->decodes) {
        dataset->kept = sft_calloc((size_t)source->count, sizeof(dataset->kept[0]));
        dataset->turned = sft_calloc((size_t)source->count / 8 + 1, sizeof(dataset->turned[0]));
        if (!dataset->kept || !dataset->turned) return SFT_MEMORY;
    }
    return take_range(dataset, spec);
}

/* Opens what `spec` says under the name `text`. On failure *out, where it is not NULL, tells why a split is
 * absent. */
static enum sft_status open_spec(const struct sft_spec *spec, const char *text, struct sft_dataset **out)
{
    struct sft_dataset *dataset = *out = sft_calloc(1, sizeof(*dataset));
    if (!dataset) return SFT_MEMORY;
    dataset->format = spec->format;
    dataset->spec = sft_strdup(text);
    dataset->split = sft_strdup(spec->split);
    if (!dataset->spec || !dataset->split) return SFT_MEMORY;
    return open_source(dataset, spec);
}

enum sft_status sft_dataset_open(const char *text, struct sft_dataset **out)
{
    struct sft_spec spec;
    enum sft_status status;
    *out = NULL;
    SFT_TRY_OUT(sft_spec_parse(text, &spec));
    status = open_spec(&spec, text, out);
    if (*out && (*out)->source.absent[0]) status = sft_fail(status, "%s", (*out)->source.absent);
out:
    if (status != SFT_OK) sft_dataset_close(out);
    sft_spec_free(&spec);
    return status;
}

/* The SPEC of a split of the set that `text` names, in memory of its own. */
static char *name_split(const char *text, const struct sft_spec *spec, const char *split)
{
    size_t length = (size_t)spec->stem + strlen(split) + 2;
    char *name = sft_calloc(length, 1);
    if (name) snprintf(name, length, "%.*s#%s", spec->stem, text, split);
    return name;
}

enum sft_status sft_dataset_open_split(const char *text, const char *split, struct sft_dataset **out)
{
    struct sft_spec spec;
    char *name = NULL;
    enum sft_status status;
    *out = NULL;
    SFT_TRY_OUT(sft_spec_parse(text, &spec));
    name = name_split(text, &spec, split);
    spec.split = split;
    spec.has_range = false;
    status = name ? open_spec(&spec, name, out) : SFT_MEMORY;
    if (*out && (*out)->source.absent[0]) {
        sft_dataset_close(out);
        status = SFT_OK;
    }
out:
    if (status != SFT_OK) sft_dataset_close(out);
    sft_spec_free(&spec);
    free(name);
    return status;
}

/* ---- orientation ---- */

static void note_turned(const struct sft_dataset *dataset, int64_t number)
{
    struct sft_dataset *owner = (struct sft_dataset *)dataset; /* only its atomics change */
    const unsigned char bit = (unsigned char)(1u << (number % 8));
    if (!owner->turned || atomic_fetch_or(&owner->turned[number / 8], bit) & bit) return;
    atomic_fetch_add(&owner->turned_count, 1);
}

int64_t sft_dataset_turned(const struct sft_dataset *dataset)
{
    return (int64_t)atomic_load(&dataset->turned_count);
}

static void tell_turned(const struct sft_dataset *dataset)
{
    const int64_t count = sft_dataset_turned(dataset);
    if (count)
        sft_log(SFT_LOG_INFO,
                "%s: %" PRId64 " of the pictures that were read say in their EXIF data that they are to be "
                "turned; they are taken as they are stored, as Pillow and torchvision do",
                dataset->spec, count);
}

static void free_labels(struct labels **labels)
{
    if (!*labels) return;
    for (int i = 0; (*labels)->names && i < (*labels)->classes; i++) free((*labels)->names[i]);
    free((*labels)->names);
    free((*labels)->map);
    free(*labels);
    *labels = NULL;
}

void sft_dataset_close(struct sft_dataset **dataset)
{
    struct sft_dataset *closed = *dataset;
    *dataset = NULL;
    if (!closed) return;
    tell_turned(closed);
    for (int64_t i = 0; closed->kept && i < closed->source.count; i++) free(atomic_load(&closed->kept[i]));
    if (closed->format && closed->source.state) closed->format->close(closed->source.state);
    free_labels(&closed->labels);
    free(closed->kept);
    free(closed->turned);
    free(closed->index);
    free(closed->spec);
    free(closed->split);
    free(closed);
}

const char *sft_dataset_spec(const struct sft_dataset *dataset) { return dataset->spec; }

const char *sft_dataset_split(const struct sft_dataset *dataset) { return dataset->split; }

int64_t sft_dataset_count(const struct sft_dataset *dataset) { return dataset->count; }

int sft_dataset_classes(const struct sft_dataset *dataset)
{
    return dataset->labels ? dataset->labels->classes : dataset->source.classes;
}

const char *sft_dataset_class_name(const struct sft_dataset *dataset, int label)
{
    if (label < 0 || label >= sft_dataset_classes(dataset)) return "?";
    if (dataset->labels) return dataset->labels->names[label];
    if (dataset->source.listing) return dataset->source.listing->classes[label];
    return dataset->format->class_name(dataset->source.state, label);
}

/* The image's number in the source. */
static int64_t number_of(const struct sft_dataset *dataset, int64_t i)
{
    return dataset->index ? dataset->index[dataset->first + i] : dataset->first + i;
}

const char *sft_dataset_image_name(const struct sft_dataset *dataset, int64_t i, char *text, size_t n)
{
    int64_t number = number_of(dataset, i);
    if (dataset->source.listing) return dataset->source.listing->items[number].name;
    snprintf(text, n, "%s[%" PRId64 "]", dataset->spec, number);
    return text;
}

bool sft_dataset_remark(const struct sft_dataset *dataset, int i, struct sft_dataset_remark *remark)
{
    const struct sft_listing *listing = dataset->source.listing;
    for (int kind = 0; listing && kind < SFT_LEFT_KINDS; kind++) {
        const struct sft_left_names *left = &listing->left[kind];
        if (!left->count || i-- > 0) continue;
        *remark = (struct sft_dataset_remark){
            .kind = sft_left_name((enum sft_left)kind),
            .message = left->message,
            .left_out = sft_left_is_out((enum sft_left)kind),
            .count = left->count,
            .examples = (const char *const *)left->examples,
            .n_examples = left->count < SFT_LEFT_EXAMPLES ? left->count : SFT_LEFT_EXAMPLES,
        };
        return true;
    }
    return false;
}

static enum sft_status from_kept(const struct kept *kept, struct sft_image *image, int *label,
                                 const char *name)
{
    SFT_TRY(sft_image_reserve(image, kept->width, kept->height, name));
    memcpy(image->rgb, kept->rgb, (size_t)kept->width * (size_t)kept->height * 3);
    *label = kept->label;
    return SFT_OK;
}

/* A copy of the picture, or NULL when there is no memory. */
static struct kept *copy_of(const struct sft_image *image, int label)
{
    size_t pixels = (size_t)image->width * (size_t)image->height * 3;
    struct kept *copy = malloc(sizeof(*copy) + pixels);
    if (!copy) return NULL;
    copy->width = image->width;
    copy->height = image->height;
    copy->label = label;
    memcpy(copy->rgb, image->rgb, pixels);
    return copy;
}

/* Keeps a copy of the picture where there is room left; not keeping it is no failure. */
static void keep(const struct sft_dataset *dataset, int64_t number, const struct sft_image *image, int label)
{
    struct sft_dataset *owner = (struct sft_dataset *)dataset; /* only its atomics change */
    long long bytes = (long long)image->width * image->height * 3 + (long long)sizeof(struct kept);
    bool room = atomic_fetch_add(&owner->kept_bytes, bytes) + bytes <= KEPT_BYTES;
    struct kept *copy = room ? copy_of(image, label) : NULL, *none = NULL;
    if (copy && atomic_compare_exchange_strong(&owner->kept[number], &none, copy)) return;
    free(copy);
    atomic_fetch_sub(&owner->kept_bytes, bytes);
}

/* Pictures of a file that somebody cut off are no pictures, whatever the decoder made of them. */
static enum sft_status read_source(const struct sft_dataset *dataset, int64_t number, struct sft_image *image,
                                   int *label)
{
    enum sft_status status;
    image->turned = false;
    status = dataset->format->read(dataset->source.state, number, image, label);
    SFT_TRY(sft_files_whole());
    if (status == SFT_OK && image->turned) note_turned(dataset, number);
    return status;
}

/* Image `number` of the source, with the source's label. */
static enum sft_status read_number(const struct sft_dataset *dataset, int64_t number, struct sft_image *image,
                                   int *label)
{
    const struct kept *kept;
    if (!dataset->kept) return read_source(dataset, number, image, label);
    kept = atomic_load(&dataset->kept[number]);
    if (kept) return from_kept(kept, image, label, dataset->spec);
    SFT_TRY(read_source(dataset, number, image, label));
    keep(dataset, number, image, *label);
    return SFT_OK;
}

enum sft_status sft_dataset_read(const struct sft_dataset *dataset, int64_t i, struct sft_image *image,
                                 int *label)
{
    if (i < 0 || i >= dataset->count)
        return sft_fail(SFT_USAGE, "%s: image %" PRId64 " of %" PRId64, dataset->spec, i, dataset->count);
    SFT_TRY(read_number(dataset, number_of(dataset, i), image, label));
    if (dataset->labels && *label >= 0) *label = dataset->labels->map[*label];
    return SFT_OK;
}

/* ---- other labels ---- */

static enum sft_status copy_labels(const struct sft_dataset *dataset, const int *map,
                                   const char *const *names, int classes, struct labels *labels)
{
    const int own = dataset->source.classes;
    labels->map = sft_calloc((size_t)own, sizeof(*labels->map));
    labels->names = sft_calloc((size_t)classes, sizeof(*labels->names));
    if (!labels->map || !labels->names) return SFT_MEMORY;
    labels->classes = classes;
    for (int c = 0; c < own; c++) labels->map[c] = map[dataset->labels ? dataset->labels->map[c] : c];
    for (int c = 0; c < classes; c++) {
        labels->names[c] = sft_strdup(names[c]);
        if (!labels->names[c]) return SFT_MEMORY;
    }
    return SFT_OK;
}

enum sft_status sft_dataset_relabel(struct sft_dataset *dataset, const int *map, const char *const *names,
                                    int classes)
{
    struct labels *made = sft_calloc(1, sizeof(*made));
    enum sft_status status = SFT_MEMORY;
    if (made) status = copy_labels(dataset, map, names, classes, made);
    if (status != SFT_OK) {
        free_labels(&made);
        return status;
    }
    free_labels(&dataset->labels);
    dataset->labels = made;
    return SFT_OK;
}

bool sft_dataset_may_be_damaged(const struct sft_dataset *dataset)
{
    return dataset->source.decodes && dataset->format->needs_path;
}

void sft_dataset_limit(struct sft_dataset *dataset, int64_t n)
{
    if (n < 1 || n >= dataset->count) return;
    dataset->count = n;
    dataset->hash[0] = '\0';
}

enum sft_status sft_dataset_select(struct sft_dataset *dataset, const int64_t *indices, int64_t n)
{
    int64_t *index;
    if (n < 1) return sft_fail(SFT_USAGE, "%s: a part of it needs at least one image", dataset->spec);
    for (int64_t i = 0; i < n; i++)
        if (indices[i] < 0 || indices[i] >= dataset->count)
            return sft_fail(SFT_USAGE, "%s: image %" PRId64 " of %" PRId64, dataset->spec, indices[i],
                            dataset->count);
    index = sft_calloc((size_t)n, sizeof(index[0]));
    if (!index) return SFT_MEMORY;
    for (int64_t i = 0; i < n; i++)
        index[i] = dataset->index ? dataset->index[dataset->first + indices[i]] : dataset->first + indices[i];
    free(dataset->index);
    dataset->index = index;
    dataset->first = 0;
    dataset->count = n;
    dataset->hash[0] = '\0';
    return SFT_OK;
}

/* Of the whole source, and of which images of it are in use. */
static void hash_records(const struct sft_dataset *dataset, char hex[65])
{
    char source[65], part[65], text[256];
    const int64_t range[2] = {dataset->first, dataset->count};
    dataset->format->identity(dataset->source.state, source);
    if (dataset->index)
        sft_sha256(dataset->index + dataset->first, (size_t)dataset->count * sizeof(dataset->index[0]), part);
    else
        sft_sha256(range, sizeof(range), part);
    snprintf(text, sizeof(text), "%s %s %s", dataset->format->name, source, part);
    sft_sha256(text, strlen(text), hex);
}

static enum sft_status hash_images(const struct sft_dataset *dataset, char hex[65])
{
    const struct sft_contents contents = {
        .format = dataset->format,
        .source = &dataset->source,
        .index = dataset->index ? dataset->index + dataset->first : NULL,
        .first = dataset->first,
        .count = dataset->count,
        .limit = SFT_CONTENTS_LIMIT,
        .many = SFT_CONTENTS_MANY,
    };
    if (dataset->source.listing) return sft_contents_hash(&contents, hex);
    hash_records(dataset, hex);
    return SFT_OK;
}

enum sft_status sft_dataset_hash(const struct sft_dataset *dataset, char hex[65])
{
    struct sft_dataset *owner = (struct sft_dataset *)dataset; /* only what it remembers changes */
    if (!*dataset->hash) {
        char found[65];
        SFT_TRY(hash_images(dataset, found));
        memcpy(owner->hash, found, sizeof(found));
    }
    memcpy(hex, dataset->hash, sizeof(dataset->hash));
    return SFT_OK;
}

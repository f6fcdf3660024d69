/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a SPEC to a source, and what all sources share: parts, the memory of decoded pictures, the hash.
 */
#include "datasets/dataset.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "datasets/format.h"
#include "runtime/base/alloc.h"
#include "runtime/base/file.h"

/* Pictures are kept decoded until they fill this much. */
#define KEPT_BYTES ((int64_t)256 << 20)

/* In the order in which they are asked whether a path is theirs. */
static const struct sft_format *const formats[] = {
    &sft_format_cifar10,   &sft_format_npy,    &sft_format_svhn, &sft_format_tar,
    &sft_format_cifar_bin, &sft_format_folder, &sft_format_list, &sft_format_synthetic,
};
enum { FORMAT_COUNT = sizeof(formats) / sizeof(formats[0]) };

/* A picture kept decoded. */
struct kept {
    int width, height, label;
    uint8_t rgb[];
};

struct sft_dataset {
    char *spec;
    const struct sft_format *format;
    struct sft_source source;
    int64_t first, count;         /* the part in use: source images first .. first+count-1, ... */
    int64_t *index;               /* ... or, when not NULL, index[first .. first+count-1] */
    _Atomic(struct kept *) *kept; /* (source.count), or NULL; filled by whoever reads an image first */
    atomic_llong kept_bytes;
};

bool sft_ends_with(const char *text, const char *end)
{
    size_t length = strlen(text), tail = strlen(end);
    return length >= tail && strcasecmp(text + length - tail, end) == 0;
}

char *sft_join_path(const char *folder, const char *name)
{
    size_t length = strlen(folder) + strlen(name) + 2;
    char *path = sft_calloc(length, 1);
    if (path) snprintf(path, length, "%s/%s", folder, name);
    return path;
}

enum sft_status sft_refuse_split(const char *format, const char *path, const char *split)
{
    if (!split[0]) return SFT_OK;
    return sft_fail(SFT_USAGE, "%s: #%s: the format %s has no splits; leave #%s out", path, split, format,
                    split);
}

const char *sft_dataset_format_help(int i) { return i >= 0 && i < FORMAT_COUNT ? formats[i]->help : NULL; }

/* A spec taken apart; `text` owns the strings. */
struct parsed {
    char *text;
    const struct sft_format *format;
    const char *path, *split;
    bool has_range;
    int64_t first, end; /* end -1: up to the last image */
};

static enum sft_status parse_bound(const char *text, const char *spec, int64_t unset, int64_t *out)
{
    char *end;
    *out = unset;
    if (!text[0]) return SFT_OK;
    errno = 0;
    *out = strtoll(text, &end, 10);
    if (errno || *end || *out < 0 || text[0] < '0' || text[0] > '9')
        return sft_fail(SFT_USAGE,
                        "%s: \"%s\" is no image number; a part is written [FIRST:END], like [0:45000]", spec,
                        text);
    return SFT_OK;
}

/* Cuts [FIRST:END] off the end of the text. Brackets without a colon are taken for a part of the name. */
static enum sft_status parse_range(struct parsed *parsed, const char *spec)
{
    char *open = strrchr(parsed->text, '['), *colon = open ? strchr(open, ':') : NULL;
    size_t length = strlen(parsed->text);
    parsed->end = -1;
    if (!colon || parsed->text[length - 1] != ']') return SFT_OK;
    parsed->text[length - 1] = *open = *colon = '\0';
    parsed->has_range = true;
    SFT_TRY(parse_bound(open + 1, spec, 0, &parsed->first));
    return parse_bound(colon + 1, spec, -1, &parsed->end);
}

/* Does the name in front of a colon look as if a format was meant? */
static bool is_word(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (!strchr("abcdefghijklmnopqrstuvwxyz0123456789-_", text[i])) return false;
    return length > 0;
}

static enum sft_status unknown_format(const char *spec, const char *name, size_t length)
{
    char known[256] = "";
    for (int i = 0; i < FORMAT_COUNT; i++) {
        size_t used = strlen(known);
        snprintf(known + used, sizeof(known) - used, "%s%s", i ? ", " : "", formats[i]->name);
    }
    return sft_fail(SFT_USAGE, "%s: unknown data set format \"%.*s\"; known: %s", spec, (int)length, name,
                    known);
}

static enum sft_status parse_format(struct parsed *parsed, const char *spec)
{
    const char *colon = strchr(parsed->text, ':');
    size_t length = colon ? (size_t)(colon - parsed->text) : strlen(parsed->text);
    parsed->path = parsed->text;
    for (int i = 0; i < FORMAT_COUNT; i++) {
        if (strlen(formats[i]->name) != length || memcmp(formats[i]->name, parsed->text, length) != 0)
            continue;
        if (!colon && formats[i]->needs_path) continue; /* a file may be called "tar" */
        parsed->format = formats[i];
        parsed->path = parsed->text + length + (colon != NULL);
        return SFT_OK;
    }
    if (colon && is_word(parsed->text, length) && access(parsed->text, F_OK) != 0)
        return unknown_format(spec, parsed->text, length);
    return SFT_OK;
}

static enum sft_status parse(const char *spec, struct parsed *parsed)
{
    char *hash;
    memset(parsed, 0, sizeof(*parsed));
    parsed->split = "";
    parsed->text = sft_strdup(spec);
    if (!parsed->text) return SFT_MEMORY;
    SFT_TRY(parse_range(parsed, spec));
    hash = strrchr(parsed->text, '#');
    if (hash && !strchr(hash, '/')) {
        *hash = '\0';
        parsed->split = hash + 1;
    }
    SFT_TRY(parse_format(parsed, spec));
    if (!parsed->path[0] && (!parsed->format || parsed->format->needs_path))
        return sft_fail(SFT_USAGE, "\"%s\": no path; data is named [FORMAT:]PATH[#SPLIT]", spec);
    return SFT_OK;
}

static void look_at(const char *path, struct sft_look *look)
{
    struct stat info;
    memset(look, 0, sizeof(*look));
    look->path = path;
    look->exists = stat(path, &info) == 0;
    look->is_folder = look->exists && S_ISDIR(info.st_mode);
    if (look->exists && S_ISREG(info.st_mode)) {
        int file = open(path, O_RDONLY | O_CLOEXEC);
        look->size = info.st_size;
        if (file < 0) return;
        if (read(file, look->head, sizeof(look->head)) < 0) memset(look->head, 0, sizeof(look->head));
        close(file);
    }
}

static enum sft_status find_format(struct parsed *parsed)
{
    struct sft_look look;
    if (parsed->format && !parsed->format->needs_path) return SFT_OK;
    look_at(parsed->path, &look);
    if (!look.exists) return sft_fail(SFT_DATA, "%s: %s", parsed->path, strerror(errno));
    for (int i = 0; i < FORMAT_COUNT && !parsed->format; i++)
        if (formats[i]->claims && formats[i]->claims(&look)) parsed->format = formats[i];
    if (parsed->format) return SFT_OK;
    return sft_fail(SFT_USAGE, "%s: cannot tell the data set format by looking; say it as FORMAT:%s",
                    parsed->path, parsed->path);
}

static enum sft_status take_range(struct sft_dataset *dataset, const struct parsed *parsed)
{
    int64_t end = parsed->end < 0 ? dataset->count : parsed->end;
    if (!parsed->has_range) return SFT_OK;
    if (parsed->first >= end || end > dataset->count)
        return sft_fail(SFT_USAGE, "%s: [%" PRId64 ":%" PRId64 "] is no part of its %" PRId64 " images",
                        dataset->spec, parsed->first, end, dataset->count);
    dataset->first = parsed->first;
    dataset->count = end - parsed->first;
    return SFT_OK;
}

static enum sft_status open_source(struct sft_dataset *dataset, const struct parsed *parsed)
{
    dataset->format = parsed->format;
    SFT_TRY(parsed->format->open(parsed->path, parsed->split, &dataset->source));
    if (dataset->source.count < 1) return sft_fail(SFT_DATA, "%s: no images in it", dataset->spec);
    dataset->count = dataset->source.count;
    if (dataset->source.decodes) {
        dataset->kept = sft_calloc((size_t)dataset->source.count, sizeof(dataset->kept[0]));
        if (!dataset->kept) return SFT_MEMORY;
    }
    return take_range(dataset, parsed);
}

enum sft_status sft_dataset_open(const char *spec, struct sft_dataset **out)
{
    enum sft_status status;
    struct parsed parsed;
    struct sft_dataset *dataset = sft_calloc(1, sizeof(*dataset));
    *out = NULL;
    if (!dataset) return SFT_MEMORY;
    SFT_TRY_OUT(parse(spec, &parsed));
    dataset->spec = sft_strdup(spec);
    if (!dataset->spec) status = SFT_MEMORY;
    if (status == SFT_OK) status = find_format(&parsed);
    if (status == SFT_OK) status = open_source(dataset, &parsed);
out:
    free(parsed.text);
    if (status == SFT_OK)
        *out = dataset;
    else
        sft_dataset_close(&dataset);
    return status;
}

void sft_dataset_close(struct sft_dataset **dataset)
{
    struct sft_dataset *closed = *dataset;
    *dataset = NULL;
    if (!closed) return;
    for (int64_t i = 0; closed->kept && i < closed->source.count; i++) free(atomic_load(&closed->kept[i]));
    if (closed->format && closed->source.state) closed->format->close(closed->source.state);
    free(closed->kept);
    free(closed->index);
    free(closed->spec);
    free(closed);
}

const char *sft_dataset_spec(const struct sft_dataset *dataset) { return dataset->spec; }

int64_t sft_dataset_count(const struct sft_dataset *dataset) { return dataset->count; }

int sft_dataset_classes(const struct sft_dataset *dataset) { return dataset->source.classes; }

const char *sft_dataset_class_name(const struct sft_dataset *dataset, int label)
{
    if (label < 0 || label >= dataset->source.classes) return "?";
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
    if (dataset->format->image_name) return dataset->format->image_name(dataset->source.state, number);
    snprintf(text, n, "%s[%" PRId64 "]", dataset->spec, number);
    return text;
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

enum sft_status sft_dataset_read(const struct sft_dataset *dataset, int64_t i, struct sft_image *image,
                                 int *label)
{
    int64_t number;
    const struct kept *kept;
    if (i < 0 || i >= dataset->count)
        return sft_fail(SFT_USAGE, "%s: image %" PRId64 " of %" PRId64, dataset->spec, i, dataset->count);
    number = number_of(dataset, i);
    if (!dataset->kept) return dataset->format->read(dataset->source.state, number, image, label);
    kept = atomic_load(&dataset->kept[number]);
    if (kept) return from_kept(kept, image, label, dataset->spec);
    SFT_TRY(dataset->format->read(dataset->source.state, number, image, label));
    keep(dataset, number, image, *label);
    return SFT_OK;
}

void sft_dataset_limit(struct sft_dataset *dataset, int64_t n)
{
    if (n >= 1 && n < dataset->count) dataset->count = n;
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
    return SFT_OK;
}

void sft_dataset_hash(const struct sft_dataset *dataset, char hex[65])
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

/* SPDX-License-Identifier: Apache-2.0 */
/* {"metadata": {...}, "weight_map": {TENSOR: FILE, ...}}; the files lie beside the index. */
#include "nn/checkpoint/shards.h"

#include <stdlib.h>
#include <string.h>

#include "runtime/base/alloc.h"
#include "runtime/base/json_parse.h"
#include "runtime/base/path.h"
#include "runtime/base/stand_in.h"

enum { MAX_SHARDS = 1024 };

static bool is_index(const struct sft_bytes *file)
{
    static const char key[] = "\"weight_map\"";
    return sft_text_file_starts(file, "{") && memmem(file->data, file->size, key, sizeof(key) - 1);
}

/* A file's own name: an index cannot lead anywhere else. */
static bool is_plain(const char *name)
{
    return name && *name && !strchr(name, '/') && strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The files that the map names, each once and sorted. */
static enum sft_status list_files(const struct sft_checkpoint *checkpoint, json_t *map, const char **files,
                                  size_t *n)
{
    const char *tensor;
    json_t *file;
    size_t kept = 0;
    *n = 0;
    json_object_foreach(map, tensor, file)
    {
        if (!is_plain(json_string_value(file)))
            return sft_fail(SFT_DATA, "%s: tensor %.200s is not said to be in a file beside the index",
                            checkpoint->path, tensor);
        files[(*n)++] = json_string_value(file);
    }
    qsort(files, *n, sizeof(*files), by_text);
    for (size_t i = 0; i < *n; i++)
        if (kept == 0 || strcmp(files[kept - 1], files[i]) != 0) files[kept++] = files[i];
    *n = kept;
    if (kept > MAX_SHARDS) return sft_fail(SFT_DATA, "%s: more than %d files", checkpoint->path, MAX_SHARDS);
    return SFT_OK;
}

static char *path_of(const struct sft_checkpoint *checkpoint, const char *file)
{
    const char *slash = strrchr(checkpoint->path, '/');
    char *folder = slash ? sft_strdup(checkpoint->path) : sft_strdup("./"), *path;
    if (!folder) return NULL;
    if (slash) folder[slash - checkpoint->path] = '\0';
    path = sft_path_join(slash ? folder : ".", "%s", file);
    free(folder);
    return path;
}

static enum sft_status open_file(struct sft_checkpoint *checkpoint, const char *file)
{
    char *path = path_of(checkpoint, file);
    enum sft_status status = SFT_MEMORY;
    if (!path) return SFT_MEMORY;
    if (sft_file_is_absent(path))
        status = sft_fail(SFT_DATA, "%s: its part %s is missing; download all of them into one folder",
                          checkpoint->path, file);
    else
        status =
            checkpoint->opener->open(path, NULL, checkpoint->wanted, &checkpoint->parts[checkpoint->n_parts]);
    if (status == SFT_OK) checkpoint->n_parts++;
    free(path);
    return status;
}

static enum sft_status open_files(struct sft_checkpoint *checkpoint, json_t *map, const char **files)
{
    size_t n;
    SFT_TRY(list_files(checkpoint, map, files, &n));
    checkpoint->parts = sft_calloc(n, sizeof(*checkpoint->parts));
    if (!checkpoint->parts) return SFT_MEMORY;
    for (size_t i = 0; i < n; i++) SFT_TRY(open_file(checkpoint, files[i]));
    return SFT_OK;
}

/* The part that was opened from that file. */
static const struct sft_checkpoint *part_of(const struct sft_checkpoint *checkpoint, const char *file)
{
    size_t low = 0, high = checkpoint->n_parts;
    while (low < high) {
        const size_t middle = (low + high) / 2;
        const char *path = checkpoint->parts[middle]->path, *slash = strrchr(path, '/');
        const int order = strcmp(file, slash ? slash + 1 : path);
        if (order == 0) return checkpoint->parts[middle];
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct sft_stored_tensor *)a)->name, ((const struct sft_stored_tensor *)b)->name);
}

static const struct sft_stored_tensor *find(const struct sft_checkpoint *part, const char *name)
{
    const struct sft_stored_tensor key = {.name = name};
    if (part->n_tensors == 0) return NULL;
    return bsearch(&key, part->tensors, part->n_tensors, sizeof(key), by_name);
}

static enum sft_status take_tensors(struct sft_checkpoint *checkpoint, json_t *map)
{
    const char *name;
    json_t *file;
    json_object_foreach(map, name, file)
    {
        const struct sft_checkpoint *part = part_of(checkpoint, json_string_value(file));
        const struct sft_stored_tensor *tensor = part ? find(part, name) : NULL;
        if (!tensor)
            return sft_fail(SFT_DATA,
                            "%s: tensor %.200s is not in %s, as the index says; download both again",
                            checkpoint->path, name, json_string_value(file));
        checkpoint->tensors[checkpoint->n_tensors++] = *tensor;
    }
    return SFT_OK;
}

/* Strings about the model are those of its first file; each has its own copy mostly. */
static enum sft_status take_metadata(struct sft_checkpoint *checkpoint)
{
    const struct sft_checkpoint *first = checkpoint->n_parts ? checkpoint->parts[0] : NULL;
    if (!first || first->n_metadata == 0) return SFT_OK;
    checkpoint->metadata = sft_calloc(first->n_metadata, sizeof(*checkpoint->metadata));
    if (!checkpoint->metadata) return SFT_MEMORY;
    memcpy(checkpoint->metadata, first->metadata, first->n_metadata * sizeof(*checkpoint->metadata));
    checkpoint->n_metadata = first->n_metadata;
    return SFT_OK;
}

static enum sft_status read_map(struct sft_checkpoint *checkpoint, json_t *map)
{
    const size_t n = json_object_size(map);
    const char **files;
    enum sft_status status;
    if (!json_is_object(map))
        return sft_fail(SFT_DATA, "%s: its \"weight_map\" is no JSON object", checkpoint->path);
    if (n == 0) return sft_fail(SFT_DATA, "%s: an index of no tensors; download it again", checkpoint->path);
    if (n > SFT_MAX_TENSORS)
        return sft_fail(SFT_DATA, "%s: more than %d tensors", checkpoint->path, SFT_MAX_TENSORS);
    files = sft_calloc(n, sizeof(*files));
    checkpoint->tensors = sft_calloc(n, sizeof(*checkpoint->tensors));
    status = files && checkpoint->tensors ? open_files(checkpoint, map, files) : SFT_MEMORY;
    free(files);
    SFT_TRY(status);
    SFT_TRY(take_tensors(checkpoint, map));
    return take_metadata(checkpoint);
}

static enum sft_status read_index(struct sft_checkpoint *checkpoint, const struct sft_bytes *file)
{
    json_error_t error;
    json_t *index = sft_json_parse((const char *)file->data, file->size, JSON_REJECT_DUPLICATES, &error);
    enum sft_status status;
    if (!index && sft_json_lacks_memory(&error))
        return sft_fail(SFT_MEMORY, "%s: out of memory for the index", checkpoint->path);
    if (!index) return sft_fail(SFT_DATA, "%s: the index is no valid JSON: %s", checkpoint->path, error.text);
    status = read_map(checkpoint, json_object_get(index, "weight_map"));
    json_decref(index);
    return status;
}

const struct sft_checkpoint_format sft_checkpoint_shards = {
    .name = "several files with an index",
    .holds_files = true,
    .is = is_index,
    .read = read_index,
};

/* SPDX-License-Identifier: Apache-2.0 */
#include "nn/checkpoint/checkpoint.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nn/checkpoint/safetensors.h"
#include "runtime/base/alloc.h"

static const struct sft_checkpoint_format *const formats[] = {&sft_format_safetensors};
enum { FORMATS = sizeof(formats) / sizeof(formats[0]) };

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct sft_stored_tensor *)a)->name, ((const struct sft_stored_tensor *)b)->name);
}

static enum sft_status sort(struct sft_checkpoint *checkpoint)
{
    qsort(checkpoint->tensors, checkpoint->n_tensors, sizeof(*checkpoint->tensors), by_name);
    for (size_t i = 1; i < checkpoint->n_tensors; i++)
        if (by_name(&checkpoint->tensors[i - 1], &checkpoint->tensors[i]) == 0)
            return sft_fail(SFT_DATA, "%s: tensor %s is there twice", checkpoint->path,
                            checkpoint->tensors[i].name);
    return SFT_OK;
}

static enum sft_status read_with_format(struct sft_checkpoint *checkpoint)
{
    for (int i = 0; i < FORMATS; i++) {
        if (!formats[i]->is(&checkpoint->file)) continue;
        checkpoint->format = formats[i];
        SFT_TRY(formats[i]->read(checkpoint, &checkpoint->file));
        return sort(checkpoint);
    }
    return sft_fail(SFT_DATA, "%s: not a checkpoint of a known format (safetensors)", checkpoint->path);
}

enum sft_status sft_checkpoint_open(const char *path, struct sft_checkpoint **checkpoint)
{
    struct sft_checkpoint *made = sft_calloc(1, sizeof(*made));
    enum sft_status status = SFT_MEMORY;
    *checkpoint = NULL;
    if (!made) return SFT_MEMORY;
    made->path = sft_strdup(path);
    if (!made->path) goto out;
    SFT_TRY_OUT(sft_file_open(path, &made->file));
    SFT_TRY_OUT(read_with_format(made));
    SFT_TRY_OUT(sft_files_whole());
    *checkpoint = made;
    made = NULL;
out:
    sft_checkpoint_close(&made);
    return status;
}

void sft_checkpoint_close(struct sft_checkpoint **checkpoint)
{
    struct sft_checkpoint *closing = *checkpoint;
    if (!closing) return;
    if (closing->format) closing->format->release(closing);
    sft_file_close(&closing->file);
    free(closing->tensors);
    free(closing->metadata);
    free((char *)closing->path);
    free(closing);
    *checkpoint = NULL;
}

const struct sft_stored_tensor *sft_checkpoint_find(const struct sft_checkpoint *checkpoint, const char *name)
{
    const struct sft_stored_tensor key = {.name = name};
    if (checkpoint->n_tensors == 0) return NULL;
    return bsearch(&key, checkpoint->tensors, checkpoint->n_tensors, sizeof(key), by_name);
}

/* ---- other names of a parameter ---- */

enum { MAX_NAME = 256 };

static const char wrapper[] = "module.";

/* Beginnings of names: ours, and what published files have instead. */
static const struct {
    const char *ours, *theirs;
} aliases[] = {{"before_head.gn.", "head.gn."}};

static bool is_wrapped(const struct sft_checkpoint *checkpoint)
{
    for (size_t i = 0; i < checkpoint->n_tensors; i++)
        if (strncmp(checkpoint->tensors[i].name, wrapper, strlen(wrapper)) != 0) return false;
    return checkpoint->n_tensors > 0;
}

static const struct sft_stored_tensor *find_joined(const struct sft_checkpoint *checkpoint, const char *first,
                                                   const char *second, const char *third)
{
    char name[MAX_NAME];
    snprintf(name, sizeof(name), "%s%s%s", first, second, third);
    return sft_checkpoint_find(checkpoint, name);
}

const struct sft_stored_tensor *sft_checkpoint_find_parameter(const struct sft_checkpoint *checkpoint,
                                                              const char *name)
{
    const char *front = is_wrapped(checkpoint) ? wrapper : "";
    const struct sft_stored_tensor *stored = find_joined(checkpoint, front, name, "");
    for (size_t i = 0; !stored && i < sizeof(aliases) / sizeof(aliases[0]); i++) {
        size_t length = strlen(aliases[i].ours);
        if (strncmp(name, aliases[i].ours, length) == 0)
            stored = find_joined(checkpoint, front, aliases[i].theirs, name + length);
    }
    return stored;
}

/* ---- metadata ---- */

const char *sft_checkpoint_metadata(const struct sft_checkpoint *checkpoint, const char *key)
{
    for (size_t i = 0; i < checkpoint->n_metadata; i++)
        if (strcmp(checkpoint->metadata[i].key, key) == 0) return checkpoint->metadata[i].value;
    return NULL;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "nn/checkpoint/checkpoint.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "nn/checkpoint/foreign.h"
#include "nn/checkpoint/safetensors.h"
#include "runtime/base/alloc.h"
#include "runtime/base/sha256.h"

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

/* ---- wrappers ---- */

/* What PyTorch's wrappers of a model put before the names of its parameters: DataParallel, torch.compile and
 * the attributes that training frameworks hold a model in. */
static const char *const wrappers[] = {"module.", "_orig_mod.", "model.", "net."};

bool sft_checkpoint_ignores(const char *name)
{
    static const char counter[] = ".num_batches_tracked", averaged[] = "n_averaged";
    size_t length = strlen(name), tail = strlen(counter);
    return strcmp(name, averaged) == 0 || (length > tail && strcmp(name + length - tail, counter) == 0);
}

/* Length of the wrapper at name[skip]; 0: there is none. */
static size_t wrapper_at(const char *name, size_t skip)
{
    for (size_t i = 0; i < sizeof(wrappers) / sizeof(wrappers[0]); i++)
        if (strncmp(name + skip, wrappers[i], strlen(wrappers[i])) == 0) return strlen(wrappers[i]);
    return 0;
}

static bool all_start_with(const struct sft_checkpoint *checkpoint, const char *front, size_t length)
{
    for (size_t i = 0; i < checkpoint->n_tensors; i++)
        if (!sft_checkpoint_ignores(checkpoint->tensors[i].name) &&
            strncmp(checkpoint->tensors[i].name, front, length) != 0)
            return false;
    return true;
}

/* What stands before every name: wrappers in any order. */
static void find_wrappers(struct sft_checkpoint *checkpoint)
{
    const char *first = NULL;
    size_t length = 0, more;
    for (size_t i = 0; i < checkpoint->n_tensors && !first; i++)
        if (!sft_checkpoint_ignores(checkpoint->tensors[i].name)) first = checkpoint->tensors[i].name;
    if (!first) return;
    while ((more = wrapper_at(first, length)) && length + more < sizeof(checkpoint->wrapper) &&
           all_start_with(checkpoint, first, length + more))
        length += more;
    memcpy(checkpoint->wrapper, first, length);
}

/* ---- opening ---- */

static enum sft_status unread(const struct sft_checkpoint *checkpoint)
{
    const struct sft_foreign *foreign = sft_foreign_find(&checkpoint->file);
    if (!foreign) return sft_fail(SFT_DATA, "%s is no checkpoint; safetensors is read", checkpoint->path);
    return sft_fail(SFT_DATA, "%s is %s; %s", checkpoint->path, foreign->what, foreign->advice);
}

static enum sft_status read_with_format(struct sft_checkpoint *checkpoint)
{
    for (int i = 0; i < FORMATS; i++) {
        if (!formats[i]->is(&checkpoint->file)) continue;
        checkpoint->format = formats[i];
        SFT_TRY(formats[i]->read(checkpoint, &checkpoint->file));
        SFT_TRY(sort(checkpoint));
        find_wrappers(checkpoint);
        return SFT_OK;
    }
    return unread(checkpoint);
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

enum sft_status sft_checkpoint_sha256(const struct sft_checkpoint *checkpoint, char hex[65])
{
    sft_sha256(checkpoint->file.data, checkpoint->file.size, hex);
    return sft_files_whole();
}

const struct sft_stored_tensor *sft_checkpoint_find(const struct sft_checkpoint *checkpoint, const char *name)
{
    const struct sft_stored_tensor key = {.name = name};
    if (checkpoint->n_tensors == 0) return NULL;
    return bsearch(&key, checkpoint->tensors, checkpoint->n_tensors, sizeof(key), by_name);
}

/* ---- what is in it ---- */

bool sft_checkpoint_looks_like(const char *path)
{
    const struct sft_foreign *foreign;
    struct sft_bytes file;
    struct stat info;
    bool is = false;
    if (stat(path, &info) != 0 || !S_ISREG(info.st_mode) || access(path, R_OK) != 0) return false;
    if (sft_file_open(path, &file) != SFT_OK) return false;
    for (int i = 0; i < FORMATS && !is; i++) is = formats[i]->is(&file);
    foreign = is ? NULL : sft_foreign_find(&file);
    is = is || (foreign && foreign->sure);
    sft_file_close(&file);
    return is;
}

const char *sft_checkpoint_metadata(const struct sft_checkpoint *checkpoint, const char *key)
{
    for (size_t i = 0; i < checkpoint->n_metadata; i++)
        if (strcmp(checkpoint->metadata[i].key, key) == 0) return checkpoint->metadata[i].value;
    return NULL;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "nn/checkpoint/checkpoint.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "nn/checkpoint/archive.h"
#include "nn/checkpoint/foreign.h"
#include "nn/checkpoint/hub.h"
#include "nn/checkpoint/npz.h"
#include "nn/checkpoint/safetensors.h"
#include "nn/checkpoint/shards.h"
#include "nn/checkpoint/torch/torch_legacy.h"
#include "nn/checkpoint/torch/torch_zip.h"
#include "runtime/base/alloc.h"
#include "runtime/base/sha256.h"
#include "runtime/base/text.h"

/* The first that fits counts. */
static const struct sft_checkpoint_format *const formats[] = {
    &sft_checkpoint_safetensors,  &sft_checkpoint_torch_zip, &sft_checkpoint_npz, &sft_checkpoint_zip,
    &sft_checkpoint_torch_legacy, &sft_checkpoint_shards,    &sft_checkpoint_tar,
};
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
static const char *const wrappers[] = {"module.",   "_orig_mod.",  "model.",  "net.",
                                       "backbone.", "timm_model.", "encoder."};

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
    if (!foreign)
        return sft_fail(SFT_DATA, "%s is no checkpoint; safetensors, PyTorch files and NumPy's .npz are read",
                        checkpoint->path);
    return sft_fail(SFT_DATA, "%s is %s; %s", checkpoint->path, foreign->what, foreign->advice);
}

static bool is_one(const struct sft_bytes *bytes)
{
    for (int i = 0; i < FORMATS; i++)
        if (!formats[i]->holds_files && formats[i]->is(bytes)) return true;
    return false;
}

static enum sft_status read_with_format(struct sft_checkpoint *checkpoint)
{
    for (int i = 0; i < FORMATS; i++) {
        if (checkpoint->within && formats[i]->holds_files) continue;
        if (!formats[i]->is(&checkpoint->file)) continue;
        checkpoint->format = formats[i];
        checkpoint->format_name = formats[i]->name;
        SFT_TRY(formats[i]->read(checkpoint, &checkpoint->file));
        if (checkpoint->wanted && !checkpoint->key && checkpoint->n_parts == 0)
            return sft_fail(SFT_DATA, "%s has no dictionaries to choose from: name it without #%s",
                            checkpoint->path, checkpoint->wanted);
        SFT_TRY(sort(checkpoint));
        find_wrappers(checkpoint);
        return SFT_OK;
    }
    return unread(checkpoint);
}

static enum sft_status open_part(const char *path, const struct sft_bytes *bytes, const char *wanted,
                                 struct sft_checkpoint **part);

static const struct sft_part_opener opener = {.is_one = is_one, .open = open_part};

/* Opens the file at `path`, or the bytes, which are somebody else's. */
static enum sft_status open_file(struct sft_checkpoint *checkpoint, const char *path,
                                 const struct sft_bytes *bytes, const char *wanted)
{
    checkpoint->opener = &opener;
    checkpoint->path = sft_strdup(path);
    if (!checkpoint->path) return SFT_MEMORY;
    if (wanted) {
        checkpoint->wanted = sft_checkpoint_own_text(checkpoint, wanted, strlen(wanted));
        if (!checkpoint->wanted) return SFT_MEMORY;
    }
    checkpoint->borrowed = bytes != NULL;
    if (bytes)
        checkpoint->file = (struct sft_bytes){.data = bytes->data, .size = bytes->size};
    else
        SFT_TRY(sft_file_open(path, &checkpoint->file));
    SFT_TRY(read_with_format(checkpoint));
    checkpoint->bytes = checkpoint->file.size;
    for (size_t i = 0; i < checkpoint->n_parts; i++)
        if (!checkpoint->parts[i]->borrowed) checkpoint->bytes += checkpoint->parts[i]->bytes;
    return sft_files_whole();
}

static enum sft_status open_part(const char *path, const struct sft_bytes *bytes, const char *wanted,
                                 struct sft_checkpoint **part)
{
    struct sft_checkpoint *made = sft_calloc(1, sizeof(*made));
    enum sft_status status;
    *part = NULL;
    if (!made) return SFT_MEMORY;
    made->within = true;
    status = open_file(made, path, bytes, wanted);
    if (status != SFT_OK) sft_checkpoint_close(&made);
    *part = made;
    return status;
}

/* Takes "#KEY" off the end of a path that is nobody's own; *key stays NULL where there is none. */
static void split_key(char *path, const char **key)
{
    char *mark = strrchr(path, '#');
    *key = NULL;
    if (!mark || !sft_file_is_absent(path)) return;
    *mark = '\0';
    *key = mark + 1;
}

static bool is_folder(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

char *sft_checkpoint_file(const char *path)
{
    char *name = sft_strdup(path), *inside = NULL;
    const char *key;
    if (!name) return NULL;
    split_key(name, &key);
    if (!sft_hub_is(name)) return name;
    if (sft_hub_find(name, &inside) != SFT_OK) inside = NULL;
    free(name);
    return inside;
}

static enum sft_status open_path(struct sft_checkpoint *checkpoint, const char *path, const char *wanted)
{
    char *inside = NULL;
    enum sft_status status = SFT_OK;
    if (is_folder(path)) SFT_TRY(sft_hub_find(path, &inside));
    status = open_file(checkpoint, inside ? inside : path, NULL, wanted);
    free(inside);
    return status == SFT_OK ? sft_hub_read_config(checkpoint) : status;
}

enum sft_status sft_checkpoint_open(const char *path, struct sft_checkpoint **checkpoint)
{
    struct sft_checkpoint *made = sft_calloc(1, sizeof(*made));
    char *name = sft_strdup(path);
    const char *wanted;
    enum sft_status status = SFT_MEMORY;
    *checkpoint = NULL;
    if (!made || !name) goto out;
    split_key(name, &wanted);
    SFT_TRY_OUT(open_path(made, name, wanted));
    *checkpoint = made;
    made = NULL;
out:
    free(name);
    sft_checkpoint_close(&made);
    return status;
}

void sft_checkpoint_close(struct sft_checkpoint **checkpoint)
{
    struct sft_checkpoint *closing = *checkpoint;
    if (!closing) return;
    if (closing->format && closing->format->release) closing->format->release(closing);
    for (size_t i = 0; i < closing->n_parts; i++) sft_checkpoint_close(&closing->parts[i]);
    free(closing->parts);
    if (!closing->borrowed) sft_file_close(&closing->file);
    for (size_t i = 0; i < closing->n_owned; i++) free(closing->owned[i]);
    free(closing->owned);
    free(closing->tensors);
    free(closing->metadata);
    free((char *)closing->path);
    free(closing);
    *checkpoint = NULL;
}

/* The hash of a file of hashes, as `sha256sum INDEX PART... | sha256sum` gives it in their folder. */
static enum sft_status hash_parts(const struct sft_checkpoint *checkpoint, char hex[65])
{
    struct sft_text lines = {0};
    enum sft_status status;
    for (size_t i = 0; i <= checkpoint->n_parts; i++) {
        const struct sft_checkpoint *part = i == 0 ? checkpoint : checkpoint->parts[i - 1];
        const char *slash = strrchr(part->path, '/');
        char own[65];
        sft_sha256(part->file.data, part->file.size, own);
        sft_text_printf(&lines, "%s  %s\n", own, slash ? slash + 1 : part->path);
    }
    status = lines.status;
    if (status == SFT_OK) sft_sha256(lines.data, lines.length, hex);
    sft_text_free(&lines);
    return status;
}

enum sft_status sft_checkpoint_sha256(const struct sft_checkpoint *checkpoint, char hex[65])
{
    const bool one = checkpoint->n_parts == 0 || checkpoint->parts[0]->borrowed;
    if (one)
        sft_sha256(checkpoint->file.data, checkpoint->file.size, hex);
    else
        SFT_TRY(hash_parts(checkpoint, hex));
    return sft_files_whole();
}

const struct sft_stored_tensor *sft_checkpoint_find(const struct sft_checkpoint *checkpoint, const char *name)
{
    const struct sft_stored_tensor key = {.name = name};
    if (checkpoint->n_tensors == 0) return NULL;
    return bsearch(&key, checkpoint->tensors, checkpoint->n_tensors, sizeof(key), by_name);
}

/* ---- what is in it ---- */

static bool file_looks_like(const char *path)
{
    const struct sft_foreign *foreign;
    struct sft_bytes file;
    bool is = false;
    if (access(path, R_OK) != 0 || sft_file_open(path, &file) != SFT_OK) return false;
    for (int i = 0; i < FORMATS && !is; i++) is = !formats[i]->unsure && formats[i]->is(&file);
    foreign = is ? NULL : sft_foreign_find(&file);
    is = is || (foreign && foreign->sure);
    sft_file_close(&file);
    return is;
}

bool sft_checkpoint_looks_like(const char *path)
{
    char *name = sft_strdup(path);
    const char *key;
    struct stat info;
    bool is;
    if (!name) return false;
    split_key(name, &key);
    is = stat(name, &info) == 0 && S_ISREG(info.st_mode) ? file_looks_like(name) : sft_hub_is(name);
    free(name);
    return is;
}

bool sft_checkpoint_has_key(const struct sft_checkpoint *checkpoint, const char *key)
{
    const size_t length = strlen(key);
    for (const char *at = checkpoint->keys; at && *at; at = strchr(at, '\n') + 1)
        if (strncmp(at, key, length) == 0 && at[length] == '\n') return true;
    return false;
}

const char *sft_checkpoint_metadata(const struct sft_checkpoint *checkpoint, const char *key)
{
    for (size_t i = 0; i < checkpoint->n_metadata; i++)
        if (strcmp(checkpoint->metadata[i].key, key) == 0) return checkpoint->metadata[i].value;
    return NULL;
}

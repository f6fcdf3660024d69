/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Five pickles one behind the other: a magic number, the version 1001, facts about the machine, the object,
 * and the list of its storages' keys; then, in the order of that list, each storage as a 64-bit count of
 * elements and the elements. All numbers are little-endian, whatever the machine was.
 */
#include "nn/checkpoint/torch/torch_legacy.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "nn/checkpoint/torch/pickle.h"
#include "nn/checkpoint/torch/torch_dict.h"
#include "runtime/base/alloc.h"
#include "runtime/base/little_endian.h"

enum { VERSION = 1001, COUNT_BYTES = 8 };

/* A storage in the file. */
struct storage {
    char key[SFT_MAX_STORAGE_KEY];
    size_t element; /* bytes; 0: not known yet */
    struct sft_bytes bytes;
};

struct storages {
    struct storage *items; /* sorted by key */
    size_t n;
    const char *path;
};

static bool is_torch_legacy(const struct sft_bytes *file)
{
    static const char magic[] = "\x8a\x0al\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19";
    return file->size > 2 && file->data[0] == 0x80 && file->data[1] >= 2 && file->data[1] <= 5 &&
           memmem(file->data, file->size < 32 ? file->size : 32, magic, sizeof(magic) - 1);
}

static int by_key(const void *a, const void *b)
{
    return strcmp(((const struct storage *)a)->key, ((const struct storage *)b)->key);
}

static struct storage *find(const struct storages *storages, const char *key)
{
    struct storage wanted = {.element = 0};
    if (storages->n == 0 || strlen(key) >= sizeof(wanted.key)) return NULL;
    memcpy(wanted.key, key, strlen(key) + 1);
    return bsearch(&wanted, storages->items, storages->n, sizeof(wanted), by_key);
}

/* Every storage that the pickle names, once, with the size of its elements. */
static enum sft_status list_storages(const struct sft_pickle *pickle, struct storages *storages)
{
    size_t n = 0, kept = 0;
    for (size_t i = 0; i < pickle->n_nodes; i++) n += pickle->nodes[i].kind == SFT_NODE_STORAGE;
    storages->items = sft_calloc(n, sizeof(*storages->items));
    if (!storages->items) return SFT_MEMORY;
    for (size_t i = 0; i < pickle->n_nodes; i++) {
        const struct sft_node *node = &pickle->nodes[i];
        struct storage *to = &storages->items[storages->n];
        if (node->kind != SFT_NODE_STORAGE) continue;
        memcpy(to->key, node->is.storage->key, sizeof(to->key));
        to->element = node->is.storage->untyped ? 1 : sft_stored_dtype_size(node->is.storage->dtype);
        storages->n++;
    }
    qsort(storages->items, storages->n, sizeof(*storages->items), by_key);
    for (size_t i = 0; i < storages->n; i++)
        if (i == 0 || by_key(&storages->items[kept - 1], &storages->items[i]) != 0)
            storages->items[kept++] = storages->items[i];
    storages->n = kept;
    return SFT_OK;
}

/* The key as text, as nn/checkpoint/torch/pickle_calls.c has it. */
static bool key_text(const struct sft_pickle *pickle, uint32_t node, char key[SFT_MAX_STORAGE_KEY])
{
    const struct sft_node *of = sft_node_at(pickle, node);
    if (of->kind != SFT_NODE_TEXT || of->is.text.size >= SFT_MAX_STORAGE_KEY) return false;
    memcpy(key, of->is.text.bytes, of->is.text.size);
    key[of->is.text.size] = '\0';
    return true;
}

/* The storage at file->data[*at], and moves *at behind it. */
static enum sft_status place(struct storages *storages, const char *key, const struct sft_bytes *file,
                             size_t *at)
{
    struct storage *storage = find(storages, key);
    uint64_t count, bytes;
    if (!storage || storage->element == 0)
        return sft_fail(SFT_DATA,
                        "%s: storage %s has elements of an unknown type; what is behind it cannot "
                        "be found",
                        storages->path, key);
    if (file->size - *at < COUNT_BYTES)
        return sft_fail(SFT_DATA, "%s: ends before storage %s; it is cut off: download it again",
                        storages->path, key);
    count = sft_little_endian(file->data + *at, COUNT_BYTES);
    *at += COUNT_BYTES;
    if (__builtin_mul_overflow(count, (uint64_t)storage->element, &bytes) || bytes > file->size - *at)
        return sft_fail(SFT_DATA,
                        "%s: storage %s claims %" PRIu64 " elements, but %zu bytes follow; it is cut off or "
                        "damaged: download it again",
                        storages->path, key, count, file->size - *at);
    storage->bytes = (struct sft_bytes){.data = file->data + *at, .size = (size_t)bytes};
    *at += (size_t)bytes;
    return SFT_OK;
}

static enum sft_status place_all(const struct sft_pickle *pickle, uint32_t keys, struct storages *storages,
                                 const struct sft_bytes *file, size_t at)
{
    const struct sft_node *list = sft_node_at(pickle, keys);
    char key[SFT_MAX_STORAGE_KEY];
    if (list->kind != SFT_NODE_LIST)
        return sft_fail(SFT_DATA, "%s: no list of storages follows its object; it is damaged",
                        storages->path);
    for (uint32_t i = 0; i < list->n; i++) {
        if (!key_text(pickle, list->is.items[i], key))
            return sft_fail(SFT_DATA, "%s: a storage's key is no text; it is damaged", storages->path);
        SFT_TRY(place(storages, key, file, &at));
    }
    return SFT_OK;
}

static enum sft_status find_storage(const struct sft_torch_storages *storages, const char *key,
                                    struct sft_bytes *bytes)
{
    const struct storages *all = storages->context;
    const struct storage *storage = find(all, key);
    if (!storage || !storage->bytes.data)
        return sft_fail(SFT_DATA, "%s: storage %s is not in the file; it is damaged", all->path, key);
    *bytes = storage->bytes;
    return SFT_OK;
}

/* The pickles up to the object. */
static enum sft_status walk_to_object(struct sft_pickle *pickle, const struct sft_bytes *file, size_t *at,
                                      uint32_t *object)
{
    const struct sft_node *version;
    SFT_TRY(sft_pickle_walk(pickle, file, at, object)); /* the magic number */
    SFT_TRY(sft_pickle_walk(pickle, file, at, object));
    version = sft_node_at(pickle, *object);
    if (version->kind != SFT_NODE_INT || version->is.number != VERSION)
        return sft_fail(SFT_DATA, "%s: a PyTorch file of another version than %d", pickle->path, VERSION);
    SFT_TRY(sft_pickle_walk(pickle, file, at, object)); /* the machine */
    return sft_pickle_walk(pickle, file, at, object);
}

static enum sft_status read_torch_legacy(struct sft_checkpoint *checkpoint, const struct sft_bytes *file)
{
    struct sft_pickle pickle = {.path = checkpoint->path};
    struct storages all = {.path = checkpoint->path};
    const struct sft_torch_storages storages = {.find = find_storage, .context = &all};
    size_t at = 0;
    uint32_t object, keys;
    enum sft_status status;
    SFT_TRY_OUT(walk_to_object(&pickle, file, &at, &object));
    SFT_TRY_OUT(sft_pickle_walk(&pickle, file, &at, &keys));
    SFT_TRY_OUT(list_storages(&pickle, &all));
    SFT_TRY_OUT(place_all(&pickle, keys, &all, file, at));
    SFT_TRY_OUT(sft_torch_dict_read(checkpoint, &pickle, object, &storages));
out:
    free(all.items);
    sft_pickle_free(&pickle);
    return status;
}

const struct sft_checkpoint_format sft_checkpoint_torch_legacy = {
    .name = "PyTorch (of before 1.6)",
    .is = is_torch_legacy,
    .read = read_torch_legacy,
};

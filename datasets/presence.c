/* SPDX-License-Identifier: Apache-2.0 */
#include "datasets/presence.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "runtime/base/alloc.h"
#include "runtime/base/path.h"

/* ---- hashes ---- */

/* FNV-1a, to be continued. */
static uint64_t hash_more(uint64_t hash, const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) hash = (hash ^ (uint8_t)text[i]) * UINT64_C(0x100000001b3);
    return hash;
}

/* Mixed, because slots are picked by its low bits; never 0. */
static uint64_t finish(uint64_t hash)
{
    hash = (hash ^ (hash >> 32)) * UINT64_C(0xd6e8feb86659fd93);
    hash ^= hash >> 32;
    return hash ? hash : 1;
}

#define HASH_START UINT64_C(0xcbf29ce484222325)

static size_t slot_of(const struct sft_hash_set *set, uint64_t hash)
{
    size_t slot = (size_t)hash & (set->capacity - 1);
    while (set->slots[slot] && set->slots[slot] != hash) slot = (slot + 1) & (set->capacity - 1);
    return slot;
}

static bool holds(const struct sft_hash_set *set, uint64_t hash)
{
    return set->capacity && set->slots[slot_of(set, hash)] == hash;
}

static enum sft_status grow(struct sft_hash_set *set)
{
    struct sft_hash_set larger = {.count = set->count, .capacity = set->capacity ? 2 * set->capacity : 1024};
    larger.slots = sft_calloc(larger.capacity, sizeof(*larger.slots));
    if (!larger.slots) return SFT_MEMORY;
    for (size_t i = 0; i < set->capacity; i++)
        if (set->slots[i]) larger.slots[slot_of(&larger, set->slots[i])] = set->slots[i];
    free(set->slots);
    *set = larger;
    return SFT_OK;
}

static enum sft_status add(struct sft_hash_set *set, uint64_t hash)
{
    size_t slot;
    if (4 * (set->count + 1) > 3 * set->capacity) SFT_TRY(grow(set));
    slot = slot_of(set, hash);
    set->count += !set->slots[slot];
    set->slots[slot] = hash;
    return SFT_OK;
}

/* ---- folders ---- */

static bool is_file(DIR *stream, const struct dirent *entry)
{
    struct stat info;
    if (entry->d_type == DT_REG) return true;
    if (entry->d_type != DT_LNK && entry->d_type != DT_UNKNOWN) return false;
    return fstatat(dirfd(stream), entry->d_name, &info, 0) == 0 && S_ISREG(info.st_mode);
}

/* Adds the files of the folder that the first `length` bytes of `path` name; none where it is not there. */
static enum sft_status list_folder(struct sft_presence *presence, const char *path, size_t length,
                                   uint64_t hash)
{
    char *full = path[0] == '/' ? sft_path_join("", "%.*s", (int)length, path)
                                : sft_path_join(presence->root, "%.*s", (int)length, path);
    DIR *stream = full ? opendir(full) : NULL;
    const struct dirent *entry;
    enum sft_status status = full ? SFT_OK : SFT_MEMORY;
    while (stream && status == SFT_OK && (entry = readdir(stream)))
        if (is_file(stream, entry))
            status = add(&presence->files, finish(hash_more(hash, entry->d_name, strlen(entry->d_name))));
    if (stream) closedir(stream);
    free(full);
    return status;
}

static enum sft_status stat_it(const struct sft_presence *presence, const char *path, bool *there)
{
    struct stat info;
    char *full = path[0] == '/' ? sft_strdup(path) : sft_path_join(presence->root, "%s", path);
    if (!full) return SFT_MEMORY;
    *there = stat(full, &info) == 0 && S_ISREG(info.st_mode);
    free(full);
    return SFT_OK;
}

enum sft_status sft_presence_has(struct sft_presence *presence, const char *path, bool *there)
{
    const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path;
    const size_t length = (size_t)(base - path);
    const uint64_t folder = hash_more(HASH_START, path, length);
    if (presence->one_by_one) return stat_it(presence, path, there);
    if (!holds(&presence->folders, finish(folder))) {
        SFT_TRY(list_folder(presence, path, length, folder));
        SFT_TRY(add(&presence->folders, finish(folder)));
    }
    *there = holds(&presence->files, finish(hash_more(folder, base, strlen(base))));
    return *there ? SFT_OK : stat_it(presence, path, there); /* where letter case does not matter */
}

void sft_presence_free(struct sft_presence *presence)
{
    free(presence->folders.slots);
    free(presence->files.slots);
    presence->folders = presence->files = (struct sft_hash_set){0};
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A folder of pictures: class folders as torchvision's ImageFolder reads them (same order, same labels), or
 * pictures without classes. A split is a folder of that name inside. Links are followed.
 */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "datasets/format.h"
#include "datasets/tree.h"
#include "runtime/base/alloc.h"
#include "runtime/base/file.h"
#include "runtime/base/path.h"

struct folder {
    char *path;
    struct sft_listing listing;
};

/* ---- the folder as a tree ---- */

static enum sft_entry_kind kind_of(mode_t mode)
{
    if (S_ISDIR(mode)) return SFT_ENTRY_FOLDER;
    return S_ISREG(mode) ? SFT_ENTRY_FILE : SFT_ENTRY_OTHER;
}

/* What stat() says about a file's path; a link that leads nowhere, or round in a circle, is one that leads
 * nowhere. */
static enum sft_status entry_at(const char *path, struct sft_entry *entry)
{
    struct stat info;
    *entry = (struct sft_entry){.kind = SFT_ENTRY_NOWHERE};
    if (stat(path, &info) == 0) {
        entry->kind = kind_of(info.st_mode);
        entry->id[0] = (uint64_t)info.st_dev;
        entry->id[1] = (uint64_t)info.st_ino;
        entry->size = (size_t)info.st_size;
        return SFT_OK;
    }
    if (errno == ENOENT || errno == ELOOP || errno == ENOTDIR) return SFT_OK;
    return sft_fail(errno == ENOMEM ? SFT_MEMORY : SFT_DATA, "%s: %s", path, strerror(errno));
}

/* A file is taken as what the folder says of it: a million calls of stat() would take many seconds. */
static enum sft_status add_entry(const char *folder, const struct dirent *found, struct sft_entries *entries)
{
    static const struct sft_entry file = {.kind = SFT_ENTRY_FILE, .size = SFT_SIZE_UNKNOWN};
    const char *name = found->d_name;
    struct sft_entry entry;
    enum sft_status status;
    char *path;
    if (found->d_type == DT_REG) return sft_entries_add(entries, &file, name);
    path = sft_path_join(folder, "%s", name);
    if (!path) return SFT_MEMORY;
    status = entry_at(path, &entry);
    free(path);
    return status == SFT_OK ? sft_entries_add(entries, &entry, name) : status;
}

static enum sft_status read_entries(DIR *stream, const char *path, struct sft_entries *entries)
{
    for (;;) {
        const struct dirent *entry;
        errno = 0;
        entry = readdir(stream);
        if (!entry && errno) return sft_fail(SFT_DATA, "%s: cannot be listed: %s", path, strerror(errno));
        if (!entry) return SFT_OK;
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            SFT_TRY(add_entry(path, entry, entries));
    }
}

static enum sft_status list_folder(const void *context, const char *path, const struct sft_entry *folder,
                                   struct sft_entries *entries)
{
    char *full = sft_path_join(context, "%s", path);
    DIR *stream = full ? opendir(full) : NULL;
    enum sft_status status = SFT_MEMORY;
    (void)folder;
    if (stream)
        status = read_entries(stream, full, entries);
    else if (full)
        status = sft_fail(errno == ENOMEM ? SFT_MEMORY : SFT_DATA, "%s: cannot be listed: %s", full,
                          strerror(errno));
    if (stream) closedir(stream);
    free(full);
    return status;
}

static size_t sniff_file(const void *context, const char *path, const struct sft_entry *file,
                         uint8_t head[SFT_HEAD])
{
    char *full = sft_path_join(context, "%s", path);
    size_t size = full ? sft_file_head(full, head, SFT_HEAD) : 0;
    (void)file;
    free(full);
    return size;
}

/* ---- the data set ---- */

static enum sft_status pick_folder(struct folder *folder, const char *path, const char *split,
                                   struct sft_entry *top, struct sft_source *source)
{
    folder->path = split[0] ? sft_path_join(path, "%s", split) : sft_strdup(path);
    if (!folder->path) return SFT_MEMORY;
    SFT_TRY(entry_at(folder->path, top));
    if (top->kind == SFT_ENTRY_FOLDER) return SFT_OK;
    if (split[0])
        return sft_split_absent(source, SFT_USAGE, "folder:%s: unknown split #%s: there is no folder %s",
                                path, split, folder->path);
    return sft_fail(SFT_DATA, "folder:%s: not a folder", path);
}

static enum sft_status open_folder(const char *path, const char *split, struct sft_source *source)
{
    struct folder *folder = sft_calloc(1, sizeof(*folder));
    struct sft_tree tree = {.list = list_folder, .sniff = sniff_file};
    struct sft_entry top;
    source->state = folder;
    source->decodes = true;
    if (!folder) return SFT_MEMORY;
    source->listing = &folder->listing;
    SFT_TRY(pick_folder(folder, path, split, &top, source));
    tree.context = folder->path;
    SFT_TRY(sft_tree_walk(&tree, "", &top, &folder->listing));
    SFT_TRY(sft_listing_classify(&folder->listing));
    SFT_TRY(sft_listing_seal(&folder->listing, folder->path));
    if (folder->listing.count == 0)
        return sft_fail(SFT_DATA, "%s: no pictures in this folder or those in it (.jpg, .png, .webp)",
                        folder->path);
    source->count = (int64_t)folder->listing.count;
    source->classes = (int)folder->listing.class_count;
    return SFT_OK;
}

static enum sft_status read_picture(const void *state, int64_t i, struct sft_image *image, int *label)
{
    const struct folder *folder = state;
    const struct sft_listed *item = &folder->listing.items[i];
    char *path = sft_path_join(folder->path, "%s", item->name);
    enum sft_status status = path ? sft_image_load(path, image) : SFT_MEMORY;
    *label = item->label;
    free(path);
    return status;
}

static enum sft_status content(const void *state, int64_t i, struct sft_bytes *bytes)
{
    const struct folder *folder = state;
    char *path = sft_path_join(folder->path, "%s", folder->listing.items[i].name);
    enum sft_status status = path ? sft_file_open(path, bytes) : SFT_MEMORY;
    free(path);
    return status;
}

static enum sft_status measure(const void *state, int64_t i, size_t *size)
{
    const struct folder *folder = state;
    char *path = sft_path_join(folder->path, "%s", folder->listing.items[i].name);
    enum sft_status status = path ? sft_file_size(path, size) : SFT_MEMORY;
    free(path);
    return status;
}

static void close_folder(void *state)
{
    struct folder *folder = state;
    sft_listing_free(&folder->listing);
    free(folder->path);
    free(folder);
}

static bool claims(const struct sft_look *look) { return look->is_folder; }

const struct sft_format sft_format_folder = {
    .name = "folder",
    .help = "folder:DIR        pictures in class folders, or without classes; #NAME is the "
            "folder NAME in it",
    .needs_path = true,
    .has_splits = true,
    .claims = claims,
    .open = open_folder,
    .read = read_picture,
    .content = content,
    .measure = measure,
    .close = close_folder,
};

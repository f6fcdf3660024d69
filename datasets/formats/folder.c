/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A folder of pictures: class folders as torchvision's ImageFolder reads them (same order, same labels), or
 * pictures without classes. A split is a folder of that name inside. Links are followed; hidden files are not
 * looked at.
 */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "datasets/format.h"
#include "datasets/listing.h"
#include "runtime/base/alloc.h"
#include "runtime/base/path.h"

/* Deeper than this is a link that leads back up. */
enum { MAX_DEPTH = 24 };

struct folder {
    char *path;
    struct sft_listing listing;
};

static enum sft_status walk(struct folder *folder, const char *relative, int depth);

static enum sft_status visit(struct folder *folder, const char *name, int depth)
{
    enum sft_status status = SFT_OK;
    struct stat info;
    char *path = sft_path_join(folder->path, "%s", name);
    if (!path) return SFT_MEMORY;
    if (stat(path, &info) != 0)
        status = sft_fail(SFT_DATA, "%s: %s", path, strerror(errno));
    else if (S_ISDIR(info.st_mode))
        status = walk(folder, name, depth + 1);
    else if (S_ISREG(info.st_mode) && sft_is_picture(name))
        status = sft_listing_add(&folder->listing, name, -1, (size_t)info.st_size);
    free(path);
    return status;
}

/* Lists the folder at `relative` ("" for the top). */
static enum sft_status walk(struct folder *folder, const char *relative, int depth)
{
    enum sft_status status = SFT_OK;
    struct dirent *entry;
    char *path = sft_path_join(folder->path, "%s", relative);
    DIR *stream = path ? opendir(path) : NULL;
    if (!path) return SFT_MEMORY;
    if (!stream)
        status = sft_fail(SFT_DATA, "%s: cannot be listed: %s", path, strerror(errno));
    else if (depth > MAX_DEPTH)
        status = sft_fail(
            SFT_DATA, "%s: folders inside one another more than %d deep; is there a link that leads back?",
            path, MAX_DEPTH);
    while (status == SFT_OK && (entry = readdir(stream))) {
        char *name;
        if (entry->d_name[0] == '.') continue;
        name = relative[0] ? sft_path_join(relative, "%s", entry->d_name) : sft_strdup(entry->d_name);
        status = name ? visit(folder, name, depth) : SFT_MEMORY;
        free(name);
    }
    if (stream) closedir(stream);
    free(path);
    return status;
}

static enum sft_status pick_folder(struct folder *folder, const char *path, const char *split,
                                   struct sft_source *source)
{
    struct stat info;
    folder->path = split[0] ? sft_path_join(path, "%s", split) : sft_strdup(path);
    if (!folder->path) return SFT_MEMORY;
    if (stat(folder->path, &info) == 0 && S_ISDIR(info.st_mode)) return SFT_OK;
    if (split[0])
        return sft_split_absent(source, SFT_USAGE, "folder:%s: unknown split #%s: there is no folder %s",
                                path, split, folder->path);
    return sft_fail(SFT_DATA, "folder:%s: not a folder", path);
}

static enum sft_status open_folder(const char *path, const char *split, struct sft_source *source)
{
    struct folder *folder = sft_calloc(1, sizeof(*folder));
    source->state = folder;
    source->decodes = true;
    if (!folder) return SFT_MEMORY;
    SFT_TRY(pick_folder(folder, path, split, source));
    SFT_TRY(walk(folder, "", 0));
    if (folder->listing.count == 0)
        return sft_fail(SFT_DATA, "%s: no pictures in this folder or those in it (.png, .jpg, .jpeg)",
                        folder->path);
    SFT_TRY(sft_listing_classify(&folder->listing, false));
    source->count = (int64_t)folder->listing.count;
    source->classes = (int)folder->listing.class_count;
    return sft_listing_seal(&folder->listing);
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

static const char *class_name(const void *state, int label)
{
    return ((const struct folder *)state)->listing.classes[label];
}

static const char *image_name(const void *state, int64_t i)
{
    return ((const struct folder *)state)->listing.items[i].name;
}

static void identity(const void *state, char hex[65])
{
    memcpy(hex, ((const struct folder *)state)->listing.identity, 65);
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
    .help = "folder:DIR        PNG and JPEG pictures in class folders, or without classes; #NAME is the "
            "folder NAME in it",
    .needs_path = true,
    .has_splits = true,
    .claims = claims,
    .open = open_folder,
    .read = read_picture,
    .class_name = class_name,
    .image_name = image_name,
    .identity = identity,
    .close = close_folder,
};

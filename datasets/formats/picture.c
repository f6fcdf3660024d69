/* SPDX-License-Identifier: Apache-2.0 */
/* One picture: a file of its own. */
#include <stdlib.h>
#include <sys/stat.h>

#include "datasets/format.h"
#include "runtime/base/alloc.h"

struct picture {
    char *path;
    struct sft_listing listing;
};

/* A picture of a kind that is not read is opened too: decoding it says what it is. */
static enum sft_status open_picture(const char *path, const char *split, struct sft_source *source)
{
    struct picture *picture = sft_calloc(1, sizeof(*picture));
    struct stat info = {0};
    (void)split;
    source->state = picture;
    source->decodes = true;
    source->count = 1;
    if (!picture) return SFT_MEMORY;
    source->listing = &picture->listing;
    picture->path = sft_strdup(path);
    if (!picture->path) return SFT_MEMORY;
    if (stat(path, &info) != 0 || !S_ISREG(info.st_mode))
        return sft_fail(SFT_DATA, "%s: not a regular file", path);
    SFT_TRY(sft_listing_add(&picture->listing, &(struct sft_listed){path, -1, (size_t)info.st_size, 0}));
    return sft_listing_seal(&picture->listing, path);
}

static enum sft_status read_picture(const void *state, int64_t i, struct sft_image *image, int *label)
{
    (void)i;
    *label = -1;
    return sft_image_load(((const struct picture *)state)->path, image);
}

static enum sft_status content(const void *state, int64_t i, struct sft_bytes *bytes)
{
    (void)i;
    return sft_file_open(((const struct picture *)state)->path, bytes);
}

static void close_picture(void *state)
{
    struct picture *picture = state;
    sft_listing_free(&picture->listing);
    free(picture->path);
    free(picture);
}

static bool claims(const struct sft_look *look)
{
    enum sft_picture_kind content = sft_picture_by_content(look->head, look->read);
    if (look->is_folder) return false;
    return content == SFT_PNG || content == SFT_JPEG || content == SFT_WEBP ||
           sft_picture_by_name(look->path) != SFT_PICTURE_NONE;
}

const struct sft_format sft_format_picture = {
    .name = "image",
    .help = "image:FILE        one picture (" SFT_PICTURES_READ_WORDS "), without a label",
    .needs_path = true,
    .claims = claims,
    .open = open_picture,
    .read = read_picture,
    .content = content,
    .close = close_picture,
};

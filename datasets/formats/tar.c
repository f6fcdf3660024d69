/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An ImageFolder in a tar, plain or packed with anything that libarchive unpacks. A plain one stays where it
 * is, mapped; what libarchive had to unpack is kept in memory.
 */
#include <archive.h>
#include <archive_entry.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "datasets/format.h"
#include "datasets/listing.h"
#include "runtime/base/alloc.h"
#include "runtime/base/file.h"

/* One picture's file, and all that an archive may unpack to. */
#define MEMBER_LIMIT ((int64_t)256 << 20)
#define TOTAL_LIMIT ((int64_t)16 << 30)

struct member {
    const uint8_t *data; /* (items[i].size) in the mapping or in `memory` */
    uint8_t *memory;
};

struct tar {
    char *path;
    struct sft_bytes file;
    struct sft_listing listing;
    struct member *members; /* by mark: in the order of the archive */
    size_t member_capacity;
    int64_t unpacked;
};

static enum sft_status damaged(const struct tar *tar, struct archive *archive)
{
    const char *reason = archive_error_string(archive);
    return sft_fail(SFT_DATA, "%s: damaged tar: %s", tar->path, reason ? reason : "it is cut off");
}

static bool in_mapping(const struct tar *tar, const uint8_t *data, size_t size)
{
    uintptr_t at = (uintptr_t)data, begin = (uintptr_t)tar->file.data;
    return at >= begin && size <= tar->file.size && at - begin <= tar->file.size - size;
}

/* Copies a member that libarchive does not hand over as one piece of the mapping. */
static enum sft_status copy_member(struct tar *tar, struct archive *archive, struct member *member,
                                   size_t size, const void *block, size_t block_size, int64_t offset)
{
    tar->unpacked += (int64_t)size;
    if (tar->unpacked > TOTAL_LIMIT)
        return sft_fail(SFT_DATA, "%s: unpacks to more than %" PRId64 " bytes", tar->path, TOTAL_LIMIT);
    member->memory = sft_calloc(size, 1);
    if (!member->memory) return SFT_MEMORY;
    member->data = member->memory;
    for (int code = ARCHIVE_OK; code != ARCHIVE_EOF;) {
        if (offset < 0 || (uint64_t)offset > size || block_size > size - (size_t)offset)
            return damaged(tar, archive);
        if (block_size) memcpy(member->memory + offset, block, block_size);
        code = archive_read_data_block(archive, &block, &block_size, &offset);
        if (code == ARCHIVE_EOF) break;
        if (code != ARCHIVE_OK) return damaged(tar, archive);
    }
    return SFT_OK;
}

static enum sft_status add_member(struct tar *tar, struct archive *archive, struct archive_entry *entry)
{
    const char *name = archive_entry_pathname(entry);
    int64_t size = archive_entry_size(entry), offset = 0;
    size_t number = tar->listing.count, block_size = 0;
    const void *block = NULL;
    struct member *member;
    int code;
    while (name && strncmp(name, "./", 2) == 0) name += 2;
    if (!name || archive_entry_filetype(entry) != AE_IFREG || !sft_is_picture(name)) return SFT_OK;
    if (size < 0 || size > MEMBER_LIMIT)
        return sft_fail(SFT_DATA, "%s: %s: %" PRId64 " bytes are no picture", tar->path, name, size);
    SFT_TRY(sft_grow(&tar->members, &tar->member_capacity, number + 1, sizeof(tar->members[0])));
    SFT_TRY(sft_listing_add(&tar->listing, name, -1, (size_t)size));
    member = &tar->members[number];
    if (size == 0) return SFT_OK;
    code = archive_read_data_block(archive, &block, &block_size, &offset);
    if (code != ARCHIVE_OK) return damaged(tar, archive);
    if (offset == 0 && block_size == (size_t)size && in_mapping(tar, block, block_size)) {
        member->data = block;
        return SFT_OK;
    }
    return copy_member(tar, archive, member, (size_t)size, block, block_size, offset);
}

static enum sft_status read_members(struct tar *tar, struct archive *archive)
{
    struct archive_entry *entry;
    int code;
    archive_read_support_filter_all(archive);
    archive_read_support_format_tar(archive);
    if (archive_read_open_memory(archive, tar->file.data, tar->file.size) != ARCHIVE_OK)
        return damaged(tar, archive);
    while ((code = archive_read_next_header(archive, &entry)) == ARCHIVE_OK || code == ARCHIVE_WARN)
        SFT_TRY(add_member(tar, archive, entry));
    return code == ARCHIVE_EOF ? SFT_OK : damaged(tar, archive);
}

static enum sft_status open_tar(const char *path, const char *split, struct sft_source *source)
{
    struct tar *tar = sft_calloc(1, sizeof(*tar));
    struct archive *archive;
    enum sft_status status;
    (void)split;
    source->state = tar;
    source->decodes = true;
    if (!tar) return SFT_MEMORY;
    tar->path = sft_strdup(path);
    if (!tar->path) return SFT_MEMORY;
    SFT_TRY(sft_file_open(path, &tar->file));
    archive = archive_read_new();
    if (!archive) return sft_fail(SFT_MEMORY, "%s: out of memory while opening it", path);
    status = read_members(tar, archive);
    archive_read_free(archive);
    SFT_TRY(status);
    if (tar->listing.count == 0)
        return sft_fail(SFT_DATA, "%s: no pictures in this tar (.png, .jpg, .jpeg)", path);
    SFT_TRY(sft_listing_classify(&tar->listing, true));
    source->count = (int64_t)tar->listing.count;
    source->classes = (int)tar->listing.class_count;
    return sft_listing_seal(&tar->listing);
}

static enum sft_status read_picture(const void *state, int64_t i, struct sft_image *image, int *label)
{
    const struct tar *tar = state;
    const struct sft_listed *item = &tar->listing.items[i];
    char name[512];
    snprintf(name, sizeof(name), "%s: %s", tar->path, item->name);
    *label = item->label;
    return sft_image_decode(tar->members[item->mark].data, item->size, name, image);
}

static const char *class_name(const void *state, int label)
{
    return ((const struct tar *)state)->listing.classes[label];
}

static const char *image_name(const void *state, int64_t i)
{
    return ((const struct tar *)state)->listing.items[i].name;
}

static void identity(const void *state, char hex[65])
{
    memcpy(hex, ((const struct tar *)state)->listing.identity, 65);
}

static void close_tar(void *state)
{
    struct tar *tar = state;
    for (size_t i = 0; i < tar->listing.count; i++) free(tar->members[i].memory);
    free(tar->members);
    sft_listing_free(&tar->listing);
    sft_file_close(&tar->file);
    free(tar->path);
    free(tar);
}

static bool claims(const struct sft_look *look)
{
    static const char *const endings[] = {".tar", ".tar.gz", ".tgz", ".tar.xz", ".tar.bz2", ".tar.zst"};
    if (memcmp(look->head + 257, "ustar", 5) == 0) return true;
    for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++)
        if (!look->is_folder && sft_ends_with(look->path, endings[i])) return true;
    return false;
}

const struct sft_format sft_format_tar = {
    .name = "tar",
    .help = "tar:FILE          an ImageFolder in a tar, plain or packed",
    .needs_path = true,
    .claims = claims,
    .open = open_tar,
    .read = read_picture,
    .class_name = class_name,
    .image_name = image_name,
    .identity = identity,
    .close = close_tar,
};

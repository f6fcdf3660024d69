/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A folder of pictures in a tar, plain or packed: the same set as format `folder` makes of what it unpacks
 * to. A plain one stays where it is, mapped; of a packed one the pictures are kept in memory, as
 * they are in the tar, and nothing else.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "datasets/archive.h"
#include "datasets/format.h"
#include "datasets/members.h"
#include "runtime/base/alloc.h"

/* One picture's file, and all that is kept of a packed tar. Pictures hardly get smaller in a tar, so that
 * much out of little is no set of pictures, but made to fill the memory: RATIO_LIMIT times the size of the
 * tar, once more than RATIO_FREE bytes are kept. */
#define MEMBER_LIMIT ((int64_t)256 << 20)
#define TOTAL_LIMIT ((int64_t)16 << 30)
#define RATIO_FREE ((int64_t)256 << 20)
enum { RATIO_LIMIT = 64 };

struct tar {
    char *path;
    struct sft_bytes file;
    struct sft_listing listing;
    struct sft_members members;
    int64_t kept; /* bytes of pictures in memory */
};

/* ---- members ---- */

static bool in_mapping(const struct tar *tar, const uint8_t *data, size_t size)
{
    uintptr_t at = (uintptr_t)data, begin = (uintptr_t)tar->file.data;
    return at >= begin && size <= tar->file.size && at - begin <= tar->file.size - size;
}

static enum sft_status check_kept(struct tar *tar, const struct sft_member *member)
{
    tar->kept += (int64_t)member->size;
    if (tar->kept > TOTAL_LIMIT)
        return sft_fail(SFT_DATA,
                        "%s: its pictures take more than %" PRId64 " bytes; unpack it and name the folder",
                        tar->path, TOTAL_LIMIT);
    if (tar->kept > RATIO_FREE && tar->kept / RATIO_LIMIT > (int64_t)tar->file.size)
        return sft_fail(SFT_DATA,
                        "%s: %s: unpacks to more than %d times its size, which pictures do not; unpack it "
                        "and name the folder if that is right",
                        tar->path, member->name, RATIO_LIMIT);
    return SFT_OK;
}

/* A block of a member's data, as libarchive hands them over. */
struct block {
    const void *data;
    size_t size;
    int64_t offset;
};

/* Reads the rest of the member behind its first block into memory. */
static enum sft_status keep_member(struct tar *tar, struct archive *archive, struct sft_member *member,
                                   struct block block)
{
    if ((int64_t)member->size > MEMBER_LIMIT)
        return sft_fail(SFT_DATA, "%s: %s: %zu bytes are no picture", tar->path, member->name, member->size);
    SFT_TRY(check_kept(tar, member));
    member->memory = sft_calloc(member->size, 1);
    if (!member->memory) return SFT_MEMORY;
    member->data = member->memory;
    member->kept = member->size;
    for (int code = ARCHIVE_OK; code != ARCHIVE_EOF;) {
        if (block.offset < 0 || (uint64_t)block.offset > member->size ||
            block.size > member->size - (size_t)block.offset)
            return sft_archive_fail(archive, tar->path);
        if (block.size) memcpy(member->memory + block.offset, block.data, block.size);
        code = archive_read_data_block(archive, &block.data, &block.size, &block.offset);
        if (code != ARCHIVE_OK && code != ARCHIVE_EOF) return sft_archive_fail(archive, tar->path);
    }
    return SFT_OK;
}

static enum sft_status keep_head(struct sft_member *member, const struct block *block)
{
    member->kept = block->size < SFT_HEAD ? block->size : SFT_HEAD;
    member->memory = sft_calloc(member->kept, 1);
    if (!member->memory) return SFT_MEMORY;
    memcpy(member->memory, block->data, member->kept);
    member->data = member->memory;
    return SFT_OK;
}

static enum sft_status take_content(struct tar *tar, struct archive *archive, struct sft_member *member)
{
    struct block block = {0};
    enum sft_picture_kind content;
    int code;
    if (member->size == 0) return SFT_OK;
    code = archive_read_data_block(archive, &block.data, &block.size, &block.offset);
    if (code == ARCHIVE_EOF) return SFT_OK; /* a sparse file of holes */
    if (code != ARCHIVE_OK) return sft_archive_fail(archive, tar->path);
    if (block.offset == 0 && block.size == member->size && in_mapping(tar, block.data, block.size)) {
        member->data = block.data;
        member->kept = member->size;
        return SFT_OK;
    }
    if (block.offset != 0) return SFT_OK;
    content = sft_picture_by_content(block.data, block.size);
    if (sft_picture_is_read(content)) return keep_member(tar, archive, member, block);
    return keep_head(member, &block);
}

static enum sft_status fill(struct tar *tar, struct archive *archive, struct archive_entry *entry,
                            struct sft_member *member)
{
    const char *hard = sft_archive_hard_link(entry), *symbolic = sft_archive_symbolic_link(entry);
    int64_t size = archive_entry_size(entry);
    if (archive_entry_filetype(entry) == AE_IFDIR) {
        member->kind = SFT_MEMBER_FOLDER;
        return SFT_OK;
    }
    if ((hard && size <= 0) || symbolic) {
        member->kind = symbolic ? SFT_MEMBER_LINK : SFT_MEMBER_HARD_LINK;
        member->target = sft_strdup(symbolic ? symbolic : hard);
        return member->target ? SFT_OK : SFT_MEMORY;
    }
    member->kind = SFT_MEMBER_FILE;
    if (size < 0) return sft_fail(SFT_DATA, "%s: %s: a size of %" PRId64, tar->path, member->name, size);
    member->size = (size_t)size;
    return take_content(tar, archive, member);
}

/* Pipes and devices are no files of a set. */
static enum sft_status take_member(void *context, struct archive *archive, struct archive_entry *entry)
{
    struct tar *tar = context;
    const char *name = sft_archive_name(entry);
    unsigned type = archive_entry_filetype(entry);
    struct sft_member *member;
    if (!name)
        return sft_fail(SFT_DATA, "%s: a member's name cannot be read; pack it again with plain names",
                        tar->path);
    if (type != AE_IFREG && type != AE_IFDIR && type != AE_IFLNK && !sft_archive_hard_link(entry))
        return sft_listing_leave(&tar->listing, SFT_LEFT_other_files, name);
    SFT_TRY(sft_members_add(&tar->members, name, &tar->listing, &member));
    return member ? fill(tar, archive, entry, member) : SFT_OK;
}

/* ---- the data set ---- */

static enum sft_status list_pictures(struct tar *tar, const char *split, struct sft_source *source)
{
    const struct sft_tree tree = sft_members_tree(&tar->members);
    struct sft_entry top;
    const char *path;
    if (!sft_members_top(&tar->members, split, &top, &path))
        return sft_split_absent(source, SFT_USAGE, "tar:%s: unknown split #%s: there is no folder %s in it",
                                tar->path, split, split);
    SFT_TRY(sft_tree_walk(&tree, path, &top, &tar->listing));
    SFT_TRY(sft_listing_classify(&tar->listing));
    return sft_listing_seal(&tar->listing, tar->path);
}

static enum sft_status open_tar(const char *path, const char *split, struct sft_source *source)
{
    struct tar *tar = sft_calloc(1, sizeof(*tar));
    source->state = tar;
    source->decodes = true;
    if (!tar) return SFT_MEMORY;
    source->listing = &tar->listing;
    tar->path = sft_strdup(path);
    if (!tar->path) return SFT_MEMORY;
    SFT_TRY(sft_file_open(path, &tar->file));
    SFT_TRY(sft_archive_each(&tar->file, path, take_member, tar));
    SFT_TRY(sft_members_seal(&tar->members, &tar->listing));
    SFT_TRY(list_pictures(tar, split, source));
    if (tar->listing.count == 0)
        return sft_fail(SFT_DATA, "%s: no pictures in this tar (.jpg, .png, .webp)", path);
    source->count = (int64_t)tar->listing.count;
    source->classes = (int)tar->listing.class_count;
    return SFT_OK;
}

static enum sft_status read_picture(const void *state, int64_t i, struct sft_image *image, int *label)
{
    const struct tar *tar = state;
    const struct sft_listed *item = &tar->listing.items[i];
    const struct sft_member *member = &tar->members.items[item->mark];
    char name[512];
    snprintf(name, sizeof(name), "%s: %s", tar->path, item->name);
    *label = item->label;
    return sft_image_decode(member->data, member->kept, name, image);
}

static enum sft_status content(const void *state, int64_t i, struct sft_bytes *bytes)
{
    const struct tar *tar = state;
    const struct sft_member *member = &tar->members.items[tar->listing.items[i].mark];
    *bytes = (struct sft_bytes){.data = member->data, .size = member->kept}; /* the tar's */
    return SFT_OK;
}

static void close_tar(void *state)
{
    struct tar *tar = state;
    sft_members_free(&tar->members);
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
    .help = "tar:FILE          a folder of pictures in a tar, plain or packed (gzip, xz, bzip2, zstd); #NAME "
            "as of folder",
    .needs_path = true,
    .has_splits = true,
    .claims = claims,
    .open = open_tar,
    .read = read_picture,
    .content = content,
    .close = close_tar,
};

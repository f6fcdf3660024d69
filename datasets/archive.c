/* SPDX-License-Identifier: Apache-2.0 */
#include "datasets/archive.h"

#include <errno.h>

static enum sft_status no_memory(const char *path)
{
    return sft_fail(SFT_MEMORY, "%s: out of memory while unpacking it", path);
}

/* libarchive says nothing where an allocation of its own failed, nor where the end of a gzip file is missing:
 * only errno, which is cleared before each call, tells them apart. */
static bool ran_out(struct archive *archive)
{
    return archive_errno(archive) == ENOMEM || (!archive_error_string(archive) && errno == ENOMEM);
}

enum sft_status sft_archive_fail(struct archive *archive, const char *path)
{
    const char *reason = archive_error_string(archive);
    if (ran_out(archive)) return no_memory(path);
    return sft_fail(SFT_DATA, "%s: damaged archive: %s; fetch it again", path,
                    reason ? reason : "it is cut off");
}

static const char *either(const char *bytes, const char *utf8) { return bytes ? bytes : utf8; }

const char *sft_archive_name(struct archive_entry *entry)
{
    return either(archive_entry_pathname(entry), archive_entry_pathname_utf8(entry));
}

const char *sft_archive_hard_link(struct archive_entry *entry)
{
    return either(archive_entry_hardlink(entry), archive_entry_hardlink_utf8(entry));
}

const char *sft_archive_symbolic_link(struct archive_entry *entry)
{
    return either(archive_entry_symlink(entry), archive_entry_symlink_utf8(entry));
}

/* The packers that libarchive itself unpacks. Where it was built without one it would start a program
 * instead, and says so; a scratch archive is asked first, because what is chosen cannot be taken back. False
 * without memory. */
static bool support_packers(struct archive *archive)
{
    static int (*const packers[])(struct archive *) = {
        archive_read_support_filter_gzip,
        archive_read_support_filter_xz,
        archive_read_support_filter_bzip2,
        archive_read_support_filter_zstd,
    };
    for (size_t i = 0; i < sizeof(packers) / sizeof(packers[0]); i++) {
        struct archive *scratch = archive_read_new();
        int code = scratch ? packers[i](scratch) : ARCHIVE_FATAL;
        if (code == ARCHIVE_OK) code = packers[i](archive);
        archive_read_free(scratch);
        if (code == ARCHIVE_FATAL) return false;
    }
    return true;
}

/* What a failure before the first member means. */
static enum sft_status no_tar(struct archive *archive, const char *path)
{
    const char *reason = archive_error_string(archive);
    if (ran_out(archive)) return no_memory(path);
    return sft_fail(SFT_DATA, "%s: no tar, plain or packed with gzip, xz, bzip2 or zstd, or damaged: %s",
                    path, reason ? reason : "it is cut off");
}

static int next_header(struct archive *archive, struct archive_entry **entry)
{
    errno = 0;
    return archive_read_next_header(archive, entry);
}

static enum sft_status read_members(struct archive *archive, const struct sft_bytes *file, const char *path,
                                    sft_take_member take, void *context)
{
    struct archive_entry *entry;
    int code;
    if (!support_packers(archive) || archive_read_support_format_tar(archive) != ARCHIVE_OK)
        return no_memory(path);
    errno = 0;
    if (archive_read_open_memory(archive, file->data, file->size) != ARCHIVE_OK) return no_tar(archive, path);
    code = next_header(archive, &entry);
    if (code == ARCHIVE_FATAL) return no_tar(archive, path);
    for (; code == ARCHIVE_OK || code == ARCHIVE_WARN; code = next_header(archive, &entry))
        SFT_TRY(take(context, archive, entry));
    return code == ARCHIVE_EOF ? SFT_OK : sft_archive_fail(archive, path);
}

enum sft_status sft_archive_each(const struct sft_bytes *file, const char *path, sft_take_member take,
                                 void *context)
{
    struct archive *archive = archive_read_new();
    enum sft_status status;
    if (!archive) return no_memory(path);
    status = read_members(archive, file, path, take, context);
    archive_read_free(archive);
    return status;
}

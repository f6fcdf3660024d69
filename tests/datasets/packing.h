/* SPDX-License-Identifier: Apache-2.0 */
/* Packs data for tests: gzip, xz, tar. */
#ifndef SFT_TESTS_DATASETS_PACKING_H
#define SFT_TESTS_DATASETS_PACKING_H

#include <archive.h>
#include <archive_entry.h>
#include <lzma.h>
#include <zlib.h>

#include "tests/datasets/support.h"

static inline void put_gzip(const char *name, const void *data, size_t size)
{
    gzFile file = gzopen(test_path(name), "wb");
    assert_non_null(file);
    assert_int_equal(gzwrite(file, data, (unsigned)size), size);
    assert_int_equal(gzclose(file), Z_OK);
}

static inline void put_xz(const char *name, const void *data, size_t size)
{
    size_t room = lzma_stream_buffer_bound(size), used = 0;
    uint8_t *packed = malloc(room);
    assert_non_null(packed);
    assert_int_equal(lzma_easy_buffer_encode(0, LZMA_CHECK_CRC64, NULL, data, size, packed, &used, room),
                     LZMA_OK);
    test_put(name, packed, used);
    free(packed);
}

struct packed_member {
    const char *name; /* a folder's ends in a slash */
    const void *data; /* of a link, the name that it is a link to */
    size_t size;      /* or one of these: */
};
#define SYMBOLIC_LINK SIZE_MAX
#define HARD_LINK (SIZE_MAX - 1)

static inline void write_member(struct archive *archive, const struct packed_member *member)
{
    struct archive_entry *entry = archive_entry_new();
    bool folder = member->name[strlen(member->name) - 1] == '/';
    bool symbolic = member->size == SYMBOLIC_LINK, hard = member->size == HARD_LINK;
    size_t size = symbolic || hard ? 0 : member->size;
    archive_entry_set_pathname(entry, member->name);
    archive_entry_set_size(entry, (int64_t)size);
    archive_entry_set_filetype(entry, folder ? AE_IFDIR : symbolic ? AE_IFLNK : AE_IFREG);
    archive_entry_set_perm(entry, 0755);
    if (symbolic) archive_entry_set_symlink(entry, member->data);
    if (hard) archive_entry_set_hardlink(entry, member->data);
    assert_int_equal(archive_write_header(archive, entry), ARCHIVE_OK);
    if (size) assert_int_equal(archive_write_data(archive, member->data, size), size);
    archive_entry_free(entry);
}

/* A tar of `count` members, packed where a filter is named ("gzip", "xz", "bzip2", "zstd"). */
static inline void put_packed_tar(const char *name, const char *filter, const struct packed_member *members,
                                  int count)
{
    struct archive *archive = archive_write_new();
    assert_non_null(archive);
    archive_write_set_format_gnutar(archive);
    if (filter) assert_int_equal(archive_write_add_filter_by_name(archive, filter), ARCHIVE_OK);
    assert_int_equal(archive_write_open_filename(archive, test_path(name)), ARCHIVE_OK);
    for (int i = 0; i < count; i++) write_member(archive, &members[i]);
    assert_int_equal(archive_write_free(archive), ARCHIVE_OK);
}

static inline void put_tar(const char *name, bool gzip, const struct packed_member *members, int count)
{
    put_packed_tar(name, gzip ? "gzip" : NULL, members, count);
}

#endif

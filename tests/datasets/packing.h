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

/* A tar, packed with gzip where asked, of `count` members. */
struct packed_member {
    const char *name;
    const void *data;
    size_t size;
};

static inline void put_tar(const char *name, bool gzip, const struct packed_member *members, int count)
{
    struct archive *archive = archive_write_new();
    assert_non_null(archive);
    archive_write_set_format_ustar(archive);
    if (gzip) archive_write_add_filter_gzip(archive);
    assert_int_equal(archive_write_open_filename(archive, test_path(name)), ARCHIVE_OK);
    for (int i = 0; i < count; i++) {
        struct archive_entry *entry = archive_entry_new();
        archive_entry_set_pathname(entry, members[i].name);
        archive_entry_set_size(entry, (int64_t)members[i].size);
        archive_entry_set_filetype(entry, AE_IFREG);
        archive_entry_set_perm(entry, 0644);
        assert_int_equal(archive_write_header(archive, entry), ARCHIVE_OK);
        assert_int_equal(archive_write_data(archive, members[i].data, members[i].size), members[i].size);
        archive_entry_free(entry);
    }
    assert_int_equal(archive_write_free(archive), ARCHIVE_OK);
}

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#include "nn/checkpoint/zip_write.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "runtime/base/alloc.h"
#include "runtime/base/file.h"
#include "runtime/base/little_endian.h"

enum { LOCAL = 30, ENTRY = 46, END = 22, LOCATOR = 20, END64 = 56, EXTRA64 = 28, PADDING = 4 };
enum {
    VERSION = 20,
    VERSION64 = 45,
    FIRST_DAY = 0x21 /* 1980-01-01, as the same input gives the same bytes */
};

struct sft_zip_entry {
    char *name;
    size_t header, begin, size;
    uint32_t crc;
};

enum sft_status sft_zip_reserve(struct sft_zip_writer *writer, size_t bytes, size_t n, size_t name,
                                size_t comment)
{
    const size_t each = LOCAL + ENTRY + 2 * (name + EXTRA64) + PADDING + SFT_ZIP_ALIGNMENT;
    writer->room = bytes + n * each + END + LOCATOR + END64 + comment;
    writer->bytes = sft_calloc_aligned(writer->room, 1);
    return writer->bytes ? SFT_OK : SFT_MEMORY;
}

static void put(struct sft_zip_writer *writer, uint64_t value, size_t size)
{
    sft_put_little_endian(value, writer->bytes + writer->size, size);
    writer->size += size;
}

static void put_bytes(struct sft_zip_writer *writer, const void *bytes, size_t size)
{
    if (size) memcpy(writer->bytes + writer->size, bytes, size);
    writer->size += size;
}

static uint64_t or_marked(uint64_t value) { return value < UINT32_MAX ? value : UINT32_MAX; }

/* Sizes that don't fit into 32 bits stand in an extra field of type 1, before the member and in the list. */
static size_t extra64(const struct sft_zip_entry *entry) { return entry->size >= UINT32_MAX ? 20 : 0; }

/* How an entry begins, before its member and in the list alike: up to the length of its name. */
static void put_facts(struct sft_zip_writer *writer, const struct sft_zip_entry *entry)
{
    put(writer, extra64(entry) || entry->header >= UINT32_MAX ? VERSION64 : VERSION, 2);
    put(writer, 0, 2); /* flags */
    put(writer, 0, 2); /* stored */
    put(writer, 0, 2); /* midnight */
    put(writer, FIRST_DAY, 2);
    put(writer, entry->crc, 4);
    put(writer, or_marked(entry->size), 4);
    put(writer, or_marked(entry->size), 4);
    put(writer, strlen(entry->name), 2);
}

static void put_sizes64(struct sft_zip_writer *writer, const struct sft_zip_entry *entry)
{
    if (!extra64(entry)) return;
    put(writer, 1, 2);
    put(writer, 16, 2);
    put(writer, entry->size, 8);
    put(writer, entry->size, 8);
}

/* Behind the name comes as much as brings the member to its place, in a field that readers pass over. */
static void put_local(struct sft_zip_writer *writer, const struct sft_zip_entry *entry)
{
    const size_t before = entry->header + LOCAL + strlen(entry->name) + extra64(entry) + PADDING;
    const size_t padding = (SFT_ZIP_ALIGNMENT - before % SFT_ZIP_ALIGNMENT) % SFT_ZIP_ALIGNMENT;
    writer->size = entry->header;
    put_bytes(writer, "PK\3\4", 4);
    put_facts(writer, entry);
    put(writer, extra64(entry) + PADDING + padding, 2);
    put_bytes(writer, entry->name, strlen(entry->name));
    put_sizes64(writer, entry);
    put_bytes(writer, "FB", 2);
    put(writer, padding, 2);
    writer->size += padding;
}

enum sft_status sft_zip_add(struct sft_zip_writer *writer, const char *name, size_t size, uint8_t **bytes)
{
    struct sft_zip_entry *entry;
    const size_t most = LOCAL + EXTRA64 + PADDING + SFT_ZIP_ALIGNMENT + strlen(name);
    if (writer->room - writer->size < size || writer->room - writer->size - size < most)
        return sft_fail(SFT_FAILED, "member %s of a zip does not fit into the room made for it", name);
    SFT_TRY(sft_grow(&writer->entries, &writer->room_entries, writer->n + 1, sizeof(*writer->entries)));
    entry = &writer->entries[writer->n];
    *entry = (struct sft_zip_entry){.name = sft_strdup(name), .header = writer->size, .size = size};
    if (!entry->name) return SFT_MEMORY;
    writer->n++;
    put_local(writer, entry);
    entry->begin = writer->size;
    *bytes = writer->bytes + writer->size;
    writer->size += size;
    return SFT_OK;
}

/* zlib counts in 32 bits. */
static uint32_t checksum(const uint8_t *bytes, size_t size)
{
    uLong crc = crc32(0, NULL, 0);
    while (size) {
        const uInt piece = size < 1 << 30 ? (uInt)size : 1 << 30;
        crc = crc32(crc, bytes, piece);
        bytes += piece;
        size -= piece;
    }
    return (uint32_t)crc;
}

/* Now that the values are there, the checksums go before them. */
static void put_checksums(struct sft_zip_writer *writer)
{
    const size_t end = writer->size;
    for (size_t i = 0; i < writer->n; i++) {
        struct sft_zip_entry *entry = &writer->entries[i];
        entry->crc = checksum(writer->bytes + entry->begin, entry->size);
        put_local(writer, entry);
    }
    writer->size = end;
}

static void put_listed(struct sft_zip_writer *writer, const struct sft_zip_entry *entry)
{
    const bool far = entry->header >= UINT32_MAX;
    put_bytes(writer, "PK\1\2", 4);
    put(writer, VERSION64, 2);
    put_facts(writer, entry);
    put(writer, (extra64(entry) || far ? 4 : 0) + (extra64(entry) ? 16 : 0) + (far ? 8 : 0), 2);
    put(writer, 0, 2); /* comment */
    put(writer, 0, 2); /* disk */
    put(writer, 0, 2); /* attributes */
    put(writer, 0, 4);
    put(writer, or_marked(entry->header), 4);
    put_bytes(writer, entry->name, strlen(entry->name));
    if (!extra64(entry) && !far) return;
    put(writer, 1, 2);
    put(writer, (extra64(entry) ? 16 : 0) + (far ? 8 : 0), 2);
    if (extra64(entry)) put(writer, entry->size, 8);
    if (extra64(entry)) put(writer, entry->size, 8);
    if (far) put(writer, entry->header, 8);
}

static void put_end64(struct sft_zip_writer *writer, size_t list, size_t size)
{
    const size_t at = writer->size;
    put_bytes(writer, "PK\6\6", 4);
    put(writer, END64 - 12, 8);
    put(writer, VERSION64, 2);
    put(writer, VERSION64, 2);
    put(writer, 0, 8); /* disks */
    put(writer, writer->n, 8);
    put(writer, writer->n, 8);
    put(writer, size, 8);
    put(writer, list, 8);
    put_bytes(writer, "PK\6\7", 4);
    put(writer, 0, 4);
    put(writer, at, 8);
    put(writer, 1, 4);
}

static void put_end(struct sft_zip_writer *writer, size_t list, const char *comment, size_t comment_size)
{
    const size_t size = writer->size - list;
    const uint64_t n = writer->n < UINT16_MAX ? writer->n : UINT16_MAX;
    if (n == UINT16_MAX || list >= UINT32_MAX || size >= UINT32_MAX) put_end64(writer, list, size);
    put_bytes(writer, "PK\5\6", 4);
    put(writer, 0, 4); /* disks */
    put(writer, n, 2);
    put(writer, n, 2);
    put(writer, or_marked(size), 4);
    put(writer, or_marked(list), 4);
    put(writer, comment_size, 2);
    put_bytes(writer, comment, comment_size);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static enum sft_status check_names(const struct sft_zip_writer *writer, const char *path)
{
    const char **names = sft_calloc(writer->n, sizeof(*names));
    enum sft_status status = SFT_OK;
    if (!names) return SFT_MEMORY;
    for (size_t i = 0; i < writer->n; i++) names[i] = writer->entries[i].name;
    qsort(names, writer->n, sizeof(*names), by_name);
    for (size_t i = 1; i < writer->n && status == SFT_OK; i++)
        if (strcmp(names[i - 1], names[i]) == 0)
            status = sft_fail(SFT_FAILED, "%s: member %s is there twice", path, names[i]);
    free(names);
    return status;
}

enum sft_status sft_zip_finish(struct sft_zip_writer *writer, const char *path, const char *comment,
                               size_t comment_size)
{
    const size_t list = writer->size;
    SFT_TRY(check_names(writer, path));
    put_checksums(writer);
    for (size_t i = 0; i < writer->n; i++) put_listed(writer, &writer->entries[i]);
    put_end(writer, list, comment, comment_size);
    return sft_file_write(path, writer->bytes, writer->size);
}

void sft_zip_free(struct sft_zip_writer *writer)
{
    for (size_t i = 0; i < writer->n; i++) free(writer->entries[i].name);
    free(writer->entries);
    free(writer->bytes);
    *writer = (struct sft_zip_writer){0};
}

/* SPDX-License-Identifier: Apache-2.0 */
/* APPNOTE 6.3.9: 4.3.7 (before a member), 4.3.12 (the list), 4.3.14 to 4.3.16 (the end), 4.5.3 (ZIP64). */
#include "nn/checkpoint/zip.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "runtime/base/alloc.h"
#include "runtime/base/little_endian.h"
#include "runtime/base/log.h"

enum { LOCAL = 30, ENTRY = 46, END = 22, LOCATOR = 20, END64 = 56, MAX_COMMENT = 65535 };
enum { STORED = 0, DEFLATED = 8, ENCRYPTED = 1 };

/* Deflate cannot do better than this: 258 bytes for 2 bits. */
enum { BEST_RATIO = 1032 };

/* What all deflated members of an archive may take: weights hardly shrink, and who wrote constants has small
 * files. */
enum { USUAL_RATIO = 64 };
#define FREE_BYTES ((uint64_t)256 << 20)

static uint64_t number(const uint8_t *bytes, size_t size) { return sft_little_endian(bytes, size); }

/* ---- the end, which tells where the list is ---- */

struct list {
    uint64_t at, size, count; /* as the end claims */
    size_t end;               /* where the record of the end begins, which the list is before */
};

/* The record of the end, which only a comment follows; NULL where there is none. */
static const uint8_t *find_end(const struct sft_bytes *file)
{
    for (size_t back = END; back <= file->size && back <= END + MAX_COMMENT; back++) {
        const uint8_t *end = file->data + file->size - back;
        if (memcmp(end, "PK\5\6", 4) == 0 && number(end + 20, 2) <= back - END) return end;
    }
    return NULL;
}

/* What the record of a large archive says in place of the numbers that don't fit. False where it is not where
 * it should be. */
static bool read_end64(const struct sft_bytes *file, struct list *list)
{
    const uint8_t *locator, *end;
    uint64_t at;
    if (list->end < LOCATOR) return false;
    locator = file->data + list->end - LOCATOR;
    if (memcmp(locator, "PK\6\7", 4) != 0) return false;
    at = number(locator + 8, 8);
    if (list->end < LOCATOR + END64 || at > list->end - LOCATOR - END64) return false;
    end = file->data + at;
    if (memcmp(end, "PK\6\6", 4) != 0) return false;
    *list = (struct list){number(end + 48, 8), number(end + 40, 8), number(end + 32, 8), (size_t)at};
    return true;
}

static bool find_list(const struct sft_bytes *file, struct list *list)
{
    const uint8_t *end = find_end(file);
    if (!end) return false;
    list->count = number(end + 10, 2);
    list->size = number(end + 12, 4);
    list->at = number(end + 16, 4);
    list->end = (size_t)(end - file->data);
    if (list->count == UINT16_MAX || list->size == UINT32_MAX || list->at == UINT32_MAX)
        read_end64(file, list); /* an archive may also have just so many members */
    return list->at <= list->end && list->size <= list->end - list->at;
}

bool sft_zip_begins(const struct sft_bytes *file)
{
    return file->size >= 4 && memcmp(file->data, "PK\3\4", 4) == 0;
}

bool sft_zip_has_list(const struct sft_bytes *file) { return find_end(file) != NULL; }

bool sft_zip_mentions(const struct sft_bytes *file, const char *part)
{
    struct list list;
    return sft_zip_begins(file) && find_list(file, &list) &&
           memmem(file->data + list.at, (size_t)list.size, part, strlen(part));
}

/* ---- the list ---- */

/* Takes the 64-bit numbers of an entry whose fields say that they don't fit, which stand in this order in the
 * extra field of type 1. */
static void read_extra(const uint8_t *extra, size_t size, struct sft_zip_member *member)
{
    uint64_t *const fields[] = {&member->size, &member->packed, &member->header};
    while (size >= 4) {
        size_t length = (size_t)number(extra + 2, 2), at = 4;
        if (length > size - 4) return;
        for (int i = 0; number(extra, 2) == 1 && i < 3; i++) {
            if (*fields[i] != UINT32_MAX || at + 8 > length + 4) continue;
            *fields[i] = number(extra + at, 8);
            at += 8;
        }
        extra += 4 + length;
        size -= 4 + length;
    }
}

/* Bytes of the entry at `at`, or 0 where it is none or is longer than what is left. */
static size_t entry_length(const uint8_t *at, size_t left)
{
    size_t length;
    if (left < ENTRY || memcmp(at, "PK\1\2", 4) != 0) return 0;
    length = ENTRY + (size_t)(number(at + 28, 2) + number(at + 30, 2) + number(at + 32, 2));
    return length <= left ? length : 0;
}

static void read_entry(const uint8_t *at, char *name, struct sft_zip_member *member)
{
    const size_t name_length = (size_t)number(at + 28, 2), extra = (size_t)number(at + 30, 2);
    *member = (struct sft_zip_member){.name = name,
                                      .packed = number(at + 20, 4),
                                      .size = number(at + 24, 4),
                                      .header = number(at + 42, 4),
                                      .crc = (uint32_t)number(at + 16, 4),
                                      .method = (unsigned)number(at + 10, 2),
                                      .encrypted = number(at + 8, 2) & ENCRYPTED};
    memcpy(name, at + ENTRY, name_length);
    name[name_length] = '\0';
    read_extra(at + ENTRY + name_length, extra, member);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct sft_zip_member *)a)->name, ((const struct sft_zip_member *)b)->name);
}

/* How many entries lie in the list, whatever the end claims; false where something else is in it. */
static bool count_entries(const uint8_t *at, size_t left, size_t *n)
{
    for (*n = 0; left; ++*n) {
        size_t length = entry_length(at, left);
        if (length == 0) return false;
        at += length;
        left -= length;
    }
    return true;
}

static enum sft_status read_list(struct sft_zip *zip, const struct list *list)
{
    const uint8_t *at = zip->file->data + list->at;
    char *name;
    if (!count_entries(at, (size_t)list->size, &zip->n) || zip->n != list->count)
        return sft_fail(SFT_DATA,
                        "%s: the zip's list of members is damaged at member %zu of %" PRIu64
                        "; download it again",
                        zip->path, zip->n, list->count);
    zip->members = sft_calloc(zip->n, sizeof(*zip->members));
    zip->names = name = sft_calloc((size_t)list->size + 1, 1);
    if (!zip->members || !zip->names) return SFT_MEMORY;
    for (size_t i = 0; i < zip->n; i++) {
        read_entry(at, name, &zip->members[i]);
        name += number(at + 28, 2) + 1; /* fits: an entry is longer than its name and a zero */
        at += entry_length(at, SIZE_MAX);
    }
    qsort(zip->members, zip->n, sizeof(*zip->members), by_name);
    return SFT_OK;
}

enum sft_status sft_zip_open(const char *path, const struct sft_bytes *file, struct sft_zip *zip)
{
    struct list list;
    const uint8_t *end = find_end(file);
    enum sft_status status;
    *zip = (struct sft_zip){.path = path, .file = file};
    if (!end || !find_list(file, &list))
        return sft_fail(SFT_DATA,
                        "%s: a zip archive whose list of members is not where its end says; it is cut off "
                        "or damaged: download it again",
                        path);
    zip->comment = end + END;
    zip->comment_size = (size_t)number(end + 20, 2);
    status = read_list(zip, &list);
    if (status != SFT_OK) sft_zip_close(zip);
    return status;
}

void sft_zip_close(struct sft_zip *zip)
{
    for (size_t i = 0; zip->members && i < zip->n; i++) free(zip->members[i].inflated);
    free(zip->members);
    free(zip->names);
    *zip = (struct sft_zip){0};
}

struct sft_zip_member *sft_zip_find(const struct sft_zip *zip, const char *name)
{
    const struct sft_zip_member key = {.name = name};
    if (zip->n == 0) return NULL;
    return bsearch(&key, zip->members, zip->n, sizeof(key), by_name);
}

/* ---- members ---- */

/* The packed bytes: what stands before them has a name and an extra field of its own lengths. */
static enum sft_status find_packed(const struct sft_zip *zip, const struct sft_zip_member *member,
                                   const uint8_t **packed)
{
    const bool inside = zip->file->size >= LOCAL && member->header <= zip->file->size - LOCAL;
    const uint8_t *header = zip->file->data + (inside ? member->header : 0);
    uint64_t begin = member->header + LOCAL;
    if (!inside || memcmp(header, "PK\3\4", 4) != 0)
        return sft_fail(SFT_DATA, "%s: member %.200s is not where the zip's list says; it is damaged",
                        zip->path, member->name);
    begin += number(header + 26, 2) + number(header + 28, 2);
    if (begin > zip->file->size || member->packed > zip->file->size - begin)
        return sft_fail(SFT_DATA,
                        "%s: member %.200s claims %" PRIu64 " bytes at %" PRIu64
                        " of a file of %zu; it is cut off or damaged",
                        zip->path, member->name, member->packed, begin, zip->file->size);
    *packed = zip->file->data + begin;
    return SFT_OK;
}

/* Refuses what no deflated bytes can hold, and what only a bomb does. */
static enum sft_status check_inflated(struct sft_zip *zip, const struct sft_zip_member *member)
{
    const uint64_t most = FREE_BYTES + USUAL_RATIO * (uint64_t)zip->file->size;
    if (member->size / BEST_RATIO > member->packed)
        return sft_fail(SFT_DATA,
                        "%s: member %.200s claims to inflate from %" PRIu64 " bytes to %" PRIu64
                        ", more than can be; it is damaged",
                        zip->path, member->name, member->packed, member->size);
    if (member->size > most - zip->inflated)
        return sft_fail(SFT_DATA,
                        "%s: its members inflate to more than %" PRIu64
                        " bytes, as those of a zip bomb do; save the weights without compression",
                        zip->path, most);
    zip->inflated += member->size;
    return SFT_OK;
}

/* zlib counts in 32 bits. */
static uInt piece(uint64_t bytes) { return bytes < 1 << 30 ? (uInt)bytes : 1 << 30; }

/* Inflates to `size` bytes; false where it is another number of them, or no deflated bytes. */
static bool inflate_all(const uint8_t *packed, uint64_t packed_size, uint8_t *out, uint64_t size)
{
    z_stream stream = {0};
    int result = inflateInit2(&stream, -MAX_WBITS);
    uint8_t beyond;
    while (result == Z_OK) {
        const uint64_t in = packed_size - stream.total_in, room = size - stream.total_out;
        stream.next_in = (Bytef *)packed + stream.total_in;
        stream.avail_in = piece(in);
        stream.next_out = room ? out + stream.total_out : &beyond;
        stream.avail_out = room ? piece(room) : 1;
        result = inflate(&stream, Z_NO_FLUSH);
        if (stream.total_out > size) break;
    }
    inflateEnd(&stream);
    return result == Z_STREAM_END && stream.total_out == size;
}

static enum sft_status inflate_member(struct sft_zip *zip, struct sft_zip_member *member,
                                      const uint8_t *packed)
{
    SFT_TRY(check_inflated(zip, member));
    member->inflated = sft_calloc((size_t)member->size + 1, 1);
    if (!member->inflated) return SFT_MEMORY;
    if (inflate_all(packed, member->packed, member->inflated, member->size)) return SFT_OK;
    return sft_fail(SFT_DATA, "%s: member %.200s does not inflate to its %" PRIu64 " bytes; it is damaged",
                    zip->path, member->name, member->size);
}

static uint32_t checksum(const struct sft_bytes *bytes)
{
    uLong crc = crc32(0, NULL, 0);
    for (size_t done = 0; done < bytes->size; done += piece(bytes->size - done))
        crc = crc32(crc, bytes->data + done, piece(bytes->size - done));
    return (uint32_t)crc;
}

static enum sft_status check_sum(const struct sft_zip *zip, struct sft_zip_member *member,
                                 const struct sft_bytes *bytes)
{
    if (member->checked || checksum(bytes) == member->crc) {
        member->checked = true;
        return SFT_OK;
    }
    if (!zip->lenient || member->inflated)
        return sft_fail(SFT_DATA,
                        "%s: member %.200s has another checksum than the zip's list says; it is damaged",
                        zip->path, member->name);
    sft_log(SFT_LOG_WARNING,
            "%s: member %.200s has another checksum than the zip's list says: it is damaged, unless it was "
            "saved with torch.serialization.set_crc32_options(False)",
            zip->path, member->name);
    member->checked = true;
    return SFT_OK;
}

static enum sft_status check_method(const struct sft_zip *zip, const struct sft_zip_member *member)
{
    if (member->encrypted)
        return sft_fail(SFT_DATA, "%s: member %.200s is encrypted; unpack it first", zip->path, member->name);
    if (member->method != STORED && member->method != DEFLATED)
        return sft_fail(SFT_DATA,
                        "%s: member %.200s is packed by method %u; 0 (stored) and 8 (deflated) are read",
                        zip->path, member->name, member->method);
    if (member->method == STORED && member->packed != member->size)
        return sft_fail(SFT_DATA,
                        "%s: member %.200s has %" PRIu64 " bytes but claims %" PRIu64 "; it is damaged",
                        zip->path, member->name, member->packed, member->size);
    return SFT_OK;
}

enum sft_status sft_zip_take(struct sft_zip *zip, struct sft_zip_member *member, struct sft_bytes *bytes)
{
    const uint8_t *packed = NULL;
    SFT_TRY(check_method(zip, member));
    SFT_TRY(find_packed(zip, member, &packed));
    if (member->method == DEFLATED && !member->inflated) SFT_TRY(inflate_member(zip, member, packed));
    *bytes = (struct sft_bytes){.data = member->inflated ? member->inflated : packed,
                                .size = (size_t)member->size};
    return check_sum(zip, member, bytes);
}

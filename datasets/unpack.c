/* SPDX-License-Identifier: Apache-2.0 */
#include "datasets/unpack.h"

#include <limits.h>
#include <lzma.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "runtime/base/alloc.h"

/* Memory that an unpacker writes into: grows until the limit. */
struct sink {
    const char *path;
    uint8_t *memory;
    size_t size, capacity, limit;
};

static enum sft_status make_room(struct sink *sink)
{
    size_t wanted = sink->capacity ? sink->capacity * 2 : (size_t)1 << 16;
    if (sink->size < sink->capacity) return SFT_OK;
    if (sink->size >= sink->limit)
        return sft_fail(SFT_DATA, "%s: unpacks to more than %zu bytes; this cannot be the right file",
                        sink->path, sink->limit);
    return sft_grow(&sink->memory, &sink->capacity, wanted > sink->limit ? sink->limit : wanted, 1);
}

static enum sft_status unpack_xz(const struct sft_bytes *file, struct sink *sink)
{
    enum sft_status status = SFT_OK;
    lzma_stream stream = LZMA_STREAM_INIT;
    lzma_ret code = lzma_stream_decoder(&stream, (uint64_t)1 << 30, LZMA_CONCATENATED);
    stream.next_in = file->data;
    stream.avail_in = file->size;
    while (code == LZMA_OK) {
        SFT_TRY_OUT(make_room(sink));
        stream.next_out = sink->memory + sink->size;
        stream.avail_out = sink->capacity - sink->size;
        code = lzma_code(&stream, LZMA_FINISH);
        sink->size = sink->capacity - stream.avail_out;
    }
    if (code == LZMA_MEM_ERROR)
        status = sft_fail(SFT_MEMORY, "%s: out of memory while unpacking xz", sink->path);
    else if (code == LZMA_MEMLIMIT_ERROR)
        status = sft_fail(SFT_DATA, "%s: xz needs more than 1 GiB to unpack it; pack it with xz -9 or less",
                          sink->path);
    else if (code != LZMA_STREAM_END)
        status = sft_fail(SFT_DATA, "%s: damaged xz file: %s; fetch it again", sink->path,
                          code == LZMA_BUF_ERROR ? "it is cut off" : "its data does not decode");
out:
    lzma_end(&stream);
    return status;
}

static enum sft_status gzip_failure(const struct sink *sink, const z_stream *stream, int code)
{
    if (code == Z_MEM_ERROR)
        return sft_fail(SFT_MEMORY, "%s: out of memory while unpacking gzip", sink->path);
    if (code == Z_BUF_ERROR)
        return sft_fail(SFT_DATA, "%s: damaged gzip file: it is cut off; fetch it again", sink->path);
    return sft_fail(SFT_DATA, "%s: damaged gzip file: %s; fetch it again", sink->path,
                    stream->msg ? stream->msg : "its data does not decode");
}

static enum sft_status unpack_gzip(const struct sft_bytes *file, struct sink *sink)
{
    enum sft_status status = SFT_OK;
    z_stream stream = {0};
    size_t fed = 0;
    int code = inflateInit2(&stream, 15 + 16);
    if (code != Z_OK) return gzip_failure(sink, &stream, code);
    while (code == Z_OK) {
        size_t room;
        SFT_TRY_OUT(make_room(sink));
        if (stream.avail_in == 0) {
            stream.next_in = (Bytef *)(uintptr_t)(file->data + fed);
            stream.avail_in = (uInt)(file->size - fed > INT_MAX ? INT_MAX : file->size - fed);
            fed += stream.avail_in;
        }
        room = sink->capacity - sink->size;
        stream.next_out = sink->memory + sink->size;
        stream.avail_out = (uInt)(room > INT_MAX ? INT_MAX : room);
        room = stream.avail_out;
        code = inflate(&stream, Z_NO_FLUSH);
        sink->size += room - stream.avail_out;
        /* gzip files may be several put behind one another */
        if (code == Z_STREAM_END && stream.avail_in > 0 && stream.next_in[0] == 0x1f)
            code = inflateReset(&stream);
    }
    if (code != Z_STREAM_END) status = gzip_failure(sink, &stream, code);
out:
    inflateEnd(&stream);
    return status;
}

enum sft_status sft_unpack(const char *path, size_t limit, struct sft_unpacked *out)
{
    static const struct {
        size_t length;
        const char *magic;
        enum sft_status (*unpack)(const struct sft_bytes *, struct sink *);
    } packers[] = {{6,
                    "\xfd"
                    "7zXZ",
                    unpack_xz},
                   {2, "\x1f\x8b", unpack_gzip}};
    struct sink sink = {.path = path, .limit = limit};
    memset(out, 0, sizeof(*out));
    SFT_TRY(sft_file_open(path, &out->file));
    for (size_t i = 0; i < sizeof(packers) / sizeof(packers[0]); i++) {
        enum sft_status status;
        if (out->file.size < packers[i].length || memcmp(out->file.data, packers[i].magic, packers[i].length))
            continue;
        status = packers[i].unpack(&out->file, &sink);
        sft_file_close(&out->file);
        out->data = out->memory = sink.memory;
        out->size = sink.size;
        if (status != SFT_OK) sft_unpacked_free(out);
        return status;
    }
    out->data = out->file.data;
    out->size = out->file.size;
    return SFT_OK;
}

void sft_unpacked_free(struct sft_unpacked *unpacked)
{
    sft_file_close(&unpacked->file);
    free(unpacked->memory);
    memset(unpacked, 0, sizeof(*unpacked));
}

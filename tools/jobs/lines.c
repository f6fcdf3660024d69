/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/jobs/lines.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "runtime/base/file.h"
#include "runtime/base/json_parse.h"
#include "runtime/base/log.h"

/* Length of the line that starts at `at`, with its end; 0 behind the last whole one. */
static size_t line_length(const struct sft_bytes *bytes, size_t at)
{
    const uint8_t *end = at < bytes->size ? memchr(bytes->data + at, '\n', bytes->size - at) : NULL;
    return end ? (size_t)(end - bytes->data) + 1 - at : 0;
}

static enum sft_status keep_lines(const char *path, int64_t kept)
{
    struct sft_bytes bytes;
    enum sft_status status;
    size_t size = 0;
    if (access(path, F_OK) != 0) return SFT_OK;
    SFT_TRY(sft_file_open(path, &bytes));
    for (; kept > 0 && line_length(&bytes, size); kept--) size += line_length(&bytes, size);
    if (kept > 0) sft_log(SFT_LOG_WARNING, "%s: the lines of %" PRId64 " steps are missing", path, kept);
    status = sft_file_write(path, bytes.data, size);
    sft_file_close(&bytes);
    return status;
}

enum sft_status sft_lines_open(const char *path, int64_t kept, struct sft_lines *lines)
{
    enum sft_status status;
    int file;
    *lines = (struct sft_lines){.path = path};
    SFT_TRY(keep_lines(path, kept));
    file = open(path, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0666);
    lines->file = file >= 0 ? fdopen(file, "a") : NULL;
    if (lines->file) return SFT_OK;
    status = sft_fail(SFT_WRITE, "%s: %s", path, strerror(errno));
    if (file >= 0) close(file);
    return status;
}

enum sft_status sft_lines_sync(struct sft_lines *lines)
{
    if (!lines->file || fsync(fileno(lines->file)) == 0) return SFT_OK;
    return sft_fail(SFT_WRITE, "%s: %s", lines->path, strerror(errno));
}

void sft_lines_close(struct sft_lines *lines)
{
    if (lines->file) fclose(lines->file);
    lines->file = NULL;
}

enum sft_status sft_lines_write(struct sft_lines *lines, struct sft_json *object)
{
    struct sft_text text = {0};
    enum sft_status status;
    sft_json_dump(object, JSON_REAL_PRECISION(9), &text);
    sft_text_add(&text, "\n");
    sft_json_free(object);
    status = text.status;
    if (status == SFT_OK &&
        (fwrite(text.data, 1, text.length, lines->file) != text.length || fflush(lines->file) != 0))
        status = sft_fail(SFT_WRITE, "%s: %s", lines->path, strerror(errno));
    sft_text_free(&text);
    return status;
}

static enum sft_status parse_lines(const char *path, const struct sft_bytes *bytes, json_t *array)
{
    size_t length;
    for (size_t at = 0; (length = line_length(bytes, at)); at += length) {
        json_t *line = sft_json_parse((const char *)bytes->data + at, length, 0, NULL);
        if (!line || json_array_append_new(array, line) != 0)
            return sft_fail(SFT_DATA, "%s: line %zu cannot be read", path, json_array_size(array) + 1);
    }
    return SFT_OK;
}

enum sft_status sft_lines_read(const char *path, json_t **array)
{
    struct sft_bytes bytes;
    enum sft_status status;
    *array = NULL;
    SFT_TRY(sft_file_open(path, &bytes));
    *array = json_array();
    status = *array ? parse_lines(path, &bytes, *array) : sft_fail(SFT_MEMORY, "no memory for %s", path);
    sft_file_close(&bytes);
    if (status != SFT_OK) {
        json_decref(*array);
        *array = NULL;
    }
    return status;
}

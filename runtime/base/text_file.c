/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/base/text_file.h"

#include <string.h>

#include "runtime/base/file.h"

/* Byte order marks: what the text behind each is written in. */
static const struct {
    const char *bytes, *encoding; /* NULL: UTF-8 */
} marks[] = {{"\xef\xbb\xbf", NULL}, {"\xff\xfe", "UTF-16"}, {"\xfe\xff", "UTF-16"}};

static enum sft_status take(const char *path, const char *bytes, size_t size, struct sft_text *text)
{
    for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
        size_t length = strlen(marks[i].bytes);
        if (size < length || memcmp(bytes, marks[i].bytes, length) != 0) continue;
        if (marks[i].encoding)
            return sft_fail(SFT_DATA, "%s: text in %s; save it as UTF-8", path, marks[i].encoding);
        bytes += length;
        size -= length;
        break;
    }
    if (memchr(bytes, '\0', size))
        return sft_fail(
            SFT_DATA, "%s: zero bytes in it, so it is no text file; if it is one in UTF-16, save it as UTF-8",
            path);
    sft_text_add_bytes(text, bytes, size);
    return text->status;
}

enum sft_status sft_text_file_read(const char *path, size_t most, struct sft_text *text)
{
    struct sft_bytes file;
    enum sft_status status;
    SFT_TRY(sft_file_open(path, &file));
    if (file.size > most)
        status = sft_fail(SFT_DATA, "%s: %zu bytes; at most %zu are read of such a text file", path,
                          file.size, most);
    else
        status = take(path, (const char *)file.data, file.size, text);
    sft_file_close(&file);
    return status;
}

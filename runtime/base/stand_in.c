/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/base/stand_in.h"

#include <stdint.h>
#include <string.h>
#include <strings.h>

static const uint8_t *skip_blanks(const struct sft_bytes *file, size_t *left)
{
    const uint8_t *at = file->data, *end = at + file->size;
    if (file->size >= 3 && memcmp(at, "\xef\xbb\xbf", 3) == 0) at += 3;
    while (at < end && (*at == ' ' || (*at >= '\t' && *at <= '\r'))) at++;
    *left = (size_t)(end - at);
    return at;
}

bool sft_text_file_starts(const struct sft_bytes *file, const char *text)
{
    size_t left, length = strlen(text);
    const uint8_t *at = skip_blanks(file, &left);
    return left >= length && strncasecmp((const char *)at, text, length) == 0;
}

static bool is_page(const struct sft_bytes *file)
{
    static const char *const starts[] = {"<!doctype html", "<html",   "<head", "<body",
                                         "<!--",           "<script", "<meta"};
    for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++)
        if (sft_text_file_starts(file, starts[i])) return true;
    return false;
}

static bool is_lfs_pointer(const struct sft_bytes *file)
{
    return sft_text_file_starts(file, "version https://git-lfs");
}

static bool is_xml(const struct sft_bytes *file)
{
    return sft_text_file_starts(file, "<?xml") || sft_text_file_starts(file, "<error");
}

/* What the Hugging Face Hub answers in place of a file. */
static bool is_hub_answer(const struct sft_bytes *file)
{
    static const char *const starts[] = {"entry not found", "repository not found",
                                         "invalid username or password", "access to model",
                                         "invalid credentials"};
    for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++)
        if (sft_text_file_starts(file, starts[i])) return true;
    return false;
}

static bool is_empty(const struct sft_bytes *file) { return file->size == 0; }

static bool is_zeros(const struct sft_bytes *file)
{
    size_t size = file->size < 4096 ? file->size : 4096;
    for (size_t i = 0; i < size; i++)
        if (file->data[i]) return false;
    return true;
}

#define DOWNLOAD "download it again"

static const struct {
    struct sft_foreign foreign;
    bool (*is)(const struct sft_bytes *file);
} rows[] = {
    {{"empty", DOWNLOAD, false}, is_empty},
    {{"nothing but zeros at its beginning: a download or a copy broke", DOWNLOAD, false}, is_zeros},
    {{"a Git LFS pointer, not the file itself", "run `git lfs pull`, or download the file itself", true},
     is_lfs_pointer},
    {{"a web page (HTML): the file's host sent it instead", "download the file itself", true}, is_page},
    {{"an answer of the Hugging Face Hub that it does not give the file",
      "check its address, and sign in where the model asks for it", true},
     is_hub_answer},
    {{"an XML text, as servers answer in place of a file", DOWNLOAD, true}, is_xml},
};

const struct sft_foreign *sft_stand_in_find(const struct sft_bytes *file)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (rows[i].is(file)) return &rows[i].foreign;
    return NULL;
}

enum sft_status sft_stand_in_refuse(const char *name, const void *head, size_t size)
{
    const struct sft_bytes bytes = {.data = head, .size = size};
    const struct sft_foreign *foreign = sft_stand_in_find(&bytes);
    if (!foreign || !foreign->sure) return SFT_OK;
    return sft_fail(SFT_DATA, "%s is %s; %s", name, foreign->what, foreign->advice);
}

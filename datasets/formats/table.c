/* SPDX-License-Identifier: Apache-2.0 */
#include "datasets/formats/table.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "runtime/base/file.h"

static const struct sft_format *const formats[] = {
#define SFT_FORMAT(name) &sft_format_##name,
#include "datasets/formats/formats.def"
#undef SFT_FORMAT
};
enum { FORMAT_COUNT = sizeof(formats) / sizeof(formats[0]) };

const struct sft_format *sft_format_at(int i) { return i >= 0 && i < FORMAT_COUNT ? formats[i] : NULL; }

const struct sft_format *sft_format_find(const char *name, size_t length)
{
    for (int i = 0; i < FORMAT_COUNT; i++)
        if (strlen(formats[i]->name) == length && memcmp(formats[i]->name, name, length) == 0)
            return formats[i];
    return NULL;
}

static void look_at(const char *path, struct sft_look *look)
{
    struct stat info;
    memset(look, 0, sizeof(*look));
    look->path = path;
    look->exists = stat(path, &info) == 0;
    if (!look->exists) return;
    look->is_folder = S_ISDIR(info.st_mode);
    look->is_file = S_ISREG(info.st_mode);
    if (!look->is_file) return;
    look->size = info.st_size;
    look->read = sft_file_head(path, look->head, sizeof(look->head));
}

void sft_format_names(char names[SFT_FORMAT_NAMES])
{
    names[0] = '\0';
    for (int i = 0; i < FORMAT_COUNT; i++) {
        size_t used = strlen(names);
        snprintf(names + used, SFT_FORMAT_NAMES - used, "%s%s", i ? ", " : "", formats[i]->name);
    }
}

/* What people pack data sets into that is not read. */
static const struct {
    const char *magic, *what;
} packed[] = {
    {"PK\3\4", "a zip archive"},
    {"7z\xbc\xaf\x27\x1c", "a 7z archive"},
    {"Rar!", "a RAR archive"},
};

static enum sft_status unknown(const struct sft_look *look)
{
    char known[SFT_FORMAT_NAMES];
    sft_format_names(known);
    for (size_t i = 0; i < sizeof(packed) / sizeof(packed[0]); i++)
        if (memcmp(look->head, packed[i].magic, strlen(packed[i].magic)) == 0)
            return sft_fail(SFT_DATA, "%s: %s; unpack it and name the folder", look->path, packed[i].what);
    if (!look->is_folder && !look->is_file) return sft_fail(SFT_DATA, "%s: not a regular file", look->path);
    return sft_fail(SFT_USAGE,
                    "%s: cannot tell the data set format by looking; say it as FORMAT:%s, FORMAT being one "
                    "of %s",
                    look->path, look->path, known);
}

enum sft_status sft_format_look(const char *path, const struct sft_format **format)
{
    struct sft_look look;
    look_at(path, &look);
    if (!look.exists) return sft_fail(SFT_DATA, "%s: %s", path, strerror(errno));
    for (int i = 0; i < FORMAT_COUNT; i++)
        if (formats[i]->claims && formats[i]->claims(&look)) {
            *format = formats[i];
            return SFT_OK;
        }
    return unknown(&look);
}

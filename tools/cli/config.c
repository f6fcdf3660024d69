/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/cli/config.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/base/alloc.h"
#include "runtime/base/file.h"

/* A file with more than this is no list of settings. */
enum { MAX_BYTES = 1 << 20 };

/* Cuts blanks off both ends, in place. */
static char *trim(char *text)
{
    while (isspace((unsigned char)*text)) text++;
    for (char *end = text + strlen(text); end > text && isspace((unsigned char)end[-1]); *--end = '\0') {
    }
    return text;
}

static enum sft_status read_section(char *line, struct sft_setting *setting)
{
    char *end = strchr(line, ']');
    if (!end || end[1] != '\0')
        return sft_fail(SFT_USAGE, "%s:%d: a section is a line like [finetune]", setting->path,
                        setting->line);
    *end = '\0';
    setting->section = trim(line + 1);
    return SFT_OK;
}

static enum sft_status read_line(char *line, struct sft_setting *setting, sft_config_apply apply,
                                 void *context)
{
    char *equals;
    line = trim(line);
    if (*line == '\0' || *line == '#' || *line == ';') return SFT_OK;
    if (*line == '[') return read_section(line, setting);
    equals = strchr(line, '=');
    if (!equals || equals == line)
        return sft_fail(SFT_USAGE, "%s:%d: neither `name = value` nor a [section] nor a # comment",
                        setting->path, setting->line);
    *equals = '\0';
    setting->name = trim(line);
    setting->value = trim(equals + 1);
    return apply(context, setting);
}

/* A copy of the file's text with a zero at its end. */
static enum sft_status load(const char *path, char **text)
{
    struct sft_bytes bytes;
    enum sft_status status = SFT_OK;
    SFT_TRY(sft_file_open(path, &bytes));
    if (bytes.size > MAX_BYTES || (bytes.size && memchr(bytes.data, '\0', bytes.size)))
        status = sft_fail(SFT_DATA, "%s: no text file with settings", path);
    else if (!(*text = sft_calloc(bytes.size + 1, 1)))
        status = SFT_MEMORY;
    else if (bytes.size)
        memcpy(*text, bytes.data, bytes.size);
    sft_file_close(&bytes);
    return status;
}

enum sft_status sft_config_read(const char *path, sft_config_apply apply, void *context, char **text)
{
    struct sft_setting setting = {.path = path, .section = ""};
    *text = NULL;
    SFT_TRY(load(path, text));
    for (char *line = *text, *next; line; line = next) {
        next = strchr(line, '\n');
        if (next) *next++ = '\0';
        setting.line++;
        SFT_TRY(read_line(line, &setting, apply, context));
    }
    return SFT_OK;
}

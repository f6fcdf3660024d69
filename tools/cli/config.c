/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/cli/config.h"

#include <ctype.h>
#include <string.h>

#include "runtime/base/text_file.h"

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

enum sft_status sft_config_read(const char *path, sft_config_apply apply, void *context, char **text)
{
    struct sft_setting setting = {.path = path, .section = ""};
    struct sft_text file = {0};
    enum sft_status status = sft_text_file_read(path, MAX_BYTES, &file);
    *text = file.data;
    SFT_TRY(status);
    for (char *line = *text, *next; line; line = next) {
        next = strchr(line, '\n');
        if (next) *next++ = '\0';
        setting.line++;
        SFT_TRY(read_line(line, &setting, apply, context));
    }
    return SFT_OK;
}

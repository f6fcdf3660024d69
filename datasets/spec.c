/* SPDX-License-Identifier: Apache-2.0 */
#include "datasets/spec.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "datasets/formats/table.h"
#include "datasets/kinds.h"
#include "runtime/base/alloc.h"
#include "runtime/base/stand_in.h"

static enum sft_status parse_bound(const char *bound, const char *text, int64_t unset, int64_t *out)
{
    char *end;
    *out = unset;
    if (!bound[0]) return SFT_OK;
    errno = 0;
    *out = strtoll(bound, &end, 10);
    if (errno || *end || *out < 0 || bound[0] < '0' || bound[0] > '9')
        return sft_fail(SFT_USAGE,
                        "%s: \"%s\" is no image number; a part is written [FIRST:END], like [0:45000]", text,
                        bound);
    return SFT_OK;
}

/* Cuts [FIRST:END] off the end of the path. Brackets without a colon are taken for a part of the name. */
static enum sft_status cut_range(struct sft_spec *spec, char *path, const char *text)
{
    char *open = strrchr(path, '['), *colon = open ? strchr(open, ':') : NULL;
    size_t length = strlen(path);
    if (!colon || path[length - 1] != ']') return SFT_OK;
    path[length - 1] = *open = *colon = '\0';
    spec->has_range = true;
    SFT_TRY(parse_bound(open + 1, text, 0, &spec->first));
    return parse_bound(colon + 1, text, -1, &spec->end);
}

/* Cuts #SPLIT off the end of the path. */
static void cut_split(struct sft_spec *spec, char *path)
{
    char *hash = strrchr(path, '#');
    if (!hash || strchr(hash, '/')) return;
    *hash = '\0';
    spec->split = hash + 1;
}

static bool needs_path(const struct sft_spec *spec) { return !spec->format || spec->format->needs_path; }

static bool is_there(const struct sft_spec *spec)
{
    return needs_path(spec) && access(spec->path, F_OK) == 0;
}

/* Sets the format that the text begins with, and returns where the path begins. */
static char *take_format(struct sft_spec *spec)
{
    size_t length = strcspn(spec->text, ":#[");
    bool colon = spec->text[length] == ':';
    const struct sft_format *format = sft_format_find(spec->text, length);
    if (!format || (!colon && format->needs_path)) return spec->text; /* a file may be called "tar" */
    spec->format = format;
    return spec->text + length + colon;
}

/* Does what stands in front of a colon look as if a format was meant? */
static bool is_word(const char *text, size_t length)
{
    return length > 0 && strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-_") >= length;
}

static enum sft_status unknown_format(const char *text, const char *name, size_t length)
{
    char known[SFT_FORMAT_NAMES];
    sft_format_names(known);
    return sft_fail(SFT_USAGE, "%s: unknown data set format \"%.*s\"; known: %s", text, (int)length, name,
                    known);
}

static enum sft_status check_path(const struct sft_spec *spec, const char *text)
{
    const char *colon = strchr(spec->path, ':');
    size_t length = colon ? (size_t)(colon - spec->path) : 0;
    if (!spec->format && is_word(spec->path, length) && !is_there(spec))
        return unknown_format(text, spec->path, length);
    if (!spec->path[0] && needs_path(spec))
        return sft_fail(SFT_USAGE, "\"%s\": no path; data is named [FORMAT:]PATH[#SPLIT]", text);
    return SFT_OK;
}

/* Fails where nothing is at the path, or what stands in for a file, whether or not the format is named. */
static enum sft_status find_format(struct sft_spec *spec)
{
    uint8_t head[SFT_HEAD];
    if (!needs_path(spec)) return SFT_OK;
    SFT_TRY(sft_stand_in_refuse(spec->path, head, sft_file_head(spec->path, head, sizeof(head))));
    if (!spec->format) return sft_format_look(spec->path, &spec->format);
    if (is_there(spec)) return SFT_OK;
    return sft_fail(SFT_DATA, "%s: %s", spec->path, strerror(errno));
}

enum sft_status sft_spec_parse(const char *text, struct sft_spec *spec)
{
    char *path;
    *spec = (struct sft_spec){.split = "", .end = -1, .text = sft_strdup(text)};
    if (!spec->text) return SFT_MEMORY;
    spec->path = path = take_format(spec);
    if (!is_there(spec)) SFT_TRY(cut_range(spec, path, text));
    if (!is_there(spec)) cut_split(spec, path);
    spec->stem = (int)(path - spec->text + (ptrdiff_t)strlen(path));
    SFT_TRY(check_path(spec, text));
    return find_format(spec);
}

void sft_spec_free(struct sft_spec *spec)
{
    free(spec->text);
    spec->text = NULL;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/jobs/mos_groups.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nn/groups.h"
#include "runtime/base/alloc.h"
#include "runtime/base/text_file.h"

enum { NUMBER = 12 }; /* bytes for a class and what parts it from the last */
enum { MAX_BYTES = 16 << 20 };

struct reading {
    const char *path;
    const struct sft_dataset *id;
    int line;
    char *text; /* with room for as many numbers as the file has bytes */
    size_t length;
};

/* A stretch of the file. */
struct span {
    const char *start, *end;
};

static struct span trimmed(struct span span)
{
    while (span.start < span.end && strchr(" \t\r", *span.start)) span.start++;
    while (span.start < span.end && strchr(" \t\r", span.end[-1])) span.end--;
    return span;
}

/* Cuts what lies before the first `mark` off *rest, and the mark. */
static struct span cut(struct span *rest, char mark)
{
    const char *at = memchr(rest->start, mark, (size_t)(rest->end - rest->start));
    struct span first = {rest->start, at ? at : rest->end};
    rest->start = at ? at + 1 : rest->end;
    return first;
}

static int find_class(const struct sft_dataset *id, struct span name)
{
    size_t length = (size_t)(name.end - name.start);
    int number = 0;
    for (int c = 0; c < sft_dataset_classes(id); c++) {
        const char *known = sft_dataset_class_name(id, c);
        if (strlen(known) == length && memcmp(known, name.start, length) == 0) return c;
    }
    for (const char *digit = name.start; digit < name.end; digit++) {
        if (*digit < '0' || *digit > '9') return -1;
        number = 10 * number + *digit - '0';
        if (number >= sft_dataset_classes(id)) return -1;
    }
    return length ? number : -1;
}

static enum sft_status take_class(struct reading *reading, struct span name, char parting)
{
    int c = find_class(reading->id, name);
    if (c < 0)
        return sft_fail(
            SFT_DATA, "%s:%d: \"%.*s\" is no class of %s: write names, or 0 to %d, with commas between",
            reading->path, reading->line, (int)(name.end - name.start < 60 ? name.end - name.start : 60),
            name.start, sft_dataset_spec(reading->id), sft_dataset_classes(reading->id) - 1);
    if (reading->length) reading->text[reading->length++] = parting;
    reading->length += (size_t)snprintf(reading->text + reading->length, NUMBER, "%d", c);
    return SFT_OK;
}

static enum sft_status take_line(struct reading *reading, struct span line)
{
    struct span rest = trimmed(cut(&line, '#'));
    bool more = rest.start < rest.end;
    for (char parting = ';'; more; parting = ',') {
        more = memchr(rest.start, ',', (size_t)(rest.end - rest.start)) != NULL;
        SFT_TRY(take_class(reading, trimmed(cut(&rest, ',')), parting));
    }
    return SFT_OK;
}

static enum sft_status read_lines(struct reading *reading, struct span file)
{
    struct sft_groups *groups;
    while (file.start < file.end) {
        reading->line++;
        SFT_TRY(take_line(reading, cut(&file, '\n')));
    }
    SFT_TRY(sft_groups_create(reading->text, sft_dataset_classes(reading->id), reading->path, &groups));
    sft_groups_destroy(&groups);
    return SFT_OK;
}

enum sft_status sft_mos_groups_read(const char *path, const struct sft_dataset *id, char **text)
{
    struct reading reading = {.path = path, .id = id};
    struct sft_text file = {0};
    enum sft_status status = sft_text_file_read(path, MAX_BYTES, &file);
    *text = NULL;
    if (status == SFT_OK) {
        reading.text = sft_calloc(file.length + 1, NUMBER);
        status = reading.text ? read_lines(&reading, (struct span){file.data, file.data + file.length})
                              : SFT_MEMORY;
    }
    sft_text_free(&file);
    if (status == SFT_OK)
        *text = reading.text;
    else
        free(reading.text);
    return status;
}

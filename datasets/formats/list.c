/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A text file with a picture on each line, "path label" or "path" alone. A path may contain blanks and is
 * relative to the list's folder; the label is the last field. Empty lines and lines that begin with # are
 * skipped.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "datasets/format.h"
#include "datasets/listing.h"
#include "runtime/base/alloc.h"
#include "runtime/base/file.h"
#include "runtime/base/path.h"

enum { MAX_LABEL = 1000000, NAMED_MISSING = 20 };

struct list {
    char *path, *folder;
    struct sft_listing listing;
    size_t labelled, missing;
    char missing_names[2048];
};

/* Cuts the label off the line; -1 when its last field is no number. */
static enum sft_status cut_label(const struct list *list, char *line, size_t number, int *label)
{
    char *blank = strrchr(line, ' '), *tab = strrchr(line, '\t'), *end;
    long value;
    if (tab > blank) blank = tab;
    *label = -1;
    if (!blank || blank == line) return SFT_OK;
    errno = 0;
    value = strtol(blank + 1, &end, 10);
    if (*end || end == blank + 1) return SFT_OK;
    if (errno || value < 0 || value > MAX_LABEL)
        return sft_fail(SFT_DATA, "%s: line %zu: label %s is out of range; labels are 0 to %d", list->path,
                        number, blank + 1, MAX_LABEL);
    while (blank > line && (blank[-1] == ' ' || blank[-1] == '\t')) blank--;
    *blank = '\0';
    *label = (int)value;
    return SFT_OK;
}

static char *full_path(const struct list *list, const char *name)
{
    return name[0] == '/' ? sft_strdup(name) : sft_path_join(list->folder, "%s", name);
}

static enum sft_status add_line(struct list *list, char *line, size_t number)
{
    struct stat info;
    char *path;
    int label;
    bool there;
    while (*line == ' ' || *line == '\t') line++;
    for (size_t n = strlen(line); n && strchr(" \t\r", line[n - 1]); n--) line[n - 1] = '\0';
    if (!line[0] || line[0] == '#') return SFT_OK;
    SFT_TRY(cut_label(list, line, number, &label));
    path = full_path(list, line);
    if (!path) return SFT_MEMORY;
    there = stat(path, &info) == 0 && S_ISREG(info.st_mode);
    free(path);
    if (!there) {
        size_t used = strlen(list->missing_names);
        if (list->missing++ < NAMED_MISSING)
            snprintf(list->missing_names + used, sizeof(list->missing_names) - used, "%s line %zu: %s",
                     used ? "," : "", number, line);
        return SFT_OK;
    }
    list->labelled += label >= 0;
    return sft_listing_add(&list->listing, line, label, (size_t)info.st_size);
}

static enum sft_status add_lines(struct list *list, char *text, size_t size)
{
    size_t number = 1;
    if (memchr(text, '\0', size))
        return sft_fail(SFT_DATA, "%s: zero bytes in it; a list is a text file", list->path);
    for (char *line = text, *end; line < text + size; line = end + 1, number++) {
        end = memchr(line, '\n', (size_t)(text + size - line));
        if (!end) end = text + size;
        *end = '\0';
        SFT_TRY(add_line(list, line, number));
    }
    return SFT_OK;
}

static enum sft_status read_text(struct list *list)
{
    struct sft_bytes bytes;
    enum sft_status status;
    char *text;
    SFT_TRY(sft_file_open(list->path, &bytes));
    text = sft_calloc(bytes.size + 1, 1);
    if (text) memcpy(text, bytes.data, bytes.size);
    status = text ? add_lines(list, text, bytes.size) : SFT_MEMORY;
    free(text);
    sft_file_close(&bytes);
    return status;
}

/* Classes are the numbers up to the largest label; their names are the numbers. */
static enum sft_status name_classes(struct sft_listing *listing)
{
    int largest = -1;
    for (size_t i = 0; i < listing->count; i++)
        if (listing->items[i].label > largest) largest = listing->items[i].label;
    for (int label = 0; label <= largest; label++) {
        char name[16];
        snprintf(name, sizeof(name), "%d", label);
        SFT_TRY(
            sft_grow(&listing->classes, &listing->class_capacity, listing->class_count + 1, sizeof(char *)));
        listing->classes[listing->class_count] = sft_strdup(name);
        if (!listing->classes[listing->class_count++]) return SFT_MEMORY;
    }
    return SFT_OK;
}

static enum sft_status check(const struct list *list)
{
    if (list->missing)
        return sft_fail(SFT_DATA, "%s: %zu of its pictures are not there:%s%s", list->path, list->missing,
                        list->missing_names, list->missing > NAMED_MISSING ? ", ..." : "");
    if (list->listing.count == 0) return sft_fail(SFT_DATA, "%s: no pictures in this list", list->path);
    if (list->labelled && list->labelled < list->listing.count)
        return sft_fail(SFT_DATA, "%s: %zu of its %zu lines have no label; give all a label, or none",
                        list->path, list->listing.count - list->labelled, list->listing.count);
    return SFT_OK;
}

static enum sft_status open_list(const char *path, const char *split, struct sft_source *source)
{
    struct list *list = sft_calloc(1, sizeof(*list));
    const char *slash = strrchr(path, '/');
    (void)split;
    source->state = list;
    source->decodes = true;
    if (!list) return SFT_MEMORY;
    list->path = sft_strdup(path);
    list->folder = sft_strdup(slash ? path : ".");
    if (!list->path || !list->folder) return SFT_MEMORY;
    if (slash) list->folder[slash - path + (slash == path)] = '\0';
    SFT_TRY(read_text(list));
    SFT_TRY(check(list));
    SFT_TRY(name_classes(&list->listing));
    source->count = (int64_t)list->listing.count;
    source->classes = (int)list->listing.class_count;
    return sft_listing_seal(&list->listing);
}

static enum sft_status read_picture(const void *state, int64_t i, struct sft_image *image, int *label)
{
    const struct list *list = state;
    const struct sft_listed *item = &list->listing.items[i];
    char *path = full_path(list, item->name);
    enum sft_status status = path ? sft_image_load(path, image) : SFT_MEMORY;
    *label = item->label;
    free(path);
    return status;
}

static const char *class_name(const void *state, int label)
{
    return ((const struct list *)state)->listing.classes[label];
}

static const char *image_name(const void *state, int64_t i)
{
    return ((const struct list *)state)->listing.items[i].name;
}

static void identity(const void *state, char hex[65])
{
    memcpy(hex, ((const struct list *)state)->listing.identity, 65);
}

static void close_list(void *state)
{
    struct list *list = state;
    sft_listing_free(&list->listing);
    free(list->path);
    free(list->folder);
    free(list);
}

static bool claims(const struct sft_look *look)
{
    return !look->is_folder && (sft_ends_with(look->path, ".txt") || sft_ends_with(look->path, ".lst") ||
                                sft_ends_with(look->path, ".list"));
}

const struct sft_format sft_format_list = {
    .name = "list",
    .help = "list:FILE         text lines \"path label\" (or paths alone), relative to the file's folder",
    .needs_path = true,
    .claims = claims,
    .open = open_list,
    .read = read_picture,
    .class_name = class_name,
    .image_name = image_name,
    .identity = identity,
    .close = close_list,
};

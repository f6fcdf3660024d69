/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A text file with a picture on each line, "path label" or "path" alone. A path may contain blanks; the label
 * is the last field, and one below 0 is none, as in OpenOOD's lists. Empty lines and lines that begin with #
 * are skipped. Paths are relative to the list's folder, or, where they are not there, to one of the folders
 * that such lists are made for (see roots).
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "datasets/format.h"
#include "datasets/presence.h"
#include "runtime/base/alloc.h"
#include "runtime/base/file.h"
#include "runtime/base/path.h"
#include "runtime/base/text_file.h"

enum { MAX_LABEL = 1000000, NAMED_MISSING = 20, MAX_BYTES = 1 << 30 };

/* Files of a longer list are looked for in the listings of their folders. */
enum { FEW = 4096 };

struct line {
    char *name; /* in the list's text */
    int label;
    size_t number;
};

struct list {
    char *path, *root;
    struct sft_text text; /* which the names of the listing are parts of */
    struct sft_listing listing;
};

/* What is needed only while it is opened. */
struct reading {
    struct list *list;
    char *folder; /* that the list lies in */
    struct line *lines;
    size_t count;
};

/* ---- lines ---- */

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
    if (errno || value > MAX_LABEL)
        return sft_fail(SFT_DATA, "%s: line %zu: label %s is out of range; labels are 0 to %d", list->path,
                        number, blank + 1, MAX_LABEL);
    while (blank > line && (blank[-1] == ' ' || blank[-1] == '\t')) blank--;
    *blank = '\0';
    *label = value < 0 ? -1 : (int)value;
    return SFT_OK;
}

static enum sft_status add_line(struct reading *reading, char *line, size_t number)
{
    int label;
    while (*line == ' ' || *line == '\t') line++;
    for (size_t n = strlen(line); n && strchr(" \t\r", line[n - 1]); n--) line[n - 1] = '\0';
    if (!line[0] || line[0] == '#') return SFT_OK;
    SFT_TRY(cut_label(reading->list, line, number, &label));
    reading->lines[reading->count++] = (struct line){line, label, number};
    return SFT_OK;
}

static size_t count_lines(const struct sft_text *text)
{
    size_t lines = 1;
    for (const char *at = text->data; at && (at = strchr(at, '\n')); at++) lines++;
    return lines;
}

static enum sft_status read_lines(struct reading *reading)
{
    struct sft_text *text = &reading->list->text;
    size_t number = 1;
    SFT_TRY(sft_text_file_read(reading->list->path, MAX_BYTES, text));
    reading->lines = sft_calloc(count_lines(text), sizeof(reading->lines[0]));
    if (!reading->lines) return SFT_MEMORY;
    for (char *line = text->data, *next; line; line = next, number++) {
        next = strchr(line, '\n');
        if (next) *next++ = '\0';
        SFT_TRY(add_line(reading, line, number));
    }
    return SFT_OK;
}

/* ---- where the pictures are ---- */

/* Where paths may be relative to: below the list's folder, or, without `below`, the working folder. OpenOOD's
 * lists lie in DATA/benchmark_imglist/NAME and tell of files in DATA/images_classic or
 * DATA/images_largescale. */
static const struct {
    const char *below;
} roots[] = {
    {""},
    {NULL},
    {"/.."},
    {"/../images_classic"},
    {"/../images_largescale"},
    {"/../.."},
    {"/../../images_classic"},
    {"/../../images_largescale"},
};
enum { ROOTS = sizeof(roots) / sizeof(roots[0]) };

static char *root_path(const struct reading *reading, int root)
{
    char *path;
    if (!roots[root].below) return sft_strdup(".");
    path = sft_calloc(strlen(reading->folder) + strlen(roots[root].below) + 1, 1);
    if (path) strcat(strcpy(path, reading->folder), roots[root].below);
    return path;
}

static char *full_path(const char *root, const char *name)
{
    return name[0] == '/' ? sft_strdup(name) : sft_path_join(root, "%s", name);
}

/* How many of the files are there; without `all`, only whether all are. */
static enum sft_status count_there(const struct reading *reading, const char *root, bool all, size_t *count)
{
    struct sft_presence presence = {.root = root, .one_by_one = reading->count <= FEW};
    enum sft_status status = SFT_OK;
    bool there = true;
    *count = 0;
    for (size_t i = 0; status == SFT_OK && i < reading->count && (there || all); i++) {
        status = sft_presence_has(&presence, reading->lines[i].name, &there);
        *count += status == SFT_OK && there;
    }
    sft_presence_free(&presence);
    return status;
}

/* Sets the list's root to the first that has the most of the files. */
static enum sft_status find_root(struct reading *reading, bool all, size_t *most)
{
    struct list *list = reading->list;
    free(list->root);
    list->root = NULL;
    *most = 0;
    for (int root = 0; root < ROOTS && *most < reading->count; root++) {
        char *path = root_path(reading, root);
        size_t count = 0;
        enum sft_status status = path ? count_there(reading, path, all, &count) : SFT_MEMORY;
        if (status == SFT_OK && (!list->root || count > *most)) {
            free(list->root);
            list->root = path;
            path = NULL;
            *most = count;
        }
        free(path);
        SFT_TRY(status);
    }
    return SFT_OK;
}

/* What a list that names no file that is there often has wrong. */
static const struct {
    const char *with, *hint;
} slips[] = {
    {"\r", "; lines end with a line feed, not with a carriage return alone"},
    {"\"", "; paths stand without quotation marks"},
    {"://", "; files are read, and no addresses"},
    {"\\", "; paths are written with /, not with \\"},
    {",", "; a label stands behind a blank, not behind a comma"},
    {"\t", "; a label is a whole number, the first class being 0"},
    {" ", "; a line is a path, a blank and a label, which is a whole number"},
};

static const char *hint_for(const char *name)
{
    for (size_t i = 0; i < sizeof(slips) / sizeof(slips[0]); i++)
        if (strstr(name, slips[i].with)) return slips[i].hint;
    return "";
}

static enum sft_status report_missing(const struct reading *reading, size_t missing)
{
    const struct list *list = reading->list;
    const char *hint = "";
    struct sft_presence presence = {.root = list->root, .one_by_one = reading->count <= FEW};
    struct sft_text text = {0};
    enum sft_status status;
    size_t named = 0;
    for (size_t i = 0; i < reading->count && named < NAMED_MISSING; i++) {
        const struct line *line = &reading->lines[i];
        bool there;
        SFT_TRY_OUT(sft_presence_has(&presence, line->name, &there));
        if (there) continue;
        if (named == 0) hint = hint_for(line->name);
        sft_text_printf(&text, "%s line %zu: %s", named++ ? "," : "", line->number, line->name);
    }
    SFT_TRY_OUT(text.status);
    status = sft_fail(SFT_DATA,
                      "%s: %zu of its pictures are not there (paths are relative to %s, the list's folder or "
                      "the working folder)%s:%s%s",
                      list->path, missing, list->root, hint, text.data, missing > named ? ", ..." : "");
out:
    sft_presence_free(&presence);
    sft_text_free(&text);
    return status;
}

static enum sft_status choose_root(struct reading *reading)
{
    struct list *list = reading->list;
    size_t there;
    SFT_TRY(find_root(reading, false, &there));
    if (there < reading->count) {
        SFT_TRY(find_root(reading, true, &there));
        return report_missing(reading, reading->count - there);
    }
    if (reading->count && strcmp(list->root, reading->folder) != 0)
        sft_log(SFT_LOG_INFO, "%s: its paths are relative to %s", list->path, list->root);
    return SFT_OK;
}

/* ---- the listing ---- */

struct look {
    const struct list *list;
    const char *name;
};

static size_t sniff(const void *context, uint8_t head[SFT_HEAD])
{
    const struct look *look = context;
    char *path = full_path(look->list->root, look->name);
    size_t size = path ? sft_file_head(path, head, SFT_HEAD) : 0;
    free(path);
    return size;
}

static enum sft_status list_line(struct list *list, const struct line *line)
{
    const struct look look = {list, line->name};
    const struct sft_file_look file = {.name = line->name, .named = true, .sniff = sniff, .context = &look};
    const struct sft_listed item = {line->name, line->label, SFT_SIZE_UNKNOWN, line->number};
    bool picture;
    SFT_TRY(sft_listing_judge(&list->listing, &file, &picture));
    return picture ? sft_listing_add_borrowed(&list->listing, &item) : SFT_OK;
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
        SFT_TRY(sft_listing_add_class(listing, name));
    }
    return SFT_OK;
}

static enum sft_status check(const struct list *list)
{
    size_t labelled = 0;
    for (size_t i = 0; i < list->listing.count; i++) labelled += list->listing.items[i].label >= 0;
    if (list->listing.count == 0) return sft_fail(SFT_DATA, "%s: no pictures in this list", list->path);
    if (labelled && labelled < list->listing.count)
        return sft_fail(SFT_DATA, "%s: %zu of its %zu lines have no label; give all a label, or none",
                        list->path, list->listing.count - labelled, list->listing.count);
    return SFT_OK;
}

static enum sft_status read_list(struct reading *reading)
{
    struct list *list = reading->list;
    SFT_TRY(read_lines(reading));
    SFT_TRY(choose_root(reading));
    SFT_TRY(
        sft_grow(&list->listing.items, &list->listing.capacity, reading->count, sizeof(struct sft_listed)));
    for (size_t i = 0; i < reading->count; i++) SFT_TRY(list_line(list, &reading->lines[i]));
    SFT_TRY(name_classes(&list->listing));
    SFT_TRY(sft_listing_seal(&list->listing, list->path));
    return check(list);
}

/* ---- the data set ---- */

/* The folder that the file at `path` lies in, in memory of its own. */
static char *folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    char *folder = sft_strdup(slash ? path : ".");
    if (folder && slash) folder[slash - path + (slash == path)] = '\0';
    return folder;
}

static enum sft_status open_list(const char *path, const char *split, struct sft_source *source)
{
    struct list *list = sft_calloc(1, sizeof(*list));
    struct reading reading = {.list = list};
    enum sft_status status = SFT_MEMORY;
    (void)split;
    source->state = list;
    source->decodes = true;
    if (!list) return SFT_MEMORY;
    source->listing = &list->listing;
    list->path = sft_strdup(path);
    reading.folder = folder_of(path);
    if (list->path && reading.folder) status = read_list(&reading);
    source->count = (int64_t)list->listing.count;
    source->classes = (int)list->listing.class_count;
    free(reading.lines);
    free(reading.folder);
    return status;
}

static enum sft_status read_picture(const void *state, int64_t i, struct sft_image *image, int *label)
{
    const struct list *list = state;
    const struct sft_listed *item = &list->listing.items[i];
    char *path = full_path(list->root, item->name);
    enum sft_status status = path ? sft_image_load(path, image) : SFT_MEMORY;
    *label = item->label;
    free(path);
    return status;
}

static enum sft_status content(const void *state, int64_t i, struct sft_bytes *bytes)
{
    const struct list *list = state;
    char *path = full_path(list->root, list->listing.items[i].name);
    enum sft_status status = path ? sft_file_open(path, bytes) : SFT_MEMORY;
    free(path);
    return status;
}

static enum sft_status measure(const void *state, int64_t i, size_t *size)
{
    const struct list *list = state;
    char *path = full_path(list->root, list->listing.items[i].name);
    enum sft_status status = path ? sft_file_size(path, size) : SFT_MEMORY;
    free(path);
    return status;
}

static void close_list(void *state)
{
    struct list *list = state;
    sft_listing_free(&list->listing);
    sft_text_free(&list->text);
    free(list->path);
    free(list->root);
    free(list);
}

static bool claims(const struct sft_look *look)
{
    return !look->is_folder && (sft_ends_with(look->path, ".txt") || sft_ends_with(look->path, ".lst") ||
                                sft_ends_with(look->path, ".list"));
}

const struct sft_format sft_format_list = {
    .name = "list",
    .help =
        "list:FILE         text lines \"path label\" (or paths alone), relative to the file's folder or the "
        "working folder",
    .needs_path = true,
    .claims = claims,
    .open = open_list,
    .read = read_picture,
    .content = content,
    .measure = measure,
    .close = close_list,
};

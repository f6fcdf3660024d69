/* SPDX-License-Identifier: Apache-2.0 */
#include "nn/class_order.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/base/alloc.h"
#include "runtime/base/text_file.h"

bool sft_class_order_is_word(const char *order)
{
    return strcmp(order, "sorted") == 0 || strcmp(order, "mos") == 0;
}

/* ---- ImageNet ---- */

static const struct class
{
    int id, mos, group;
} imagenet[SFT_IMAGENET_CLASSES] = {
#define SFT_CLASS(id, mos, group) {id, mos, group},
#include "nn/imagenet.def"
#undef SFT_CLASS
};

/* (classes): the class, sorted by id, that has that number in MOS's lists. */
static void number_by_mos(int sorted[SFT_IMAGENET_CLASSES])
{
    for (int i = 0; i < SFT_IMAGENET_CLASSES; i++) sorted[imagenet[i].mos] = i;
}

enum sft_status sft_class_order_mos(struct sft_class_names *names)
{
    int sorted[SFT_IMAGENET_CLASSES];
    number_by_mos(sorted);
    for (int i = 0; i < SFT_IMAGENET_CLASSES; i++) {
        char name[16];
        snprintf(name, sizeof(name), "n%08d", imagenet[sorted[i]].id);
        SFT_TRY(sft_class_names_add(names, name));
    }
    return SFT_OK;
}

char *sft_class_order_mos_groups(void)
{
    int sorted[SFT_IMAGENET_CLASSES];
    struct sft_text text = {0};
    number_by_mos(sorted);
    for (int group = 0; group < SFT_MOS_GROUPS; group++) {
        const char *before = group ? ";" : "";
        for (int i = 0; i < SFT_IMAGENET_CLASSES; i++) {
            if (imagenet[sorted[i]].group != group) continue;
            sft_text_printf(&text, "%s%d", before, sorted[i]);
            before = ",";
        }
    }
    if (text.status != SFT_OK) sft_text_free(&text);
    return text.data;
}

/* ---- a file of names ---- */

enum { MAX_BYTES = 16 << 20 };

/* Without white space at its ends, in place. */
static char *trimmed(char *line)
{
    char *end = line + strlen(line);
    while (end > line && strchr(" \t\r", end[-1])) *--end = '\0';
    return line + strspn(line, " \t");
}

static int find(const struct sft_class_names *names, const char *name)
{
    for (int i = 0; i < names->n; i++)
        if (strcmp(names->names[i], name) == 0) return i;
    return -1;
}

static enum sft_status take_line(const char *path, int line, const char *name, int classes,
                                 struct sft_class_names *names)
{
    if (*name == '\0') return SFT_OK;
    if (find(names, name) >= 0)
        return sft_fail(SFT_DATA, "%s:%d: class \"%.200s\" is there twice", path, line, name);
    if (names->n == classes)
        return sft_fail(
            SFT_DATA,
            "%s:%d: more names than the head's %d classes; write one a line, in the order in which "
            "the file of the weights numbers them",
            path, line, classes);
    return sft_class_names_add(names, name);
}

enum sft_status sft_class_order_read(const char *path, int classes, struct sft_class_names *names)
{
    struct sft_text file = {0};
    char *rest, *line;
    int number = 0;
    enum sft_status status = sft_text_file_read(path, MAX_BYTES, &file);
    rest = file.data;
    while (status == SFT_OK && (line = strsep(&rest, "\n")))
        status = take_line(path, ++number, trimmed(line), classes, names);
    sft_text_free(&file);
    if (status == SFT_OK && names->n < classes)
        status = sft_fail(SFT_DATA,
                          "%s: %d names of classes, and the head has %d; write one a line, in the order in "
                          "which the file of the weights numbers them",
                          path, names->n, classes);
    return status;
}

/* ---- sorting ---- */

struct place {
    char *name;
    int row;
};

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct place *)a)->name, ((const struct place *)b)->name);
}

static bool is_sorted(const int *rows, int n)
{
    for (int i = 0; i < n; i++)
        if (rows[i] != i) return false;
    return true;
}

static enum sft_status check_twice(const char *where, const struct place *places, int n)
{
    for (int i = 1; i < n; i++)
        if (strcmp(places[i - 1].name, places[i].name) == 0)
            return sft_fail(SFT_DATA, "%s: class \"%.200s\" is there twice", where, places[i].name);
    return SFT_OK;
}

enum sft_status sft_class_order_sort(const char *where, struct sft_class_names *names, int **rows)
{
    struct place *places = sft_calloc((size_t)names->n, sizeof(*places));
    int *made = sft_calloc((size_t)names->n, sizeof(*made));
    enum sft_status status = SFT_MEMORY;
    *rows = NULL;
    if (!places || !made) goto out;
    for (int i = 0; i < names->n; i++) places[i] = (struct place){names->names[i], i};
    qsort(places, (size_t)names->n, sizeof(*places), by_name);
    SFT_TRY_OUT(check_twice(where, places, names->n));
    for (int i = 0; i < names->n; i++) {
        names->names[i] = places[i].name;
        made[places[i].row] = i;
    }
    if (is_sorted(made, names->n)) goto out;
    *rows = made;
    made = NULL;
out:
    free(places);
    free(made);
    return status;
}

enum sft_status sft_class_order_unsort(const struct sft_class_names *sorted, const int *rows,
                                       struct sft_class_names *names)
{
    for (int i = 0; i < sorted->n; i++) SFT_TRY(sft_class_names_add(names, sorted->names[rows[i]]));
    return SFT_OK;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/jobs/classes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/base/alloc.h"
#include "runtime/base/log.h"

static bool is_number(const char *name, int number)
{
    char text[16];
    snprintf(text, sizeof(text), "%d", number);
    return strcmp(name, text) == 0;
}

/* Of classes that are called by their own numbers nothing is known. */
static bool has_names(const struct sft_dataset *set)
{
    for (int c = 0; c < sft_dataset_classes(set); c++)
        if (!is_number(sft_dataset_class_name(set, c), c)) return true;
    return false;
}

static enum sft_status names_of(const struct sft_dataset *set, struct sft_class_names *names)
{
    if (!has_names(set)) return SFT_OK;
    for (int c = 0; c < sft_dataset_classes(set); c++)
        SFT_TRY(sft_class_names_add(names, sft_dataset_class_name(set, c)));
    return SFT_OK;
}

enum sft_status sft_classes_name(struct sft_model *model, const struct sft_dataset *set)
{
    if (model->class_names.n || sft_dataset_classes(set) != model->classes) return SFT_OK;
    return names_of(set, &model->class_names);
}

/* ---- comparing ---- */

/* "class 3 is "cat" there and "bee" in the weights", or nothing where no names differ. */
static const char *difference(const struct sft_class_names *theirs, const struct sft_class_names *ours,
                              enum sft_class_match match, int first, char text[512])
{
    const char *there = first < theirs->n ? theirs->names[first] : "(none)";
    const char *here = first < ours->n ? ours->names[first] : "(none)";
    text[0] = '\0';
    if (match >= SFT_CLASSES_MOVED)
        snprintf(text, 512, ": class %d is \"%.200s\" there and \"%.200s\" in the weights", first, there,
                 here);
    return text;
}

/* ---- labels by name ---- */

static int find(const struct sft_class_names *names, const char *name)
{
    for (int i = 0; i < names->n; i++)
        if (strcmp(names->names[i], name) == 0) return i;
    return -1;
}

/* The model's class of each of the set's; false where it lacks one. */
static bool map_by_name(const struct sft_class_names *theirs, const struct sft_class_names *ours, int *map)
{
    for (int i = 0; i < theirs->n; i++) {
        map[i] = find(ours, theirs->names[i]);
        if (map[i] < 0) return false;
    }
    return true;
}

static bool is_in_order(const int *map, int n)
{
    for (int i = 0; i < n; i++)
        if (map[i] != i) return false;
    return true;
}

/* Takes labels by name where there is a way; *done where nothing is left to judge. */
static enum sft_status relabel(struct sft_dataset *set, const struct sft_class_names *names,
                               const struct sft_model *model, bool *done)
{
    const struct sft_class_names *ours = &model->class_names;
    int *map;
    enum sft_status status = SFT_OK;
    *done = false;
    if (!names->n || !ours->n) return SFT_OK;
    map = sft_calloc((size_t)names->n, sizeof(*map));
    if (!map) return SFT_MEMORY;
    *done = map_by_name(names, ours, map) && !is_in_order(map, names->n);
    if (*done) status = sft_dataset_relabel(set, map, (const char *const *)ours->names, ours->n);
    if (*done && status == SFT_OK)
        sft_log(SFT_LOG_INFO, "%s: its %d classes are numbered by their names, as the model's %d are",
                sft_dataset_spec(set), names->n, ours->n);
    free(map);
    return status;
}

/* ---- judging ---- */

/* Whether all labels are those of the model's classes, as far as numbers tell. */
static bool count_fits(const struct sft_dataset *set, const struct sft_model *model,
                       enum sft_class_match match)
{
    int classes = sft_dataset_classes(set);
    if (classes == model->classes) return true;
    return classes < model->classes && (match == SFT_CLASSES_PREFIX || !has_names(set));
}

static enum sft_status judge(const struct sft_dataset *set, const struct sft_class_names *names,
                             const struct sft_model *model, bool labels_matter)
{
    static const char *const words[] = {
        [SFT_CLASSES_MOVED] = "has the model's classes in another order",
        [SFT_CLASSES_OTHER] = "has other classes than the model was trained on",
    };
    char text[512];
    int first;
    enum sft_class_match match = sft_class_names_compare(names, &model->class_names, &first);
    difference(names, &model->class_names, match, first, text);
    if (labels_matter && !count_fits(set, model, match))
        return sft_fail(SFT_DATA, "%s has %d classes, the model %d%s: it was trained on other data",
                        sft_dataset_spec(set), sft_dataset_classes(set), model->classes, text);
    if (match >= SFT_CLASSES_MOVED)
        sft_log(
            SFT_LOG_WARNING,
            "%s %s%s; labels are taken by their numbers, so that the accuracy and what is learned by class "
            "mix classes up",
            sft_dataset_spec(set), words[match], text);
    return SFT_OK;
}

enum sft_status sft_classes_check(struct sft_dataset *set, const struct sft_model *model, bool labels_matter)
{
    struct sft_class_names names = {0};
    bool done = false;
    enum sft_status status = names_of(set, &names);
    if (status == SFT_OK) status = relabel(set, &names, model, &done);
    if (status == SFT_OK && !done) status = judge(set, &names, model, labels_matter);
    sft_class_names_free(&names);
    return status;
}

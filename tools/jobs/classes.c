/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/jobs/classes.h"

#include <stdio.h>
#include <string.h>

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

static const char *name_at(const struct sft_class_names *names, int c)
{
    return c < names->n ? names->names[c] : "(none)";
}

static void warn(const struct sft_dataset *set, const struct sft_class_names *theirs,
                 const struct sft_class_names *ours, enum sft_class_match match, int first)
{
    static const char *const words[] = {
        [SFT_CLASSES_MOVED] = "has the model's classes in another order, or not all of them",
        [SFT_CLASSES_OTHER] = "has other classes than the model was trained on",
    };
    sft_log(
        SFT_LOG_WARNING,
        "%s %s: class %d is \"%s\" there and \"%s\" in the weights; labels are taken by their numbers, so "
        "that accuracy and whatever goes by class are of mixed-up classes",
        sft_dataset_spec(set), words[match], first, name_at(theirs, first), name_at(ours, first));
}

static enum sft_status check_count(const struct sft_dataset *set, const struct sft_model *model,
                                   enum sft_class_match match, enum sft_label_use use)
{
    int classes = sft_dataset_classes(set);
    bool prefix = match == SFT_CLASSES_PREFIX || !has_names(set);
    if (use == SFT_LABELS_COUNT || classes == model->classes || (classes < model->classes && prefix))
        return SFT_OK;
    if (use == SFT_LABELS_TEACH || classes > model->classes)
        return sft_fail(SFT_DATA, "%s has %d classes, the model %d: it was trained on other data",
                        sft_dataset_spec(set), classes, model->classes);
    if (match == SFT_CLASSES_SAME) /* names are not known, and nothing was said */
        sft_log(SFT_LOG_WARNING,
                "%s has %d classes, the model %d: labels are taken by their numbers, and fit only where the "
                "missing "
                "classes are the last ones",
                sft_dataset_spec(set), classes, model->classes);
    return SFT_OK;
}

enum sft_status sft_classes_check(const struct sft_dataset *set, const struct sft_model *model,
                                  enum sft_label_use use)
{
    struct sft_class_names names = {0};
    enum sft_class_match match;
    enum sft_status status = names_of(set, &names);
    int first;
    match = sft_class_names_compare(&names, &model->class_names, &first);
    if (status == SFT_OK) status = check_count(set, model, match, use);
    if (status == SFT_OK && match >= SFT_CLASSES_MOVED) warn(set, &names, &model->class_names, match, first);
    sft_class_names_free(&names);
    return status;
}

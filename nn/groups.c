/* SPDX-License-Identifier: Apache-2.0 */
#include "nn/groups.h"

#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/base/alloc.h"

int sft_groups_count(const char *text)
{
    int n = 1;
    for (; *text; text++) n += *text == ';';
    return n;
}

void sft_groups_destroy(struct sft_groups **groups)
{
    struct sft_groups *g = *groups;
    if (!g) return;
    free(g->first);
    free(g->class_of);
    free(g->output_of);
    free(g->text);
    free(g);
    *groups = NULL;
}

static enum sft_status allocate(const char *text, int classes, struct sft_groups **out)
{
    struct sft_groups *groups = *out = sft_calloc(1, sizeof(*groups));
    if (!groups) return SFT_MEMORY;
    groups->n = sft_groups_count(text);
    groups->classes = classes;
    groups->outputs = classes + groups->n;
    groups->first = sft_calloc((size_t)groups->n + 1, sizeof(int));
    groups->class_of = sft_calloc((size_t)groups->outputs, sizeof(int));
    groups->output_of = sft_calloc((size_t)classes, sizeof(int));
    groups->text = sft_strdup(text);
    if (!groups->first || !groups->class_of || !groups->output_of || !groups->text) return SFT_MEMORY;
    for (int c = 0; c < classes; c++) groups->output_of[c] = -1;
    return SFT_OK;
}

static int group_of(const struct sft_groups *groups, int output)
{
    int g = 0;
    while (output >= groups->first[g + 1]) g++;
    return g;
}

/* Takes the class at *text, the next of group `group`, and moves *text over it. */
static enum sft_status take_class(struct sft_groups *groups, const char *where, int group, const char **text)
{
    int length = (int)strcspn(*text, ",;"), output = groups->first[group + 1];
    char *end;
    long c = strtol(*text, &end, 10);
    if (length == 0) return sft_fail(SFT_DATA, "%s: group %d: a class is missing", where, group + 1);
    if (end != *text + length || c < 0 || c >= groups->classes)
        return sft_fail(SFT_DATA, "%s: group %d: \"%.*s\" is no class; they are 0 to %d", where, group + 1,
                        length < 40 ? length : 40, *text, groups->classes - 1);
    if (groups->output_of[c] >= 0)
        return sft_fail(SFT_DATA, "%s: class %ld is in group %d and again in group %d", where, c,
                        group_of(groups, groups->output_of[c]) + 1, group + 1);
    groups->output_of[c] = output;
    groups->class_of[output] = (int)c;
    groups->first[group + 1]++;
    *text = end;
    return SFT_OK;
}

static enum sft_status read_text(struct sft_groups *groups, const char *where, const char *text)
{
    for (int g = 0; g < groups->n; g++) {
        groups->class_of[groups->first[g]] = -1;
        groups->first[g + 1] = groups->first[g] + 1;
        do {
            SFT_TRY(take_class(groups, where, g, &text));
        } while (*text++ == ',');
    }
    for (int c = 0; c < groups->classes; c++)
        if (groups->output_of[c] < 0)
            return sft_fail(SFT_DATA, "%s: class %d is in no group; every class belongs to one", where, c);
    return SFT_OK;
}

enum sft_status sft_groups_create(const char *text, int classes, const char *where,
                                  struct sft_groups **groups)
{
    enum sft_status status;
    *groups = NULL;
    if (sft_groups_count(text) < 2)
        return sft_fail(SFT_DATA,
                        "%s: one group; at least two are needed, as each learns \"others\" from the others",
                        where);
    if (classes < 1 || classes > INT_MAX / 2)
        return sft_fail(SFT_DATA, "%s: groups of %d classes", where, classes);
    SFT_TRY_OUT(allocate(text, classes, groups));
    SFT_TRY_OUT(read_text(*groups, where, text));
    return SFT_OK;
out:
    sft_groups_destroy(groups);
    return status;
}

void sft_groups_targets(const struct sft_groups *groups, const int32_t *labels, int64_t n, int32_t *targets)
{
    if (!groups) memcpy(targets, labels, (size_t)n * sizeof(*targets));
    for (int g = 0; groups && g < groups->n; g++)
        for (int64_t i = 0; i < n; i++) {
            int output = labels[i] < 0 ? -1 : groups->output_of[labels[i]], first = groups->first[g];
            bool own = output > first && output < groups->first[g + 1];
            *targets++ = labels[i] < 0 ? labels[i] : own ? output - first : 0;
        }
}

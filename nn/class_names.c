/* SPDX-License-Identifier: Apache-2.0 */
#include "nn/class_names.h"

#include <stdlib.h>
#include <string.h>

#include "runtime/base/alloc.h"
#include "runtime/base/json_parse.h"

void sft_class_names_free(struct sft_class_names *names)
{
    for (int i = 0; i < names->n; i++) free(names->names[i]);
    free(names->names);
    *names = (struct sft_class_names){0};
}

/* Takes the memory of `name` over; NULL: there was none. */
static enum sft_status append(struct sft_class_names *names, char *name)
{
    enum sft_status status = SFT_MEMORY;
    if (name) status = sft_grow(&names->names, &names->room, (size_t)names->n + 1, sizeof(*names->names));
    if (status == SFT_OK)
        names->names[names->n++] = name;
    else
        free(name);
    return status;
}

enum sft_status sft_class_names_add(struct sft_class_names *names, const char *name)
{
    return append(names, sft_strdup(name));
}

enum sft_status sft_class_names_copy(const struct sft_class_names *from, struct sft_class_names *names)
{
    for (int i = 0; i < from->n; i++) SFT_TRY(sft_class_names_add(names, from->names[i]));
    return SFT_OK;
}

/* ---- JSON ---- */

void sft_class_names_to_json(const struct sft_class_names *names, const char *key, struct sft_json *json)
{
    sft_json_array(json, key);
    for (int i = 0; i < names->n; i++) sft_json_text(json, NULL, names->names[i]);
    sft_json_end(json);
}

enum sft_status sft_class_names_from_json(const json_t *array, struct sft_class_names *names)
{
    if (!json_is_array(array)) return SFT_DATA;
    for (size_t i = 0; i < json_array_size(array); i++) {
        const json_t *name = json_array_get(array, i);
        if (!json_is_string(name)) return SFT_DATA;
        SFT_TRY(append(names, sft_json_bytes(name)));
    }
    return SFT_OK;
}

enum sft_status sft_class_names_parse(const char *text, struct sft_class_names *names)
{
    json_error_t error;
    json_t *array = sft_json_parse(text, strlen(text), 0, &error);
    enum sft_status status = SFT_DATA;
    if (array)
        status = sft_class_names_from_json(array, names);
    else if (sft_json_lacks_memory(&error))
        status = sft_fail(SFT_MEMORY, "out of memory for the names of classes");
    json_decref(array);
    return status;
}

/* ---- comparing ---- */

static bool has(const struct sft_class_names *names, const char *name)
{
    for (int i = 0; i < names->n; i++)
        if (strcmp(names->names[i], name) == 0) return true;
    return false;
}

static bool has_all(const struct sft_class_names *names, const struct sft_class_names *of)
{
    for (int i = 0; i < of->n; i++)
        if (!has(names, of->names[i])) return false;
    return true;
}

enum sft_class_match sft_class_names_compare(const struct sft_class_names *a, const struct sft_class_names *b,
                                             int *first)
{
    int shorter = a->n < b->n ? a->n : b->n;
    *first = 0;
    if (shorter == 0) return SFT_CLASSES_SAME;
    while (*first < shorter && strcmp(a->names[*first], b->names[*first]) == 0) ++*first;
    if (*first == shorter) return a->n == b->n ? SFT_CLASSES_SAME : SFT_CLASSES_PREFIX;
    return has_all(a->n > b->n ? a : b, a->n > b->n ? b : a) ? SFT_CLASSES_MOVED : SFT_CLASSES_OTHER;
}

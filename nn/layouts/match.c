/* SPDX-License-Identifier: Apache-2.0 */
#include "nn/layouts/match.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/base/alloc.h"

enum { FULL_NAME = SFT_MAX_WRAPPER + SFT_MAX_NAME };

/* ---- one parameter ---- */

/* The name that the file has for it, or would have. */
static const char *name_in_file(const struct sft_match *match, int i, char full[FULL_NAME])
{
    char name[SFT_MAX_NAME];
    sft_layout_name(match->layout, match->items[i].name, name);
    snprintf(full, FULL_NAME, "%s%s", match->checkpoint->wrapper, name);
    return full;
}

const struct sft_stored_tensor *sft_match_find(const struct sft_checkpoint *checkpoint, const char *name)
{
    const struct sft_parameter item = {.name = (char *)name};
    const struct sft_stored_tensor *stored = NULL;
    struct sft_match match = {.items = &item, .checkpoint = checkpoint};
    for (int i = 0; !stored && (match.layout = sft_layout_at(i)); i++) {
        char full[FULL_NAME];
        stored = sft_checkpoint_find(checkpoint, name_in_file(&match, 0, full));
    }
    return stored;
}

static bool is_head(const struct sft_parameter *item)
{
    return item->kind == SFT_HEAD_WEIGHT || item->kind == SFT_HEAD_BIAS;
}

/* A head's kernel may be a matrix or 1x1 filters, whichever the layout writes. */
static bool is_head_shape(const struct sft_layout *layout, const struct sft_shape *has,
                          const struct sft_shape *takes)
{
    struct sft_shape without = *has;
    if (layout->out_last || has->rank != 4 || has->dim[2] != 1 || has->dim[3] != 1)
        return sft_shape_equal(has, takes);
    without.rank = 2;
    return sft_shape_equal(&without, takes);
}

static bool fits(const struct sft_match *match, const struct sft_parameter *item, const struct sft_shape *has)
{
    const struct sft_layout *layout = match->layout;
    struct sft_shape takes = sft_layout_shape(layout, item);
    if (match->any_classes && is_head(item) && has->rank > 0) {
        bool last = layout->out_last && item->kind == SFT_HEAD_WEIGHT;
        takes.dim[last ? takes.rank - 1 : 0] = has->dim[last ? has->rank - 1 : 0];
    }
    if (item->kind != SFT_HEAD_WEIGHT || layout->out_last) return sft_shape_equal(has, &takes);
    takes.rank = 2;
    return is_head_shape(layout, has, &takes);
}

/* ---- all of them ---- */

static void count_extra(struct sft_match *match, const bool *used)
{
    for (size_t i = 0; i < match->checkpoint->n_tensors; i++)
        match->extra += !used[i] && !sft_checkpoint_ignores(match->checkpoint->tensors[i].name);
}

static void compare(struct sft_match *match, bool *used)
{
    const struct sft_checkpoint *checkpoint = match->checkpoint;
    for (int i = 0; i < match->n; i++) {
        char name[FULL_NAME];
        const struct sft_stored_tensor *stored =
            sft_checkpoint_find(checkpoint, name_in_file(match, i, name));
        match->stored[i] = stored;
        if (!stored) {
            match->missing++;
            continue;
        }
        used[stored - checkpoint->tensors] = true;
        if (fits(match, &match->items[i], &stored->shape))
            match->found++;
        else
            match->misshaped++;
    }
    count_extra(match, used);
}

static enum sft_status match_with(const struct sft_layout *layout, const struct sft_match *what,
                                  struct sft_match *match)
{
    bool *used = sft_calloc(what->checkpoint->n_tensors, sizeof(*used));
    *match = *what;
    match->layout = layout;
    match->stored = sft_calloc((size_t)what->n, sizeof(*match->stored));
    if (used && match->stored) compare(match, used);
    free(used);
    return used && match->stored ? SFT_OK : SFT_MEMORY;
}

static bool may_be(const struct sft_layout *layout, const struct sft_match *what)
{
    return sft_layout_applies(layout, what->items, what->n) && (!layout->is || layout->is(what->checkpoint));
}

enum sft_status sft_match_best(const struct sft_parameter *items, int n,
                               const struct sft_checkpoint *checkpoint, bool any_classes,
                               struct sft_match *match)
{
    const struct sft_match what = {
        .items = items, .n = n, .checkpoint = checkpoint, .any_classes = any_classes};
    const struct sft_layout *layout;
    enum sft_status status = SFT_OK;
    *match = what;
    for (int i = 0; status == SFT_OK && (layout = sft_layout_at(i)); i++) {
        struct sft_match tried = what;
        if (!may_be(layout, &what)) continue;
        status = match_with(layout, &what, &tried);
        if (status == SFT_OK && (!match->layout || tried.found > match->found)) {
            sft_match_free(match);
            *match = tried;
        } else {
            sft_match_free(&tried);
        }
    }
    return status;
}

void sft_match_free(struct sft_match *match)
{
    free(match->stored);
    match->stored = NULL;
}

bool sft_match_fits(const struct sft_match *match) { return match->layout && match->found == match->n; }

/* ---- telling ---- */

/* A list of names for a message, of which only the first are named. */
struct names {
    struct sft_text text;
    int n;
};

static void add_name(struct names *names, const char *name, const char *detail)
{
    enum { NAMED = 6 };
    const int n = names->n++;
    if (n < NAMED)
        sft_text_printf(&names->text, "%s%.100s%s", n ? ", " : ": ", name, detail);
    else if (n == NAMED)
        sft_text_add(&names->text, ", ...");
}

static void list_parameters(const struct sft_match *match, struct names *missing, struct names *misshaped)
{
    for (int i = 0; i < match->n; i++) {
        const struct sft_shape takes = sft_layout_shape(match->layout, &match->items[i]);
        const struct sft_stored_tensor *stored = match->stored[i];
        char name[FULL_NAME], has[SFT_SHAPE_TEXT], wants[SFT_SHAPE_TEXT], detail[2 * SFT_SHAPE_TEXT + 32];
        if (!stored) {
            add_name(missing, name_in_file(match, i, name), "");
        } else if (!fits(match, &match->items[i], &stored->shape)) {
            snprintf(detail, sizeof(detail), " (%s, the model has %s)", sft_shape_str(&stored->shape, has),
                     sft_shape_str(&takes, wants));
            add_name(misshaped, stored->name, detail);
        }
    }
}

static bool is_used(const struct sft_match *match, const struct sft_stored_tensor *tensor)
{
    for (int i = 0; i < match->n; i++)
        if (match->stored[i] == tensor) return true;
    return false;
}

static void list_extra(const struct sft_match *match, struct names *extra)
{
    for (size_t i = 0; i < match->checkpoint->n_tensors; i++) {
        const struct sft_stored_tensor *tensor = &match->checkpoint->tensors[i];
        if (!sft_checkpoint_ignores(tensor->name) && !is_used(match, tensor))
            add_name(extra, tensor->name, "");
    }
}

static void append_names(struct sft_text *text, const char *what, struct names *names)
{
    sft_text_printf(text, "%s%d %s", text->length ? "; " : "", names->n, what);
    sft_text_append(text, &names->text);
    sft_text_free(&names->text);
}

void sft_match_tell(const struct sft_match *match, struct sft_text *text)
{
    struct names missing = {.n = 0}, misshaped = {.n = 0}, extra = {.n = 0};
    list_parameters(match, &missing, &misshaped);
    list_extra(match, &extra);
    append_names(text, "missing", &missing);
    append_names(text, "unexpected", &extra);
    append_names(text, "of another shape", &misshaped);
}

enum sft_status sft_match_refuse(const struct sft_match *match)
{
    struct sft_text text = {0};
    enum sft_status status;
    sft_match_tell(match, &text);
    status = text.status;
    if (status == SFT_OK)
        status =
            sft_fail(SFT_DATA, "%s does not fit the model: %s; choose the model that the file was made for",
                     match->checkpoint->path, text.data);
    sft_text_free(&text);
    return status;
}

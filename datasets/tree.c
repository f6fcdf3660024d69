/* SPDX-License-Identifier: Apache-2.0 */
#include "datasets/tree.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/base/alloc.h"

/* Folders inside one another; more are a maze of links. */
enum { MAX_DEPTH = 24 };

struct walk {
    const struct sft_tree *tree;
    struct sft_listing *listing;
    const struct sft_entry *above[MAX_DEPTH]; /* the folders that the present one lies in, and itself */
};

enum sft_status sft_entries_add(struct sft_entries *entries, const struct sft_entry *entry, const char *name)
{
    struct sft_entry copy = *entry;
    SFT_TRY(sft_grow(&entries->items, &entries->capacity, entries->count + 1, sizeof(copy)));
    copy.name = sft_names_copy(&entries->names, name);
    if (!copy.name) return SFT_MEMORY;
    entries->items[entries->count++] = copy;
    return SFT_OK;
}

static int compare_entries(const void *a, const void *b)
{
    return strcmp(((const struct sft_entry *)a)->name, ((const struct sft_entry *)b)->name);
}

static void free_entries(struct sft_entries *entries)
{
    sft_names_free(&entries->names);
    free(entries->items);
}

/* Without printf, for a million files. */
static char *join(const char *folder, const char *name)
{
    const size_t above = strlen(folder), length = strlen(name);
    char *path = sft_calloc(above + length + 2, 1);
    if (!path) return NULL;
    memcpy(path, folder, above);
    if (above) path[above] = '/';
    memcpy(path + above + (above > 0), name, length);
    return path;
}

/* ---- our own results ---- */

/* Folders that a run makes in its own. */
static bool is_results_folder(const char *name)
{
    return strcmp(name, "plots") == 0 || strcmp(name, "scores") == 0 || strncmp(name, "seed-", 5) == 0;
}

static bool holds_run(const struct walk *walk, const char *path, const struct sft_entries *entries)
{
    for (size_t i = 0; i < entries->count; i++) {
        const struct sft_entry *entry = &entries->items[i];
        uint8_t head[SFT_HEAD];
        char *name;
        size_t size;
        if (entry->kind != SFT_ENTRY_FILE || strcmp(entry->name, "run.json") != 0) continue;
        name = join(path, entry->name);
        size = name ? walk->tree->sniff(walk->tree->context, name, entry, head) : 0;
        free(name);
        return sft_is_own_run(head, size);
    }
    return false;
}

/* Is there anything in the folder of a run that a run does not make? */
static bool holds_more(const struct sft_entries *entries)
{
    for (size_t i = 0; i < entries->count; i++) {
        const struct sft_entry *entry = &entries->items[i];
        if (entry->kind == SFT_ENTRY_FOLDER && !is_results_folder(entry->name)) return true;
        if (entry->kind == SFT_ENTRY_FILE && sft_picture_by_name(entry->name) != SFT_PICTURE_NONE)
            return true;
    }
    return false;
}

/* ---- the walk ---- */

static enum sft_status walk_folder(struct walk *walk, const char *path, const struct sft_entry *folder,
                                   int depth);

/* For sft_file_look. */
struct look {
    const struct walk *walk;
    const char *path;
    const struct sft_entry *entry;
};

static size_t sniff(const void *context, uint8_t head[SFT_HEAD])
{
    const struct look *look = context;
    return look->walk->tree->sniff(look->walk->tree->context, look->path, look->entry, head);
}

static enum sft_status visit_file(struct walk *walk, const char *path, const struct sft_entry *entry)
{
    const struct look look = {walk, path, entry};
    const struct sft_file_look file = {.name = path, .sniff = sniff, .context = &look};
    const struct sft_listed item = {path, -1, entry->size, entry->mark};
    bool picture;
    SFT_TRY(sft_listing_judge(walk->listing, &file, &picture));
    return picture ? sft_listing_add(walk->listing, &item) : SFT_OK;
}

static bool is_above(const struct walk *walk, const struct sft_entry *entry, int depth)
{
    for (int i = 0; i <= depth; i++)
        if (memcmp(walk->above[i]->id, entry->id, sizeof(entry->id)) == 0) return true;
    return false;
}

static enum sft_status visit_folder(struct walk *walk, const char *path, const struct sft_entry *entry,
                                    int depth)
{
    if (is_above(walk, entry, depth)) return sft_listing_leave(walk->listing, SFT_LEFT_looping_links, path);
    if (depth + 1 == MAX_DEPTH)
        return sft_fail(SFT_DATA,
                        "%s: folders inside one another more than %d deep; is there a link that leads back?",
                        path, MAX_DEPTH);
    return walk_folder(walk, path, entry, depth + 1);
}

/* A hidden file that could be no picture by its name is no matter to anyone. */
static enum sft_left debris_kind(const struct sft_entry *entry)
{
    bool picture = sft_picture_by_name(entry->name) != SFT_PICTURE_NONE;
    return entry->kind == SFT_ENTRY_FILE && !picture ? SFT_LEFT_other_files : SFT_LEFT_hidden;
}

static enum sft_status visit(struct walk *walk, const char *path, const struct sft_entry *entry, int depth)
{
    if (sft_is_debris(entry->name)) return sft_listing_leave(walk->listing, debris_kind(entry), path);
    if (entry->kind == SFT_ENTRY_FILE) return visit_file(walk, path, entry);
    if (entry->kind == SFT_ENTRY_FOLDER) return visit_folder(walk, path, entry, depth);
    return sft_listing_leave(
        walk->listing, entry->kind == SFT_ENTRY_NOWHERE ? SFT_LEFT_broken_links : SFT_LEFT_other_files, path);
}

static enum sft_status visit_all(struct walk *walk, const char *path, const struct sft_entries *entries,
                                 bool own, int depth)
{
    for (size_t i = 0; i < entries->count; i++) {
        const struct sft_entry *entry = &entries->items[i];
        bool results = own && entry->kind == SFT_ENTRY_FOLDER && is_results_folder(entry->name);
        char *name = join(path, entry->name);
        enum sft_status status = SFT_MEMORY;
        if (name)
            status = results ? sft_listing_leave(walk->listing, SFT_LEFT_own_results, name)
                             : visit(walk, name, entry, depth);
        free(name);
        SFT_TRY(status);
    }
    return SFT_OK;
}

static enum sft_status walk_folder(struct walk *walk, const char *path, const struct sft_entry *folder,
                                   int depth)
{
    struct sft_entries entries = {0};
    enum sft_status status;
    bool own;
    walk->above[depth] = folder;
    SFT_TRY_OUT(walk->tree->list(walk->tree->context, path, folder, &entries));
    if (entries.count) qsort(entries.items, entries.count, sizeof(entries.items[0]), compare_entries);
    own = holds_run(walk, path, &entries);
    if (own && depth > 0 && !holds_more(&entries)) {
        status = sft_listing_leave(walk->listing, SFT_LEFT_own_results, path);
        goto out;
    }
    if (depth > 0) SFT_TRY_OUT(sft_listing_add_folder(walk->listing, path));
    status = visit_all(walk, path, &entries, own, depth);
out:
    free_entries(&entries);
    return status;
}

enum sft_status sft_tree_walk(const struct sft_tree *tree, const char *path, const struct sft_entry *top,
                              struct sft_listing *listing)
{
    struct walk walk = {.tree = tree, .listing = listing};
    listing->skip = path[0] ? strlen(path) + 1 : 0;
    return walk_folder(&walk, path, top, 0);
}

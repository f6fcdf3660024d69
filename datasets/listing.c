/* SPDX-License-Identifier: Apache-2.0 */
#include "datasets/listing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "runtime/base/alloc.h"
#include "runtime/base/text.h"

static const struct {
    const char *name;
    bool left_out;
    enum sft_log_level level;
    const char *one, *many;
} left_kinds[] = {
#define SFT_LEFT(name, left_out, level, one, many) {#name, left_out, level, one, many},
#include "datasets/left_out.def"
#undef SFT_LEFT
};

const char *sft_left_name(enum sft_left kind) { return left_kinds[kind].name; }

bool sft_left_is_out(enum sft_left kind) { return left_kinds[kind].left_out; }

/* ---- what is put in ---- */

enum sft_status sft_listing_add_borrowed(struct sft_listing *listing, const struct sft_listed *item)
{
    SFT_TRY(sft_grow(&listing->items, &listing->capacity, listing->count + 1, sizeof(listing->items[0])));
    listing->items[listing->count++] = *item;
    return SFT_OK;
}

enum sft_status sft_listing_add(struct sft_listing *listing, const struct sft_listed *item)
{
    struct sft_listed copy = *item;
    copy.name = sft_names_copy(&listing->names, item->name);
    return copy.name ? sft_listing_add_borrowed(listing, &copy) : SFT_MEMORY;
}

static enum sft_status add_name(char ***names, size_t *count, size_t *capacity, const char *name)
{
    SFT_TRY(sft_grow(names, capacity, *count + 1, sizeof(char *)));
    (*names)[*count] = sft_strdup(name);
    if (!(*names)[*count]) return SFT_MEMORY;
    (*count)++;
    return SFT_OK;
}

enum sft_status sft_listing_add_folder(struct sft_listing *listing, const char *name)
{
    return add_name(&listing->folders, &listing->folder_count, &listing->folder_capacity, name);
}

enum sft_status sft_listing_add_class(struct sft_listing *listing, const char *name)
{
    return add_name(&listing->classes, &listing->class_count, &listing->class_capacity, name);
}

enum sft_status sft_listing_leave(struct sft_listing *listing, enum sft_left kind, const char *name)
{
    struct sft_left_names *left = &listing->left[kind];
    if (left->count < SFT_LEFT_EXAMPLES) {
        left->examples[left->count] = sft_strdup(name);
        if (!left->examples[left->count]) return SFT_MEMORY;
    }
    left->count++;
    return SFT_OK;
}

/* Can the first bytes of a file whose name does not say so make it a picture of this kind? Two letters are
 * not enough. */
static bool is_sure(enum sft_picture_kind content)
{
    return content != SFT_PICTURE_NONE && content != SFT_BMP && content != SFT_PNM && content != SFT_JPEG_XL;
}

static enum sft_status leave_format(struct sft_listing *listing, enum sft_picture_kind kind, const char *name)
{
    listing->formats[kind]++;
    return sft_listing_leave(listing, SFT_LEFT_unread_formats, name);
}

enum sft_status sft_listing_judge(struct sft_listing *listing, const struct sft_file_look *look,
                                  bool *picture)
{
    enum sft_picture_kind name = sft_picture_by_name(look->name), content;
    uint8_t head[SFT_HEAD];
    *picture = sft_picture_is_read(name);
    if (*picture) return SFT_OK;
    content = sft_picture_by_content(head, look->sniff(look->context, head));
    if (sft_picture_is_read(content) && (is_sure(content) || look->named)) {
        *picture = look->named || name != SFT_PICTURE_NONE;
        return *picture ? SFT_OK : sft_listing_leave(listing, SFT_LEFT_misnamed, look->name);
    }
    if (name != SFT_PICTURE_NONE)
        return leave_format(listing, content != SFT_PICTURE_NONE ? content : name, look->name);
    if (is_sure(content)) return leave_format(listing, content, look->name);
    *picture = look->named; /* reading it says what is wrong */
    return *picture ? SFT_OK : sft_listing_leave(listing, SFT_LEFT_other_files, look->name);
}

/* ---- order ---- */

static int compare_bytes(const char *a, size_t a_length, const char *b, size_t b_length)
{
    int order = memcmp(a, b, a_length < b_length ? a_length : b_length);
    return order ? order : (a_length > b_length) - (a_length < b_length);
}

/* By the first folder, then all folders, then the file, each in byte order: the order of a torchvision
 * ImageFolder below the folder of the classes. */
static int compare_names(const char *x, const char *y)
{
    const char *x_base = strrchr(x, '/'), *y_base = strrchr(y, '/');
    int order = compare_bytes(x, strcspn(x, "/"), y, strcspn(y, "/"));
    if (!x_base || !y_base) return order ? order : strcmp(x, y);
    if (!order) order = compare_bytes(x, (size_t)(x_base - x), y, (size_t)(y_base - y));
    return order ? order : strcmp(x_base, y_base);
}

/* All names begin with the same `skip` bytes, so comparing those too changes nothing but the first folder. */
struct keyed {
    const char *key;
    struct sft_listed item;
};

static int compare_keyed(const void *a, const void *b)
{
    return compare_names(((const struct keyed *)a)->key, ((const struct keyed *)b)->key);
}

/* A folder is walked nearly in this order. */
static bool is_sorted(const struct sft_listing *listing)
{
    for (size_t i = 1; i < listing->count; i++)
        if (compare_names(listing->items[i - 1].name + listing->skip,
                          listing->items[i].name + listing->skip) > 0)
            return false;
    return true;
}

static enum sft_status sort_items(struct sft_listing *listing)
{
    struct keyed *keyed;
    if (is_sorted(listing)) return SFT_OK;
    keyed = sft_calloc(listing->count, sizeof(*keyed));
    if (!keyed) return SFT_MEMORY;
    for (size_t i = 0; i < listing->count; i++)
        keyed[i] = (struct keyed){listing->items[i].name + listing->skip, listing->items[i]};
    qsort(keyed, listing->count, sizeof(*keyed), compare_keyed);
    for (size_t i = 0; i < listing->count; i++) listing->items[i] = keyed[i].item;
    free(keyed);
    return SFT_OK;
}

static int compare_texts(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* ---- classes ---- */

/* What lies in the folder that `skip` leads to. */
struct level {
    size_t direct, deeper; /* pictures in it, and in folders in it */
    size_t folders;        /* in it */
    size_t filled;         /* those of them that have pictures in or below them */
    const char *first;     /* of those, the first: a name that goes on behind it */
    size_t first_direct;   /* pictures in the first, not deeper */
};

static const char *below(const struct sft_listing *listing, const char *name) { return name + listing->skip; }

static bool is_in(const char *name, const char *folder, size_t length)
{
    return strncmp(name, folder, length) == 0 && name[length] == '/';
}

/* The items are sorted. */
static struct level survey(const struct sft_listing *listing)
{
    struct level level = {0};
    const char *last = NULL;
    size_t length = 0;
    for (size_t i = 0; i < listing->count; i++) {
        const char *name = below(listing, listing->items[i].name), *slash = strchr(name, '/');
        level.direct += !slash;
        level.deeper += slash != NULL;
        if (!slash) continue;
        if (!last || !is_in(name, last, length)) {
            level.filled++;
            last = name;
            length = (size_t)(slash - name);
        }
        if (!level.first) level.first = name;
        level.first_direct += last == level.first && !strchr(slash + 1, '/');
    }
    for (size_t i = 0; i < listing->folder_count; i++)
        level.folders += !strchr(below(listing, listing->folders[i]), '/');
    return level;
}

/* Leaves out the pictures that lie directly in the folder, and gives the others' order. */
static enum sft_status drop_strays(struct sft_listing *listing)
{
    size_t kept = 0;
    for (size_t i = 0; i < listing->count; i++) {
        struct sft_listed item = listing->items[i];
        if (strchr(below(listing, item.name), '/'))
            listing->items[kept++] = item;
        else
            SFT_TRY(sft_listing_leave(listing, SFT_LEFT_stray_pictures, item.name));
    }
    listing->count = kept;
    return SFT_OK;
}

/* Goes down into the folder that all pictures below lie in. */
static enum sft_status descend(struct sft_listing *listing, const char *into)
{
    size_t length = strcspn(into, "/"), kept = 0;
    for (size_t i = 0; i < listing->folder_count; i++) {
        char *folder = listing->folders[i];
        const char *name = below(listing, folder);
        bool inside = is_in(name, into, length);
        if (!inside && !strchr(name, '/') && compare_bytes(name, strlen(name), into, length) != 0)
            SFT_TRY(sft_listing_leave(listing, SFT_LEFT_folders_beside, folder));
        listing->folders[i] = NULL;
        if (inside)
            listing->folders[kept++] = folder;
        else
            free(folder);
    }
    listing->folder_count = kept;
    listing->skip += length + 1;
    return SFT_OK;
}

/* Finds the folder of the classes; *level is what lies in it. */
static enum sft_status find_classes(struct sft_listing *listing, struct level *level)
{
    for (;;) {
        SFT_TRY(sort_items(listing));
        *level = survey(listing);
        if (level->filled != 1 || level->direct >= level->deeper) return SFT_OK;
        if (level->first_direct * 2 >= level->deeper) return SFT_OK; /* it is the folder of the pictures */
        SFT_TRY(drop_strays(listing));
        SFT_TRY(descend(listing, below(listing, listing->items[0].name)));
    }
}

static bool is_split_name(const char *name)
{
    static const char *const names[] = {"train", "training",   "test", "testing", "val",
                                        "valid", "validation", "dev",  "eval"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strcasecmp(name, names[i]) == 0) return true;
    return false;
}

static enum sft_status hint_at_splits(struct sft_listing *listing)
{
    size_t found = 0;
    for (size_t i = 0; i < listing->class_count; i++) found += is_split_name(listing->classes[i]);
    for (size_t i = 0; found > 1 && i < listing->class_count; i++)
        if (is_split_name(listing->classes[i]))
            SFT_TRY(sft_listing_leave(listing, SFT_LEFT_splits, listing->classes[i]));
    return SFT_OK;
}

/* Labels the pictures by the sorted classes, and notes those classes that have none. */
static enum sft_status label_items(struct sft_listing *listing)
{
    size_t at = 0;
    for (size_t c = 0; c < listing->class_count; c++) {
        size_t length = strlen(listing->classes[c]), first = at;
        while (at < listing->count &&
               is_in(below(listing, listing->items[at].name), listing->classes[c], length))
            listing->items[at++].label = (int)c;
        if (at == first) SFT_TRY(sft_listing_leave(listing, SFT_LEFT_empty_classes, listing->classes[c]));
    }
    return SFT_OK;
}

static enum sft_status make_classes(struct sft_listing *listing)
{
    for (size_t i = 0; i < listing->folder_count; i++) {
        const char *name = below(listing, listing->folders[i]);
        if (!strchr(name, '/')) SFT_TRY(sft_listing_add_class(listing, name));
    }
    qsort(listing->classes, listing->class_count, sizeof(char *), compare_texts);
    SFT_TRY(label_items(listing));
    return hint_at_splits(listing);
}

enum sft_status sft_listing_classify(struct sft_listing *listing)
{
    struct level level;
    if (listing->count == 0) return SFT_OK;
    SFT_TRY(find_classes(listing, &level));
    if (level.deeper == 0) return SFT_OK;
    if (level.direct == 0 || (level.direct < level.deeper && level.folders > 1)) {
        SFT_TRY(drop_strays(listing));
        return make_classes(listing);
    }
    for (size_t i = 0; i < listing->count; i++)
        if (!strchr(below(listing, listing->items[i].name), '/'))
            SFT_TRY(sft_listing_leave(listing, SFT_LEFT_pictures_beside_folders, listing->items[i].name));
    return SFT_OK;
}

/* ---- the end ---- */

/* Names each format with its number: "3 HEIC, 1 AVIF: ". */
static void add_formats(const struct sft_listing *listing, struct sft_text *text)
{
    const char *comma = "";
    for (int kind = 0; kind < SFT_PICTURE_KINDS; kind++) {
        if (!listing->formats[kind]) continue;
        sft_text_printf(text, "%s%zu %s", comma, listing->formats[kind],
                        sft_picture_name((enum sft_picture_kind)kind));
        comma = ", ";
    }
    sft_text_add(text, ": ");
}

static enum sft_status make_message(struct sft_listing *listing, enum sft_left kind)
{
    enum { NAMED = 3 };
    struct sft_left_names *left = &listing->left[kind];
    struct sft_text text = {0};
    sft_text_printf(&text, "%zu %s: ", left->count,
                    left->count == 1 ? left_kinds[kind].one : left_kinds[kind].many);
    if (kind == SFT_LEFT_unread_formats) add_formats(listing, &text);
    for (size_t i = 0; i < left->count && i < NAMED; i++) {
        if (i) sft_text_add(&text, ", ");
        sft_text_add(&text, left->examples[i]);
    }
    if (left->count > NAMED) sft_text_add(&text, ", ...");
    if (text.status != SFT_OK) {
        enum sft_status status = text.status;
        sft_text_free(&text);
        return status;
    }
    left->message = text.data;
    return SFT_OK;
}

enum sft_status sft_listing_seal(struct sft_listing *listing, const char *where)
{
    for (int kind = 0; kind < SFT_LEFT_KINDS; kind++) {
        if (!listing->left[kind].count) continue;
        SFT_TRY(make_message(listing, (enum sft_left)kind));
        sft_log(left_kinds[kind].level, "%s: %s", where, listing->left[kind].message);
    }
    return SFT_OK;
}

static void free_names(char **names, size_t count)
{
    for (size_t i = 0; i < count; i++) free(names[i]);
    free(names);
}

void sft_listing_free(struct sft_listing *listing)
{
    sft_names_free(&listing->names);
    free(listing->items);
    free_names(listing->classes, listing->class_count);
    free_names(listing->folders, listing->folder_count);
    for (int kind = 0; kind < SFT_LEFT_KINDS; kind++) {
        for (size_t i = 0; i < SFT_LEFT_EXAMPLES; i++) free(listing->left[kind].examples[i]);
        free(listing->left[kind].message);
    }
    memset(listing, 0, sizeof(*listing));
}

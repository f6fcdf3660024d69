/* SPDX-License-Identifier: Apache-2.0 */
#include "datasets/listing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "datasets/paths.h"
#include "runtime/base/alloc.h"
#include "runtime/base/file.h"

enum sft_status sft_listing_add(struct sft_listing *listing, const char *name, int label, size_t size)
{
    struct sft_listed *item;
    SFT_TRY(sft_grow(&listing->items, &listing->capacity, listing->count + 1, sizeof(listing->items[0])));
    item = &listing->items[listing->count];
    item->name = sft_strdup(name);
    if (!item->name) return SFT_MEMORY;
    item->label = label;
    item->size = size;
    item->mark = listing->count++;
    return SFT_OK;
}

bool sft_is_picture(const char *name)
{
    static const char *const endings[] = {".jpg", ".jpeg", ".png",  ".ppm", ".bmp",
                                          ".pgm", ".tif",  ".tiff", ".webp"};
    const char *slash = strrchr(name, '/'), *base = slash ? slash + 1 : name;
    if (base[0] == '.') return false; /* what macOS leaves behind: ._name.jpg */
    for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++)
        if (sft_ends_with(name, endings[i])) return true;
    return false;
}

static int compare_bytes(const char *a, size_t a_length, const char *b, size_t b_length)
{
    int order = memcmp(a, b, a_length < b_length ? a_length : b_length);
    return order ? order : (a_length > b_length) - (a_length < b_length);
}

/* By class, then folder, then file, each in byte order: the order of a torchvision ImageFolder. */
static int compare_items(const void *a, const void *b)
{
    const struct sft_listed *x = a, *y = b;
    const char *x_base = strrchr(x->name, '/'), *y_base = strrchr(y->name, '/');
    int order = compare_bytes(x->name + x->skip, strcspn(x->name + x->skip, "/"), y->name + y->skip,
                              strcspn(y->name + y->skip, "/"));
    if (!x_base || !y_base) return order ? order : strcmp(x->name, y->name);
    if (!order)
        order = compare_bytes(x->name, (size_t)(x_base - x->name), y->name, (size_t)(y_base - y->name));
    return order ? order : strcmp(x_base, y_base);
}

/* Length of the leading folders that all items share, but not of the last folder above the files. */
static size_t shared_folders(const struct sft_listing *listing)
{
    size_t strip = 0;
    for (;;) {
        const char *first = listing->items[0].name + strip, *slash = strchr(first, '/');
        size_t length = slash ? (size_t)(slash - first) + 1 : 0;
        if (!length) return strip;
        for (size_t i = 0; i < listing->count; i++) {
            const char *name = listing->items[i].name + strip;
            if (strncmp(name, first, length) != 0 || !strchr(name + length, '/')) return strip;
        }
        strip += length;
    }
}

static enum sft_status add_class(struct sft_listing *listing, const char *name, size_t length)
{
    char *copy;
    SFT_TRY(sft_grow(&listing->classes, &listing->class_capacity, listing->class_count + 1, sizeof(char *)));
    copy = sft_calloc(length + 1, 1);
    if (!copy) return SFT_MEMORY;
    memcpy(copy, name, length);
    listing->classes[listing->class_count++] = copy;
    return SFT_OK;
}

enum sft_status sft_listing_classify(struct sft_listing *listing, bool strip)
{
    size_t skip;
    if (listing->count == 0) return SFT_OK;
    skip = strip ? shared_folders(listing) : 0;
    for (size_t i = 0; i < listing->count; i++) listing->items[i].skip = skip;
    qsort(listing->items, listing->count, sizeof(listing->items[0]), compare_items);
    for (size_t i = 0; i < listing->count; i++)
        if (!strchr(listing->items[i].name + skip, '/')) return SFT_OK;
    for (size_t i = 0; i < listing->count; i++) {
        const char *name = listing->items[i].name + skip;
        size_t length = (size_t)(strchr(name, '/') - name), last = listing->class_count;
        if (!last || strncmp(listing->classes[last - 1], name, length) || listing->classes[last - 1][length])
            SFT_TRY(add_class(listing, name, length));
        listing->items[i].label = (int)listing->class_count - 1;
    }
    return SFT_OK;
}

enum sft_status sft_listing_seal(struct sft_listing *listing)
{
    size_t room = 1, used = 0;
    char *text;
    for (size_t i = 0; i < listing->count; i++) room += strlen(listing->items[i].name) + 48;
    text = sft_calloc(room, 1);
    if (!text) return SFT_MEMORY;
    for (size_t i = 0; i < listing->count; i++) {
        const struct sft_listed *item = &listing->items[i];
        used +=
            (size_t)snprintf(text + used, room - used, "%s\t%zu\t%d\n", item->name, item->size, item->label);
    }
    sft_sha256(text, used, listing->identity);
    free(text);
    return SFT_OK;
}

void sft_listing_free(struct sft_listing *listing)
{
    for (size_t i = 0; i < listing->count; i++) free(listing->items[i].name);
    for (size_t i = 0; i < listing->class_count; i++) free(listing->classes[i]);
    free(listing->items);
    free(listing->classes);
    memset(listing, 0, sizeof(*listing));
}

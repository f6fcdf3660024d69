/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of pictures by name (private to datasets/): what folders, lists and tars have in common. */
#ifndef SFT_LISTING_H
#define SFT_LISTING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "runtime/base/status.h"

struct sft_listed {
    char *name;  /* relative path, or what the list says */
    int label;   /* -1: none */
    size_t size; /* bytes of the picture's file */
    size_t mark; /* number of the picture before sorting */
    size_t skip; /* private: where in the name the class begins */
};

struct sft_listing {
    struct sft_listed *items;
    size_t count, capacity;
    char **classes;
    size_t class_count, class_capacity;
    char identity[65]; /* of names, sizes and labels in their order */
};

/* Appends a copy of `name`. */
enum sft_status sft_listing_add(struct sft_listing *listing, const char *name, int label,
                                size_t size) SFT_MUST_CHECK;

/* Sorts by path, a folder's files together, and labels each picture with the number of its first folder, as
 * torchvision's ImageFolder does: classes in byte order. Without class folders, or with a picture outside of
 * them, there are no labels. `strip`: folders that all have in common do not count as the class. */
enum sft_status sft_listing_classify(struct sft_listing *listing, bool strip) SFT_MUST_CHECK;

/* Sets the identity; when all items are in place. */
enum sft_status sft_listing_seal(struct sft_listing *listing) SFT_MUST_CHECK;

/* Is it the name of a picture? By its ending, as torchvision does, kinds that we cannot read included: a set
 * must not get smaller without a word. */
bool sft_is_picture(const char *name);

void sft_listing_free(struct sft_listing *listing);

#endif

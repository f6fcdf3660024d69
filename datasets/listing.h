/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lists of pictures by name (private to datasets/): what folders, lists and tars have in common. The listing
 * decides what is a picture of the set, what is a class, and what is left out, so that a folder and a tar of
 * it are the same set; and it says what it left out.
 */
#ifndef SFT_LISTING_H
#define SFT_LISTING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "datasets/kinds.h"
#include "datasets/names.h"
#include "runtime/base/log.h"
#include "runtime/base/status.h"

/* Of a file whose size was not asked for. */
#define SFT_SIZE_UNKNOWN SIZE_MAX

struct sft_listed {
    const char *name; /* relative path, or what the list says */
    int label;        /* -1: none */
    size_t size;      /* bytes of the picture's file, or SFT_SIZE_UNKNOWN */
    size_t mark;      /* the source's own number of the file */
};

/* What a listing has to say: SFT_LEFT_empty_classes, ... */
enum sft_left {
#define SFT_LEFT(name, left_out, level, one, many) SFT_LEFT_##name,
#include "datasets/left_out.def"
#undef SFT_LEFT
    SFT_LEFT_KINDS
};

enum { SFT_LEFT_EXAMPLES = 8 };

struct sft_left_names {
    size_t count;
    char *examples[SFT_LEFT_EXAMPLES]; /* the first of them */
    char *message;                     /* once it is sealed, where count > 0 */
};

struct sft_listing {
    struct sft_listed *items;
    size_t count, capacity;
    struct sft_names names; /* those of the items that were copied */
    char **classes;
    size_t class_count, class_capacity;
    char **folders; /* all that were seen, relative paths */
    size_t folder_count, folder_capacity;
    size_t skip; /* bytes of every name that lead to the folder of the classes */
    struct sft_left_names left[SFT_LEFT_KINDS];
    size_t formats[SFT_PICTURE_KINDS]; /* pictures left out because of their format */
};

/* Appends an item, with a copy of its name; or with the name itself, which then lives as long as the listing.
 */
enum sft_status sft_listing_add(struct sft_listing *listing, const struct sft_listed *item) SFT_MUST_CHECK;
enum sft_status sft_listing_add_borrowed(struct sft_listing *listing,
                                         const struct sft_listed *item) SFT_MUST_CHECK;

/* Notes a folder, whether or not there are pictures in it. */
enum sft_status sft_listing_add_folder(struct sft_listing *listing, const char *name) SFT_MUST_CHECK;

/* Appends a copy of `name` to the classes. */
enum sft_status sft_listing_add_class(struct sft_listing *listing, const char *name) SFT_MUST_CHECK;

/* Notes that `name` is left out. */
enum sft_status sft_listing_leave(struct sft_listing *listing, enum sft_left kind,
                                  const char *name) SFT_MUST_CHECK;

/* Whether a file is a picture of the set, by its name and what sniff(context, head) reads of its content; the
 * file is only opened where its name does not say. Notes it where it is left out. `named`: the user names the
 * file, which is then taken unless its content is a picture of another kind. */
struct sft_file_look {
    const char *name;
    bool named;
    size_t (*sniff)(const void *context, uint8_t head[SFT_HEAD]); /* returns the bytes that it read */
    const void *context;
};
enum sft_status sft_listing_judge(struct sft_listing *listing, const struct sft_file_look *look,
                                  bool *picture) SFT_MUST_CHECK;

/* Sorts by path, a folder's files together, and labels each picture with the number of its folder, as
 * torchvision's ImageFolder does: classes in byte order, those without pictures too. The folder of the
 * classes is the first one, from the top, that does not have all pictures in one folder of further folders;
 * names of the items begin with it (`skip`). Pictures beside the class folders are left out where they are
 * fewer than those inside; else nothing has a label. */
enum sft_status sft_listing_classify(struct sft_listing *listing) SFT_MUST_CHECK;

/* When all is in place: logs what was left out of the set at `where`, a line a kind. */
enum sft_status sft_listing_seal(struct sft_listing *listing, const char *where) SFT_MUST_CHECK;

/* The word for a kind ("empty_classes"); whether what it counts is not among the images. */
const char *sft_left_name(enum sft_left kind);
bool sft_left_is_out(enum sft_left kind);

void sft_listing_free(struct sft_listing *listing);

#endif

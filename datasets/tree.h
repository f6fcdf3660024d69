/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A tree of files that a listing is made from (private to datasets/): a folder on disk, or the members of an
 * archive. Both are walked by the same code, so that both give the same set.
 */
#ifndef SFT_TREE_H
#define SFT_TREE_H

#include "datasets/listing.h"

enum sft_entry_kind {
    SFT_ENTRY_FILE,
    SFT_ENTRY_FOLDER,
    SFT_ENTRY_NOWHERE, /* a link whose end is not there */
    SFT_ENTRY_OTHER,   /* a pipe, a device */
};

/* A file or folder; where it is a link, what it leads to. */
struct sft_entry {
    const char *name; /* its own, without the folders above it */
    enum sft_entry_kind kind;
    uint64_t id[2]; /* folders with the same numbers are the same folder */
    size_t size;    /* of a file, or SFT_SIZE_UNKNOWN */
    size_t mark;    /* the tree's own number for it */
};

struct sft_entries {
    struct sft_entry *items;
    size_t count, capacity;
    struct sft_names names; /* theirs */
};

struct sft_tree {
    const void *context;
    /* Appends what is in the folder, whose path is `path`, in any order. */
    enum sft_status (*list)(const void *context, const char *path, const struct sft_entry *folder,
                            struct sft_entries *entries);
    /* Puts the first bytes of the file into head, and returns how many. */
    size_t (*sniff)(const void *context, const char *path, const struct sft_entry *file,
                    uint8_t head[SFT_HEAD]);
};

/* Appends a copy of *entry under a copy of `name`. */
enum sft_status sft_entries_add(struct sft_entries *entries, const struct sft_entry *entry,
                                const char *name) SFT_MUST_CHECK;

/* Puts pictures, folders and what is left out of the tree at `top` into the listing. Names are relative paths
 * that begin with `path`, the one of `top` ("" for the root). SFT_DATA where folders lie too deep in one
 * another. */
enum sft_status sft_tree_walk(const struct sft_tree *tree, const char *path, const struct sft_entry *top,
                              struct sft_listing *listing) SFT_MUST_CHECK;

#endif

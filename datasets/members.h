/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The members of a tar as the tree of files that they would be if it was unpacked (private to datasets/): a
 * name that comes again replaces the one before, hard links have the content of what they are links to, and
 * symbolic links are followed.
 */
#ifndef SFT_MEMBERS_H
#define SFT_MEMBERS_H

#include "datasets/tree.h"

enum sft_member_kind { SFT_MEMBER_FILE, SFT_MEMBER_FOLDER, SFT_MEMBER_LINK, SFT_MEMBER_HARD_LINK };

struct sft_member {
    char *name;   /* "a/b.png": without "." and empty parts */
    char *target; /* of a link */
    enum sft_member_kind kind;
    size_t size;         /* of a file */
    const uint8_t *data; /* (kept): all of it, or its first bytes where it is no picture that is read */
    size_t kept;
    uint8_t *memory; /* where data does not lie in the mapped tar; owned */
    size_t number;   /* in the order of the tar, from 1; 0 for a folder that only its files tell of */
    bool gone;       /* replaced by a later one */
};

struct sft_members {
    struct sft_member *items;
    size_t count, capacity;
    bool names_top; /* there is a member "." */
};

/* Appends a member and gives it at *member, to be filled in; NULL for "." itself and for a name that leads
 * out of the tar, which is noted in the listing. */
enum sft_status sft_members_add(struct sft_members *members, const char *name, struct sft_listing *listing,
                                struct sft_member **member) SFT_MUST_CHECK;

/* Puts them in order when all are there, and notes in the listing what was replaced. */
enum sft_status sft_members_seal(struct sft_members *members, struct sft_listing *listing) SFT_MUST_CHECK;

/* The tree, and the folder in it that is the set: the folder `split` of it, or all of it where split is "".
 * A lone folder at the top of a tar that does not name its top (".") is what was packed. *path is the
 * folder's, owned by the members; false where there is no such split. */
struct sft_tree sft_members_tree(const struct sft_members *members);
bool sft_members_top(const struct sft_members *members, const char *split, struct sft_entry *top,
                     const char **path);

void sft_members_free(struct sft_members *members);

#endif

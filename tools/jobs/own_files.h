/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which files of a run folder are the run's own, and what becomes of them when another takes its place. What
 * somebody else put there is never replaced nor removed.
 *
 * A run that has ended lists its files in SFT_RUN_ABOUT_FILE, as "files". Of one that was killed before,
 * those are its own that have names as runs give them, but for "others", which were there when it began.
 */
#ifndef SFT_OWN_FILES_H
#define SFT_OWN_FILES_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "runtime/base/status.h"

/* Relative paths, sorted. */
struct sft_file_list {
    char **items;
    size_t count, capacity;
};

/* Lists all files in and below the folder, links among them; but not the hidden files and folders at its top
 * by which runs are kept apart. Nothing where it is not there. */
enum sft_status sft_file_list_read(const char *folder, struct sft_file_list *list) SFT_MUST_CHECK;

/* Appends a copy of the path; the list is not in order then. */
enum sft_status sft_file_list_add(struct sft_file_list *list, const char *path) SFT_MUST_CHECK;

/* Of a list in order. */
bool sft_file_list_has(const struct sft_file_list *list, const char *path);
void sft_file_list_free(struct sft_file_list *list);

/* Whether the relative path is a name as runs give it; one that every run may give to a file at its top. */
bool sft_is_run_name(const char *path);
bool sft_is_fixed_name(const char *path);

/* Gives what the folder's SFT_RUN_ABOUT_FILE holds, a reference of the caller's; NULL where there is none. */
enum sft_status sft_run_about(const char *folder, json_t **about) SFT_MUST_CHECK;

/* The run's own files. */
struct sft_own {
    bool listed; /* else names tell */
    struct sft_file_list files, others;
};

/* Of the run that `about`, which may be NULL, tells of. Release with sft_own_free() in any case. */
enum sft_status sft_own_read(const json_t *about, struct sft_own *own) SFT_MUST_CHECK;
bool sft_own_has(const struct sft_own *own, const char *path);
void sft_own_free(struct sft_own *own);

/* Puts the whole run in `from` in the place of the one in `to`: files that only the latter has are removed,
 * the others replaced one by one, run.json last; then `from` is gone. Cut off, it can be done again.
 * SFT_WRITE, and nothing has changed, where a file of somebody else's is in the way. */
enum sft_status sft_own_replace(const char *from, const char *to) SFT_MUST_CHECK;

/* Removes the folder with all that is in it, but nothing that links in it lead to. */
void sft_own_remove_tree(const char *folder);

#endif

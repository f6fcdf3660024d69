/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which of many files are there (private to datasets/). A million calls of stat() take many seconds, and over
 * a network minutes. The folders that the files lie in are listed instead, each once, and what is in them is
 * kept as hashes of 64 bits: that a file is taken for there which is not has a chance of one in millions even
 * among millions of files, and reading it says so then.
 */
#ifndef SFT_PRESENCE_H
#define SFT_PRESENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "runtime/base/status.h"

struct sft_hash_set {
    uint64_t *slots; /* 0: free */
    size_t count, capacity;
};

/* Starts with the members that are described; zeros else. */
struct sft_presence {
    const char *root; /* paths that do not begin with / are relative to it */
    bool one_by_one;  /* the files are few: stat() each */
    struct sft_hash_set folders, files;
};

/* Whether `path` is a regular file, or a link to one. SFT_MEMORY. */
enum sft_status sft_presence_has(struct sft_presence *presence, const char *path, bool *there) SFT_MUST_CHECK;
void sft_presence_free(struct sft_presence *presence);

#endif

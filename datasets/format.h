/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a data set format is to the rest of datasets/ (private to the folder). To add one: a file in
 * datasets/formats/ that defines a struct sft_format, and its row in datasets/formats/formats.def.
 */
#ifndef SFT_FORMAT_H
#define SFT_FORMAT_H

#include <stdbool.h>
#include <stdint.h>

#include "datasets/image.h"
#include "datasets/listing.h"
#include "runtime/base/file.h"

/* What can be seen of a path without knowing its format. */
struct sft_look {
    const char *path;
    bool exists, is_folder, is_file;
    uint8_t head[SFT_HEAD]; /* first bytes of a file; zeros behind its end */
    size_t read;            /* how many of them */
    int64_t size;
};

/* The open data set, filled by the format's open(). */
struct sft_source {
    void *state; /* the format's own; released by its close() */
    int64_t count;
    int classes;                       /* 0: no labels */
    bool decodes;                      /* reading costs enough that small sets are worth keeping decoded */
    const struct sft_listing *listing; /* of a set of files: names of classes and images */
    char absent[1024]; /* why the set has no such split, see sft_split_absent(); "" where it has */
};

struct sft_format {
    const char *name;
    const char *help; /* "cifar10:DIR   what it is" */
    bool needs_path;
    bool has_splits;                             /* false: open() is never asked for one */
    bool (*claims)(const struct sft_look *look); /* is this path of that format? NULL: only when named */
    /* split is "" when none was asked for. State that is half built on failure is closed by the caller. */
    enum sft_status (*open)(const char *path, const char *split, struct sft_source *source);
    /* Thread safe. */
    enum sft_status (*read)(const void *state, int64_t i, struct sft_image *image, int *label);
    /* The content of picture i of a listing; release with sft_file_close(). Thread safe. */
    enum sft_status (*content)(const void *state, int64_t i, struct sft_bytes *bytes);
    /* Bytes of its file, where the listing has sizes that are unknown. Thread safe. */
    enum sft_status (*measure)(const void *state, int64_t i, size_t *size);
    /* These two are NULL where the source has a listing, which tells both. class_name is asked for labels
     * from 0 to classes - 1 only, and NULL where there are never any. */
    const char *(*class_name)(const void *state, int label);
    /* SHA-256 of the whole source. */
    void (*identity)(const void *state, char hex[65]);
    void (*close)(void *state);
};

#define SFT_FORMAT(name) extern const struct sft_format sft_format_##name;
#include "datasets/formats/formats.def"
#undef SFT_FORMAT

/* What open() returns where the set has no such split: `status`. The message is kept in source->absent
 * instead of being logged, because the caller may only want to know. */
enum sft_status sft_split_absent(struct sft_source *source, enum sft_status status, const char *format, ...)
    SFT_PRINTF(3, 4);

#endif

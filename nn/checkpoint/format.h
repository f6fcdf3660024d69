/* SPDX-License-Identifier: Apache-2.0 */
/* What a reader of one file format does; checkpoint.c does the rest. */
#ifndef SFT_NN_CHECKPOINT_FORMAT_H
#define SFT_NN_CHECKPOINT_FORMAT_H

#include <stdbool.h>

#include "nn/checkpoint/stored.h"
#include "runtime/base/file.h"

enum { SFT_MAX_TENSORS = 65536, SFT_MAX_WRAPPER = 64 };

struct sft_checkpoint;

/* How a reader whose format holds files reads those, which are parts of its checkpoint. */
struct sft_part_opener {
    /* Whether some format that holds tensors itself looks like that. */
    bool (*is_one)(const struct sft_bytes *bytes);
    /* Opens what lies in memory, which stays the caller's, or the file at `path` where `bytes` is NULL;
     * `path` is for messages then. */
    enum sft_status (*open)(const char *path, const struct sft_bytes *bytes, const char *wanted,
                            struct sft_checkpoint **part);
};

/* An open file, or several that belong together. A reader fills in tensors and metadata. */
struct sft_checkpoint {
    const char *path;                  /* of the file that is read: in a folder, the one in it */
    struct sft_stored_tensor *tensors; /* sorted by name once it is open */
    size_t n_tensors;
    struct sft_metadata *metadata;
    size_t n_metadata;
    /* What PyTorch's wrappers put before every name, as "module._orig_mod."; "" mostly. */
    char wrapper[SFT_MAX_WRAPPER];
    /* Which of a file's dictionaries the tensors are those of, as "state_dict_ema" or "state/model"; NULL
     * where there is no choice. */
    const char *key;
    /* The keys of the dictionary that holds that one, a line each, as "step\nmodel\noptim\n"; NULL where
     * there is none. */
    const char *keys;
    /* The text of the config.json that lies beside a model of the Hugging Face Hub; NULL where there is none.
     */
    const char *config;
    const char *format_name; /* "PyTorch (zip)" */
    uint64_t bytes;          /* of all its files */

    /* private */
    const char *wanted; /* the key that is asked for; NULL: the reader's choice */
    bool within;        /* this is a part of another: it may have no parts */
    const struct sft_part_opener *opener;
    struct sft_bytes file;
    bool borrowed; /* `file` is somebody else's */
    const struct sft_checkpoint_format *format;
    void *state;                   /* the format's */
    struct sft_checkpoint **parts; /* the files of one in several, in the order of their names; owned */
    size_t n_parts;
    void **owned;
    size_t n_owned, room_owned;
};

struct sft_checkpoint_format {
    const char *name;
    bool unsure;      /* data sets may begin like that, too */
    bool holds_files; /* its parts are checkpoints of their own, which hold none */
    /* Whether the file looks like this format, by its first bytes, or for archives by their list. */
    bool (*is)(const struct sft_bytes *file);
    /* Fills checkpoint->tensors (in any order) and ->metadata with pointers into `file`, which stays mapped,
     * and into memory that checkpoint->state holds or sft_checkpoint_own() gave. On failure `release` is
     * called on what there is. */
    enum sft_status (*read)(struct sft_checkpoint *checkpoint, const struct sft_bytes *file);
    void (*release)(struct sft_checkpoint *checkpoint); /* may be NULL */
};

/* Zeroed memory that is freed when the checkpoint is closed; NULL with a message where there is none. */
void *sft_checkpoint_own(struct sft_checkpoint *checkpoint, size_t count, size_t size);

/* A copy of `length` bytes and a zero, likewise. */
char *sft_checkpoint_own_text(struct sft_checkpoint *checkpoint, const void *bytes, size_t length);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Options: each command declares its own as a table of rows, and everything else follows from the row: how
 * the text is read and checked, the default, --help, the man page, shell completion, the names in a --config
 * file, and what run.json says was chosen.
 *
 * A command keeps its values in a struct of its own; a row says where by offset:
 *
 *     struct bench { struct sft_common common; int64_t repeats; };
 *     {"repeats", SFT_OPTION_INT, offsetof(struct bench, repeats), .value = "N", .fallback = "10",
 *      .min = 1, .max = 1000, .help = "runs of each kernel"},
 */
#ifndef SFT_OPTION_H
#define SFT_OPTION_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "runtime/base/status.h"

enum { SFT_OPTION_MAX_INTS = 16, SFT_OPTION_MAX_TEXTS = 64 };

struct sft_ints {
    int count;
    int64_t values[SFT_OPTION_MAX_INTS];
};

struct sft_texts {
    int count;
    const char *values[SFT_OPTION_MAX_TEXTS];
};

/* What a row's field is. */
enum sft_option_type {
    SFT_OPTION_FLAG,   /* bool: true when given (a --config file may say yes or no) */
    SFT_OPTION_INT,    /* int64_t in min .. max */
    SFT_OPTION_REAL,   /* double in min .. max */
    SFT_OPTION_SIZE,   /* uint64_t: bytes, with K, M, G or T for powers of 1024 */
    SFT_OPTION_TEXT,   /* const char *; NULL when not given */
    SFT_OPTION_CHOICE, /* int: place in `choices` */
    SFT_OPTION_INTS,   /* struct sft_ints: numbers in min .. max with commas between */
    SFT_OPTION_TEXTS,  /* struct sft_texts: may be given repeatedly */
};

struct sft_option {
    const char *name; /* without the dashes */
    enum sft_option_type type;
    size_t offset;              /* of the field in the command's struct of values */
    const char *value;          /* the placeholder in help: "N", "DIR" */
    const char *fallback;       /* the default as one would type it; NULL: the zeroed field */
    double min, max;            /* of numbers */
    const char *const *choices; /* NULL-terminated */
    const char *environment;    /* the variable that also sets it, or NULL */
    const char *help;           /* one sentence without a full stop */
    bool required;
    const char *(*list)(int i); /* further lines of help from a library's table; NULL behind the last */
};

/* Rows that belong together in help, up to a row without a name. */
struct sft_option_group {
    const char *title;
    const struct sft_option *options;
};

/* Where an option's value came from; a later one wins over an earlier one. */
enum sft_option_origin { SFT_FROM_DEFAULT, SFT_FROM_FILE, SFT_FROM_ENVIRONMENT, SFT_FROM_FLAG };

/* Reads `text` into the option's field of `values`; texts are borrowed. A TEXTS option appends. `where` names
 * the source in messages ("--steps", "run.ini:3: steps", "SFT_VK_THREADS"). SFT_USAGE for what cannot be read
 * or is out of range. */
enum sft_status sft_option_set(const struct sft_option *option, void *values, const char *text,
                               const char *where) SFT_MUST_CHECK;

/* Back to the zeroed field: what a stronger origin does to the list of a weaker one. */
void sft_option_clear(const struct sft_option *option, void *values);

/* The value for run.json; null for a text that was not given. A new reference, NULL when there is no memory.
 */
json_t *sft_option_json(const struct sft_option *option, const void *values);

/* Whether the option takes a value. */
bool sft_option_takes_value(const struct sft_option *option);

/* Row by name in NULL-title-terminated groups; NULL where there is none. */
const struct sft_option *sft_option_find(const struct sft_option_group *groups, const char *name);

/* The name among all options in `groups` that `text` is most likely a slip of, or NULL when none is near. */
const char *sft_option_nearest(const struct sft_option_group *groups, const char *text);

#endif

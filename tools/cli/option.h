/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Options: each command declares its own as a table of rows, and everything else follows from the row: how
 * the text is read and checked, --help, the man page, shell completion, the names in a --config file, and
 * what run.json says was chosen.
 *
 * A row writes straight into the struct that is used later, which may be a library's parameters: it says
 * where the field is and how large, so that an option of whole numbers fills an int as well as an int64_t.
 * Defaults are what the command's init() leaves in the struct before the first option is read.
 *
 *     struct bench { struct sft_common common; int64_t repeats; };
 *     {"repeats", SFT_OPTION_INT, SFT_FIELD(struct bench, repeats), .value = "N", .min = 1, .max = 1000,
 *      .help = "runs of each kernel"},
 */
#ifndef SFT_OPTION_H
#define SFT_OPTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "runtime/base/json.h"
#include "tools/jobs/lists.h"

/* What a row's field is. Its size says which of the C types it has. */
enum sft_option_type {
    SFT_OPTION_FLAG,     /* bool: true when given (a --config file may say yes or no) */
    SFT_OPTION_NOT,      /* bool: false when given, for options like --no-shuffle */
    SFT_OPTION_INT,      /* int, int64_t or uint64_t, in min .. max */
    SFT_OPTION_REAL,     /* float or double, in min .. max */
    SFT_OPTION_SIZE,     /* uint64_t: bytes, with K, M, G or T for powers of 1024 */
    SFT_OPTION_TEXT,     /* const char *; NULL when not given */
    SFT_OPTION_CHOICE,   /* an enum, an int or a bool: the place of a word in `choices` */
    SFT_OPTION_INTS,     /* struct sft_ints: numbers in min .. max with commas between */
    SFT_OPTION_CHANNELS, /* struct sft_channels: three numbers in min .. max with commas between */
    SFT_OPTION_TEXTS,    /* struct sft_texts: may be given repeatedly */
    SFT_OPTION_SETS,     /* struct sft_sets: NAME=SPEC, may be given repeatedly */
};

/* Where the field `member` lies in the struct `type`, and its size. */
#define SFT_FIELD(type, member) offsetof(type, member), sizeof(((type *)0)->member)

struct sft_option {
    const char *name; /* without the dashes */
    enum sft_option_type type;
    size_t offset, size;        /* of the field in the command's struct of values: SFT_FIELD */
    const char *value;          /* the placeholder in help: "N", "DIR" */
    double min, max;            /* of numbers */
    const char *const *choices; /* NULL-terminated */
    const char *environment;    /* the variable that also sets it, or NULL */
    const char *help;           /* one sentence without a full stop */
    bool required;
    bool incidental; /* does not decide the outcome of a training, or what it names or picks is told by
                        content:
                        --resume may come with another value */
    bool
        measures; /* decides what is measured of a trained model: --resume may come with another value, too */
    const char *(*list)(int i); /* further lines of help from a library's table; NULL behind the last */
};

/* Rows that belong together in help, up to a row without a name. */
struct sft_option_group {
    const char *title;
    const struct sft_option *options;
};

/* Where an option's value came from; a later one wins over an earlier one. */
enum sft_option_origin { SFT_FROM_DEFAULT, SFT_FROM_FILE, SFT_FROM_ENVIRONMENT, SFT_FROM_FLAG };

/* Reads `text` into the option's field of `values`; texts are borrowed. A TEXTS or SETS option appends.
 * `where` names the source in messages ("--steps", "run.ini:3: steps", "SFT_VK_THREADS"). SFT_USAGE for what
 * cannot be read or is out of range. */
enum sft_status sft_option_set(const struct sft_option *option, void *values, const char *text,
                               const char *where) SFT_MUST_CHECK;

/* Zeroes the field: a stronger origin does this to the list of a weaker one. */
void sft_option_clear(const struct sft_option *option, void *values);

/* Adds the value to the object that `json` stands in, under the option's name; null for what was not given.
 * A float is written as the shortest decimal number that reads back as it. */
void sft_option_json(const struct sft_option *option, const void *values, struct sft_json *json);

/* The value as one would type it, into text[size]; false for one that could not be typed: an empty list, no
 * text, a number out of range, which stands for "not given". */
bool sft_option_print(const struct sft_option *option, const void *values, char *text, size_t size);

/* Whether the option takes a value. */
bool sft_option_takes_value(const struct sft_option *option);

/* Whether it may be given more than once. */
bool sft_option_repeats(const struct sft_option *option);

/* Whether the field has a size that the option's type can fill, and has room for `min` and `max`. */
bool sft_option_fits(const struct sft_option *option);

/* Row by name in NULL-title-terminated groups; NULL where there is none. */
const struct sft_option *sft_option_find(const struct sft_option_group *groups, const char *name);

/* The name among all options in `groups` that `text` is most likely a slip of, or NULL when none is near. */
const char *sft_option_nearest(const struct sft_option_group *groups, const char *text);

#endif

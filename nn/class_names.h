/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The names of a classifier's classes, in the order of its logits. They travel with weights and calibrations,
 * so that data with other classes is noticed, whose labels would be taken by their numbers.
 */
#ifndef SFT_NN_CLASS_NAMES_H
#define SFT_NN_CLASS_NAMES_H

#include "runtime/base/json.h"

/* Starts as {0}: the names are not known. */
struct sft_class_names {
    char **names; /* (n) any bytes; owned */
    int n;
    size_t room; /* private */
};

void sft_class_names_free(struct sft_class_names *names);

/* Appends a copy of `name`. */
enum sft_status sft_class_names_add(struct sft_class_names *names, const char *name) SFT_MUST_CHECK;

/* Puts copies of all of `from` into *names, which is {0}. Free it in any case. */
enum sft_status sft_class_names_copy(const struct sft_class_names *from,
                                     struct sft_class_names *names) SFT_MUST_CHECK;

/* Puts an array of texts where the builder stands. */
void sft_class_names_to_json(const struct sft_class_names *names, const char *key, struct sft_json *json);

/* Reads such an array, of a file or (parse) as text, into *names, which is {0}. Free it in any case.
 * SFT_DATA, without a message, where it is no array of texts. */
enum sft_status sft_class_names_from_json(const json_t *array, struct sft_class_names *names) SFT_MUST_CHECK;
enum sft_status sft_class_names_parse(const char *text, struct sft_class_names *names) SFT_MUST_CHECK;

/* How the names of data are to those of weights. */
enum sft_class_match {
    SFT_CLASSES_SAME,   /* or one side is not known */
    SFT_CLASSES_PREFIX, /* the same as far as the shorter list goes */
    SFT_CLASSES_MOVED,  /* the same names in another order, or with some in between left out */
    SFT_CLASSES_OTHER,  /* a name that the other side does not have */
};

/* *first is the first class whose names are not the same (PREFIX: that one side does not have). */
enum sft_class_match sft_class_names_compare(const struct sft_class_names *a, const struct sft_class_names *b,
                                             int *first);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * In which order the classifier of a file numbers its classes.
 *
 * Here a class is a number in one order, that of the data: class folders are sorted by name. So a file's head
 * is put into that order when it is loaded, and into the file's own when it is saved
 * (sft_parameters_order_classes). All that lies between, labels, logits, class names, groups and predictions,
 * knows one order only; a file that is written has the order of the one that was read, and the metadata
 * "class_order" with "class_names" in that order, from which it is read again.
 *
 * The group-finetune files of MOS need no exchange of rows: their groups say which class a logit is of.
 */
#ifndef SFT_NN_CLASS_ORDER_H
#define SFT_NN_CLASS_ORDER_H

#include <stdbool.h>

#include "nn/class_names.h"

enum { SFT_IMAGENET_CLASSES = 1000, SFT_MOS_GROUPS = 8 };

/* Whether it is "sorted" or "mos" and not the name of a file. */
bool sft_class_order_is_word(const char *order);

/* Appends the WordNet ids of ImageNet's classes in the order in which MOS numbers them. */
enum sft_status sft_class_order_mos(struct sft_class_names *names) SFT_MUST_CHECK;

/* The groups of MOS for ImageNet's classes, sorted by WordNet id, as text of nn/groups.h for the caller to
 * free(); NULL without memory. */
char *sft_class_order_mos_groups(void);

/* Reads a text file with a name a line, in the order of a head of `classes` rows. SFT_DATA, with its line,
 * for a name that is there twice, and for more or fewer names. */
enum sft_status sft_class_order_read(const char *path, int classes,
                                     struct sft_class_names *names) SFT_MUST_CHECK;

/* Sorts names that are in the order of rows; (*rows)[i] is the place of row i's name among them, NULL where
 * they were sorted already. free() it. SFT_DATA, naming `where`, for a name that is there twice. */
enum sft_status sft_class_order_sort(const char *where, struct sft_class_names *names,
                                     int **rows) SFT_MUST_CHECK;

/* Copies sorted names in the order of rows. */
enum sft_status sft_class_order_unsort(const struct sft_class_names *sorted, const int *rows,
                                       struct sft_class_names *names) SFT_MUST_CHECK;

#endif

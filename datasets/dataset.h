/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Data sets: numbered pictures with or without labels, whatever they are packed in.
 *
 * A data set is named by a SPEC (README.md, "Your data"):
 *     [FORMAT:]PATH[#SPLIT][[FIRST:END]]
 * Without FORMAT it is found by looking at PATH. #train and #test pick a split where there are some;
 * [FIRST:END] takes the images FIRST .. END-1 of it (either may be left out), so that
 * cifar10:DIR#train[45000:] is a held-back part. A file or folder whose name has these characters in it is
 * meant as it is written: where there is a folder "pets#2", the SPEC pets#2 is that folder.
 *
 * Formats are the rows of datasets/formats/formats.def; each is one file of datasets/formats/.
 */
#ifndef SFT_DATASET_H
#define SFT_DATASET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "datasets/image.h"
#include "runtime/base/status.h"

struct sft_dataset;

/* Opens the data set that `spec` names, *out NULL on failure. SFT_USAGE: an unknown format or split, a part
 * that is not there. SFT_DATA: what it names is missing, empty or damaged. Record files are unpacked and
 * checked here (by sft_parallel_for); pictures in folders, lists and tars are decoded when they are read.
 * What is left out of those is logged, a warning for each kind. */
enum sft_status sft_dataset_open(const char *spec, struct sft_dataset **out) SFT_MUST_CHECK;
void sft_dataset_close(struct sft_dataset **dataset);

/* Opens the split `split` of the set that `spec` names, whatever split `spec` itself names, and without its
 * range. *dataset is NULL with SFT_OK, and nothing is logged, where the set or its format has no such split.
 * Fails as sft_dataset_open() does where the set is missing, or the split is there but damaged. */
enum sft_status sft_dataset_open_split(const char *spec, const char *split,
                                       struct sft_dataset **dataset) SFT_MUST_CHECK;

/* The text it was opened with. */
const char *sft_dataset_spec(const struct sft_dataset *dataset);

/* The split that this text names; "" where it names none. */
const char *sft_dataset_split(const struct sft_dataset *dataset);

/* Number of images, at least 1. */
int64_t sft_dataset_count(const struct sft_dataset *dataset);

/* Number of classes; 0 when images have no labels. */
int sft_dataset_classes(const struct sft_dataset *dataset);

/* Name of class `label`, 0 <= label < classes; "?" otherwise. Belongs to the data set. */
const char *sft_dataset_class_name(const struct sft_dataset *dataset, int label);

/* Puts image i (0 <= i < count) into *image, and its class into *label: 0 .. classes-1, or -1 without labels.
 * SFT_DATA when the picture is damaged. Thread safe; small sets are kept decoded after the first reading. */
enum sft_status sft_dataset_read(const struct sft_dataset *dataset, int64_t i, struct sft_image *image,
                                 int *label) SFT_MUST_CHECK;

/* Whether a picture may turn out to be damaged when it is read: those of files that are opened one by one.
 * The records of other sets were checked when the set was opened. */
bool sft_dataset_may_be_damaged(const struct sft_dataset *dataset);

/* What the user calls image i: the path of its file within the set, or "SPEC[i]". `text` (n bytes) may be
 * used for it. */
const char *sft_dataset_image_name(const struct sft_dataset *dataset, int64_t i, char *text, size_t n);

/* What is to be said of a set of files: what it has that is not among its images (datasets/left_out.def), of
 * one kind. The strings belong to the data set. */
struct sft_dataset_remark {
    const char *kind;    /* a word: "empty_classes", "hidden" */
    const char *message; /* "2 hidden folders or files are left out: .git, ..." */
    bool left_out;       /* what it counts is not among the images; else it is a hint */
    size_t count;
    const char *const *examples; /* names, the first few */
    size_t n_examples;
};

/* Remark i, from 0; false behind the last. */
bool sft_dataset_remark(const struct sft_dataset *dataset, int i, struct sft_dataset_remark *remark);

/* How many of the pictures that were read so far are stored turned or mirrored, as their EXIF data say. They
 * are taken as they are stored; closing the data set says how many there were, once. */
int64_t sft_dataset_turned(const struct sft_dataset *dataset);

/* Keeps the first n images; more than there are, or n < 1, leaves all. Not while others read. */
void sft_dataset_limit(struct sft_dataset *dataset, int64_t n);

/* Keeps images indices[0 .. n-1] of the present ones, in this order; an image may come twice. SFT_USAGE when
 * n < 1 or an index is not below the count. Not while others read. */
enum sft_status sft_dataset_select(struct sft_dataset *dataset, const int64_t *indices,
                                   int64_t n) SFT_MUST_CHECK;

/* From now on an image of class c is one of class map[c], and the set has `classes` classes called names[]:
 * those of a model that numbers them otherwise. map[c] < classes. All is copied; the hash stays. Not while
 * others read. */
enum sft_status sft_dataset_relabel(struct sft_dataset *dataset, const int *map, const char *const *names,
                                    int classes) SFT_MUST_CHECK;

/* SHA-256 that tells this list of images from another, by content and not by how it is named or packed: of
 * the records where the set is a record file; of files and labels in their order, and of the classes, where
 * it is a folder, list or tar. Those are read for it once, by sft_parallel_for(), and of sets of more than 4
 * GiB only in part (datasets/contents.h). SFT_DATA for a file that cannot be read. Not while others ask. */
enum sft_status sft_dataset_hash(const struct sft_dataset *dataset, char hex[65]) SFT_MUST_CHECK;

/* Line i of the list of formats, for help texts: "cifar10:DIR   what it is"; NULL behind the last. */
const char *sft_dataset_format_help(int i);

#endif

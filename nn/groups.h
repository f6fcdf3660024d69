/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The grouped classifier of MOS: Huang and Li, "MOS: Towards scaling out-of-distribution detection for large
 * semantic space", CVPR 2021.
 *
 * Classes are cut into groups. Group g has size_g + 1 consecutive logits: "others" first, then its classes,
 * in the order in which they are listed; p^g is the softmax over these. So C classes in G groups take C + G
 * logits, as in the published checkpoints. In group g an image of class c has the label 1 + (place of c)
 * where the group has c, and 0 ("others") in all other groups; the loss is the sum of the groups' cross
 * entropies (nn/loss.h). Predicted is the class with the largest probability within its group
 * (nn/prediction.h), and min_g p^g_0, the least probability of "others", is the score (ood/scores/mos.c).
 *
 * As text, as in checkpoints: the classes' numbers with commas between, groups with semicolons between,
 * "0,1,2;4,3".
 */
#ifndef SFT_NN_GROUPS_H
#define SFT_NN_GROUPS_H

#include <stdint.h>

#include "runtime/base/status.h"

struct sft_groups {
    int n, classes;
    int outputs;    /* logits: classes + n */
    int *first;     /* (n + 1): group g's logits are first[g] .. first[g + 1] - 1, "others" at first[g] */
    int *class_of;  /* (outputs): the class of a logit; -1: "others" */
    int *output_of; /* (classes): its inverse */
    char *text;
};

/* Reads the text form for `classes` classes; release with sft_groups_destroy. SFT_DATA, naming `where`, for
 * fewer than two groups, one without classes, what is no class, and a class that is in two groups or in
 * none. */
enum sft_status sft_groups_create(const char *text, int classes, const char *where,
                                  struct sft_groups **groups) SFT_MUST_CHECK;
void sft_groups_destroy(struct sft_groups **groups);

/* How many groups a text describes, well-formed or not. */
int sft_groups_count(const char *text);

/* The labels of n images in each group: targets (groups, n). -1 stays -1. With `groups` NULL the labels as
 * they are. */
void sft_groups_targets(const struct sft_groups *groups, const int32_t *labels, int64_t n, int32_t *targets);

#endif

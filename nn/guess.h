/* SPDX-License-Identifier: Apache-2.0 */
/* Which model a checkpoint is of. */
#ifndef SFT_NN_GUESS_H
#define SFT_NN_GUESS_H

#include "nn/checkpoint/checkpoint.h"
#include "nn/positions.h"
#include "nn/variant.h"

struct sft_model_config {
    const char *name;       /* of a variant */
    int classes;            /* >= 2 */
    int gn_groups;          /* groups of every group norm; 0: the variant's own rule */
    const char *mos_groups; /* groups of classes, as nn/groups.h has them; NULL: a plain classifier */
    float mean[3], std[3];  /* of the input by channel; std 0: the variant's own */
    int image_size;         /* pixels a side; 0: the variant's own */
    int pos_embed;          /* enum sft_pos_embed: for images of another size than the file's */
};

/* The size of images that the file's position embeddings are for; 0 where the variant has none, or the file
 * has not. */
int sft_model_native_size(const struct sft_checkpoint *checkpoint, const struct sft_variant *variant);

/* Fills in the members of `config` that are 0: the name from the metadata that sft_model_save writes, else
 * the variant whose names and shapes are all in the file; the classes from the head's shape; the groups of
 * norms and of classes, mean, deviation and image size from the metadata (mos_groups then points into the
 * checkpoint); the image size otherwise from the position embeddings, where the variant has them.
 * SFT_DATA when no variant fits, or metadata is no number. Whether a given name fits is told by
 * sft_parameters_load. */
enum sft_status sft_model_guess(const struct sft_checkpoint *checkpoint,
                                struct sft_model_config *config) SFT_MUST_CHECK;

#endif

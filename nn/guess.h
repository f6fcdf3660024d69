/* SPDX-License-Identifier: Apache-2.0 */
/* Which model a checkpoint is of. */
#ifndef SFT_NN_GUESS_H
#define SFT_NN_GUESS_H

#include "nn/layouts/layout.h"
#include "nn/positions.h"
#include "nn/variant.h"
#include "runtime/base/framing.h"
#include "runtime/base/text.h"

struct sft_model_config {
    const char *name;           /* of a variant */
    int classes;                /* >= 2 */
    int gn_groups;              /* groups of every group norm; 0: the variant's own rule */
    const char *mos_groups;     /* groups of classes, as nn/groups.h has them; NULL: a plain classifier */
    float mean[3], std[3];      /* of the input by channel; std 0: the variant's own */
    int image_size;             /* pixels a side; 0: the variant's own */
    int pos_embed;              /* enum sft_pos_embed: for images of another size than the file's */
    struct sft_framing framing; /* of pictures; members that are 0: the variant's own */
    float standardize_epsilon;  /* of weight standardisation; 0: as the layout says, or 1e-10 */
    /* Order of classes of a file's head: "sorted", "mos" or a file that nn/class_order.h reads; NULL: as the
     * file or its layout says. */
    const char *class_order;

    /* Found in the file. */
    const struct sft_layout *layout;
    bool imagenet_groups; /* the head is of the groups that MOS has for ImageNet, which mos_groups lacks */
};

/* The size of images that the file's position embeddings are for; 0 where the variant has none, or the file
 * has not. */
int sft_model_native_size(const struct sft_checkpoint *checkpoint, const struct sft_variant *variant);

/* Fills in the members of `config` that are 0: the name from the metadata that sft_model_save writes, else
 * the variant whose names and shapes are all in the file; the classes from the head's shape; the groups of
 * norms and of classes, mean, deviation, image size and epsilon from the metadata (mos_groups then points
 * into the checkpoint), or else from the config.json beside it (nn/hub_config.h), or else from the layout,
 * the image size from the position embeddings. SFT_DATA when no variant fits or several do, with their names
 * or what differs from the nearest, and when metadata is no number. Whether a given name fits is told by
 * sft_parameters_load. */
enum sft_status sft_model_guess(const struct sft_checkpoint *checkpoint,
                                struct sft_model_config *config) SFT_MUST_CHECK;

enum { SFT_MAX_FITS = 8 };

/* Which models a file may be of, by its names and shapes alone. */
struct sft_model_search {
    const struct sft_variant *fits[SFT_MAX_FITS]; /* a smaller net may be part of a larger: the largest */
    int n_fits, parameters;                       /* of each of them */
    const struct sft_variant *nearest; /* where none fits, the one of which most is there, or NULL */
    const struct sft_layout *layout;   /* in which they fit, or the nearest does almost */
    struct sft_text differences;       /* of the nearest (sft_match_tell) */
    int off;                           /* private */
};

/* Release with sft_model_search_free() in any case. */
enum sft_status sft_model_search(const struct sft_checkpoint *checkpoint,
                                 struct sft_model_search *search) SFT_MUST_CHECK;
void sft_model_search_free(struct sft_model_search *search);

#endif

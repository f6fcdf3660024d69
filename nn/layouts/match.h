/* SPDX-License-Identifier: Apache-2.0 */
/* How the parameters of a model and the tensors of a file fit together, in the layout that fits best. */
#ifndef SFT_NN_MATCH_H
#define SFT_NN_MATCH_H

#include "nn/layouts/layouts.h"
#include "runtime/base/text.h"

struct sft_match {
    const struct sft_layout *layout;
    const struct sft_parameter *items; /* (n) borrowed */
    int n;
    bool any_classes;
    const struct sft_checkpoint *checkpoint; /* borrowed */
    const struct sft_stored_tensor *
        *stored;                          /* (n) of each parameter, in whatever shape; NULL: missing; owned */
    int found, missing, misshaped, extra; /* found: in the right shape; extra: tensors of the file that
                                             are of none */
};

/* Of all layouts that say something about the parameters, the one in which most are found in the right shape;
 * the first of several. With `any_classes` a head may be of any number of classes. Release with
 * sft_match_free() in any case. */
enum sft_status sft_match_best(const struct sft_parameter *items, int n,
                               const struct sft_checkpoint *checkpoint, bool any_classes,
                               struct sft_match *match) SFT_MUST_CHECK;
void sft_match_free(struct sft_match *match);

/* The tensor that has the name which one of the layouts gives our parameter `name`, in whatever shape; NULL
 * where there is none. */
const struct sft_stored_tensor *sft_match_find(const struct sft_checkpoint *checkpoint, const char *name);

/* Whether the file has all parameters in their shapes. */
bool sft_match_fits(const struct sft_match *match);

/* SFT_DATA, with what differs. */
enum sft_status sft_match_refuse(const struct sft_match *match) SFT_MUST_CHECK;

/* Appends "2 missing: ...; 1 unexpected: ...; 0 of another shape", with the first names under which the file
 * has or would have them. */
void sft_match_tell(const struct sft_match *match, struct sft_text *text);

#endif

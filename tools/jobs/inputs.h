/* SPDX-License-Identifier: Apache-2.0 */
/* What a job reads: a model and data sets, by name or open already. */
#ifndef SFT_INPUTS_H
#define SFT_INPUTS_H

#include "datasets/dataset.h"
#include "nn/model.h"
#include "runtime/base/json.h"
#include "tools/jobs/lists.h"

/* The model that a job works with. */
struct sft_job_model {
    struct sft_device *device; /* where it computes; open, borrowed */
    const char *weights;       /* path of its checkpoint */
    const char *variant;       /* name of its architecture; NULL: as the checkpoint tells */
    int gn_groups;  /* of every group norm; 0: as the checkpoint tells, or the architecture's rule */
    int image_size; /* pixels a side; 0: as the checkpoint tells, or the architecture's own */
    int pos_embed;  /* enum sft_pos_embed: where that is not the checkpoint's own size */
    struct sft_channels mean,
        std; /* of the input, both or none: as the checkpoint tells, or the architecture's */
    struct sft_framing
        framing;             /* of pictures; for members of 0 as the checkpoint tells, or the architecture */
    const char *class_order; /* of the checkpoint's head: "sorted", "mos" or a file; NULL: as it tells */
    struct sft_model *open;  /* takes the place of what `weights` names where not NULL; borrowed */
};

/* What to tell nn/ of it. SFT_USAGE for one of mean and std without the other. */
enum sft_status sft_job_model_config(const struct sft_job_model *source,
                                     struct sft_model_config *config) SFT_MUST_CHECK;

/* The model in *model: source->open, or read from the checkpoint and then in *own, too, for the caller to
 * destroy. */
enum sft_status sft_job_model_open(const struct sft_job_model *source, struct sft_model **model,
                                   struct sft_model **own) SFT_MUST_CHECK;

/* The file that `class_order` names; NULL where it is a word or nothing. */
const char *sft_job_order_file(const struct sft_job_model *source);

/* Adds "input": how a picture becomes what the model sees, by value. */
void sft_job_note_input(const struct sft_model *model, struct sft_json *record);

/* Opens a data set and keeps the first `limit` images; 0: all. *set is NULL on failure. */
enum sft_status sft_open_set(const char *spec, int64_t limit, struct sft_dataset **set) SFT_MUST_CHECK;

#endif

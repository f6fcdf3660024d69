/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of a batch on their way to a step's tensors, and their losses on the way back. */
#ifndef SFT_SAM_ROWS_H
#define SFT_SAM_ROWS_H

#include "sam/step_state.h"

/* What is learnt from: ID rows first. A part's rows are some of either. */
struct sft_rows {
    const float *images;
    const int32_t *labels;
};

/* Takes a part of the batch (0 where there are no parts): its labels and row weights, which count the rows of
 * the whole part, into the step's buffers. The images have to be there as long as slices of it are uploaded.
 */
void sft_rows_prepare(struct sft_step *step, const struct sft_rows *batch, int part);

/* Uploads images, labels and weights of a slice of the part that was prepared (0 where there are no slices);
 * or the weights alone. Rows that the last slice lacks keep the images of the slice before, with the weight
 * 0. */
enum sft_status sft_rows_upload(struct sft_step *step, int part, int slice) SFT_MUST_CHECK;
enum sft_status sft_rows_upload_weights(struct sft_step *step, int slice) SFT_MUST_CHECK;

/* Downloads the losses of a slice's rows from `slot` to their places in the whole batch. */
enum sft_status sft_rows_download(struct sft_step *step, enum sft_slot slot, int part, int slice,
                                  float *losses) SFT_MUST_CHECK;

/* Sets the losses of `result`: the means of either kind over `rows`, the losses of the whole batch. */
void sft_rows_means(const struct sft_step *step, const float *rows, const int32_t *labels,
                    struct sft_step_result *result);

#endif

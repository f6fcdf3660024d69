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

/* Uploads the images, labels and weights of part `part` (0 where there are no parts). */
enum sft_status sft_rows_upload(struct sft_step *step, const struct sft_rows *batch, int part) SFT_MUST_CHECK;

/* Downloads the losses of a part's rows to their places in step->row_buffer. */
enum sft_status sft_rows_download(struct sft_step *step, int part) SFT_MUST_CHECK;

/* Sets the losses of `result`: the means of either kind over `rows`, the losses of the whole batch. */
void sft_rows_means(const struct sft_step *step, const float *rows, const int32_t *labels,
                    struct sft_step_result *result);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#include "sam/rows.h"

#include "nn/loss.h"

/* Where row `row` of part `part` lies in the batch. */
static int64_t row_in_batch(const struct sft_step *step, int part, int64_t row)
{
    if (row < step->n_id) return part * step->n_id + row;
    return step->params.n_id + part * step->n_ood + row - step->n_id;
}

static enum sft_status upload_rows(struct sft_step *step, const struct sft_rows *batch, int part,
                                   int64_t first, int64_t n)
{
    struct sft_tensor *images = step->tensors[SFT_SLOT_IMAGES];
    int64_t row = sft_shape_count(&images->shape) / images->shape.dim[0];
    int64_t from = row_in_batch(step, part, first);
    if (n == 0) return SFT_OK;
    return sft_tensor_upload(images, first * row, n * row, batch->images + from * row);
}

static enum sft_status upload_labels(struct sft_step *step, const struct sft_rows *batch, int part)
{
    int64_t n = step->n_id + step->n_ood;
    for (int64_t i = 0; i < n; i++) step->label_buffer[i] = batch->labels[row_in_batch(step, part, i)];
    sft_groups_targets(step->model->groups, step->label_buffer, n, step->target_buffer);
    return sft_tensor_upload(step->tensors[SFT_SLOT_LABELS], 0, n * sft_step_labels_an_image(step),
                             step->target_buffer);
}

/* By the labels of upload_labels. */
static enum sft_status upload_weights(struct sft_step *step)
{
    int64_t n = step->n_id + step->n_ood;
    enum sft_first_loss first = step->params.first;
    const int32_t *labels = step->label_buffer;
    sft_loss_weights(labels, n, step->params.lambda, step->weight_buffer);
    SFT_TRY(sft_tensor_upload(step->tensors[SFT_SLOT_ROW_WEIGHTS], 0, n, step->weight_buffer));
    for (int64_t i = 0; i < n; i++)
        if ((first == SFT_FIRST_ID && labels[i] < 0) || (first == SFT_FIRST_OOD && labels[i] >= 0))
            step->weight_buffer[i] = 0.0f;
    return sft_tensor_upload(step->tensors[SFT_SLOT_FIRST_WEIGHTS], 0, n, step->weight_buffer);
}

enum sft_status sft_rows_upload(struct sft_step *step, const struct sft_rows *batch, int part)
{
    if (sft_step_has_parts(step)) {
        SFT_TRY(upload_rows(step, batch, part, 0, step->n_id));
        SFT_TRY(upload_rows(step, batch, part, step->n_id, step->n_ood));
    } else {
        SFT_TRY(upload_rows(step, batch, 0, 0, step->n_id + step->n_ood));
    }
    SFT_TRY(upload_labels(step, batch, part));
    return upload_weights(step);
}

void sft_rows_means(const struct sft_step *step, const float *rows, const int32_t *labels,
                    struct sft_step_result *result)
{
    int64_t n = step->params.n_id + step->params.n_ood, n_id = 0;
    result->loss_id = result->loss_ood = 0.0;
    for (int64_t i = 0; i < n; i++) {
        *(labels[i] < 0 ? &result->loss_ood : &result->loss_id) += (double)rows[i];
        n_id += labels[i] >= 0;
    }
    if (n_id > 0) result->loss_id /= (double)n_id;
    if (n_id < n) result->loss_ood /= (double)(n - n_id);
    result->loss = result->loss_id + (double)step->params.lambda * result->loss_ood;
}

enum sft_status sft_rows_download(struct sft_step *step, int part)
{
    struct sft_tensor *rows = step->tensors[SFT_SLOT_ROWS];
    float *id = step->row_buffer + row_in_batch(step, part, 0), *ood = step->row_buffer + step->params.n_id;
    if (!sft_step_has_parts(step)) return sft_tensor_download(rows, 0, step->n_id + step->n_ood, id);
    if (step->n_id) SFT_TRY(sft_tensor_download(rows, 0, step->n_id, id));
    if (step->n_ood) SFT_TRY(sft_tensor_download(rows, step->n_id, step->n_ood, ood + part * step->n_ood));
    return SFT_OK;
}

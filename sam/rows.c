/* SPDX-License-Identifier: Apache-2.0 */
#include "sam/rows.h"

#include "nn/loss.h"

/* Where row `row` of part `part` lies in the batch. */
static int64_t row_in_batch(const struct sft_step *step, int part, int64_t row)
{
    if (row < step->n_id) return part * step->n_id + row;
    return step->params.n_id + part * step->n_ood + row - step->n_id;
}

/* The rows of a slice: the last one of a part may have fewer. */
static int64_t rows_of(const struct sft_step *step, int slice)
{
    int64_t left = step->n_id + step->n_ood - (int64_t)slice * step->rows;
    return left < step->rows ? left : step->rows;
}

/* How many rows from row `row` of the part on lie side by side in the batch, at most `most`. */
static int64_t rows_side_by_side(const struct sft_step *step, int part, int64_t row, int64_t most)
{
    int64_t n = 1;
    while (n < most && row_in_batch(step, part, row + n) == row_in_batch(step, part, row) + n) n++;
    return n;
}

static enum sft_status upload_images(struct sft_step *step, const float *from, int part, int slice)
{
    struct sft_tensor *images = step->tensors[SFT_SLOT_IMAGES];
    int64_t first = (int64_t)slice * step->rows, n = rows_of(step, slice), together;
    int64_t row = sft_shape_count(&images->shape) / images->shape.dim[0];
    for (int64_t i = 0; i < n; i += together) {
        together = rows_side_by_side(step, part, first + i, n - i);
        SFT_TRY(sft_tensor_upload(images, i * row, together * row,
                                  from + row_in_batch(step, part, first + i) * row));
    }
    return SFT_OK;
}

static enum sft_status upload_labels(struct sft_step *step, int slice)
{
    int64_t n = rows_of(step, slice);
    sft_groups_targets(step->model->groups, step->label_buffer + (int64_t)slice * step->rows, n,
                       step->target_buffer);
    return sft_tensor_upload(step->tensors[SFT_SLOT_LABELS], 0, n * sft_step_labels_an_image(step),
                             step->target_buffer);
}

void sft_rows_prepare(struct sft_step *step, const struct sft_rows *batch, int part)
{
    int64_t n = step->n_id + step->n_ood;
    enum sft_first_loss first = step->params.first;
    step->images = batch->images;
    for (int64_t i = 0; i < n; i++) step->label_buffer[i] = batch->labels[row_in_batch(step, part, i)];
    sft_loss_weights(step->label_buffer, n, step->params.lambda, step->weight_buffer);
    for (int64_t i = 0; i < n; i++) {
        bool outlier = step->label_buffer[i] < 0;
        bool out = (first == SFT_FIRST_ID && outlier) || (first == SFT_FIRST_OOD && !outlier);
        step->first_buffer[i] = out ? 0.0f : step->weight_buffer[i];
    }
}

enum sft_status sft_rows_upload_weights(struct sft_step *step, int slice)
{
    static const enum sft_slot slots[] = {SFT_SLOT_ROW_WEIGHTS, SFT_SLOT_FIRST_WEIGHTS};
    const float *const buffers[] = {step->weight_buffer, step->first_buffer};
    const float zero = 0.0f;
    for (int k = 0; k < 2; k++) {
        SFT_TRY(sft_tensor_upload(step->tensors[slots[k]], 0, rows_of(step, slice),
                                  buffers[k] + (int64_t)slice * step->rows));
        for (int64_t i = rows_of(step, slice); i < step->rows; i++)
            SFT_TRY(sft_tensor_upload(step->tensors[slots[k]], i, 1, &zero));
    }
    return SFT_OK;
}

enum sft_status sft_rows_upload(struct sft_step *step, int part, int slice)
{
    SFT_TRY(upload_images(step, step->images, part, slice));
    SFT_TRY(upload_labels(step, slice));
    return sft_rows_upload_weights(step, slice);
}

enum sft_status sft_rows_download(struct sft_step *step, enum sft_slot slot, int part, int slice,
                                  float *losses)
{
    int64_t first = (int64_t)slice * step->rows, n = rows_of(step, slice), together;
    for (int64_t i = 0; i < n; i += together) {
        together = rows_side_by_side(step, part, first + i, n - i);
        SFT_TRY(sft_tensor_download(step->tensors[slot], i, together,
                                    losses + row_in_batch(step, part, first + i)));
    }
    return SFT_OK;
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

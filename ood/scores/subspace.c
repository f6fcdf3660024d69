/* SPDX-License-Identifier: Apache-2.0 */
#include "ood/scores/subspace.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "runtime/base/alloc.h"
#include "runtime/base/linalg.h"

/* u = -W^T (W W^T)^+ b. */
static enum sft_status find_origin(const struct sft_head *head, float *origin)
{
    int classes = head->classes, width = head->width;
    double *gram = sft_calloc((size_t)classes * (size_t)classes, sizeof(*gram));
    enum sft_status status = gram ? SFT_OK : SFT_MEMORY;
    for (int a = 0; gram && a < classes; a++)
        for (int b = 0; b < classes; b++)
            for (int j = 0; j < width; j++)
                gram[a * classes + b] +=
                    (double)head->weight[a * width + j] * (double)head->weight[b * width + j];
    if (status == SFT_OK) status = sft_symmetric_pseudo_inverse(classes, gram, 1e-12);
    for (int j = 0; status == SFT_OK && j < width; j++) {
        double sum = 0;
        for (int a = 0; a < classes; a++)
            for (int b = 0; b < classes; b++)
                sum += (double)head->weight[a * width + j] * gram[a * classes + b] * (double)head->bias[b];
        origin[j] = (float)-sum;
    }
    free(gram);
    return status;
}

static enum sft_status second_moments(const struct sft_outputs *outputs, const float *origin, double *moments)
{
    int64_t count = outputs->n * outputs->width;
    double *centred = sft_calloc((size_t)count, sizeof(*centred));
    enum sft_status status;
    if (!centred) return SFT_MEMORY;
    for (int64_t i = 0; i < count; i++)
        centred[i] = (double)outputs->features[i] - (double)origin[i % outputs->width];
    status = sft_gram(outputs->n, outputs->width, centred, moments);
    free(centred);
    return status;
}

static enum sft_status check(const struct sft_outputs *outputs, int64_t *dimension)
{
    int width = outputs->width;
    if (*dimension == 0) *dimension = width >= 2048 ? 1000 : width >= 768 ? 512 : width / 2;
    if (*dimension >= width)
        return sft_fail(SFT_USAGE,
                        "--vim-dim %" PRId64 ": the features have %d dimensions; leave some for the residual",
                        *dimension, width);
    if (outputs->n >= width) return SFT_OK;
    return sft_fail(
        SFT_DATA, "vim, residual: %" PRId64 " images to fit on and %d features; take at least as many images",
        outputs->n, width);
}

enum sft_status sft_subspace_fit(const struct sft_score_input *in, int64_t dimension,
                                 struct sft_statistics *statistics)
{
    int width = in->outputs->width;
    double *moments = NULL, *values = NULL;
    float *origin, *residual;
    enum sft_status status;
    SFT_TRY(check(in->outputs, &dimension));
    SFT_TRY(sft_statistics_add(statistics, "origin", SFT_SHAPE(width), &origin));
    SFT_TRY(sft_statistics_add(statistics, "residual", SFT_SHAPE(width - dimension, width), &residual));
    SFT_TRY(find_origin(in->head, origin));
    moments = sft_calloc((size_t)width * (size_t)width, sizeof(*moments));
    values = sft_calloc((size_t)width, sizeof(*values));
    status = moments && values ? second_moments(in->outputs, origin, moments) : SFT_MEMORY;
    if (status == SFT_OK) status = sft_symmetric_eigen(width, moments, values);
    for (int64_t i = 0; status == SFT_OK && i < (width - dimension) * width; i++)
        residual[i] = (float)moments[dimension * width + i];
    free(moments);
    free(values);
    return status;
}

double sft_subspace_residual(const struct sft_score_input *in, const struct sft_statistics *statistics,
                             int64_t i)
{
    const struct sft_statistic *residual = sft_statistics_find(statistics, "residual");
    const float *features = sft_features_of(in, i),
                *origin = sft_statistics_find(statistics, "origin")->values;
    int width = in->outputs->width;
    double square = 0;
    for (int64_t r = 0; r < residual->shape.dim[0]; r++) {
        double sum = 0;
        for (int j = 0; j < width; j++)
            sum += (double)residual->values[r * width + j] * ((double)features[j] - (double)origin[j]);
        square += sum * sum;
    }
    return sqrt(square);
}

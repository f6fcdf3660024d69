/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/jobs/divergence.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "runtime/base/alloc.h"
#include "runtime/base/log.h"

/* Shares of the loss of a guess: below the one a model knows its classes, above the other it does not. */
#define KNOWS 0.5
#define GUESSES 0.95

/* The cross entropy of a guess. */
static double guessing(const struct sft_divergence *divergence) { return log((double)divergence->classes); }

static enum sft_status not_finite(const struct sft_divergence *divergence)
{
    return sft_fail(SFT_FAILED,
                    "step %" PRId64
                    ": the loss is no finite number: the training has diverged (it began with "
                    "%.4g at step %" PRId64 "); try a smaller --lr",
                    divergence->step, divergence->first, divergence->first_step);
}

enum sft_status sft_divergence_step(struct sft_divergence *divergence, const struct sft_fit_report *report)
{
    const double loss = report->result.loss;
    if (!divergence->first_step) {
        divergence->first_step = report->step + 1;
        divergence->first = loss;
        divergence->first_id = report->result.loss_id;
    }
    divergence->last_id = report->result.loss_id;
    if (isfinite(loss) &&
        (divergence->step ||
         fabs(loss) <= SFT_DIVERGENCE_GROWTH * fmax(fabs(divergence->first), guessing(divergence))))
        return SFT_OK;
    divergence->step = report->step + 1;
    divergence->loss = loss;
    if (!isfinite(loss)) return not_finite(divergence);
    sft_log(SFT_LOG_WARNING,
            "step %" PRId64 ": the loss has grown from %.4g (step %" PRId64
            ") to %.4g: the training diverges; "
            "try a smaller --lr",
            divergence->step, divergence->first, divergence->first_step, loss);
    return SFT_OK;
}

/* Whether the model knew its classes at the first step and guesses at the last. */
static bool has_forgotten(const struct sft_divergence *divergence)
{
    const double guess = guessing(divergence);
    return divergence->first_step && divergence->first_id <= KNOWS * guess &&
           divergence->last_id >= GUESSES * guess;
}

void sft_divergence_end(const struct sft_divergence *divergence)
{
    if (!has_forgotten(divergence)) return;
    sft_log(
        SFT_LOG_WARNING,
        "the loss on ID images has grown from %.4g to %.4g, and guessing has %.4g: the model has forgotten "
        "its classes; try a smaller --lr",
        divergence->first_id, divergence->last_id, guessing(divergence));
}

void sft_divergence_json(const struct sft_divergence *divergence, struct sft_json *json)
{
    if (!divergence->step && !has_forgotten(divergence)) return;
    sft_json_object(json, "divergence");
    if (divergence->step) {
        sft_json_integer(json, "step", divergence->step);
        sft_json_real(json, "loss", divergence->loss);
        sft_json_real(json, "first_loss", divergence->first);
    }
    sft_json_real(json, "first_loss_id", divergence->first_id);
    sft_json_real(json, "last_loss_id", divergence->last_id);
    sft_json_end(json);
}

static enum sft_status check_tensor(struct sft_tensor *tensor, int64_t count)
{
    float *values;
    enum sft_status status;
    if (!tensor || count == 0) return SFT_OK;
    values = sft_calloc((size_t)count, sizeof(*values));
    if (!values) return SFT_MEMORY;
    status = sft_tensor_download(tensor, 0, count, values);
    for (int64_t i = 0; status == SFT_OK && i < count; i++)
        if (!isfinite(values[i]))
            status =
                sft_fail(SFT_FAILED, "weights of the model are no finite numbers any more: the training has "
                                     "diverged, and no model is written; try a smaller --lr");
    free(values);
    return status;
}

enum sft_status sft_check_finite(const struct sft_parameters *parameters)
{
    SFT_TRY(check_tensor(parameters->weights, parameters->weights_size));
    return check_tensor(parameters->buffers, parameters->buffers_size);
}

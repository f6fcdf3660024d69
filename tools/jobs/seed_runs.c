/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/jobs/seed_runs.h"

#include <inttypes.h>
#include <stdlib.h>

#include "ood/results/seeds.h"
#include "runtime/base/alloc.h"
#include "runtime/base/log.h"
#include "tools/jobs/run_folder.h"

/* A host copy of a model's weights and buffers. */
struct copy {
    float *weights, *buffers;
};

static enum sft_status take_copy(const struct sft_parameters *parameters, struct copy *copy)
{
    copy->weights = sft_calloc((size_t)parameters->weights_size, sizeof(float));
    copy->buffers = sft_calloc((size_t)parameters->buffers_size + 1, sizeof(float));
    if (!copy->weights || !copy->buffers) return SFT_MEMORY;
    SFT_TRY(sft_tensor_download(parameters->weights, 0, parameters->weights_size, copy->weights));
    if (!parameters->buffers) return SFT_OK;
    return sft_tensor_download(parameters->buffers, 0, parameters->buffers_size, copy->buffers);
}

static enum sft_status put_back(const struct sft_parameters *parameters, const struct copy *copy)
{
    SFT_TRY(sft_tensor_upload(parameters->weights, 0, parameters->weights_size, copy->weights));
    if (!parameters->buffers) return SFT_OK;
    return sft_tensor_upload(parameters->buffers, 0, parameters->buffers_size, copy->buffers);
}

static enum sft_status run_seed(const struct sft_seed_runs *runs, int64_t seed, const struct copy *copy)
{
    char folder[SFT_RUN_PATH];
    bool done;
    sft_seed_folder(runs->folder, seed, folder, sizeof(folder));
    SFT_TRY(runs->is_done(runs->context, seed, folder, &done));
    if (done) {
        sft_log(SFT_LOG_INFO, "seed %" PRId64 " is done", seed);
        return SFT_OK;
    }
    sft_log(SFT_LOG_INFO, "seed %" PRId64 ": %s", seed, folder);
    SFT_TRY(runs->run(runs->context, seed, folder));
    return put_back(&runs->model->parameters, copy);
}

enum sft_status sft_seed_runs(const struct sft_seed_runs *runs)
{
    struct copy copy = {NULL, NULL};
    enum sft_status status = take_copy(&runs->model->parameters, &copy);
    for (int i = 0; status == SFT_OK && i < runs->count; i++) status = run_seed(runs, runs->first + i, &copy);
    free(copy.weights);
    free(copy.buffers);
    return status;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "ood/evaluate.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "datasets/loader.h"
#include "nn/inference.h"
#include "runtime/alloc.h"

static struct sft_loader_params in_order(const struct sft_model *model, const struct sft_dataset *set,
                                         const struct sft_evaluation *evaluation)
{
    struct sft_loader_params params;
    sft_loader_defaults(&params, model->image_size);
    params.dataset = set;
    params.batch = evaluation->batch;
    params.workers = evaluation->workers;
    memcpy(params.mean, model->mean, sizeof(params.mean));
    memcpy(params.std, model->std, sizeof(params.std));
    return params;
}

static enum sft_status allocate(const struct sft_model *model, int64_t n, int width, bool features,
                                struct sft_collected *collected)
{
    collected->outputs = (struct sft_outputs){.n = n, .classes = model->classes, .width = width};
    collected->logits = sft_calloc((size_t)n * (size_t)model->classes, sizeof(float));
    collected->labels = sft_calloc((size_t)n, sizeof(int32_t));
    if (features) collected->features = sft_calloc((size_t)n * (size_t)width, sizeof(float));
    collected->outputs.logits = collected->logits;
    collected->outputs.features = collected->features;
    return collected->logits && collected->labels && (!features || collected->features) ? SFT_OK : SFT_MEMORY;
}

static enum sft_status run_batches(struct sft_inference *inference, struct sft_loader *loader, const char *name,
                                   const struct sft_evaluation *evaluation, struct sft_collected *collected)
{
    const struct sft_batch *batch;
    int classes = collected->outputs.classes, width = collected->outputs.width;
    int64_t done = 0;
    for (;;) {
        if (evaluation->stop && *evaluation->stop) return SFT_INTERRUPTED;
        SFT_TRY(sft_loader_next(loader, &batch));
        if (!batch) return SFT_OK;
        SFT_TRY(sft_inference_run(inference, batch->images, batch->n_id, collected->logits + done * classes,
                                  collected->features ? collected->features + done * width : NULL));
        memcpy(collected->labels + done, batch->labels, (size_t)batch->n_id * sizeof(int32_t));
        done += batch->n_id;
        if (evaluation->progress) evaluation->progress(evaluation->context, name, done, collected->outputs.n);
    }
}

enum sft_status sft_collect(struct sft_model *model, const struct sft_dataset *set, const char *name,
                            const struct sft_evaluation *evaluation, unsigned needs, struct sft_collected *collected)
{
    struct sft_loader_params params = in_order(model, set, evaluation);
    struct sft_inference *inference = NULL;
    struct sft_loader *loader = NULL;
    enum sft_status status = SFT_OK;
    memset(collected, 0, sizeof(*collected));
    SFT_TRY_OUT(sft_inference_create(model, evaluation->batch, &inference));
    SFT_TRY_OUT(
        allocate(model, sft_dataset_count(set), sft_inference_width(inference), needs & SFT_NEEDS_FEATURES, collected));
    SFT_TRY_OUT(sft_loader_open(&params, &loader));
    SFT_TRY_OUT(run_batches(inference, loader, name, evaluation, collected));
out:
    sft_loader_close(&loader);
    sft_inference_destroy(&inference);
    if (status != SFT_OK) sft_collected_free(collected);
    return status;
}

void sft_collected_free(struct sft_collected *collected)
{
    free(collected->logits);
    free(collected->features);
    free(collected->labels);
    memset(collected, 0, sizeof(*collected));
}

/* NaN where the images have no labels. */
static enum sft_status id_accuracy(const struct sft_dataset *id, const struct sft_collected *collected,
                                   double *accuracy)
{
    *accuracy = NAN;
    if (sft_dataset_classes(id) == 0) return SFT_OK;
    if (sft_dataset_classes(id) != collected->outputs.classes)
        return sft_fail(SFT_DATA, "%s has %d classes, the model %d", sft_dataset_spec(id), sft_dataset_classes(id),
                        collected->outputs.classes);
    return sft_metrics_accuracy(collected->outputs.n, collected->outputs.classes, collected->logits, collected->labels,
                                accuracy);
}

static enum sft_status score_set(const struct sft_evaluation *evaluation, const struct sft_outputs *outputs, int set,
                                 enum sft_results_model which, struct sft_results *results)
{
    float *values = sft_calloc((size_t)outputs->n, sizeof(float));
    enum sft_status status = values ? SFT_OK : SFT_MEMORY;
    for (int s = 0; status == SFT_OK && s < results->scores; s++) {
        status = sft_score_compute(evaluation->scores[s], &evaluation->params, outputs, values);
        if (status == SFT_OK) status = sft_results_put(results, which, s, set, outputs->n, values);
    }
    free(values);
    return status;
}

enum sft_status sft_evaluate(struct sft_model *model, const struct sft_evaluation *evaluation,
                             enum sft_results_model which, struct sft_results *results)
{
    unsigned needs = 0;
    double accuracy = NAN;
    for (int s = 0; s < results->scores; s++) needs |= evaluation->scores[s]->needs;
    for (int set = SFT_ID_SET; set < results->sets; set++) {
        const struct sft_dataset *data = set == SFT_ID_SET ? evaluation->id : evaluation->sets[set];
        const char *name = set == SFT_ID_SET ? "id" : results->set_names[set];
        struct sft_collected collected;
        enum sft_status status;
        SFT_TRY(sft_collect(model, data, name, evaluation, needs, &collected));
        status = set == SFT_ID_SET ? id_accuracy(data, &collected, &accuracy) : SFT_OK;
        if (status == SFT_OK) status = score_set(evaluation, &collected.outputs, set, which, results);
        sft_collected_free(&collected);
        SFT_TRY(status);
    }
    return sft_results_compute(results, which, accuracy);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "ood/evaluate.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "datasets/loader.h"
#include "ood/results/classifier.h"
#include "runtime/base/alloc.h"
#include "runtime/base/clock.h"
#include "runtime/base/log.h"
#include "runtime/device.h"

/* ---- images through the model ---- */

/* A pass always runs over its whole batch: for fewer images it is made smaller; and where the device's memory
 * is the host's, so that the batches on their way take no more than an eighth of it. */
static struct sft_evaluation for_images(const struct sft_evaluation *evaluation,
                                        const struct sft_model *model, int64_t n)
{
    const struct sft_device *device = model->parameters.weights->device;
    const uint64_t on_their_way = 3, share = sft_device_room(device) / 8;
    const uint64_t image = (uint64_t)model->image_size * (uint64_t)model->image_size * 3 * sizeof(float);
    struct sft_evaluation fitting = *evaluation;
    if (n >= 1 && n < fitting.batch) fitting.batch = (int)n;
    while (sft_device_is_host(device) && fitting.batch > 1 &&
           on_their_way * (uint64_t)fitting.batch * image > share)
        fitting.batch = (fitting.batch + 1) / 2;
    return fitting;
}

void sft_loader_as_model(struct sft_loader_params *params, const struct sft_model *model)
{
    memcpy(params->mean, model->mean, sizeof(params->mean));
    memcpy(params->std, model->std, sizeof(params->std));
    params->framing = model->framing;
}

static struct sft_loader_params in_order(const struct sft_model *model, const struct sft_dataset *set,
                                         const struct sft_evaluation *evaluation)
{
    struct sft_loader_params params;
    sft_loader_defaults(&params, model->image_size);
    params.dataset = set;
    params.batch = evaluation->batch;
    params.workers = evaluation->workers;
    params.tolerant = evaluation->tolerant;
    sft_loader_as_model(&params, model);
    return params;
}

static enum sft_status create_pass(struct sft_model *model, const struct sft_evaluation *evaluation,
                                   enum sft_images images, struct sft_inference **inference)
{
    struct sft_inference_extra extras[SFT_MAX_SCORERS];
    struct sft_extension extensions[SFT_MAX_SCORERS];
    for (int i = 0; i < evaluation->n_scorers; i++) {
        extensions[i] = (struct sft_extension){&evaluation->scorers[i], images};
        extras[i] = (struct sft_inference_extra){sft_extend, &extensions[i]};
    }
    return sft_inference_create(model, evaluation->batch, extras, evaluation->n_scorers, inference);
}

static enum sft_status allocate(const struct sft_model *model, const struct sft_inference *inference,
                                const struct sft_evaluation *evaluation, int64_t n, bool features,
                                struct sft_collected *collected)
{
    int logits = sft_inference_width(inference, SFT_OUTPUT_LOGITS);
    int width = sft_inference_width(inference, SFT_OUTPUT_FEATURES);
    size_t count = (size_t)n;
    collected->logits = sft_calloc(count * (size_t)logits, sizeof(float));
    collected->labels = sft_calloc(count, sizeof(int32_t));
    if (!collected->logits || !collected->labels) return SFT_MEMORY;
    if (features) {
        collected->features = sft_calloc(count * (size_t)width, sizeof(float));
        if (!collected->features) return SFT_MEMORY;
    }
    for (int i = 0; i < evaluation->n_scorers; i++) {
        collected->extra_widths[i] = sft_inference_width(inference, SFT_OUTPUT_EXTRA + i);
        if (collected->extra_widths[i] == 0) continue;
        collected->extras[i] = sft_calloc(count * (size_t)collected->extra_widths[i], sizeof(float));
        if (!collected->extras[i]) return SFT_MEMORY;
    }
    collected->outputs = (struct sft_outputs){.n = n,
                                              .classes = model->classes,
                                              .groups = model->groups,
                                              .width = width,
                                              .logits = collected->logits,
                                              .features = collected->features,
                                              .labels = collected->labels};
    return SFT_OK;
}

/* Where a pass puts each of its outputs. */
static void outputs_of(const struct sft_collected *collected, int n_scorers,
                       float *outputs[SFT_MAX_OUTPUTS_OF_PASS])
{
    memset(outputs, 0, SFT_MAX_OUTPUTS_OF_PASS * sizeof(*outputs));
    outputs[SFT_OUTPUT_LOGITS] = collected->logits;
    outputs[SFT_OUTPUT_FEATURES] = collected->features;
    for (int i = 0; i < n_scorers; i++) outputs[SFT_OUTPUT_EXTRA + i] = collected->extras[i];
}

/* Where the images of a pass come from: a data set, or an array in memory. */
struct source {
    /* Gives the next n images, which start at `images`; n = 0 at the end. */
    enum sft_status (*next)(struct source *source, const float **images, const int32_t **labels, int64_t *n);
    struct sft_loader *loader;   /* of a data set */
    const struct sft_npy *array; /* or normalised images of `image` floats each, `taken` of them so far */
    int64_t taken, left, image, batch;
    bool warned;           /* of values that are not normalised */
    float *aligned;        /* (batch, image) */
    int32_t *none;         /* (batch) of -1 */
    char *const *failures; /* of the last batch */
};

static enum sft_status next_of_loader(struct source *source, const float **images, const int32_t **labels,
                                      int64_t *n)
{
    const struct sft_batch *batch;
    SFT_TRY(sft_loader_next(source->loader, &batch));
    *n = batch ? batch->n_id : 0;
    if (!batch) return SFT_OK;
    *images = batch->images;
    *labels = batch->labels;
    source->failures = batch->failures;
    return SFT_OK;
}

/* No deviation is so small that normalised pixels get larger than this. */
static const float largest_normalised = 100;

static void warn_of_large(struct source *source, float value)
{
    if (!(fabsf(value) > largest_normalised) || source->warned) return;
    source->warned = true;
    sft_log(SFT_LOG_WARNING,
            "an array of floats is taken as it is, and has to be normalised already; there is a %g in it",
            (double)value);
}

static enum sft_status next_of_array(struct source *source, const float **images, const int32_t **labels,
                                     int64_t *n)
{
    int64_t first = source->taken * source->image;
    *n = source->left < source->batch ? source->left : source->batch;
    for (int64_t i = 0; i < *n * source->image; i++) {
        float value = (float)sft_npy_value(source->array, first + i);
        if (!isfinite(value))
            return sft_fail(SFT_DATA, "image %" PRId64 " of the array: element %" PRId64 " is %g",
                            source->taken + i / source->image, first + i, (double)value);
        warn_of_large(source, value);
        source->aligned[i] = value;
    }
    source->taken += *n;
    source->left -= *n;
    *images = source->aligned;
    *labels = source->none;
    return SFT_OK;
}

static enum sft_status run_batches(struct sft_inference *inference, struct source *source,
                                   const struct sft_evaluation *evaluation, struct sft_collected *room,
                                   sft_batch_sink sink, void *context)
{
    const float *images;
    const int32_t *labels;
    float *outputs[SFT_MAX_OUTPUTS_OF_PASS];
    int64_t done = 0, n;
    bool more = true;
    outputs_of(room, evaluation->n_scorers, outputs);
    while (more) {
        if (evaluation->stop && *evaluation->stop) return SFT_INTERRUPTED;
        SFT_TRY(source->next(source, &images, &labels, &n));
        if (n == 0) return SFT_OK;
        SFT_TRY(sft_inference_run(inference, images, n, outputs));
        memcpy(room->labels, labels, (size_t)n * sizeof(int32_t));
        room->outputs.n = n;
        room->failures = source->failures;
        SFT_TRY(sink(context, done, room, &more));
        done += n;
    }
    return SFT_OK;
}

static enum sft_status run_source(struct sft_model *model, struct source *source, enum sft_images images,
                                  const struct sft_evaluation *evaluation, unsigned needs,
                                  sft_batch_sink sink, void *context)
{
    struct sft_inference *inference = NULL;
    struct sft_collected room = {0};
    enum sft_status status = SFT_OK;
    for (int i = 0; i < evaluation->n_scorers; i++) needs |= sft_scorer_needs(&evaluation->scorers[i]);
    SFT_TRY_OUT(create_pass(model, evaluation, images, &inference));
    SFT_TRY_OUT(allocate(model, inference, evaluation, evaluation->batch, needs & SFT_NEEDS_FEATURES, &room));
    SFT_TRY_OUT(run_batches(inference, source, evaluation, &room, sink, context));
out:
    sft_inference_destroy(&inference);
    sft_collected_free(&room);
    return status;
}

enum sft_status sft_stream(struct sft_model *model, const struct sft_dataset *set, enum sft_images images,
                           const struct sft_evaluation *evaluation, unsigned needs, sft_batch_sink sink,
                           void *context)
{
    const struct sft_evaluation fitting = for_images(evaluation, model, sft_dataset_count(set));
    struct sft_loader_params params = in_order(model, set, &fitting);
    struct source source = {.next = next_of_loader};
    enum sft_status status;
    SFT_TRY(sft_loader_open(&params, &source.loader));
    status = run_source(model, &source, images, &fitting, needs, sink, context);
    sft_loader_close(&source.loader);
    return status;
}

enum sft_status sft_stream_array(struct sft_model *model, const struct sft_npy *array,
                                 const struct sft_evaluation *evaluation, unsigned needs, sft_batch_sink sink,
                                 void *context)
{
    const int64_t n = array->shape.dim[0], side = model->image_size;
    const struct sft_evaluation fitting = for_images(evaluation, model, n);
    struct source source = {
        .next = next_of_array,
        .array = array,
        .left = n,
        .image = side * side * 3,
        .batch = fitting.batch,
    };
    enum sft_status status = SFT_MEMORY;
    source.aligned = sft_calloc((size_t)(source.batch * source.image), sizeof(float));
    source.none = sft_calloc((size_t)source.batch, sizeof(int32_t));
    if (source.aligned && source.none) {
        for (int64_t i = 0; i < source.batch; i++) source.none[i] = -1;
        status = run_source(model, &source, SFT_IMAGES_OOD, &fitting, needs, sink, context);
    }
    free(source.aligned);
    free(source.none);
    return status;
}

/* ---- whole sets ---- */

struct collection {
    const struct sft_evaluation *evaluation;
    const char *name;
    int64_t n; /* images wanted */
    struct sft_collected *collected;
};

/* Room for n images of the kind that the batch holds. */
static enum sft_status make_room(const struct collection *collection, const struct sft_collected *batch)
{
    struct sft_collected *all = collection->collected;
    size_t n = (size_t)collection->n;
    all->outputs = batch->outputs;
    all->outputs.n = 0;
    all->outputs.logits = all->logits =
        sft_calloc(n * (size_t)sft_outputs_logits(&batch->outputs), sizeof(float));
    all->outputs.labels = all->labels = sft_calloc(n, sizeof(int32_t));
    if (!all->logits || !all->labels) return SFT_MEMORY;
    if (batch->features) {
        all->outputs.features = all->features = sft_calloc(n * (size_t)batch->outputs.width, sizeof(float));
        if (!all->features) return SFT_MEMORY;
    }
    for (int i = 0; i < collection->evaluation->n_scorers; i++) {
        all->extra_widths[i] = batch->extra_widths[i];
        if (!batch->extras[i]) continue;
        all->extras[i] = sft_calloc(n * (size_t)batch->extra_widths[i], sizeof(float));
        if (!all->extras[i]) return SFT_MEMORY;
    }
    return SFT_OK;
}

static void append(float *to, const float *from, int64_t first, int64_t n, int width)
{
    if (from) memcpy(to + first * width, from, (size_t)(n * width) * sizeof(float));
}

static enum sft_status collect_batch(void *context, int64_t first, const struct sft_collected *batch,
                                     bool *more)
{
    const struct collection *collection = context;
    struct sft_collected *all = collection->collected;
    int64_t left = collection->n - first, n = batch->outputs.n < left ? batch->outputs.n : left;
    if (first == 0) SFT_TRY(make_room(collection, batch));
    append(all->logits, batch->logits, first, n, sft_outputs_logits(&batch->outputs));
    append(all->features, batch->features, first, n, batch->outputs.width);
    for (int i = 0; i < collection->evaluation->n_scorers; i++)
        append(all->extras[i], batch->extras[i], first, n, batch->extra_widths[i]);
    memcpy(all->labels + first, batch->labels, (size_t)n * sizeof(int32_t));
    all->outputs.n = first + n;
    *more = all->outputs.n < collection->n;
    if (collection->evaluation->progress)
        collection->evaluation->progress(collection->evaluation->context, collection->name, first + n,
                                         collection->n);
    return SFT_OK;
}

/* The first n images of the set. */
static enum sft_status collect_first(struct sft_model *model, const struct sft_dataset *set,
                                     enum sft_images images, const char *name,
                                     const struct sft_evaluation *evaluation, unsigned needs, int64_t n,
                                     struct sft_collected *collected)
{
    int64_t count = sft_dataset_count(set);
    struct collection collection = {evaluation, name, n < count ? n : count, collected};
    enum sft_status status;
    memset(collected, 0, sizeof(*collected));
    status = sft_stream(model, set, images, evaluation, needs, collect_batch, &collection);
    if (status != SFT_OK) sft_collected_free(collected);
    return status;
}

enum sft_status sft_collect(struct sft_model *model, const struct sft_dataset *set, enum sft_images images,
                            const char *name, const struct sft_evaluation *evaluation, unsigned needs,
                            struct sft_collected *collected)
{
    return collect_first(model, set, images, name, evaluation, needs, sft_dataset_count(set), collected);
}

void sft_collected_free(struct sft_collected *collected)
{
    free(collected->logits);
    free(collected->features);
    free(collected->labels);
    for (int i = 0; i < SFT_MAX_SCORERS; i++) free(collected->extras[i]);
    memset(collected, 0, sizeof(*collected));
}

struct sft_outputs sft_collected_for(const struct sft_collected *collected, int scorer)
{
    struct sft_outputs outputs = collected->outputs;
    outputs.extra = collected->extras[scorer];
    outputs.extra_width = collected->extra_widths[scorer];
    return outputs;
}

/* ---- the classifier ---- */

static const struct sft_parameter *parameter_of(const struct sft_model *model, enum sft_parameter_kind kind)
{
    int number;
    return sft_parameters_select(&model->parameters, 1u << kind, NULL) == 1 &&
                   sft_parameters_select(&model->parameters, 1u << kind, &number)
               ? &model->parameters.items[number]
               : NULL;
}

/* The sizes of the feature maps or tokens, from a pass that is built and never run. */
static enum sft_status read_taps(const struct sft_model *model, struct sft_head *head)
{
    struct sft_graph *graph = NULL;
    struct sft_forward forward;
    struct sft_forward_out out;
    enum sft_status status;
    SFT_TRY(sft_graph_create(&graph));
    forward = sft_forward_on(graph, &model->parameters);
    status = sft_model_forward(model, graph, &forward, sft_forward_images(graph, 1, model->image_size), &out);
    head->n_taps = status == SFT_OK ? out.n_taps : 0;
    for (int i = 0; i < head->n_taps; i++) {
        const struct sft_shape *shape = sft_graph_shape(graph, out.taps[i].value);
        head->tap_widths[i] = (int)shape->dim[shape->rank - 1];
        head->tap_tokens[i] = out.taps[i].kind == SFT_TAP_TOKENS ? (int)shape->dim[1] : 0;
    }
    sft_graph_destroy(&graph);
    return status;
}

enum sft_status sft_head_read(const struct sft_model *model, struct sft_head *head)
{
    const struct sft_parameter *weight = parameter_of(model, SFT_HEAD_WEIGHT),
                               *bias = parameter_of(model, SFT_HEAD_BIAS);
    float *values;
    memset(head, 0, sizeof(*head));
    if (!weight || !bias)
        return sft_fail(SFT_USAGE, "%s has no single linear classifier", model->variant->name);
    values = sft_calloc((size_t)(weight->count + bias->count), sizeof(*values));
    if (!values) return SFT_MEMORY;
    *head = (struct sft_head){.classes = (int)bias->count,
                              .width = (int)(weight->count / bias->count),
                              .weight = values,
                              .bias = values + weight->count};
    SFT_TRY(sft_tensor_download(model->parameters.weights, weight->offset, weight->count, values));
    SFT_TRY(
        sft_tensor_download(model->parameters.weights, bias->offset, bias->count, values + weight->count));
    return read_taps(model, head);
}

void sft_head_free(struct sft_head *head)
{
    free((float *)head->weight);
    memset(head, 0, sizeof(*head));
}

/* ---- fitting ---- */

/* Whether the others can go on without the scorer that failed, as `why` says. */
static enum sft_status leave_out(struct sft_scorer *scorer, enum sft_status status, const char *why)
{
    if (status == SFT_MEMORY || status == SFT_INTERRUPTED) return *why ? sft_fail(status, "%s", why) : status;
    sft_log(SFT_LOG_WARNING, "%s is left out: %s", scorer->score->name, why);
    scorer->left_out = true;
    return SFT_OK;
}

/* `what` is one of SFT_NEEDS_FIT, SFT_NEEDS_FIT_ON_ID and SFT_NEEDS_TUNE. */
static enum sft_status learn_strictly(struct sft_scorer *scorer, unsigned what,
                                      const struct sft_outputs *outputs, const struct sft_head *head)
{
    return what == SFT_NEEDS_TUNE ? sft_scorer_tune(scorer, outputs, head)
                                  : sft_scorer_fit(scorer, outputs, head);
}

static enum sft_status learn_or_leave_out(struct sft_scorer *scorer, unsigned what,
                                          const struct sft_outputs *outputs, const struct sft_head *head)
{
    char why[512] = "";
    enum sft_status status;
    if (!scorer->optional) return learn_strictly(scorer, what, outputs, head);
    sft_log_catch(why, sizeof(why));
    status = learn_strictly(scorer, what, outputs, head);
    sft_log_catch(NULL, 0);
    return status == SFT_OK ? SFT_OK : leave_out(scorer, status, why);
}

enum sft_status sft_fit_or_leave_out(struct sft_scorer *scorer, const struct sft_outputs *outputs,
                                     const struct sft_head *head)
{
    return learn_or_leave_out(scorer, SFT_NEEDS_FIT, outputs, head);
}

static bool has_nan(const float *values, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        if (isnan(values[i])) return true;
    return false;
}

enum sft_status sft_compute_or_leave_out(struct sft_scorer *scorer, const struct sft_outputs *outputs,
                                         const struct sft_head *head, float *scores)
{
    char why[512] = "";
    enum sft_status status;
    if (!scorer->optional) return sft_scorer_compute(scorer, outputs, head, scores);
    sft_log_catch(why, sizeof(why));
    status = sft_scorer_compute(scorer, outputs, head, scores);
    sft_log_catch(NULL, 0);
    if (status != SFT_OK) return leave_out(scorer, status, why);
    return has_nan(scores, outputs->n) ? leave_out(scorer, SFT_FAILED, "scores of it are no numbers")
                                       : SFT_OK;
}

int sft_drop_left_out(struct sft_scorer *scorers, int n, struct sft_results *results)
{
    int kept = 0;
    for (int i = 0; i < n; i++) {
        if (!scorers[i].left_out) {
            scorers[kept++] = scorers[i];
            continue;
        }
        sft_scorer_free(&scorers[i]);
        if (results) sft_results_drop(results, kept);
    }
    return kept;
}

/* Statistics of --fit images stay. */
static enum sft_status learn_one(struct sft_scorer *scorer, unsigned what, const struct sft_outputs *outputs,
                                 const struct sft_head *head)
{
    if (!(sft_scorer_needs(scorer) & what) || scorer->left_out) return SFT_OK;
    if (what == SFT_NEEDS_FIT && scorer->statistics.n) return SFT_OK;
    return learn_or_leave_out(scorer, what, outputs, head);
}

static enum sft_status learn(struct sft_model *model, const struct sft_evaluation *evaluation, unsigned what,
                             const struct sft_collected *collected)
{
    struct sft_head head;
    enum sft_status status = sft_head_read(model, &head);
    for (int i = 0; status == SFT_OK && i < evaluation->n_scorers; i++) {
        struct sft_outputs outputs = sft_collected_for(collected, i);
        status = learn_one(&evaluation->scorers[i], what, &outputs, &head);
    }
    sft_head_free(&head);
    return status;
}

/* The first scorer that needs --fit images and has no statistics. */
static const struct sft_score *unfitted(const struct sft_evaluation *evaluation)
{
    for (int i = 0; i < evaluation->n_scorers; i++)
        if ((sft_scorer_needs(&evaluation->scorers[i]) & SFT_NEEDS_FIT) &&
            !evaluation->scorers[i].statistics.n)
            return evaluation->scorers[i].score;
    return NULL;
}

/* A pass over as many images as the scorers that are to be tuned want, if there are any. */
static enum sft_status run_tune(struct sft_model *model, const struct sft_evaluation *evaluation)
{
    struct sft_collected collected;
    enum sft_status status;
    int most = 0;
    for (int i = 0; i < evaluation->n_scorers; i++) {
        int images = sft_scorer_tune_images(&evaluation->scorers[i]);
        if (images > most) most = images;
    }
    if (most == 0) return SFT_OK;
    SFT_TRY(collect_first(model, evaluation->fit, SFT_IMAGES_TUNE, "fit, again", evaluation, 0, most,
                          &collected));
    status = learn(model, evaluation, SFT_NEEDS_TUNE, &collected);
    sft_collected_free(&collected);
    return status;
}

static enum sft_status run_fit(struct sft_model *model, const struct sft_evaluation *evaluation)
{
    struct sft_collected collected;
    enum sft_status status;
    SFT_TRY(sft_collect(model, evaluation->fit, SFT_IMAGES_FIT, "fit", evaluation, 0, &collected));
    status = learn(model, evaluation, SFT_NEEDS_FIT, &collected);
    sft_collected_free(&collected);
    return status == SFT_OK ? run_tune(model, evaluation) : status;
}

enum sft_status sft_evaluate_fit(struct sft_model *model, const struct sft_evaluation *evaluation,
                                 double *seconds)
{
    const struct sft_score *score = unfitted(evaluation);
    double start = sft_now();
    if (seconds) *seconds = 0;
    if (!score) return SFT_OK;
    if (!evaluation->fit)
        return sft_fail(
            SFT_USAGE,
            "%s needs statistics of images of the training kind: name some with --fit SPEC, for example "
            "the model's training images",
            score->name);
    SFT_TRY(run_fit(model, evaluation));
    if (seconds) *seconds = sft_now() - start;
    return SFT_OK;
}

/* ---- scoring ---- */

/* Accuracy and calibration error of the ID images; both NaN where these have no labels. */
static enum sft_status measure_id(const struct sft_dataset *id, const struct sft_collected *collected,
                                  double *accuracy, double *ece)
{
    const struct sft_outputs *outputs = &collected->outputs;
    *accuracy = *ece = NAN;
    if (sft_dataset_classes(id) == 0) return SFT_OK;
    if (sft_dataset_classes(id) > outputs->classes)
        return sft_fail(SFT_DATA, "%s has %d classes, the model %d", sft_dataset_spec(id),
                        sft_dataset_classes(id), outputs->classes);
    SFT_TRY(sft_classifier_accuracy(outputs, accuracy));
    return sft_classifier_calibration_error(outputs, ece);
}

static enum sft_status score_set(struct sft_model *model, const struct sft_evaluation *evaluation,
                                 const struct sft_collected *collected, int set, enum sft_results_model which,
                                 struct sft_results *results)
{
    float *values = sft_calloc((size_t)collected->outputs.n, sizeof(float));
    struct sft_head head = {0};
    enum sft_status status = values ? sft_head_read(model, &head) : SFT_MEMORY;
    for (int s = 0; status == SFT_OK && s < results->scores; s++) {
        struct sft_outputs outputs = sft_collected_for(collected, s);
        struct sft_scorer *scorer = &evaluation->scorers[s];
        if (scorer->left_out) continue;
        status = sft_compute_or_leave_out(scorer, &outputs, &head, values);
        if (status == SFT_OK && !scorer->left_out)
            status = sft_results_put(results, which, s, set, outputs.n, values);
    }
    sft_head_free(&head);
    free(values);
    return status;
}

static enum sft_status evaluate_set(struct sft_model *model, const struct sft_evaluation *evaluation, int set,
                                    enum sft_results_model which, struct sft_results *results,
                                    double *accuracy)
{
    const struct sft_dataset *data = set == SFT_ID_SET ? evaluation->id : evaluation->sets[set];
    struct sft_collected collected;
    enum sft_status status = SFT_OK;
    bool id = set == SFT_ID_SET;
    SFT_TRY(sft_collect(model, data, id ? SFT_IMAGES_ID : SFT_IMAGES_OOD, sft_results_set_name(results, set),
                        evaluation, 0, &collected));
    if (id) {
        status = measure_id(data, &collected, accuracy, &results->ece[which]);
        if (status == SFT_OK) status = learn(model, evaluation, SFT_NEEDS_FIT_ON_ID, &collected);
    }
    if (status == SFT_OK) status = score_set(model, evaluation, &collected, set, which, results);
    sft_collected_free(&collected);
    return status;
}

enum sft_status sft_evaluate(struct sft_model *model, const struct sft_evaluation *evaluation,
                             enum sft_results_model which, struct sft_results *results)
{
    double accuracy = NAN;
    for (int set = SFT_ID_SET; set < results->sets; set++)
        SFT_TRY(evaluate_set(model, evaluation, set, which, results, &accuracy));
    if (!sft_drop_left_out(evaluation->scorers, results->scores, results))
        return sft_fail(SFT_DATA, "none of the scores can be computed");
    return sft_results_compute(results, which, accuracy);
}

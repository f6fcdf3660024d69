/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/jobs/near_chance.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "nn/inference.h"
#include "nn/prediction.h"
#include "ood/evaluate.h"
#include "runtime/base/alloc.h"
#include "runtime/base/log.h"

/* ---- the tests ---- */

/* P(X = k), X of n with probability p each, 0 < p < 1. */
static double binomial(int64_t n, int64_t k, double p)
{
    const double choose = lgamma((double)n + 1) - lgamma((double)k + 1) - lgamma((double)(n - k) + 1);
    return exp(choose + (double)k * log(p) + (double)(n - k) * log1p(-p));
}

/* P(from <= X <= to) */
static double between(int64_t n, int64_t from, int64_t to, double p)
{
    double sum = 0;
    for (int64_t k = from; k <= to; k++) sum += binomial(n, k, p);
    return sum;
}

enum sft_chance sft_chance_of(int64_t images, int64_t right, int classes)
{
    const double level = 0.001, guess = 1.0 / (double)classes, useful = guess + 0.1 * (1 - guess);
    if (between(images, right, images, guess) < level) return SFT_CHANCE_ABOVE;
    return between(images, 0, right, useful) < level ? SFT_CHANCE_NEAR : SFT_CHANCE_UNKNOWN;
}

/* ---- images ---- */

struct drawing {
    struct sft_model *model;
    struct sft_loader *loader;
    struct sft_inference *inference;
    float *logits;
    int outputs;
};

/* Few at a time where they are large: the answer is often known after some. */
static int64_t batch_of(const struct sft_model *model, int64_t count)
{
    const int64_t pixels = 1 << 19, side = model->image_size;
    int64_t batch = pixels / (side * side);
    if (batch > 32) batch = 32;
    if (batch > count) batch = count;
    return batch < 1 ? 1 : batch;
}

static enum sft_status open_drawing(struct sft_model *model, const struct sft_dataset *id,
                                    struct drawing *drawing)
{
    const int64_t count = sft_dataset_count(id), batch = batch_of(model, count);
    const int64_t most = count < SFT_NEAR_CHANCE_IMAGES ? count : SFT_NEAR_CHANCE_IMAGES;
    struct sft_loader_params params;
    drawing->model = model;
    drawing->outputs = sft_model_outputs(model);
    drawing->logits = sft_calloc((size_t)(batch * drawing->outputs), sizeof(*drawing->logits));
    if (!drawing->logits) return SFT_MEMORY;
    sft_loader_defaults(&params, model->image_size);
    params.dataset = id;
    params.batch = batch;
    params.shuffle = true;
    params.tolerant = true;
    params.steps = most / batch;
    sft_loader_as_model(&params, model);
    SFT_TRY(sft_inference_create(model, (int)batch, NULL, 0, &drawing->inference));
    return sft_loader_open(&params, &drawing->loader);
}

static void close_drawing(struct drawing *drawing)
{
    sft_loader_close(&drawing->loader);
    sft_inference_destroy(&drawing->inference);
    free(drawing->logits);
}

static enum sft_status count_right(struct drawing *drawing, const struct sft_batch *batch,
                                   struct sft_near_chance *found)
{
    float *const outputs[SFT_MAX_OUTPUTS_OF_PASS] = {[SFT_OUTPUT_LOGITS] = drawing->logits};
    SFT_TRY(sft_inference_run(drawing->inference, batch->images, batch->n_id, outputs));
    for (int i = 0; i < batch->n_id; i++) {
        struct sft_prediction best;
        if (batch->labels[i] < 0) continue;
        best = sft_predict(drawing->model->groups, drawing->model->classes,
                           drawing->logits + (int64_t)i * drawing->outputs);
        found->images++;
        found->right += best.label == batch->labels[i];
    }
    return SFT_OK;
}

enum sft_status sft_near_chance_test(struct sft_model *model, const struct sft_dataset *id,
                                     const struct sft_watch *watch, struct sft_near_chance *found)
{
    const volatile sig_atomic_t *stop = sft_watch_stop(watch);
    struct drawing drawing = {.model = model};
    const struct sft_batch *batch = NULL;
    enum sft_status status;
    *found = (struct sft_near_chance){.images = 0};
    SFT_TRY_OUT(open_drawing(model, id, &drawing));
    while (found->verdict == SFT_CHANCE_UNKNOWN) {
        if (stop && *stop) status = SFT_INTERRUPTED;
        if (status == SFT_OK) status = sft_loader_next(drawing.loader, &batch);
        if (status != SFT_OK || !batch) break;
        SFT_TRY_OUT(count_right(&drawing, batch, found));
        found->verdict = sft_chance_of(found->images, found->right, model->classes);
    }
out:
    close_drawing(&drawing);
    return status;
}

/* ---- telling ---- */

static const char *const words[] = {[SFT_CHANCE_UNKNOWN] = "not known",
                                    [SFT_CHANCE_ABOVE] = "above chance",
                                    [SFT_CHANCE_NEAR] = "near chance"};

static enum sft_status refuse(const struct sft_near_chance *found, const struct sft_model *model,
                              const struct sft_dataset *id, bool force)
{
    const char *order = model->file.class_order ? model->file.class_order : "sorted";
    struct sft_text text = {0};
    enum sft_status status;
    sft_text_printf(&text,
                    "of %" PRId64 " images of %s the model classifies %" PRId64
                    " as their labels say, which is what guessing among %d classes does",
                    found->images, sft_dataset_spec(id), found->right, model->classes);
    status = text.status;
    if (status == SFT_OK && force)
        sft_log(SFT_LOG_WARNING, "%s; it is fine-tuned all the same", text.data);
    else if (status == SFT_OK)
        status = sft_fail(
            SFT_DATA,
            "%s: its classes may be in another order (--class-order sorted, mos or FILE; taken was %s), its "
            "input normalised otherwise (--mean, --std), or the weights are of other classes or not trained; "
            "--force fine-tunes all the same",
            text.data, order);
    sft_text_free(&text);
    return status;
}

enum sft_status sft_near_chance_judge(const struct sft_near_chance *found, const struct sft_model *model,
                                      const struct sft_dataset *id, bool force)
{
    if (found->verdict == SFT_CHANCE_NEAR) return refuse(found, model, id, force);
    if (found->verdict == SFT_CHANCE_UNKNOWN)
        sft_log(SFT_LOG_INFO,
                "%" PRId64 " of %" PRId64 " images of %s are classified right before: too few to tell from "
                "guessing",
                found->right, found->images, sft_dataset_spec(id));
    return SFT_OK;
}

void sft_near_chance_json(const struct sft_near_chance *found, struct sft_json *json)
{
    sft_json_object(json, "accuracy_before");
    sft_json_integer(json, "images", found->images);
    sft_json_integer(json, "right", found->right);
    sft_json_text(json, "verdict", words[found->verdict]);
    sft_json_end(json);
}

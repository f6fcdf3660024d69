/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/jobs/prop1.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nn/inference.h"
#include "ood/evaluate.h"
#include "runtime/base/alloc.h"
#include "runtime/base/logits.h"
#include "tools/jobs/lines.h"

/* A probe set, with the energy and the largest logit of its images before a step, [0], and behind it, [1]. */
struct probe {
    struct sft_prop1_set set;
    int64_t n;
    double *energy[2], *largest[2];
};

struct sft_prop1 {
    struct sft_model *model;
    struct sft_inference *inference;
    struct sft_loader_params loading;
    struct probe probes[SFT_PROP1_MAX_SETS];
    int n_probes;
    float *logits, *gradient;
    struct sft_lines lines;
};

/* ---- life ---- */

static enum sft_status create_probe(const struct sft_prop1_set *set, int64_t images, struct probe *probe)
{
    *probe = (struct probe){.set = *set, .n = sft_dataset_count(set->images)};
    if (probe->n > images) probe->n = images;
    for (int i = 0; i < 2; i++) {
        probe->energy[i] = sft_calloc((size_t)probe->n, sizeof(double));
        probe->largest[i] = sft_calloc((size_t)probe->n, sizeof(double));
        if (!probe->energy[i] || !probe->largest[i]) return SFT_MEMORY;
    }
    return SFT_OK;
}

static enum sft_status create(struct sft_prop1 *prop1, const struct sft_prop1_set *sets, int n_sets,
                              int64_t images, int batch)
{
    struct sft_model *model = prop1->model;
    if (model->groups)
        return sft_fail(SFT_USAGE, "--trace prop1: it is about the energy of one softmax over all classes, "
                                   "and this model's classifier has one for each group of them");
    if (n_sets > SFT_PROP1_MAX_SETS)
        return sft_fail(SFT_USAGE, "more than %d probe sets", SFT_PROP1_MAX_SETS);
    SFT_TRY(sft_inference_create(model, batch, NULL, 0, &prop1->inference));
    sft_loader_defaults(&prop1->loading, model->image_size);
    prop1->loading.batch = batch;
    sft_loader_as_model(&prop1->loading, model);
    prop1->logits = sft_calloc((size_t)(batch * model->classes), sizeof(float));
    prop1->gradient = sft_calloc((size_t)model->parameters.weights_size, sizeof(float));
    if (!prop1->logits || !prop1->gradient) return SFT_MEMORY;
    for (int i = 0; i < n_sets; i++)
        SFT_TRY(create_probe(&sets[i], images, &prop1->probes[prop1->n_probes++]));
    return SFT_OK;
}

enum sft_status sft_prop1_open(struct sft_model *model, const struct sft_prop1_set *sets, int n_sets,
                               int64_t images, int batch, struct sft_prop1 **out)
{
    struct sft_prop1 *prop1 = sft_calloc(1, sizeof(*prop1));
    enum sft_status status;
    *out = NULL;
    if (!prop1) return SFT_MEMORY;
    prop1->model = model;
    status = create(prop1, sets, n_sets, images, batch);
    if (status == SFT_OK)
        *out = prop1;
    else
        sft_prop1_close(&prop1);
    return status;
}

void sft_prop1_close(struct sft_prop1 **prop1)
{
    struct sft_prop1 *p = *prop1;
    if (!p) return;
    for (int k = 0; k < p->n_probes; k++)
        for (int i = 0; i < 2; i++) {
            free(p->probes[k].energy[i]);
            free(p->probes[k].largest[i]);
        }
    sft_lines_close(&p->lines);
    sft_inference_destroy(&p->inference);
    free(p->logits);
    free(p->gradient);
    free(p);
    *prop1 = NULL;
}

/* ---- looking ---- */

static void take_logits(const struct sft_prop1 *prop1, struct probe *probe, int64_t first, int64_t n,
                        int when)
{
    int classes = prop1->model->classes;
    for (int64_t i = 0; i < n; i++) {
        const float *z = prop1->logits + i * classes;
        probe->largest[when][first + i] = (double)sft_row_max(z, classes);
        probe->energy[when][first + i] = sft_log_sum_exp(z, classes);
    }
}

static enum sft_status look_at(struct sft_prop1 *prop1, struct probe *probe, struct sft_loader *loader,
                               int when)
{
    float *outputs[SFT_MAX_OUTPUTS_OF_PASS] = {[SFT_OUTPUT_LOGITS] = prop1->logits};
    const struct sft_batch *batch;
    int64_t done = 0, n;
    while (done < probe->n) {
        SFT_TRY(sft_loader_next(loader, &batch));
        if (!batch) return sft_fail(SFT_FAILED, "%s: fewer images than it says", probe->set.name);
        n = batch->n_id < probe->n - done ? batch->n_id : probe->n - done;
        SFT_TRY(sft_inference_run(prop1->inference, batch->images, n, outputs));
        take_logits(prop1, probe, done, n, when);
        done += n;
    }
    return SFT_OK;
}

static enum sft_status look(struct sft_prop1 *prop1, int when)
{
    for (int i = 0; i < prop1->n_probes; i++) {
        struct sft_loader_params loading = prop1->loading;
        struct sft_loader *loader = NULL;
        enum sft_status status;
        loading.dataset = prop1->probes[i].set.images;
        status = sft_loader_open(&loading, &loader);
        if (status == SFT_OK) status = look_at(prop1, &prop1->probes[i], loader, when);
        sft_loader_close(&loader);
        SFT_TRY(status);
    }
    return SFT_OK;
}

enum sft_status sft_prop1_begin(struct sft_prop1 *prop1, const char *path, int64_t first_step)
{
    SFT_TRY(sft_lines_open(path, first_step, &prop1->lines));
    return look(prop1, 0);
}

/* ---- a step ---- */

/* Squared gradient norms: of all that trains, of the perturbed set, of the classifier. */
struct squares {
    double all, set, head;
};

static enum sft_status square_gradient(struct sft_prop1 *prop1, const struct sft_step *step,
                                       struct squares *squares)
{
    const struct sft_parameters *parameters = &prop1->model->parameters;
    *squares = (struct squares){0};
    SFT_TRY(sft_tensor_download(sft_step_first_gradient(step), 0, parameters->weights_size, prop1->gradient));
    for (int i = 0; i < parameters->n; i++) {
        const struct sft_parameter *item = &parameters->items[i];
        double sum = 0.0;
        if (item->kind == SFT_BUFFER) continue;
        for (int64_t k = 0; k < item->count; k++) {
            double g = (double)prop1->gradient[item->offset + k];
            sum += g * g;
        }
        if (sft_step_trains(step, i)) squares->all += sum;
        if (sft_step_perturbs(step, i)) squares->set += sum;
        if (1 << item->kind & SFT_KINDS_HEAD) squares->head += sum;
    }
    return SFT_OK;
}

/* What a step did to the loss of its batch. */
struct loss_change {
    double term1, s_loss;
};

/* Compares a probe set before and behind the step; what is behind it becomes what is before the next. */
static void compare(struct probe *probe, struct loss_change change, struct sft_json *json)
{
    const double n = (double)probe->n, slack = fmax(change.s_loss, 0.0);
    double energy = 0.0, largest = 0.0, holds = 0.0;
    for (int64_t i = 0; i < probe->n; i++) {
        double de = probe->energy[1][i] - probe->energy[0][i];
        double dm = probe->largest[1][i] - probe->largest[0][i];
        energy += de / n;
        largest += dm / n;
        holds += (de <= change.term1 + dm + slack) / n;
        probe->energy[0][i] = probe->energy[1][i];
        probe->largest[0][i] = probe->largest[1][i];
    }
    sft_json_object(json, probe->set.name);
    sft_json_real(json, "energy", energy);
    sft_json_real(json, "max_logit", largest);
    sft_json_real(json, "s", energy - change.term1 - largest);
    sft_json_real(json, "holds", holds);
    sft_json_end(json);
}

static void add_squares(const struct squares *squares, struct sft_json *json)
{
    sft_json_object(json, "g2");
    sft_json_real(json, "all", squares->all);
    sft_json_real(json, "set", squares->set);
    sft_json_real(json, "head", squares->head);
    sft_json_end(json);
}

enum sft_status sft_prop1_step(struct sft_prop1 *prop1, const struct sft_fit_report *report, double momentum)
{
    struct squares squares;
    struct loss_change change;
    struct sft_json json = {0};
    double after;
    SFT_TRY(square_gradient(prop1, report->done, &squares));
    SFT_TRY(sft_step_loss(report->done, &after));
    SFT_TRY(look(prop1, 1));
    change.term1 = -0.5 * report->lr * squares.all;
    change.s_loss = after - report->result.loss - change.term1;
    sft_json_object(&json, NULL);
    sft_json_integer(&json, "step", report->step + 1);
    sft_json_real(&json, "lr", report->lr);
    add_squares(&squares, &json);
    sft_json_real(&json, "term1", change.term1);
    sft_json_real(&json, "term1_momentum", change.term1 / (1.0 - momentum));
    sft_json_real(&json, "loss", report->result.loss);
    sft_json_real(&json, "loss_after", after);
    sft_json_real(&json, "s_loss", change.s_loss);
    sft_json_object(&json, "sets");
    for (int i = 0; i < prop1->n_probes; i++) compare(&prop1->probes[i], change, &json);
    sft_json_end(&json);
    sft_json_end(&json);
    return sft_lines_write(&prop1->lines, &json);
}

enum sft_status sft_prop1_sync(struct sft_prop1 *prop1) { return sft_lines_sync(&prop1->lines); }

/* ---- the whole run ---- */

static double number(const json_t *object, const char *key)
{
    return json_number_value(json_object_get(object, key));
}

/* The sums of that set, which start as zeros; NULL where there is no room for one more. */
static struct sft_prop1_sums *sums_of(struct sft_prop1_summary *summary, const char *name)
{
    struct sft_prop1_sums *sums;
    for (int i = 0; i < summary->sets; i++)
        if (strcmp(summary->set[i].name, name) == 0) return &summary->set[i];
    if (summary->sets == SFT_PROP1_MAX_SETS) return NULL;
    sums = &summary->set[summary->sets++];
    snprintf(sums->name, sizeof(sums->name), "%s", name);
    return sums;
}

static enum sft_status add_line(const char *path, const json_t *line, double share,
                                struct sft_prop1_summary *summary)
{
    const char *name;
    json_t *set;
    summary->term1 += number(line, "term1");
    summary->term1_momentum += number(line, "term1_momentum");
    summary->s_loss += number(line, "s_loss");
    json_object_foreach(json_object_get(line, "sets"), name, set)
    {
        struct sft_prop1_sums *sums = sums_of(summary, name);
        if (!sums) return sft_fail(SFT_DATA, "%s: more than %d probe sets", path, SFT_PROP1_MAX_SETS);
        sums->energy += number(set, "energy");
        sums->max_logit += number(set, "max_logit");
        sums->s += number(set, "s");
        sums->holds += share * number(set, "holds");
    }
    return SFT_OK;
}

enum sft_status sft_prop1_sum_up(const char *path, struct sft_prop1_summary *summary)
{
    enum sft_status status = SFT_OK;
    json_t *lines;
    *summary = (struct sft_prop1_summary){0};
    SFT_TRY(sft_lines_read(path, &lines));
    summary->steps = (int64_t)json_array_size(lines);
    for (size_t i = 0; status == SFT_OK && i < json_array_size(lines); i++)
        status = add_line(path, json_array_get(lines, i), 1.0 / (double)summary->steps, summary);
    json_decref(lines);
    return status;
}

void sft_prop1_json(const struct sft_prop1_summary *summary, const char *key, struct sft_json *json)
{
    sft_json_object(json, key);
    sft_json_integer(json, "steps", summary->steps);
    sft_json_object(json, "sets");
    for (int i = 0; i < summary->sets; i++) {
        const struct sft_prop1_sums *set = &summary->set[i];
        sft_json_object(json, set->name);
        sft_json_real(json, "energy", set->energy);
        sft_json_real(json, "max_logit", set->max_logit);
        sft_json_real(json, "s", set->s);
        sft_json_real(json, "holds", set->holds);
        sft_json_end(json);
    }
    sft_json_end(json);
    sft_json_real(json, "term1", summary->term1);
    sft_json_real(json, "term1_momentum", summary->term1_momentum);
    sft_json_real(json, "s_loss", summary->s_loss);
    sft_json_end(json);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/jobs/prop1.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "nn/inference.h"
#include "runtime/base/alloc.h"
#include "tools/jobs/lines.h"

/* What is known of a probe set's images before the next step, and behind it. */
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
        return sft_fail(SFT_USAGE,
                        "--trace prop1: it is about the energy of one softmax over all classes, and this "
                        "model's classifier has one for each group of them");
    if (n_sets > SFT_PROP1_MAX_SETS)
        return sft_fail(SFT_USAGE, "more than %d probe sets", SFT_PROP1_MAX_SETS);
    SFT_TRY(sft_inference_create(model, batch, NULL, 0, &prop1->inference));
    sft_loader_defaults(&prop1->loading, model->image_size);
    prop1->loading.batch = batch;
    memcpy(prop1->loading.mean, model->mean, sizeof(model->mean));
    memcpy(prop1->loading.std, model->std, sizeof(model->std));
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
        double largest = (double)z[0], sum = 0.0;
        for (int c = 1; c < classes; c++) largest = fmax(largest, (double)z[c]);
        for (int c = 0; c < classes; c++) sum += exp((double)z[c] - largest);
        probe->largest[when][first + i] = largest;
        probe->energy[when][first + i] = largest + log(sum);
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

/* Compares a probe set before and behind the step; what is behind it becomes what is before the next. */
static json_t *compare(struct probe *probe, double term1, double s_loss)
{
    double energy = 0.0, largest = 0.0, holds = 0.0, n = (double)probe->n, slack = fmax(s_loss, 0.0);
    for (int64_t i = 0; i < probe->n; i++) {
        double de = probe->energy[1][i] - probe->energy[0][i],
               dm = probe->largest[1][i] - probe->largest[0][i];
        energy += de / n;
        largest += dm / n;
        holds += (de <= term1 + dm + slack) / n;
        probe->energy[0][i] = probe->energy[1][i];
        probe->largest[0][i] = probe->largest[1][i];
    }
    return json_pack("{s:f, s:f, s:f, s:f}", "energy", energy, "max_logit", largest, "s",
                     energy - term1 - largest, "holds", holds);
}

enum sft_status sft_prop1_step(struct sft_prop1 *prop1, const struct sft_fit_report *report, double momentum)
{
    struct squares squares;
    double after, term1, s_loss;
    json_t *sets;
    SFT_TRY(square_gradient(prop1, report->done, &squares));
    SFT_TRY(sft_step_loss(report->done, &after));
    SFT_TRY(look(prop1, 1));
    term1 = -0.5 * report->lr * squares.all;
    s_loss = after - report->result.loss - term1;
    sets = json_object();
    for (int i = 0; i < prop1->n_probes; i++)
        json_object_set_new(sets, prop1->probes[i].set.name, compare(&prop1->probes[i], term1, s_loss));
    return sft_lines_write(&prop1->lines,
                           json_pack("{s:I, s:f, s:{s:f, s:f, s:f}, s:f, s:f, s:f, s:f, s:f, s:o}", "step",
                                     (json_int_t)report->step + 1, "lr", report->lr, "g2", "all", squares.all,
                                     "set", squares.set, "head", squares.head, "term1", term1,
                                     "term1_momentum", term1 / (1.0 - momentum), "loss", report->result.loss,
                                     "loss_after", after, "s_loss", s_loss, "sets", sets));
}

/* ---- the whole run ---- */

static double number(const json_t *object, const char *key)
{
    return json_number_value(json_object_get(object, key));
}

/* Adds `share` times object's number to total's. */
static void add(json_t *total, const json_t *object, const char *key, double share)
{
    json_object_set_new(total, key, json_real(number(total, key) + share * number(object, key)));
}

static void add_sets(json_t *total, json_t *sets, double share)
{
    const char *name;
    json_t *set;
    json_object_foreach(sets, name, set)
    {
        if (!json_object_get(total, name)) json_object_set_new(total, name, json_object());
        add(json_object_get(total, name), set, "energy", 1.0);
        add(json_object_get(total, name), set, "max_logit", 1.0);
        add(json_object_get(total, name), set, "s", 1.0);
        add(json_object_get(total, name), set, "holds", share);
    }
}

enum sft_status sft_prop1_summary(const char *path, json_t **summary)
{
    static const char *const sums[] = {"term1", "term1_momentum", "s_loss"};
    json_t *lines, *line, *sets = json_object();
    size_t i;
    *summary = NULL;
    SFT_TRY(sft_lines_read(path, &lines));
    *summary = json_pack("{s:I, s:o}", "steps", (json_int_t)json_array_size(lines), "sets", sets);
    json_array_foreach(lines, i, line)
    {
        for (size_t k = 0; k < sizeof(sums) / sizeof(sums[0]); k++) add(*summary, line, sums[k], 1.0);
        add_sets(sets, json_object_get(line, "sets"), 1.0 / (double)json_array_size(lines));
    }
    json_decref(lines);
    return *summary ? SFT_OK : sft_fail(SFT_MEMORY, "no memory for the summary of %s", path);
}

void sft_prop1_print(const json_t *summary, FILE *out)
{
    json_t *sets = json_object_get(summary, "sets"), *set;
    const char *name;
    fprintf(out, "Proposition 1 over %lld steps: term1 %.4g, with momentum %.4g; S of the loss %.4g\n",
            (long long)json_integer_value(json_object_get(summary, "steps")), number(summary, "term1"),
            number(summary, "term1_momentum"), number(summary, "s_loss"));
    fprintf(out, "  %-20s %12s %12s %12s %8s\n", "", "energy", "max logit", "S", "holds");
    json_object_foreach(sets, name, set)
        fprintf(out, "  %-20s %+12.4f %+12.4f %+12.4f %7.1f%%\n", name, number(set, "energy"),
                number(set, "max_logit"), number(set, "s"), 100.0 * number(set, "holds"));
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/reproduce/lab.h"

#include <fnmatch.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "nn/checkpoint/checkpoint.h"
#include "runtime/base/alloc.h"
#include "runtime/base/file.h"
#include "runtime/base/log.h"
#include "runtime/base/nearest.h"
#include "runtime/base/text.h"

void sft_lab_note(struct sft_lab *lab, const char *format, ...)
{
    char line[1024], *copy;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof(line), format, arguments);
    va_end(arguments);
    sft_log(SFT_LOG_WARNING, "%s", line);
    if (lab->notes.count == SFT_MAX_TEXTS) return;
    copy = sft_strdup(line);
    if (copy) lab->notes.values[lab->notes.count++] = copy;
}

int sft_experiment_tables(const struct sft_experiment *experiment, const struct sft_table **first)
{
    int count = 0;
    *first = experiment->tables;
    if (experiment->table != SFT_ALL_TABLES) {
        *first += experiment->table;
        return 1;
    }
    while (experiment->tables[count].name) count++;
    return count;
}

/* ---- models ---- */

static bool uses(const struct sft_experiment *experiment, const struct sft_role *role)
{
    const struct sft_table *tables;
    int count;
    if (experiment->kind != SFT_EXPERIMENT_TABLES) return strcmp(experiment->figure.model, role->name) == 0;
    count = sft_experiment_tables(experiment, &tables);
    for (int i = 0; i < count; i++)
        for (const struct sft_table_row *row = tables[i].rows; row->model; row++)
            if (strcmp(row->model, role->name) == 0) return true;
    return false;
}

static bool plays(const struct sft_role *role, const char *variant)
{
    return fnmatch(role->variants, variant, 0) == 0;
}

static enum sft_status guess_variant(const char *path, const char **variant)
{
    struct sft_model_config config = {0};
    struct sft_checkpoint *checkpoint;
    enum sft_status status;
    SFT_TRY(sft_checkpoint_open(path, &checkpoint));
    status = sft_model_guess(checkpoint, &config);
    *variant = status == SFT_OK ? sft_model_find(config.name)->name : NULL;
    sft_checkpoint_close(&checkpoint);
    return status;
}

/* The role that NAME of NAME=FILE means, or, without a name, that weights of this architecture play. */
static const struct sft_role *find_role(const struct sft_experiment *experiment, const char *name,
                                        const char *variant)
{
    for (const struct sft_role *role = sft_roles; role->name; role++) {
        if (!uses(experiment, role)) continue;
        if (name ? strcasecmp(name, role->name) == 0 || (!role->by_name && plays(role, name))
                 : !role->by_name && plays(role, variant))
            return role;
    }
    return NULL;
}

static enum sft_status add_weights(struct sft_lab *lab, const char *text)
{
    const char *equals = access(text, F_OK) == 0 ? NULL : strchr(text, '=');
    struct sft_lab_model *model = &lab->models[lab->model_count];
    char name[64] = "";
    *model = (struct sft_lab_model){.path = equals ? equals + 1 : text};
    if (equals) snprintf(name, sizeof(name), "%.*s", (int)(equals - text), text);
    if (equals && sft_model_find(name)) model->variant = sft_model_find(name)->name;
    if (equals && !find_role(lab->experiment, name, NULL))
        return sft_fail(SFT_USAGE, "--weights %s: %s has no model called %s", text, lab->experiment->name,
                        name);
    if (!model->variant) SFT_TRY(guess_variant(model->path, &model->variant));
    model->role = find_role(lab->experiment, equals ? name : NULL, model->variant);
    if (!model->role || !plays(model->role, model->variant))
        return sft_fail(SFT_DATA, "--weights %s: a %s has no part in %s", text, model->variant,
                        lab->experiment->name);
    if (sft_lab_model(lab, model->role->name) || lab->model_count == SFT_LAB_MAX_MODELS - 1)
        return sft_fail(SFT_USAGE, "--weights %s: %s is named already", text, model->role->name);
    SFT_TRY(sft_file_sha256(model->path, model->sha256));
    lab->model_count++;
    return SFT_OK;
}

static void note_missing_model(struct sft_lab *lab, const struct sft_role *role)
{
    sft_lab_note(lab, "no weights of %s (%s): its rows are left out; name them with --weights %s=FILE",
                 role->name, role->about, role->name);
}

/* Fails where no weights are named. */
static enum sft_status check_models(const struct sft_lab *lab)
{
    const struct sft_role *role = sft_roles;
    if (lab->job->weights.count) return SFT_OK;
    while (!uses(lab->experiment, role)) role++;
    return sft_fail(SFT_USAGE, "%s: name the weights of %s (%s) with --weights FILE", lab->experiment->name,
                    role->name, role->about);
}

static enum sft_status find_models(struct sft_lab *lab)
{
    SFT_TRY(check_models(lab));
    for (int i = 0; i < lab->job->weights.count; i++) SFT_TRY(add_weights(lab, lab->job->weights.values[i]));
    for (const struct sft_role *role = sft_roles; role->name; role++)
        if (uses(lab->experiment, role) && !sft_lab_model(lab, role->name)) note_missing_model(lab, role);
    return SFT_OK;
}

const struct sft_lab_model *sft_lab_model(const struct sft_lab *lab, const char *role)
{
    for (int i = 0; i < lab->model_count; i++)
        if (strcmp(lab->models[i].role->name, role) == 0) return &lab->models[i];
    return NULL;
}

enum sft_status sft_lab_read(const struct sft_lab *lab, const struct sft_lab_model *model, const char *path,
                             struct sft_model **out)
{
    return sft_model_open(lab->job->device, path, &(struct sft_model_config){.name = model->variant}, out);
}

/* ---- data ---- */

/* "FORMAT:PATH#SPLIT" below `data`, as a SPEC; whether PATH is there. */
static bool is_there(const char *data, const char *place, char spec[SFT_RUN_PATH])
{
    const char *path = strchr(place, ':') + 1;
    int format = (int)(path - place);
    char file[SFT_RUN_PATH];
    if ((size_t)snprintf(spec, SFT_RUN_PATH, "%.*s%s/%s", format, place, data, path) >= SFT_RUN_PATH)
        return false;
    snprintf(file, sizeof(file), "%s/%.*s", data, (int)strcspn(path, "#"), path);
    return access(file, F_OK) == 0;
}

static bool find_set(const struct sft_lab *lab, const struct sft_set_places *set, char spec[SFT_RUN_PATH])
{
    for (int i = 0; lab->job->data && i < SFT_SET_MAX_PLACES && set->places[i]; i++)
        if (is_there(lab->job->data, set->places[i], spec)) return true;
    return false;
}

/* Where below --data the user would have to put the set, for messages; into text[64]. */
static const char *place_of(const struct sft_set_places *set, char *text)
{
    const char *path = strchr(set->places[0], ':') + 1;
    snprintf(text, 64, "%.*s", (int)strcspn(path, "#"), path);
    return text;
}

static enum sft_status find_id(const struct sft_lab *lab, const struct sft_set_places *set, const char *given,
                               char spec[SFT_RUN_PATH])
{
    char place[64];
    if (!given && find_set(lab, set, spec)) return SFT_OK;
    if (!given)
        return sft_fail(SFT_DATA, "%s: no ID images; there is no %s below --data %s; name them with %s SPEC",
                        lab->experiment->name, place_of(set, place), lab->job->data ? lab->job->data : "DIR",
                        set->name);
    snprintf(spec, SFT_RUN_PATH, "%s", given);
    return SFT_OK;
}

/* SPEC of the set that the job gives that name, NULL where it gives it none. */
static const char *named_set(const struct sft_lab_job *job, const char *name)
{
    for (int i = 0; i < job->ood.count; i++)
        if (strcasecmp(job->ood.values[i].name, name) == 0) return job->ood.values[i].spec;
    return NULL;
}

static enum sft_status check_names(const struct sft_lab *lab)
{
    const struct sft_set_places *sets = lab->experiment->collection->sets;
    const char *names[SFT_TABLE_MAX_SETS + 1] = {NULL}, *near;
    for (int i = 0; i < SFT_TABLE_MAX_SETS && sets[i].name; i++) names[i] = sets[i].name;
    for (int i = 0; i < lab->job->ood.count; i++) {
        const struct sft_named_set *given = &lab->job->ood.values[i];
        bool known = false;
        for (int k = 0; names[k]; k++) known = known || strcasecmp(names[k], given->name) == 0;
        if (known) continue;
        near = sft_nearest(given->name, names);
        return sft_fail(SFT_USAGE, "--ood %s=%s: write NAME=SPEC with a column of %s as NAME: %s%s",
                        given->name, given->spec, lab->experiment->name, near ? "is it " : "for example ",
                        near ? near : names[0]);
    }
    return SFT_OK;
}

/* Takes the set that stands at `place` in the collection. */
static void add_set(struct sft_lab *lab, int place, const char *spec)
{
    int n = lab->ood.count++;
    snprintf(lab->specs[n], sizeof(lab->specs[n]), "%s", spec);
    snprintf(lab->ood.values[n].name, SFT_SET_NAME, "%s", lab->experiment->collection->sets[place].name);
    lab->ood.values[n].spec = lab->specs[n];
    lab->set_numbers[n] = place;
}

static enum sft_status find_sets(struct sft_lab *lab)
{
    const struct sft_collection *collection = lab->experiment->collection;
    SFT_TRY(find_id(lab, &collection->train, lab->job->id, lab->train));
    SFT_TRY(find_id(lab, &collection->test, lab->job->eval_id, lab->test));
    SFT_TRY(check_names(lab));
    for (int i = 0; i < SFT_TABLE_MAX_SETS && collection->sets[i].name; i++) {
        const struct sft_set_places *set = &collection->sets[i];
        const char *spec = named_set(lab->job, set->name);
        char found[SFT_RUN_PATH], place[64];
        if (!spec && find_set(lab, set, found)) spec = found;
        if (!spec) {
            sft_lab_note(lab, "no %s (%s below --data): its column is left out; name it with --ood %s=SPEC",
                         set->name, place_of(set, place), set->name);
            continue;
        }
        add_set(lab, i, spec);
    }
    if (lab->ood.count > 0) return SFT_OK;
    return sft_fail(SFT_DATA, "%s: none of its OOD sets is there; name them with --ood NAME=SPEC",
                    lab->experiment->name);
}

/* Where scores are fitted on all training images, these are open already. */
static enum sft_status open_training(struct sft_lab *lab)
{
    if (!lab->job->fit_limit) {
        lab->train_set = lab->sets.fit;
        return SFT_OK;
    }
    return sft_open_set(lab->train, lab->job->limit, &lab->train_set);
}

static enum sft_status open_sets(struct sft_lab *lab)
{
    const struct sft_eval_request request = sft_lab_request(lab, "energy");
    struct sft_model *model = NULL;
    struct sft_dataset *id;
    enum sft_status status;
    SFT_TRY(sft_lab_read(lab, &lab->models[0], lab->models[0].path, &model));
    SFT_TRY_OUT(sft_open_set(lab->test, lab->job->limit, &id));
    SFT_TRY_OUT(sft_eval_sets_open(id, model, &request, &lab->sets));
    status = open_training(lab);
out:
    sft_model_destroy(&model);
    return status;
}

/* ---- evaluation ---- */

static void add_hash(struct sft_text *text, const struct sft_dataset *set)
{
    char hex[65];
    if (text->status == SFT_OK) text->status = sft_dataset_hash(set, hex);
    sft_text_printf(text, "%s\n", hex);
}

static enum sft_status take_id(struct sft_text *text, char id[SFT_LAB_ID])
{
    enum sft_status status = text->status;
    char hex[65];
    if (status == SFT_OK) sft_sha256(text->data, text->length, hex);
    if (status == SFT_OK) snprintf(id, SFT_LAB_ID, "%.*s", SFT_LAB_ID - 1, hex);
    sft_text_free(text);
    *text = (struct sft_text){0};
    return status;
}

static void knob_json(const struct sft_knob *knob, union sft_knob_value value, struct sft_json *json)
{
    if (knob->type == SFT_KNOB_REAL) sft_json_real(json, NULL, value.real);
    if (knob->type == SFT_KNOB_INT) sft_json_integer(json, NULL, value.integer);
    if (knob->type == SFT_KNOB_CHOICE) sft_json_text(json, NULL, knob->choices[value.choice]);
    if (knob->type == SFT_KNOB_FLAG) sft_json_boolean(json, NULL, value.flag);
}

static void add_knob(struct sft_text *text, const struct sft_knob *knob, union sft_knob_value value)
{
    struct sft_json json = {0};
    knob_json(knob, value, &json);
    sft_text_printf(text, "%s ", knob->name);
    sft_json_dump(&json, JSON_REAL_PRECISION(9), text);
    sft_text_add(text, "\n");
    sft_json_free(&json);
}

static void add_knobs(struct sft_text *text, const union sft_knob_value *knobs)
{
    for (int s = 0; s < sft_score_count(); s++)
        for (int k = 0; k < sft_score_knobs(sft_score_at(s)); k++)
            add_knob(text, &sft_score_at(s)->knobs[k], *knobs++);
}

static enum sft_status identify(struct sft_lab *lab)
{
    struct sft_text text = {0};
    add_hash(&text, lab->train_set);
    if (lab->job->tune) sft_text_add(&text, lab->job->tune);
    SFT_TRY(take_id(&text, lab->training));
    add_hash(&text, lab->sets.id);
    add_hash(&text, lab->sets.fit);
    for (int i = 0; i < lab->sets.sets; i++) {
        sft_text_printf(&text, "%s ", lab->sets.names[i]);
        add_hash(&text, lab->sets.ood[i]);
    }
    sft_text_printf(&text, "%s\n", lab->job->convention);
    add_knobs(&text, lab->job->knobs);
    return take_id(&text, lab->evaluation);
}

struct sft_eval_request sft_lab_request(const struct sft_lab *lab, const char *scores)
{
    const struct sft_lab_job *job = lab->job;
    return (struct sft_eval_request){
        .ood = lab->ood,
        .scores = scores,
        .convention = job->convention,
        .fit = lab->train,
        .knobs = job->knobs,
        .fit_limit = job->fit_limit ? job->fit_limit : job->limit,
        .limit = job->limit,
        .measure = {.recall = SFT_RESULTS_RECALL},
        .batch = job->batch,
    };
}

enum sft_status sft_lab_evaluate(struct sft_lab *lab, struct sft_model *model, const char *scores,
                                 json_t **results)
{
    const struct sft_eval_request request = sft_lab_request(lab, scores);
    *results = NULL;
    SFT_TRY(sft_eval_sets_rescore(model, &request, &lab->sets));
    SFT_TRY(sft_eval_sets_run(&lab->sets, model, SFT_BEFORE, lab->watch));
    *results = sft_results_to_json(&lab->sets.results);
    return *results ? SFT_OK : sft_fail(SFT_MEMORY, "no memory for the results");
}

/* ---- all of it ---- */

void sft_lab_job_init(struct sft_lab_job *job)
{
    *job = (struct sft_lab_job){.convention = "id", .batch = 100, .seeds = 5};
    sft_finetune_job_init(&job->tuned);
}

enum sft_status sft_lab_open(const struct sft_lab_job *job, const struct sft_experiment *experiment,
                             const struct sft_watch *watch, struct sft_lab *lab)
{
    *lab = (struct sft_lab){.job = job, .watch = watch, .experiment = experiment};
    SFT_TRY(find_models(lab));
    SFT_TRY(find_sets(lab));
    SFT_TRY(open_sets(lab));
    return identify(lab);
}

void sft_lab_close(struct sft_lab *lab)
{
    if (lab->train_set != lab->sets.fit) sft_dataset_close(&lab->train_set);
    sft_eval_sets_close(&lab->sets);
    for (int i = 0; i < lab->notes.count; i++) free((char *)lab->notes.values[i]);
}

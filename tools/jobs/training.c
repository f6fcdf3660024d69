/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/jobs/training.h"

#include <math.h>
#include <string.h>

#include "runtime/base/nearest.h"
#include "runtime/device.h"
#include "tools/jobs/notes.h"
#include "tools/jobs/outputs.h"
#include "tools/jobs/pictures.h"
#include "tools/jobs/run_enter.h"

/* ---- opening ---- */

enum sft_status sft_training_optimizer(const char *name, const struct sft_optimizer **optimizer)
{
    struct sft_guess guess = sft_guess_begin(name);
    *optimizer = sft_optimizer_find(name);
    if (*optimizer) return SFT_OK;
    for (int i = 0; sft_optimizer_at(i); i++) sft_guess_consider(&guess, sft_optimizer_at(i)->name);
    return sft_fail(SFT_USAGE, "--optimizer: there is none called \"%s\"%s%s; --help lists them", name,
                    guess.name ? "; did you mean " : "", guess.name ? guess.name : "");
}

enum sft_status sft_training_open(const struct sft_training_job *job, const struct sft_watch *watch,
                                  struct sft_training *training)
{
    *training = (struct sft_training){.job = *job, .watch = watch, .accuracy = NAN};
    SFT_TRY(sft_training_optimizer(job->optimizer, &training->job.params.step.optimizer));
    if (job->gradients) SFT_TRY(sft_output_check("--dump-gradients", job->gradients, true));
    return sft_run_check(&(struct sft_run_start){
        .folder = job->out,
        .overwrite = job->overwrite,
        .resume = job->resume,
    });
}

void sft_training_close(struct sft_training *training)
{
    sft_prop1_close(&training->trace);
    sft_dataset_close(&training->test);
    sft_dataset_close(&training->outliers);
    sft_dataset_close(&training->own_id);
    sft_model_destroy(&training->own_model);
}

enum sft_status sft_training_open_id(struct sft_training *training)
{
    const struct sft_training_job *job = &training->job;
    training->id = job->id_open;
    if (!training->id) {
        SFT_TRY(sft_open_set(job->id, job->limit, &training->own_id));
        training->id = training->own_id;
    }
    if (sft_dataset_classes(training->id) >= 2)
        return job->skip_bad ? sft_pictures_check(training->id, true, training->watch) : SFT_OK;
    return sft_fail(
        SFT_DATA, "--id %s: images without labels, or of one class only; training needs at least two classes",
        sft_dataset_spec(training->id));
}

/* The test split belongs to the training split: a set of another split has none to evaluate on. */
enum sft_status sft_training_open_eval_id(const struct sft_training *training, struct sft_dataset **set)
{
    const struct sft_training_job *job = &training->job;
    const char *split = sft_dataset_split(training->id);
    *set = NULL;
    if (job->eval_id) return sft_dataset_open(job->eval_id, set);
    if (*split && strcmp(split, "train") != 0) return SFT_OK;
    return sft_dataset_open_split(sft_dataset_spec(training->id), "test", set);
}

enum sft_status sft_training_complete(struct sft_training *training, double rho)
{
    struct sft_fit_params *params = &training->job.params;
    struct sft_pseudo_params *pseudo = &params->loader.pseudo, usual;
    if (isnan(params->rho)) params->rho = params->step.optimizer->rho > 0 ? params->step.optimizer->rho : rho;
    if (!params->loader.size) params->loader.size = training->model->image_size;
    SFT_TRY(sft_model_takes(training->model, params->loader.size));
    if (!pseudo->size_count) {
        sft_pseudo_defaults(&usual, training->model->image_size);
        pseudo->size_count = usual.size_count;
        memcpy(pseudo->sizes, usual.sizes, sizeof(pseudo->sizes));
    }
    return SFT_OK;
}

struct sft_loader_params sft_training_loader(const struct sft_training *training)
{
    struct sft_loader_params loader = training->job.params.loader;
    loader.dataset = training->id;
    loader.outliers = training->outliers;
    if (loader.pseudo.mode == SFT_PSEUDO_NONE && !loader.outliers) loader.ood_per_id = 0;
    loader.seed = training->job.params.seed;
    loader.steps = training->job.params.schedule.steps;
    sft_loader_as_model(&loader, training->model);
    return loader;
}

enum sft_status sft_training_check_pictures(struct sft_training *training, int seeds)
{
    const struct sft_loader_params loader = sft_training_loader(training);
    if (!training->job.skip_bad)
        SFT_TRY(sft_pictures_check_for(&loader, seeds, training->id, training->watch));
    if (!training->outliers) return SFT_OK;
    if (training->job.skip_bad) return sft_pictures_check(training->outliers, true, training->watch);
    return sft_pictures_check_for(&loader, seeds, training->outliers, training->watch);
}

/* ---- the folder ---- */

enum { MAX_INPUTS = 9 + SFT_MAX_SETS };

/* The files that the run reads, up to one without an option. */
static void list_inputs(const struct sft_training *training, struct sft_run_input inputs[MAX_INPUTS])
{
    const struct sft_training_job *job = &training->job;
    const struct sft_eval_sets *sets = training->sets;
    const struct sft_run_input always[] = {
        {"weights", job->model.weights},
        {"id", job->id},
        {"eval-id", job->eval_id},
        {"mos-groups", training->groups_file},
        {"class-order", sft_job_order_file(&job->model)},
        {"pseudo-ood", training->outliers ? sft_dataset_spec(training->outliers) : NULL},
        {"fit", sets && sets->fit ? sft_dataset_spec(sets->fit) : NULL},
    };
    int n = sizeof(always) / sizeof(always[0]);
    memcpy(inputs, always, sizeof(always));
    for (int i = 0; sets && i < sets->sets; i++)
        inputs[n++] = (struct sft_run_input){"eval-ood", sft_dataset_spec(sets->ood[i])};
    inputs[n] = (struct sft_run_input){NULL, NULL};
}

enum sft_status sft_training_describe(const struct sft_training *training, struct sft_run_words *words)
{
    const struct sft_training_job *job = &training->job;
    *words = (struct sft_run_words){NULL, NULL, NULL};
    return job->describe ? job->describe(job->describe_context, job, words) : SFT_OK;
}

enum sft_status sft_training_enter(const struct sft_training *training, enum sft_run_kind kind,
                                   struct sft_run *run)
{
    const struct sft_training_job *job = &training->job;
    struct sft_run_input inputs[MAX_INPUTS];
    list_inputs(training, inputs);
    return sft_run_enter(
        &(struct sft_run_start){
            .folder = job->out,
            .kind = kind,
            .overwrite = job->overwrite,
            .resume = job->resume,
            .inputs = inputs,
        },
        run);
}

enum sft_status sft_training_begin(const struct sft_training *training, json_t *identity, struct sft_run *run)
{
    const struct sft_job_model *source = &training->job.model;
    struct sft_run_words words;
    enum sft_status status = sft_training_describe(training, &words);
    if (status == SFT_OK) status = sft_run_begin(run, words.record, identity);
    sft_run_words_free(&words);
    SFT_TRY(status);
    sft_json_device(&run->record, "device", sft_device_get_info(source->device));
    sft_json_model(&run->record, training->model);
    sft_job_note_input(training->model, &run->record);
    SFT_TRY(sft_json_dataset(&run->record, "id_data", training->id));
    if (training->outliers) SFT_TRY(sft_json_dataset(&run->record, "outliers", training->outliers));
    if (training->sets) SFT_TRY(sft_eval_sets_note(training->sets, run));
    if (training->has_chance) sft_near_chance_json(&training->chance, &run->record);
    if (training->groups_file) SFT_TRY(sft_run_note_file(run, "mos_groups", training->groups_file));
    if (source->weights) sft_run_note_weights(run, source->weights, training->model);
    return run->record.status; /* before hours of work that it would let down at their end */
}

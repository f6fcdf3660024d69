/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ood/report/html.h"
#include "runtime/base/alloc.h"
#include "runtime/base/file.h"
#include "runtime/base/nearest.h"
#include "runtime/device.h"
#include "tools/cli/finetune_options.h"
#include "tools/cli/score_options.h"
#include "tools/cli/show.h"
#include "tools/cli/terminal.h"
#include "tools/jobs/notes.h"
#include "tools/jobs/run_enter.h"
#include "tools/reproduce/figure.h"
#include "tools/reproduce/show.h"

struct reproduce {
    struct sft_common common;
    struct sft_lab_job job;
};

/* ---- which experiment ---- */

static const char *experiment_list(int i)
{
    static char line[256];
    int count = 0;
    while (sft_experiments[count].name) count++;
    if (i >= count) return NULL;
    snprintf(line, sizeof(line), "%s: %s", sft_experiments[i].name, sft_experiments[i].about);
    return line;
}

static enum sft_status find_experiment(const char *name, const struct sft_experiment **experiment)
{
    struct sft_guess guess = sft_guess_begin(name);
    for (*experiment = sft_experiments; (*experiment)->name; (*experiment)++) {
        if (strcmp((*experiment)->name, name) == 0) return SFT_OK;
        sft_guess_consider(&guess, (*experiment)->name);
    }
    return sft_fail(SFT_USAGE, "reproduce: there is no \"%s\"%s%s; --help lists them", name,
                    guess.name ? "; did you mean " : "", guess.name ? guess.name : "");
}

/* ---- --tune ---- */

/* The text of --tune as a command line of `finetune`. */
struct tune {
    char *text;   /* cut into words */
    char **words; /* into `text` */
    struct sft_args args;
    struct sft_fit_words described;
};

static void free_tune(struct tune *tune)
{
    sft_args_free(&tune->args);
    free(tune->words);
    free(tune->text);
}

/* What `finetune` requires, in front: the experiment says later what these are. */
static const char *const required[] = {"--weights", "-", "--id", "-", "--out", "-"};
enum { REQUIRED = sizeof(required) / sizeof(required[0]) };

/* Runs are described by the device that they are computed on. */
static enum sft_status parse_tune(const char *text, const char *device, const struct sft_args *typed,
                                  struct tune *tune)
{
    static const struct sft_command *const commands[] = {&sft_command_finetune, NULL};
    int n = REQUIRED;
    *tune = (struct tune){.described = {.args = &tune->args, .typed = typed}};
    tune->text = sft_strdup(text ? text : "");
    tune->words = tune->text ? sft_calloc(REQUIRED + strlen(tune->text) / 2 + 1, sizeof(*tune->words)) : NULL;
    if (!tune->words) return SFT_MEMORY;
    for (int i = 0; i < REQUIRED; i++) tune->words[i] = (char *)required[i];
    for (char *word = strtok(tune->text, " "); word; word = strtok(NULL, " ")) tune->words[n++] = word;
    SFT_TRY(sft_args_parse(&sft_command_finetune, commands, n, tune->words, &tune->args));
    ((struct sft_finetune_values *)tune->args.values)->common.device = device;
    return SFT_OK;
}

/* ---- tables ---- */

/* What becomes of the tables: text for the terminal, files, JSON. */
struct output {
    struct sft_text text, markdown, csv, sections, links; /* the last two are the page's */
    struct sft_json json;                                 /* in the array of tables */
};

static void free_output(struct output *output)
{
    sft_text_free(&output->text);
    sft_text_free(&output->markdown);
    sft_text_free(&output->csv);
    sft_text_free(&output->sections);
    sft_text_free(&output->links);
    sft_json_free(&output->json);
}

static enum sft_status write_table(const struct sft_lab *lab, const struct sft_table *table,
                                   const struct sft_plan *plan, struct output *output)
{
    struct sft_measured measured;
    enum sft_status status = sft_table_measure(lab, table, plan, &measured);
    if (status == SFT_OK && measured.count > 0) {
        sft_measured_text(&measured, &output->text);
        sft_measured_markdown(&measured, &output->markdown);
        sft_measured_csv(&measured, &output->csv);
        sft_measured_html(&measured, &output->sections);
        sft_text_printf(&output->links, "<li><a href=\"#%s\">%s</a></li>\n", table->name, table->name);
        sft_measured_json(&measured, &output->json);
    }
    sft_measured_free(&measured);
    return status;
}

static const char *output_path(const struct sft_lab *lab, const char *extension, char path[SFT_RUN_PATH])
{
    char file[128];
    snprintf(file, sizeof(file), "%s%s", lab->experiment->name, extension);
    return sft_run_file(lab->job->out, file, path);
}

static enum sft_status write_file(const struct sft_lab *lab, const char *extension,
                                  const struct sft_text *text)
{
    char path[SFT_RUN_PATH];
    SFT_TRY(text->status);
    return sft_file_write(output_path(lab, extension, path), text->data, text->length);
}

static void add_notes(const struct sft_texts *notes, struct sft_text *markdown)
{
    for (int i = 0; i < notes->count; i++)
        sft_text_printf(markdown, "%s- %s\n", i ? "" : "Missing:\n\n", notes->values[i]);
}

static void add_page_notes(const struct sft_texts *notes, struct sft_text *page)
{
    if (notes->count == 0) return;
    sft_text_add(page, "<h2>What is missing</h2>\n<ul>\n");
    for (int i = 0; i < notes->count; i++) {
        sft_text_add(page, "<li>");
        sft_text_add_escaped(page, notes->values[i]);
        sft_text_add(page, "</li>\n");
    }
    sft_text_add(page, "</ul>\n");
}

static void add_json_notes(const struct sft_texts *notes, struct sft_json *json)
{
    sft_json_array(json, "missing");
    for (int i = 0; i < notes->count; i++) sft_json_text(json, NULL, notes->values[i]);
    sft_json_end(json);
}

/* All tables, and what they lack, for a browser. */
static enum sft_status write_page(const struct sft_lab *lab, const struct output *output)
{
    const char *name = lab->experiment->name;
    struct sft_text page = {0};
    enum sft_status status;
    sft_html_begin(&page, name);
    sft_text_add(&page, "<p class=\"facts\">The paper&rsquo;s tables, measured with ");
    sft_text_add_escaped(&page, sft_device_get_info(lab->job->device)->name);
    sft_text_add(&page, "</p>\n<nav aria-label=\"On this page\"><ul>\n");
    sft_text_append(&page, &output->links);
    sft_text_printf(
        &page, "<li><a href=\"%s.csv\">CSV</a></li>\n<li><a href=\"%s.json\">JSON</a></li>\n</ul></nav>\n",
        name, name);
    sft_html_main(&page);
    sft_text_append(&page, &output->sections);
    add_page_notes(&lab->notes, &page);
    sft_html_end(&page, "The folder <code>runs</code> beside this page keeps every training and evaluation.");
    status = write_file(lab, ".html", &page);
    sft_text_free(&page);
    return status;
}

static enum sft_status write_files(const struct sft_lab *lab, struct output *output, bool json)
{
    char path[SFT_RUN_PATH];
    add_notes(&lab->notes, &output->markdown);
    sft_json_end(&output->json); /* the tables */
    add_json_notes(&lab->notes, &output->json);
    sft_json_end(&output->json);
    SFT_TRY(output->text.status);
    SFT_TRY(write_file(lab, ".md", &output->markdown));
    SFT_TRY(write_file(lab, ".csv", &output->csv));
    SFT_TRY(sft_json_write(&output->json, output_path(lab, ".json", path),
                           JSON_INDENT(1) | JSON_REAL_PRECISION(9)));
    SFT_TRY(write_page(lab, output));
    if (json) return sft_print_json(&output->json);
    SFT_TRY(sft_text_print(&output->text, stdout));
    sft_print_line("%s", output_path(lab, ".html", path));
    return SFT_OK;
}

static void begin_json(const struct sft_lab *lab, struct sft_json *json)
{
    sft_json_object(json, NULL);
    sft_json_text(json, "experiment", lab->experiment->name);
    sft_json_array(json, "tables");
}

static enum sft_status make_tables(struct sft_lab *lab, bool json)
{
    struct output output = {.text = {0}};
    struct sft_plan plan = {0};
    const struct sft_table *tables;
    const int count = sft_experiment_tables(lab->experiment, &tables);
    enum sft_status status = SFT_OK;
    for (int i = 0; i < count; i++) SFT_TRY_OUT(sft_table_plan(lab, &tables[i], &plan));
    if (plan.count == 0) {
        status = sft_fail(SFT_DATA, "%s: nothing is left of it", lab->experiment->name);
        goto out;
    }
    SFT_TRY_OUT(sft_plan_run(&plan, lab));
    begin_json(lab, &output.json);
    for (int i = 0; i < count; i++) SFT_TRY_OUT(write_table(lab, &tables[i], &plan, &output));
    status = write_files(lab, &output, json);
out:
    sft_plan_free(&plan);
    free_output(&output);
    return status;
}

/* ---- figures ---- */

static enum sft_status show_figure(const struct sft_lab *lab, const char *folder, const struct sft_text *text,
                                   bool json)
{
    struct sft_json made = {0};
    char path[SFT_RUN_PATH];
    if (!json) {
        SFT_TRY(sft_text_print(text, stdout));
        sft_print_line("%s", sft_run_file(folder, SFT_FILE_REPORT, path));
        return SFT_OK;
    }
    sft_json_object(&made, NULL);
    sft_json_text(&made, "experiment", lab->experiment->name);
    sft_json_text(&made, "folder", folder);
    sft_json_end(&made);
    return sft_print_json(&made);
}

static enum sft_status make_figure(struct sft_lab *lab, bool json)
{
    struct sft_text text = {0};
    char folder[SFT_RUN_PATH];
    enum sft_status status = sft_figure_make(lab, output_path(lab, "", folder), &text);
    if (status == SFT_OK) status = show_figure(lab, folder, &text, json);
    sft_text_free(&text);
    return status;
}

static enum sft_status make_prop1(struct sft_lab *lab, bool json)
{
    struct sft_finetune_result result;
    char folder[SFT_RUN_PATH];
    enum sft_status status = sft_prop1_make(lab, output_path(lab, "", folder), &result);
    if (status == SFT_OK) status = sft_show_finetune(&result, folder, json);
    sft_finetune_result_free(&result);
    return status;
}

/* ---- the command ---- */

static enum sft_status (*const kinds[])(struct sft_lab *lab, bool json) = {
    [SFT_EXPERIMENT_TABLES] = make_tables,
    [SFT_EXPERIMENT_FIGURE] = make_figure,
    [SFT_EXPERIMENT_PROP1] = make_prop1,
};

static enum sft_status begin_run(const struct sft_lab *lab, struct sft_run *run)
{
    SFT_TRY(sft_run_enter(
        &(struct sft_run_start){
            .folder = lab->job->out,
            .kind = SFT_RUN_REPRODUCTION,
            .resume = lab->job->resume,
        },
        run));
    SFT_TRY(sft_run_begin(run, lab->job->record, NULL));
    sft_json_device(&run->record, "device", sft_device_get_info(lab->job->device));
    add_json_notes(&lab->notes, &run->record);
    for (int i = 0; i < lab->model_count; i++)
        SFT_TRY(sft_run_note_file(run, lab->models[i].role->name, lab->models[i].path));
    SFT_TRY(sft_json_dataset(&run->record, "training_data", lab->train_set));
    return sft_eval_sets_note(&lab->sets, run);
}

/* Settings of scores that the paper's code has for the collection, where the user gives none. */
static enum sft_status apply_settings(const struct sft_args *args, const struct sft_collection *collection)
{
    for (const struct sft_knob_setting *setting = collection->settings; setting->option; setting++) {
        const struct sft_option *option = sft_option_find(args->command->groups, setting->option);
        if (sft_args_given(args, setting->option)) continue;
        SFT_TRY(sft_option_set(option, args->values, setting->value, setting->option));
    }
    return SFT_OK;
}

static enum sft_status run_in(struct sft_lab *lab, const struct sft_lab_job *job,
                              const struct sft_experiment *experiment, bool json)
{
    const struct sft_watch watch = sft_terminal_watch();
    struct sft_run run = {.entered = false};
    enum sft_status status = sft_lab_open(job, experiment, &watch, lab);
    if (status == SFT_OK) status = begin_run(lab, &run);
    if (status == SFT_OK) status = kinds[experiment->kind](lab, json);
    return sft_run_end(&run, status, false);
}

static enum sft_status do_job(const struct sft_args *args, struct tune *tune, struct sft_lab_job *job)
{
    struct reproduce *options = args->values;
    const struct sft_experiment *experiment;
    struct sft_run_words words = {NULL, NULL, NULL};
    struct sft_lab lab = {.job = NULL};
    enum sft_status status;
    SFT_TRY(find_experiment(args->operands[0], &experiment));
    SFT_TRY(sft_run_check(&(struct sft_run_start){.folder = job->out, .resume = job->resume}));
    SFT_TRY(apply_settings(args, experiment->collection));
    SFT_TRY(parse_tune(job->tune, options->common.device, args, tune));
    SFT_TRY(sft_common_open_device(&options->common, &job->device));
    sft_finetune_take(&tune->described, job->device, &job->tuned);
    job->knobs = options->common.knobs;
    SFT_TRY_OUT(sft_args_describe(args, args, &words));
    job->record = words.record;
    status = run_in(&lab, job, experiment, options->common.json);
out:
    sft_lab_close(&lab);
    sft_run_words_free(&words);
    return status;
}

static enum sft_status run(const struct sft_args *args)
{
    struct sft_lab_job job = ((struct reproduce *)args->values)->job;
    struct tune tune = {.text = NULL};
    enum sft_status status = do_job(args, &tune, &job);
    sft_device_close(&job.device);
    free_tune(&tune);
    return status;
}

#define FIELD(member) SFT_FIELD(struct reproduce, job.member)

static const struct sft_option data_options[] = {
    {"data", SFT_OPTION_TEXT, FIELD(data), .value = "DIR",
     .help = "folder with the data sets, each in the place that a message names where one is missing"},
    {"weights", SFT_OPTION_TEXTS, FIELD(weights), .value = "[MODEL=]FILE",
     .help = "a checkpoint; its model is told from the file where MODEL does not say"},
    {"ood", SFT_OPTION_SETS, FIELD(ood), .value = "NAME=SPEC",
     .help = "an OOD set that is not below --data, by the name of its column"},
    {"id", SFT_OPTION_TEXT, FIELD(id), .value = "SPEC",
     .help = "ID images to learn from, where they are not below --data", .list = sft_data_formats},
    {"eval-id", SFT_OPTION_TEXT, FIELD(eval_id), .value = "SPEC",
     .help = "ID images to evaluate on, where they are not below --data"},
    {"out", SFT_OPTION_TEXT, FIELD(out), .value = "DIR", .required = true,
     .help = "folder for the tables and for all runs"},
    {"resume", SFT_OPTION_FLAG, FIELD(resume),
     .help = "go on in a folder that is in use: runs that are there and fit are not repeated"},
    {0},
};

static const struct sft_option run_options[] = {
    {"seeds", SFT_OPTION_INT, FIELD(seeds), .value = "N", .min = 1, .max = 1000,
     .help = "fine-tunings of each kind, with the seeds 0 .. N-1"},
    {"tune", SFT_OPTION_TEXT, FIELD(tune), .value = "OPTIONS",
     .help =
         "further options of `finetune` for every run, as \"--batch 16\"; what a row says wins over them"},
    {"epochs", SFT_OPTION_FLAG, FIELD(epochs), .help = "also the rows that take whole epochs"},
    {"limit", SFT_OPTION_INT, FIELD(limit), .value = "N", .min = 0, .max = 1e15,
     .help = "only the first N images of each set, to try it out; 0: all"},
    {"fit-limit", SFT_OPTION_INT, FIELD(fit_limit), .value = "N", .min = 0, .max = 1e15,
     .help = "only the first N training images for the scores that need statistics of them; 0: all"},
    {"steps", SFT_OPTION_INT, FIELD(steps), .value = "N", .min = 0, .max = 1e9,
     .help = "no more steps than that in any fine-tuning, to try it out; 0: as the tables say"},
    {"batch", SFT_OPTION_INT, FIELD(batch), .value = "N", .min = 1, .max = 65536,
     .help = "images at a time when evaluating"},
    {"fpr-positive", SFT_OPTION_TEXT, FIELD(convention), .value = "NAME",
     .help = "convention of FPR95; the paper's is id:", .list = sft_convention_list},
    {0},
};

static const struct sft_option_group groups[] = {
    {"Data", data_options},
    {"Runs", run_options},
    {"Settings of scores", sft_score_options},
    {"Device", sft_device_options},
    {"General", sft_general_options},
    {0},
};

static void init(void *values)
{
    struct reproduce *options = values;
    sft_common_init(&options->common);
    sft_score_options_defaults(&options->common);
    sft_lab_job_init(&options->job);
}

static const struct sft_example examples[] = {
    {"reproduce table1 --data DIR --weights bit.safetensors --out runs/table1", "the paper's first table"},
    {"reproduce small --data DIR --weights r20.safetensors --weights vgg11.safetensors --out runs/small",
     "all tables at the size of CIFAR, as far as weights are named"},
    {"reproduce small --data DIR --weights r20.safetensors --limit 200 --steps 2 --seeds 1 --out runs/try",
     "a quick try"},
    {0},
};

const struct sft_command sft_command_reproduce = {
    .name = "reproduce",
    .summary = "Runs a table or figure of the paper and sets it beside the published one",
    .about = "The folder --out gets the tables as a page, NAME.html, and as NAME.md, NAME.csv and NAME.json; "
             "a figure as a folder NAME with its data and a report. All trainings and evaluations are kept "
             "in runs/ and shared: a second table, or a command that was stopped and is given again with "
             "--resume, repeats nothing. Sets and models that are missing are named in a line each, and what "
             "needs them is left out.",
    .operands = "NAME",
    .operand_list = experiment_list,
    .min_operands = 1,
    .max_operands = 1,
    .examples = examples,
    .groups = groups,
    .values_size = sizeof(struct reproduce),
    .init = init,
    .run = run,
};

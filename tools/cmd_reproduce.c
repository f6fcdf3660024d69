/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ood/report/html.h"
#include "runtime/base/nearest.h"
#include "tools/cli/terminal.h"
#include "tools/jobs/run_folder.h"
#include "tools/reproduce/figure.h"
#include "tools/reproduce/show.h"

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
    enum { MAX = 64 };
    const char *names[MAX] = {NULL}, *near;
    *experiment = sft_experiments;
    for (int i = 0; (*experiment)->name && i < MAX - 1; (*experiment)++, i++) {
        if (strcmp((*experiment)->name, name) == 0) return SFT_OK;
        names[i] = (*experiment)->name;
    }
    near = sft_nearest(name, names);
    return sft_fail(SFT_USAGE, "reproduce: there is no \"%s\"%s%s; --help lists them", name,
                    near ? "; did you mean " : "", near ? near : "");
}

/* ---- tables ---- */

/* What becomes of the tables: text for the terminal, files, JSON. */
struct output {
    struct sft_text text, markdown, csv, sections, links; /* the last two are the page's */
    json_t *tables;
};

static void free_output(struct output *output)
{
    sft_text_free(&output->text);
    sft_text_free(&output->markdown);
    sft_text_free(&output->csv);
    sft_text_free(&output->sections);
    sft_text_free(&output->links);
    json_decref(output->tables);
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
        json_array_append_new(output->tables, sft_measured_json(&measured));
    }
    sft_measured_free(&measured);
    return status;
}

static enum sft_status write_file(const struct sft_run *run, const char *name, const char *extension,
                                  const char *data)
{
    char file[128], path[SFT_RUN_PATH];
    if (!data) return sft_fail(SFT_MEMORY, "no memory for the tables");
    snprintf(file, sizeof(file), "%s.%s", name, extension);
    return sft_file_write(sft_run_path(run, file, path), data, strlen(data));
}

static void add_notes(const json_t *notes, struct sft_text *markdown)
{
    for (size_t i = 0; i < json_array_size(notes); i++)
        sft_text_printf(markdown, "%s- %s\n", i ? "" : "Missing:\n\n",
                        json_string_value(json_array_get(notes, i)));
}

static void add_page_notes(const json_t *notes, struct sft_text *page)
{
    if (json_array_size(notes) == 0) return;
    sft_text_add(page, "<h2>What is missing</h2>\n<ul>\n");
    for (size_t i = 0; i < json_array_size(notes); i++) {
        sft_text_add(page, "<li>");
        sft_text_add_escaped(page, json_string_value(json_array_get(notes, i)));
        sft_text_add(page, "</li>\n");
    }
    sft_text_add(page, "</ul>\n");
}

/* All tables, and what they lack, for a browser. */
static enum sft_status write_page(const struct sft_lab *lab, const struct output *output,
                                  const struct sft_run *run)
{
    const char *name = lab->experiment->name;
    struct sft_text page = {0};
    enum sft_status status;
    sft_html_begin(&page, name);
    sft_text_add(&page, "<p class=\"facts\">The paper&rsquo;s tables, measured with ");
    sft_text_add_escaped(&page, sft_device_get_info(lab->device)->name);
    sft_text_add(&page, "</p>\n<nav aria-label=\"On this page\"><ul>\n");
    sft_text_append(&page, &output->links);
    sft_text_printf(
        &page, "<li><a href=\"%s.csv\">CSV</a></li>\n<li><a href=\"%s.json\">JSON</a></li>\n</ul></nav>\n",
        name, name);
    sft_html_main(&page);
    sft_text_append(&page, &output->sections);
    add_page_notes(lab->notes, &page);
    sft_html_end(&page, "The folder <code>runs</code> beside this page keeps every training and evaluation.");
    status = page.status;
    if (status == SFT_OK) status = write_file(run, name, "html", page.data);
    sft_text_free(&page);
    return status;
}

static enum sft_status write_files(const struct sft_lab *lab, struct output *output,
                                   const struct sft_run *run)
{
    const char *name = lab->experiment->name;
    json_t *all =
        json_pack("{s:s, s:O, s:O}", "experiment", name, "tables", output->tables, "missing", lab->notes);
    char *json = json_dumps(all, JSON_INDENT(1) | JSON_REAL_PRECISION(9));
    enum sft_status status;
    add_notes(lab->notes, &output->markdown);
    status = output->text.status;
    if (status == SFT_OK) status = write_file(run, name, "md", output->markdown.data);
    if (status == SFT_OK) status = write_file(run, name, "csv", output->csv.data);
    if (status == SFT_OK) status = write_file(run, name, "json", json);
    if (status == SFT_OK) status = write_page(lab, output, run);
    free(json);
    if (status != SFT_OK || !lab->values->common.json) {
        json_decref(all);
        if (status == SFT_OK) printf("%s%s/%s.html\n", output->text.data, run->folder, name);
        return status;
    }
    return sft_print_json(all);
}

static enum sft_status make_tables(const struct sft_args *args, struct sft_lab *lab,
                                   const struct sft_run *run)
{
    struct output output = {.tables = json_array()};
    struct sft_plan plan = {0};
    const struct sft_table *tables;
    const int count = sft_experiment_tables(lab->experiment, &tables);
    enum sft_status status = SFT_OK;
    (void)args;
    for (int i = 0; i < count; i++) SFT_TRY_OUT(sft_table_plan(lab, &tables[i], &plan));
    if (plan.count == 0) {
        status = sft_fail(SFT_DATA, "%s: nothing is left of it", lab->experiment->name);
        goto out;
    }
    SFT_TRY_OUT(sft_plan_run(&plan, lab));
    for (int i = 0; i < count; i++) SFT_TRY_OUT(write_table(lab, &tables[i], &plan, &output));
    status = write_files(lab, &output, run);
out:
    sft_plan_free(&plan);
    free_output(&output);
    return status;
}

/* ---- figures ---- */

static enum sft_status make_figure(const struct sft_args *args, struct sft_lab *lab,
                                   const struct sft_run *run)
{
    struct sft_text text = {0};
    char folder[SFT_RUN_PATH];
    enum sft_status status =
        sft_figure_make(args, lab, sft_run_path(run, lab->experiment->name, folder), &text);
    if (status == SFT_OK && lab->values->common.json)
        status =
            sft_print_json(json_pack("{s:s, s:s}", "experiment", lab->experiment->name, "folder", folder));
    else if (status == SFT_OK)
        printf("%s%s/report.html\n", text.data, folder);
    sft_text_free(&text);
    return status;
}

static enum sft_status make_prop1(const struct sft_args *args, struct sft_lab *lab, const struct sft_run *run)
{
    char folder[SFT_RUN_PATH];
    (void)args;
    return sft_prop1_make(lab, sft_run_path(run, lab->experiment->name, folder));
}

/* ---- the command ---- */

static enum sft_status (*const kinds[])(const struct sft_args *, struct sft_lab *, const struct sft_run *) = {
    [SFT_EXPERIMENT_TABLES] = make_tables,
    [SFT_EXPERIMENT_FIGURE] = make_figure,
    [SFT_EXPERIMENT_PROP1] = make_prop1,
};

static enum sft_status begin_run(const struct sft_args *args, const struct sft_lab *lab, struct sft_run *run)
{
    SFT_TRY(sft_run_begin(args, lab->values->out, false, run));
    sft_run_note_device(run, lab->device);
    sft_run_note(run, "missing", json_incref(lab->notes));
    for (int i = 0; i < lab->model_count; i++)
        SFT_TRY(sft_run_note_file(run, lab->models[i].role->name, lab->models[i].path));
    sft_run_note(run, "training_data", sft_dataset_json(lab->train_set));
    sft_eval_sets_note(&lab->sets, run);
    return SFT_OK;
}

static enum sft_status apply_settings(const struct sft_args *args, const struct sft_collection *collection)
{
    for (const struct sft_setting *setting = collection->settings; setting->option; setting++) {
        const struct sft_option *option = sft_option_find(args->command->groups, setting->option);
        if (sft_args_given(args, setting->option)) continue;
        SFT_TRY(sft_option_set(option, args->values, setting->value, setting->option));
    }
    return SFT_OK;
}

static enum sft_status do_job(const struct sft_args *args, struct sft_lab *lab, struct sft_run *run)
{
    const struct sft_lab_values *values = args->values;
    const struct sft_experiment *experiment;
    SFT_TRY(find_experiment(args->operands[0], &experiment));
    SFT_TRY(sft_run_check(values->out, values->resume));
    SFT_TRY(apply_settings(args, experiment->collection));
    SFT_TRY(sft_lab_open(values, experiment, lab));
    SFT_TRY(begin_run(args, lab, run));
    return kinds[experiment->kind](args, lab, run);
}

static enum sft_status run(const struct sft_args *args)
{
    struct sft_lab lab = {0};
    struct sft_run folder = {0};
    enum sft_status status = sft_run_end(&folder, do_job(args, &lab, &folder));
    sft_lab_close(&lab);
    return status;
}

#define FIELD(member) offsetof(struct sft_lab_values, member)

static const struct sft_option data_options[] = {
    {"data", SFT_OPTION_TEXT, FIELD(data), .value = "DIR",
     .help = "folder with the data sets, each in the place that a message names where one is missing"},
    {"weights", SFT_OPTION_TEXTS, FIELD(weights), .value = "[MODEL=]FILE",
     .help = "a checkpoint; its model is told from the file where MODEL does not say"},
    {"ood", SFT_OPTION_TEXTS, FIELD(ood), .value = "NAME=SPEC",
     .help = "an OOD set that is not below --data, by the "
             "name of its column"},
    {"id", SFT_OPTION_TEXT, FIELD(id), .value = "SPEC", .help = "ID images to learn from, likewise",
     .list = sft_data_formats},
    {"eval-id", SFT_OPTION_TEXT, FIELD(eval_id), .value = "SPEC",
     .help = "ID images to evaluate on, likewise"},
    {"out", SFT_OPTION_TEXT, FIELD(out), .value = "DIR", .required = true,
     .help = "folder for the tables and for all runs"},
    {"resume", SFT_OPTION_FLAG, FIELD(resume),
     .help = "go on in a folder that is in use: runs that are there and fit are not repeated"},
    {0},
};

static const struct sft_option run_options[] = {
    {"seeds", SFT_OPTION_INT, FIELD(seeds), .value = "N", .fallback = "5", .min = 1, .max = 1000,
     .help = "fine-tunings of each kind, with the seeds 0 .. N-1"},
    {"tune", SFT_OPTION_TEXT, FIELD(tune), .value = "OPTIONS",
     .help =
         "further options of `finetune` for every run, as \"--batch 16\"; what a row says wins over them"},
    {"epochs", SFT_OPTION_FLAG, FIELD(epochs), .help = "also the rows that take whole epochs"},
    {"limit", SFT_OPTION_INT, FIELD(limit), .value = "N", .fallback = "0", .min = 0, .max = 1e15,
     .help = "only the first N images of each set, to try it out; 0: all"},
    {"fit-limit", SFT_OPTION_INT, FIELD(fit_limit), .value = "N", .fallback = "0", .min = 0, .max = 1e15,
     .help = "only the first N training images for the scores that need statistics of them; 0: all"},
    {"steps", SFT_OPTION_INT, FIELD(steps), .value = "N", .fallback = "0", .min = 0, .max = 1e9,
     .help = "no more steps than that in any fine-tuning, to try it out; 0: as the tables say"},
    {"batch", SFT_OPTION_INT, FIELD(batch), .value = "N", .fallback = "100", .min = 1, .max = 65536,
     .help = "images at a time when evaluating"},
    {"fpr-positive", SFT_OPTION_TEXT, FIELD(fpr_positive), .value = "NAME", .fallback = "id",
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
             "a figure as a "
             "folder NAME with its data "
             "and a report. All trainings and evaluations are kept in runs/ and shared: a second table, or a "
             "command that "
             "was stopped and is given again with --resume, repeats nothing. Sets and models that are "
             "missing are named in "
             "a line each, and what needs them is left out.",
    .operands = "NAME",
    .operand_list = experiment_list,
    .min_operands = 1,
    .max_operands = 1,
    .examples = examples,
    .groups = groups,
    .values_size = sizeof(struct sft_lab_values),
    .run = run,
};

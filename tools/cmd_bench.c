/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Times ops and whole SFT steps on a device, each against two ceilings that are measured in the same run: the
 * arithmetic rate of a large matrix product and the traffic of a large sum. A row is given the share of that
 * ceiling which bounds it. Operations are those of the definition: where a backend makes do with fewer
 * (Winograd), the share can pass 100 %.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/base/alloc.h"
#include "runtime/base/clock.h"
#include "runtime/base/rng.h"
#include "runtime/cost.h"
#include "runtime/device.h"
#include "runtime/ops.h"
#include "runtime/program.h"
#include "sam/step.h"
#include "tools/bench_cases.h"
#include "tools/cli/common.h"
#include "tools/cli/interrupt.h"
#include "tools/cli/terminal.h"
#include "tools/jobs/notes.h"

struct bench {
    struct sft_common common;
    const char *ops, *models, *compare;
    int64_t batch;
    double seconds;
};

struct measure {
    double seconds, best, flops, bytes; /* of one run */
};

enum { MAX_INPUTS = 16 };

/* ---- inputs ---- */

/* Small random numbers, or labels 0 .. 9. */
static enum sft_status fill(struct sft_tensor *tensor, uint64_t index)
{
    int64_t count = sft_shape_count(&tensor->shape);
    uint32_t *words = sft_calloc((size_t)count, sizeof(*words));
    struct sft_rng rng;
    enum sft_status status;
    if (!words) return SFT_MEMORY;
    sft_rng_init(&rng, 1, SFT_STREAM_TEST, index);
    for (int64_t i = 0; i < count; i++) {
        if (tensor->dtype == SFT_I32)
            words[i] = sft_rng_below(&rng, 10);
        else
            ((float *)words)[i] = sft_rng_uniform(&rng);
    }
    status = sft_tensor_upload(tensor, 0, count, words);
    free(words);
    return status;
}

static enum sft_status bind_inputs(struct sft_device *device, struct sft_graph *graph,
                                   struct sft_tensor **tensors)
{
    int n = 0;
    for (size_t i = 0; i < graph->n_values; i++) {
        struct sft_value_info *value = &graph->values[i];
        if (!value->outside || value->tensor) continue;
        if (n == MAX_INPUTS) return sft_fail(SFT_FAILED, "bench: more than %d inputs", MAX_INPUTS);
        SFT_TRY(sft_tensor_create(device, value->name, value->dtype, value->shape, &tensors[n]));
        SFT_TRY(fill(tensors[n], i));
        sft_graph_bind(graph, (sft_value)i, tensors[n++]);
    }
    return SFT_OK;
}

/* ---- timing ---- */

/* What is run over and over. */
struct subject {
    struct sft_device *device;
    enum sft_status (*run)(void *context);
    void *context;
};

static enum sft_status time_runs(const struct subject *subject, int runs, double *seconds)
{
    double start = sft_now();
    for (int i = 0; i < runs; i++) SFT_TRY(subject->run(subject->context));
    SFT_TRY(sft_device_wait(subject->device));
    *seconds = (sft_now() - start) / runs;
    return SFT_OK;
}

/* The median of five samples that together take about `budget` seconds, and the best of them. */
static enum sft_status time_subject(const struct subject *subject, double budget, struct measure *result)
{
    enum { SAMPLES = 5 };
    double samples[SAMPLES], seconds;
    int runs;
    SFT_TRY(time_runs(subject, 1, &seconds)); /* warm caches */
    SFT_TRY(time_runs(subject, 1, &seconds));
    runs = (int)fmin(1000, fmax(1, budget / SAMPLES / seconds));
    for (int i = 0; i < SAMPLES; i++) {
        int at = i;
        SFT_TRY(time_runs(subject, runs, &seconds));
        for (; at > 0 && samples[at - 1] > seconds; at--) samples[at] = samples[at - 1];
        samples[at] = seconds;
    }
    result->seconds = samples[SAMPLES / 2];
    result->best = samples[0];
    return SFT_OK;
}

/* Of what runs: after the passes. */
static void add_cost(const struct sft_graph *graph, struct measure *result)
{
    for (size_t i = 0; i < graph->n_nodes; i++) {
        struct sft_cost cost = sft_node_cost(graph, &graph->nodes[i]);
        result->flops += cost.flops;
        result->bytes += cost.bytes;
    }
}

static enum sft_status run_program(void *context) { return sft_program_run(context); }

static enum sft_status measure(struct sft_device *device, void (*build)(struct sft_graph *, int64_t),
                               const struct bench *options, struct measure *result)
{
    struct sft_tensor *tensors[MAX_INPUTS] = {NULL};
    struct sft_graph *graph = NULL;
    struct sft_program *program = NULL;
    enum sft_status status;
    *result = (struct measure){0};
    SFT_TRY_OUT(sft_graph_create(&graph));
    build(graph, options->batch);
    SFT_TRY_OUT(sft_graph_status(graph));
    SFT_TRY_OUT(bind_inputs(device, graph, tensors));
    SFT_TRY_OUT(sft_program_create(device, graph, &program));
    add_cost(sft_program_graph(program), result);
    SFT_TRY_OUT(time_subject(&(struct subject){device, run_program, program}, options->seconds, result));
out:
    sft_program_destroy(&program);
    sft_graph_destroy(&graph);
    for (int i = 0; i < MAX_INPUTS; i++) sft_tensor_destroy(&tensors[i]);
    return status;
}

/* ---- whole steps ---- */

struct step_run {
    struct sft_step *step;
    float *images;
    int32_t *labels;
    int64_t number;
};

/* Without a learning rate, so that random images cannot drive the weights anywhere. */
static enum sft_status run_step(void *context)
{
    struct step_run *run = context;
    const struct sft_step_rates rates = {
        .step = run->number++, .rho = 0.05, .momentum = 0.9, .weight_decay = 1e-5};
    struct sft_step_result result;
    return sft_step_run(run->step, &rates, run->images, run->labels, &result);
}

static enum sft_status make_batch(const struct sft_model *model, int64_t n_id, int64_t n,
                                  struct step_run *run)
{
    int64_t count = n * model->image_size * model->image_size * 3;
    struct sft_rng rng;
    run->images = sft_calloc((size_t)count, sizeof(*run->images));
    run->labels = sft_calloc((size_t)n, sizeof(*run->labels));
    if (!run->images || !run->labels) return SFT_MEMORY;
    sft_rng_init(&rng, 1, SFT_STREAM_TEST, 0);
    for (int64_t i = 0; i < count; i++) run->images[i] = 2 * sft_rng_uniform(&rng) - 1;
    for (int64_t i = 0; i < n; i++) run->labels[i] = i < n_id ? (int32_t)(i % 10) : -1;
    return SFT_OK;
}

/* A step of sam-norm, half of the batch outliers. */
static enum sft_status measure_step(struct sft_device *device, const char *name, const struct bench *options,
                                    struct measure *result)
{
    int64_t n_id = (options->batch + 1) / 2;
    const struct sft_step_params params = {.optimizer = sft_optimizer_find("sam-norm"),
                                           .n_id = (int)n_id,
                                           .n_ood = (int)(options->batch - n_id),
                                           .lambda = 1};
    struct sft_model *model = NULL;
    struct step_run run = {0};
    enum sft_status status;
    *result = (struct measure){0};
    SFT_TRY_OUT(sft_model_create(device, &(struct sft_model_config){.name = name, .classes = 10}, &model));
    SFT_TRY_OUT(sft_parameters_init(&model->parameters, 1));
    SFT_TRY_OUT(make_batch(model, n_id, options->batch, &run));
    SFT_TRY_OUT(sft_step_create(model, &params, &run.step));
    result->flops += sft_step_get_plan(run.step)->flops;
    result->bytes += sft_step_get_plan(run.step)->traffic;
    status = time_subject(&(struct subject){device, run_step, &run}, options->seconds, result);
out:
    sft_step_destroy(&run.step);
    sft_model_destroy(&model);
    free(run.images);
    free(run.labels);
    return status;
}

/* ---- results ---- */

struct ceiling {
    double flops, bytes; /* a second */
};

/* The least time that the ceilings allow, as a share of the time taken. */
static double share(const struct measure *m, const struct ceiling *ceiling)
{
    return fmax(m->flops / ceiling->flops, m->bytes / ceiling->bytes) / m->seconds;
}

static const char *bound(const struct measure *m, const struct ceiling *ceiling)
{
    return m->flops / ceiling->flops > m->bytes / ceiling->bytes ? "arithmetic" : "traffic";
}

static double earlier_seconds(const json_t *earlier, const char *op, const char *shape)
{
    size_t i;
    json_t *row;
    json_array_foreach(json_object_get(earlier, "ops"), i, row)
    {
        const char *row_op = json_string_value(json_object_get(row, "op"));
        const char *row_shape = json_string_value(json_object_get(row, "shape"));
        if (row_op && row_shape && strcmp(row_op, op) == 0 && strcmp(row_shape, shape) == 0)
            return json_number_value(json_object_get(row, "seconds"));
    }
    return 0;
}

static void print_head(const struct ceiling *ceiling, const char *name)
{
    sft_print_line("%s: at most %.1f GFLOP/s and %.1f GB/s, as measured", name, 1e-9 * ceiling->flops,
                   1e-9 * ceiling->bytes);
    sft_print_line("%s", "");
    sft_print_line("%-20s %-24s %10s %10s %8s %7s  %s", "op", "shape", "ms", "GFLOP/s", "GB/s", "share",
                   "bound by");
}

static void print_row(const char *op, const char *shape, const struct measure *m,
                      const struct ceiling *ceiling, double before)
{
    char change[32] = "";
    if (before > 0) snprintf(change, sizeof(change), "  (%+.0f%% time)", 100 * (m->seconds / before - 1));
    sft_print_line("%-20s %-24s %10.3f %10.1f %8.1f %6.0f%%  %s%s", op, shape, 1e3 * m->seconds,
                   1e-9 * m->flops / m->seconds, 1e-9 * m->bytes / m->seconds, 100 * share(m, ceiling),
                   bound(m, ceiling), change);
}

static void add_row(const char *op, const char *shape, const struct measure *m, const struct ceiling *ceiling,
                    double before, struct sft_json *json)
{
    sft_json_object(json, NULL);
    sft_json_text(json, "op", op);
    sft_json_text(json, "shape", shape);
    sft_json_real(json, "seconds", m->seconds);
    sft_json_real(json, "gflops", 1e-9 * m->flops / m->seconds);
    sft_json_real(json, "gbytes", 1e-9 * m->bytes / m->seconds);
    sft_json_real(json, "share", share(m, ceiling));
    sft_json_text(json, "bound", bound(m, ceiling));
    if (before > 0) sft_json_real(json, "seconds_before", before);
    sft_json_end(json);
}

/* Is `op` in the list with commas? */
static bool wanted(const char *list, const char *op)
{
    size_t length = strlen(op);
    if (!list) return true;
    for (const char *at = list; at; at = strchr(at, ','), at = at ? at + 1 : NULL)
        if (strncmp(at, op, length) == 0 && (at[length] == ',' || at[length] == '\0')) return true;
    return false;
}

static enum sft_status check_ops(const char *list)
{
    char name[64];
    for (const char *at = list; at; at = strchr(at, ','), at = at ? at + 1 : NULL) {
        snprintf(name, sizeof(name), "%.*s", (int)strcspn(at, ","), at);
        if (!sft_op_find(name)) return sft_fail(SFT_USAGE, "--ops: there is no op \"%s\"", name);
    }
    return SFT_OK;
}

static enum sft_status measure_ceiling(struct sft_device *device, const struct bench *options,
                                       struct ceiling *ceiling)
{
    struct measure arithmetic, traffic;
    sft_progress(0, 1, "measuring the device's ceilings");
    SFT_TRY(measure(device, sft_bench_arithmetic, options, &arithmetic));
    SFT_TRY(measure(device, sft_bench_traffic, options, &traffic));
    *ceiling = (struct ceiling){arithmetic.flops / arithmetic.best, traffic.bytes / traffic.best};
    return SFT_OK;
}

/* What a bench needs at every row. */
struct bench_run {
    struct sft_device *device;
    const struct bench *options;
    struct ceiling ceiling;
    json_t *earlier;
    struct sft_json *rows; /* what --json prints, in the array of rows */
};

static void show_row(const struct bench_run *bench, const char *op, const char *shape,
                     const struct measure *m)
{
    double before = earlier_seconds(bench->earlier, op, shape);
    sft_progress_end();
    if (bench->options->common.json)
        add_row(op, shape, m, &bench->ceiling, before, bench->rows);
    else
        print_row(op, shape, m, &bench->ceiling, before);
}

static enum sft_status bench_ops(const struct bench_run *bench)
{
    if (bench->options->models && !bench->options->ops) return SFT_OK;
    for (const struct sft_bench_case *row = sft_bench_cases; row->op; row++) {
        struct measure m;
        if (!wanted(bench->options->ops, row->op)) continue;
        if (sft_interrupted()) return SFT_INTERRUPTED;
        sft_progress(0, 1, "%s %s", row->op, row->shape);
        SFT_TRY(measure(bench->device, row->build, bench->options, &m));
        show_row(bench, row->op, row->shape, &m);
    }
    return SFT_OK;
}

static enum sft_status bench_steps(const struct bench_run *bench)
{
    const char *list = bench->options->models;
    if (!list && bench->options->ops) return SFT_OK;
    if (!list) list = "resnetv2_20_gn,vgg11_gn";
    for (const char *at = list; at; at = strchr(at, ','), at = at ? at + 1 : NULL) {
        char name[64];
        struct measure m;
        snprintf(name, sizeof(name), "%.*s", (int)strcspn(at, ","), at);
        if (sft_interrupted()) return SFT_INTERRUPTED;
        sft_progress(0, 1, "step of %s", name);
        SFT_TRY(measure_step(bench->device, name, bench->options, &m));
        show_row(bench, "sam-norm step", name, &m);
    }
    return SFT_OK;
}

static enum sft_status load_earlier(const char *path, json_t **earlier)
{
    *earlier = NULL;
    if (!path) return SFT_OK;
    if (sft_json_read(path, earlier) != SFT_OK)
        return sft_fail(SFT_DATA, "--compare %s: cannot be read, see above", path);
    if (!json_is_array(json_object_get(*earlier, "ops")))
        return sft_fail(SFT_DATA, "--compare %s: not what `bench --json` wrote", path);
    return SFT_OK;
}

/* All that --json prints, up to the rows. */
static void begin_json(const struct bench_run *bench)
{
    struct sft_json *json = bench->rows;
    sft_json_object(json, NULL);
    sft_json_device(json, "device", sft_device_get_info(bench->device));
    sft_json_integer(json, "batch", bench->options->batch);
    sft_json_real(json, "ceiling_gflops", 1e-9 * bench->ceiling.flops);
    sft_json_real(json, "ceiling_gbytes", 1e-9 * bench->ceiling.bytes);
    sft_json_array(json, "ops");
}

static enum sft_status print_result(const struct bench_run *bench)
{
    if (!bench->options->common.json) return SFT_OK;
    sft_json_end(bench->rows);
    sft_json_end(bench->rows);
    return sft_print_json(bench->rows);
}

static enum sft_status run(const struct sft_args *args)
{
    struct sft_json json = {0};
    struct bench_run bench = {.options = args->values, .rows = &json};
    enum sft_status status;
    SFT_TRY_OUT(check_ops(bench.options->ops));
    SFT_TRY_OUT(load_earlier(bench.options->compare, &bench.earlier));
    SFT_TRY_OUT(sft_common_open_device(&bench.options->common, &bench.device));
    SFT_TRY_OUT(measure_ceiling(bench.device, bench.options, &bench.ceiling));
    sft_progress_end();
    begin_json(&bench);
    if (!bench.options->common.json) print_head(&bench.ceiling, sft_device_get_info(bench.device)->name);
    SFT_TRY_OUT(bench_ops(&bench));
    SFT_TRY_OUT(bench_steps(&bench));
    status = print_result(&bench);
out:
    sft_progress_end();
    sft_json_free(&json);
    json_decref(bench.earlier);
    sft_device_close(&bench.device);
    return status;
}

static const struct sft_option bench_options[] = {
    {"ops", SFT_OPTION_TEXT, SFT_FIELD(struct bench, ops), .value = "LIST",
     .help = "only these ops, names with commas between"},
    {"models", SFT_OPTION_TEXT, SFT_FIELD(struct bench, models), .value = "LIST",
     .help = "steps of these models; alone, no ops [resnetv2_20_gn,vgg11_gn]", .list = sft_model_list},
    {"batch", SFT_OPTION_INT, SFT_FIELD(struct bench, batch), .value = "N", .min = 1, .max = 65536,
     .help = "images of a batch; of a step, half of them outliers"},
    {"seconds", SFT_OPTION_REAL, SFT_FIELD(struct bench, seconds), .value = "S", .min = 0, .max = 600,
     .help = "time to spend on each row"},
    {"compare", SFT_OPTION_TEXT, SFT_FIELD(struct bench, compare), .value = "OLD.json",
     .help = "what an earlier `bench --json` wrote: print by how much times changed"},
    {0},
};

static void init(void *values)
{
    struct bench *options = values;
    sft_common_init(&options->common);
    options->batch = 128;
    options->seconds = 0.5;
}

static const struct sft_option_group groups[] = {
    {"What to time", bench_options},
    {"Device", sft_device_options},
    {"General", sft_general_options},
    {0},
};

static const struct sft_example examples[] = {
    {"bench", "everything on the device that `auto` picks"},
    {"bench --device cpu --ops conv2d,conv2d_dw", "two ops on the CPU"},
    {"bench --json > before.json", "for later comparison with --compare before.json"},
    {0},
};

const struct sft_command sft_command_bench = {
    .name = "bench",
    .summary =
        "Times ops and whole steps: GFLOP/s, GB/s and the share of what the device was measured to reach",
    .examples = examples,
    .groups = groups,
    .values_size = sizeof(struct bench),
    .init = init,
    .run = run,
};

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Times ops on a device, each against two ceilings that are measured in the same run: the arithmetic rate of a large
 * matrix product and the traffic of a large sum. An op is given the share of that ceiling which bounds it.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "runtime/alloc.h"
#include "runtime/log.h"
#include "runtime/op.h"
#include "runtime/rng.h"
#include "tools/bench_cases.h"
#include "tools/common.h"
#include "tools/interrupt.h"
#include "tools/terminal.h"

struct bench {
    struct sft_common common;
    const char *ops, *compare;
    int64_t batch;
    double seconds;
};

struct measure {
    double seconds, flops, bytes; /* of one run */
};

enum { MAX_INPUTS = 16 };

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

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

static enum sft_status bind_inputs(struct sft_device *device, struct sft_graph *graph, struct sft_tensor **tensors)
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

static enum sft_status time_runs(struct sft_device *device, struct sft_program *program, int runs, double *seconds)
{
    double start = now();
    for (int i = 0; i < runs; i++) SFT_TRY(sft_program_run(program));
    SFT_TRY(sft_device_wait(device));
    *seconds = (now() - start) / runs;
    return SFT_OK;
}

/* The median of five samples that together take about `budget` seconds. */
static enum sft_status time_program(struct sft_device *device, struct sft_program *program, double budget,
                                    double *seconds)
{
    enum { SAMPLES = 5 };
    double samples[SAMPLES];
    int runs;
    SFT_TRY(time_runs(device, program, 1, seconds)); /* warm caches */
    SFT_TRY(time_runs(device, program, 1, seconds));
    runs = (int)fmin(1000, fmax(1, budget / SAMPLES / *seconds));
    for (int i = 0; i < SAMPLES; i++) {
        int at = i;
        SFT_TRY(time_runs(device, program, runs, seconds));
        for (; at > 0 && samples[at - 1] > *seconds; at--) samples[at] = samples[at - 1];
        samples[at] = *seconds;
    }
    *seconds = samples[SAMPLES / 2];
    return SFT_OK;
}

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
    for (size_t i = 0; i < graph->n_nodes; i++) {
        struct sft_cost cost = sft_node_cost(graph, &graph->nodes[i]);
        result->flops += cost.flops;
        result->bytes += cost.bytes;
    }
    SFT_TRY_OUT(sft_program_create(device, graph, &program));
    SFT_TRY_OUT(time_program(device, program, options->seconds, &result->seconds));
out:
    sft_program_destroy(&program);
    sft_graph_destroy(&graph);
    for (int i = 0; i < MAX_INPUTS; i++) sft_tensor_destroy(&tensors[i]);
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
    printf("%s: at most %.1f GFLOP/s and %.1f GB/s, as measured\n\n", name, 1e-9 * ceiling->flops,
           1e-9 * ceiling->bytes);
    printf("%-20s %-24s %10s %10s %8s %7s  %s\n", "op", "shape", "ms", "GFLOP/s", "GB/s", "share", "bound by");
}

static void print_row(const struct sft_bench_case *row, const struct measure *m, const struct ceiling *ceiling,
                      double before)
{
    printf("%-20s %-24s %10.3f %10.1f %8.1f %6.0f%%  %s", row->op, row->shape, 1e3 * m->seconds,
           1e-9 * m->flops / m->seconds, 1e-9 * m->bytes / m->seconds, 100 * share(m, ceiling), bound(m, ceiling));
    if (before > 0) printf("  (%+.0f%% time)", 100 * (m->seconds / before - 1));
    putchar('\n');
}

static json_t *row_json(const struct sft_bench_case *row, const struct measure *m, const struct ceiling *ceiling,
                        double before)
{
    json_t *json = json_pack("{s:s, s:s, s:f, s:f, s:f, s:f, s:s}", "op", row->op, "shape", row->shape, "seconds",
                             m->seconds, "gflops", 1e-9 * m->flops / m->seconds, "gbytes", 1e-9 * m->bytes / m->seconds,
                             "share", share(m, ceiling), "bound", bound(m, ceiling));
    if (before > 0) json_object_set_new(json, "seconds_before", json_real(before));
    return json;
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

static enum sft_status measure_ceiling(struct sft_device *device, const struct bench *options, struct ceiling *ceiling)
{
    struct measure arithmetic, traffic;
    sft_progress(0, 1, "measuring the device's ceilings");
    SFT_TRY(measure(device, sft_bench_arithmetic, options, &arithmetic));
    SFT_TRY(measure(device, sft_bench_traffic, options, &traffic));
    *ceiling = (struct ceiling){arithmetic.flops / arithmetic.seconds, traffic.bytes / traffic.seconds};
    return SFT_OK;
}

static enum sft_status bench_ops(struct sft_device *device, const struct bench *options, const struct ceiling *ceiling,
                                 const json_t *earlier, json_t *rows)
{
    for (const struct sft_bench_case *row = sft_bench_cases; row->op; row++) {
        struct measure m;
        double before = earlier_seconds(earlier, row->op, row->shape);
        if (!wanted(options->ops, row->op)) continue;
        if (sft_interrupted()) return SFT_INTERRUPTED;
        sft_progress(0, 1, "%s %s", row->op, row->shape);
        SFT_TRY(measure(device, row->build, options, &m));
        sft_progress_end();
        if (options->common.json)
            json_array_append_new(rows, row_json(row, &m, ceiling, before));
        else
            print_row(row, &m, ceiling, before);
    }
    return SFT_OK;
}

static enum sft_status load_earlier(const char *path, json_t **earlier)
{
    json_error_t error;
    *earlier = NULL;
    if (!path) return SFT_OK;
    *earlier = json_load_file(path, 0, &error);
    if (!*earlier) return sft_fail(SFT_DATA, "--compare %s: line %d: %s", path, error.line, error.text);
    if (!json_is_array(json_object_get(*earlier, "ops")))
        return sft_fail(SFT_DATA, "--compare %s: not what `bench --json` wrote", path);
    return SFT_OK;
}

static enum sft_status run(const struct sft_args *args)
{
    const struct bench *options = args->values;
    struct sft_device *device = NULL;
    struct ceiling ceiling;
    json_t *earlier = NULL, *rows = json_array();
    enum sft_status status;
    SFT_TRY_OUT(check_ops(options->ops));
    SFT_TRY_OUT(load_earlier(options->compare, &earlier));
    SFT_TRY_OUT(sft_common_open_device(&options->common, &device));
    SFT_TRY_OUT(measure_ceiling(device, options, &ceiling));
    sft_progress_end();
    if (!options->common.json) print_head(&ceiling, sft_device_get_info(device)->name);
    SFT_TRY_OUT(bench_ops(device, options, &ceiling, earlier, rows));
    if (options->common.json)
        status = sft_print_json(json_pack("{s:o, s:I, s:f, s:f, s:O}", "device",
                                          sft_device_json(sft_device_get_info(device)), "batch",
                                          (json_int_t)options->batch, "ceiling_gflops", 1e-9 * ceiling.flops,
                                          "ceiling_gbytes", 1e-9 * ceiling.bytes, "ops", rows));
out:
    json_decref(rows);
    json_decref(earlier);
    sft_device_close(&device);
    return status;
}

static const struct sft_option bench_options[] = {
    {"ops", SFT_OPTION_TEXT, offsetof(struct bench, ops), .value = "LIST",
     .help = "only these ops, names with commas between"},
    {"batch", SFT_OPTION_INT, offsetof(struct bench, batch), .value = "N", .fallback = "128", .min = 1, .max = 65536,
     .help = "images of a batch"},
    {"seconds", SFT_OPTION_REAL, offsetof(struct bench, seconds), .value = "S", .fallback = "0.5", .min = 0, .max = 600,
     .help = "time to spend on each row"},
    {"compare", SFT_OPTION_TEXT, offsetof(struct bench, compare), .value = "OLD.json",
     .help = "what an earlier `bench --json` wrote: print by how much times changed"},
    {0},
};

static const struct sft_option_group groups[] = {
    {"What to time", bench_options},
    {"Device", sft_device_options},
    {"General", sft_general_options},
    {0},
};

static const struct sft_example examples[] = {
    {"bench", "every op on the device that `auto` picks"},
    {"bench --device cpu --ops conv2d,conv2d_dw", "two ops on the CPU"},
    {"bench --json > before.json", "for later comparison with --compare before.json"},
    {0},
};

const struct sft_command sft_command_bench = {
    .name = "bench",
    .summary = "Times ops: GFLOP/s, GB/s and the share of what the device was measured to reach",
    .examples = examples,
    .groups = groups,
    .values_size = sizeof(struct bench),
    .run = run,
};

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every op, every case: one node in a graph against the float64 reference, in three layouts of memory. Inputs
 * and outputs lie in larger tensors between guard bands of a NaN: reading beyond an input poisons the result,
 * writing beyond an output changes its guard. A second run must give the same bits.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/ref/ref.h"
#include "tests/support/harness.h"

enum { GUARD_WORD = 0x7fc0abcd };

/* Worst error relative to the output's root mean square, for float32 sums in blocks; an op or a case may say
 * otherwise. The root of the normalised mean square error must be ten times smaller. */
static const double USUAL_WORST = 1e-5;

/* How the node's operands lie in memory. */
static const struct layout {
    const char *name;
    int64_t guard; /* elements before and after; not a multiple of 4: misaligned for vector loads */
    bool arena;    /* operands are temporaries, so that the plan may let the op write over an input */
} layouts[] = {{"aligned", 64, false}, {"misaligned", 67, false}, {"temporaries", 64, true}};

/* One tensor with guards. */
struct band {
    struct sft_tensor *tensor;
    enum sft_dtype dtype;
    int64_t guard, count;
    uint32_t *words; /* what was last downloaded, guards and all */
};

struct bench {
    struct test_data *data;
    const struct layout *layout;
    struct sft_graph *graph;
    struct band in[SFT_MAX_INPUTS], out[SFT_MAX_OUTPUTS];
    sft_value out_value[SFT_MAX_OUTPUTS];
    struct sft_program *program;
};

static struct band make_band(const char *name, enum sft_dtype dtype, int64_t count, int64_t guard)
{
    struct band band = {.dtype = dtype, .guard = guard, .count = count};
    band.tensor = test_tensor(name, dtype, SFT_SHAPE(count + 2 * guard));
    band.words = test_alloc((size_t)(count + 2 * guard), sizeof(*band.words));
    return band;
}

/* Uploads `bits` (NULL: guard words) between guards. */
static void set_band(struct band *band, const void *bits)
{
    int64_t whole = band->count + 2 * band->guard;
    uint32_t *words = calloc((size_t)whole, sizeof(*words));
    enum sft_status status;
    assert_non_null(words);
    for (int64_t i = 0; i < whole; i++) words[i] = GUARD_WORD;
    if (bits) memcpy(words + band->guard, bits, (size_t)band->count * sizeof(*words));
    status = sft_tensor_upload(band->tensor, 0, whole, words);
    free(words);
    assert_int_equal(status, SFT_OK);
}

static bool is_updated(const struct bench *bench, int input)
{
    return bench->data->test->op->op->mutates >> input & 1;
}

static void build_inputs(struct bench *bench, sft_value *in)
{
    const struct test_data *data = bench->data;
    for (int i = 0; i < SFT_MAX_INPUTS; i++) {
        in[i] = SFT_NONE;
        if (!data->bits[i]) continue;
        bench->in[i] =
            make_band("input", data->in_type[i], ref_count(&data->ref.in_shape[i]), bench->layout->guard);
        in[i] = sft_view(bench->graph, sft_graph_tensor(bench->graph, bench->in[i].tensor),
                         bench->layout->guard, data->ref.in_shape[i]);
        if (bench->layout->arena && data->in_type[i] == SFT_F32 && !is_updated(bench, i))
            in[i] = sft_scale(bench->graph, in[i], 1.0f);
    }
}

static void place_outputs(struct bench *bench)
{
    struct sft_graph *graph = bench->graph;
    for (int i = 0; i < bench->data->test->op->op->n_out; i++) {
        sft_value value = bench->out_value[i];
        const struct sft_value_info *info = &graph->values[value];
        bench->out[i] = make_band("output", info->dtype, ref_count(&info->shape), bench->layout->guard);
        if (bench->layout->arena && info->dtype == SFT_F32) value = sft_scale(graph, value, 1.0f);
        sft_graph_place(graph, value, sft_graph_tensor(graph, bench->out[i].tensor), bench->layout->guard);
    }
}

static void build(struct bench *bench)
{
    const struct test_name *test = bench->data->test;
    sft_value in[SFT_MAX_INPUTS];
    bench->graph = test_graph();
    build_inputs(bench, in);
    test->op->build(bench->graph, in, test->test_case->params, bench->out_value);
    if (sft_graph_status(bench->graph) != SFT_OK) test_fail(test, "the shape rule refuses the case");
    place_outputs(bench);
    assert_int_equal(sft_graph_status(bench->graph), SFT_OK);
    bench->program = test_program(bench->graph);
}

static void run(struct bench *bench)
{
    for (int i = 0; i < SFT_MAX_INPUTS; i++)
        if (bench->data->bits[i]) set_band(&bench->in[i], bench->data->bits[i]);
    for (int i = 0; i < bench->data->test->op->op->n_out; i++) set_band(&bench->out[i], NULL);
    if (sft_program_run(bench->program) != SFT_OK)
        test_fail(bench->data->test, "%s: run failed", bench->layout->name);
}

/* Downloads; counts words that differ from the last download when `again`. */
static int64_t fetch(struct band *band, bool again)
{
    int64_t whole = band->count + 2 * band->guard, differ = 0;
    uint32_t *words = calloc((size_t)whole, sizeof(*words));
    assert_non_null(words);
    if (sft_tensor_download(band->tensor, 0, whole, words) != SFT_OK) differ = whole;
    for (int64_t i = 0; again && i < whole; i++) differ += words[i] != band->words[i];
    memcpy(band->words, words, (size_t)whole * sizeof(*words));
    free(words);
    return differ;
}

static void check_guards(const struct bench *bench, const struct band *band, const char *what, int i)
{
    for (int64_t k = 0; k < band->guard; k++)
        if (band->words[k] != GUARD_WORD || band->words[band->guard + band->count + k] != GUARD_WORD)
            test_fail(bench->data->test, "%s: wrote outside %s %d (%ld elements before or after it)",
                      bench->layout->name, what, i, (long)(k + 1));
}

static double number(const struct band *band, int64_t i)
{
    uint32_t word = band->words[band->guard + i];
    float value;
    if (band->dtype == SFT_I32) return (double)(int32_t)word;
    memcpy(&value, &word, sizeof(value));
    return (double)value;
}

struct errors {
    double nmse, worst; /* relative to the mean square and its root */
    int64_t at;         /* where the worst is */
};

static double mean_square(const double *values, int64_t count)
{
    double sum = 0.0;
    for (int64_t i = 0; i < count; i++) sum += values[i] * values[i];
    return sum / (double)count;
}

static struct errors measure(const struct band *band, const double *want, double power)
{
    struct errors errors = {.worst = -1.0};
    double error = 0.0;
    for (int64_t i = 0; i < band->count; i++) {
        double got = number(band, i), off = isfinite(got) ? fabs(got - want[i]) : INFINITY;
        error += off * off;
        if (off > errors.worst) {
            errors.worst = off;
            errors.at = i;
        }
    }
    if (error == 0.0) return (struct errors){.at = errors.at};
    errors.nmse = error / (double)band->count / power;
    errors.worst /= sqrt(power);
    return errors;
}

/* Far from zero, the distance from a mean has fewer digits than the numbers. */
static double amplification(const struct test_case *test_case)
{
    for (int i = 0; i < SFT_MAX_INPUTS; i++)
        if (test_case->in[i].fill == FILL_OFFSET) return 10.0;
    return 1.0;
}

static double allowed_error(const struct test_name *test, const struct band *band)
{
    double worst = test->op->worst > 0.0 ? test->op->worst : USUAL_WORST;
    if (test->op->exact || band->dtype == SFT_I32) return 0.0;
    return worst * amplification(test->test_case);
}

/* `power`: the mean square by which errors are measured. */
static void compare(const struct bench *bench, const struct band *band, const double *want, double power,
                    const char *what, int which)
{
    const struct test_name *test = bench->data->test;
    double allowed = allowed_error(test, band);
    struct errors errors = measure(band, want, power);
    if (getenv("SFT_TEST_ERRORS"))
        print_message("errors %s %s %d: nmse %.2e worst %.2e\n", test->op->op->name, what, which, errors.nmse,
                      errors.worst);
    if (!(errors.worst <= allowed && sqrt(errors.nmse) <= allowed / 10.0))
        test_fail(
            test,
            "%s: %s %d, element %ld of %ld: got %.9g, want %.9g; worst error %.2e (allowed %.0e), nmse %.2e "
            "(allowed %.0e)",
            bench->layout->name, what, which, (long)errors.at, (long)band->count, number(band, errors.at),
            want[errors.at], errors.worst, allowed, errors.nmse, allowed * allowed / 100.0);
}

static void check_unchanged(const struct bench *bench, int i)
{
    if (memcmp(bench->in[i].words + bench->in[i].guard, bench->data->bits[i],
               (size_t)bench->in[i].count * sizeof(uint32_t)) != 0)
        test_fail(bench->data->test, "%s: input %d was changed", bench->layout->name, i);
}

static void check_updated(struct bench *bench, int i)
{
    const double *want = bench->data->ref.in[i];
    compare(bench, &bench->in[i], want, mean_square(want, bench->in[i].count), "updated input", i);
}

static void check_output(struct bench *bench, int i)
{
    const struct ref_call *ref = &bench->data->ref;
    bool average = bench->data->test->op->averages >> i & 1;
    double power =
        average ? mean_square(ref->in[0], bench->in[0].count) : mean_square(ref->out[i], bench->out[i].count);
    fetch(&bench->out[i], false);
    check_guards(bench, &bench->out[i], "output", i);
    compare(bench, &bench->out[i], ref->out[i], power, "output", i);
}

static void check_results(struct bench *bench)
{
    for (int i = 0; i < SFT_MAX_INPUTS; i++) {
        if (!bench->data->bits[i]) continue;
        fetch(&bench->in[i], false);
        check_guards(bench, &bench->in[i], "input", i);
        if (is_updated(bench, i))
            check_updated(bench, i);
        else
            check_unchanged(bench, i);
    }
    for (int i = 0; i < bench->data->test->op->op->n_out; i++) check_output(bench, i);
}

static void check_repeats(struct bench *bench)
{
    int64_t differ = 0;
    run(bench);
    for (int i = 0; i < SFT_MAX_INPUTS; i++)
        if (bench->data->bits[i]) differ += fetch(&bench->in[i], true);
    for (int i = 0; i < bench->data->test->op->op->n_out; i++) differ += fetch(&bench->out[i], true);
    if (differ)
        test_fail(bench->data->test, "%s: %ld words differ in a second run", bench->layout->name,
                  (long)differ);
}

static void forward(void **state)
{
    struct test_data data;
    test_make_data(*state, &data);
    for (size_t i = 0; i < sizeof(layouts) / sizeof(layouts[0]); i++) {
        struct bench bench = {.data = &data, .layout = &layouts[i]};
        build(&bench);
        if (i == 0) test_run_ref(&data, bench.graph, bench.out_value);
        run(&bench);
        check_results(&bench);
        check_repeats(&bench);
    }
}

int main(int argc, char **argv) { return test_run_cases("ops/forward", argc, argv, forward, NULL); }

/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/harness.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/base/log.h"
#include "runtime/base/rng.h"
#include "tests/ref/ref.h"

const struct test_op *const test_ops[] = {
#define SFT_OP(name) &sft_test_op_##name,
#include "runtime/ops.def"
#undef SFT_OP
};

/* ---- memory of one test ---- */

enum { MAX_HELD = 256 };

static struct {
    void *memory[MAX_HELD];
    struct sft_graph *graphs[MAX_HELD];
    struct sft_tensor *tensors[MAX_HELD];
    struct sft_program *programs[MAX_HELD];
    int n_memory, n_graphs, n_tensors, n_programs;
} held;

void *test_alloc(size_t count, size_t size)
{
    void *memory = calloc(count ? count : 1, size);
    assert_non_null(memory);
    assert_true(held.n_memory < MAX_HELD);
    return held.memory[held.n_memory++] = memory;
}

struct sft_graph *test_graph(void)
{
    assert_true(held.n_graphs < MAX_HELD);
    assert_int_equal(sft_graph_create(&held.graphs[held.n_graphs]), SFT_OK);
    return held.graphs[held.n_graphs++];
}

struct sft_tensor *test_tensor(const char *name, enum sft_dtype dtype, struct sft_shape shape)
{
    assert_true(held.n_tensors < MAX_HELD);
    assert_int_equal(sft_tensor_create(test_device(), name, dtype, shape, &held.tensors[held.n_tensors]),
                     SFT_OK);
    return held.tensors[held.n_tensors++];
}

struct sft_program *test_program(const struct sft_graph *graph)
{
    assert_true(held.n_programs < MAX_HELD);
    assert_int_equal(sft_program_create(test_device(), graph, &held.programs[held.n_programs]), SFT_OK);
    return held.programs[held.n_programs++];
}

int test_release(void **state)
{
    (void)state;
    while (held.n_programs) sft_program_destroy(&held.programs[--held.n_programs]);
    while (held.n_tensors) sft_tensor_destroy(&held.tensors[--held.n_tensors]);
    while (held.n_graphs) sft_graph_destroy(&held.graphs[--held.n_graphs]);
    while (held.n_memory) free(held.memory[--held.n_memory]);
    test_release_log();
    return 0;
}

/* ---- tests of cases ---- */

void test_fail_at(const struct test_name *test, const char *file, int line, const char *format, ...)
{
    char message[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof(message), format, args);
    va_end(args);
    print_error("%s, seed %u: %s\nagain: SFT_TEST_DEVICE=%s SFT_TEST_FILTER='%s' ctest -R '^%s/' "
                "--output-on-failure\n",
                test->name, test->seed, message, test_device_name(), test->name, test_group_name());
    _fail(file, line);
}

static size_t count_cases(void)
{
    size_t n = 0;
    for (int i = 0; i < SFT_OP_COUNT; i++) n += (size_t)test_ops[i]->n_cases;
    return n;
}

static void name_case(struct test_name *name, const struct test_op *op, int i)
{
    *name = (struct test_name){.op = op, .test_case = &op->cases[i], .seed = 1u + (uint32_t)i};
    snprintf(name->name, sizeof(name->name), "%s/%s", op->op->name, op->cases[i].what);
}

int test_run_cases(const char *group, int argc, char **argv, CMUnitTestFunction function, test_wanted wanted)
{
    struct test_name *names = calloc(count_cases(), sizeof(*names));
    struct CMUnitTest *tests = calloc(count_cases(), sizeof(*tests));
    size_t n = 0;
    int failed = 1;
    for (int k = 0; names && tests && k < SFT_OP_COUNT; k++)
        for (int i = 0; i < test_ops[k]->n_cases; i++) {
            if (wanted && !wanted(test_ops[k], &test_ops[k]->cases[i])) continue;
            name_case(&names[n], test_ops[k], i);
            tests[n] = (struct CMUnitTest){names[n].name, function, NULL, test_release, &names[n]};
            n++;
        }
    if (names && tests) failed = test_run_group(group, argc, argv, tests, n);
    free(names);
    free(tests);
    return failed;
}

void ref_expect_shape(const struct sft_shape *got, const char *op, struct sft_shape want)
{
    char a[SFT_SHAPE_TEXT], b[SFT_SHAPE_TEXT];
    if (!sft_shape_equal(got, &want))
        fail_msg("%s: the shape is %s, must be %s", op, sft_shape_str(got, a), sft_shape_str(&want, b));
}

/* ---- a case's numbers ---- */

static const float hyper_values[SFT_HYPER_COUNT] = {
    [SFT_HYPER_LR] = 0.1f,
    [SFT_HYPER_RHO] = 0.05f,
    [SFT_HYPER_MOMENTUM] = 0.9f,
    [SFT_HYPER_WEIGHT_DECAY] = 0.02f,
    [SFT_HYPER_BETA1] = 0.9f,
    [SFT_HYPER_BETA2] = 0.999f,
    [SFT_HYPER_EPSILON] = 1e-8f,
    [SFT_HYPER_BIAS1] = 0.271f,
    [SFT_HYPER_BIAS2] = 0.002997001f,
};

struct filler {
    struct sft_rng rng;
    int64_t classes; /* last size of input 0 */
};

static double away(struct filler *filler)
{
    double x = (double)sft_rng_normal(&filler->rng);
    return x < 0.0 ? x - 0.05 : x + 0.05;
}

static double next_number(struct filler *filler, enum test_fill fill, int64_t i)
{
    struct sft_rng *rng = &filler->rng;
    switch (fill) {
    case FILL_NORMAL:
        return (double)sft_rng_normal(rng);
    case FILL_WIDE:
        return 30.0 * (double)sft_rng_normal(rng);
    case FILL_AWAY:
        return away(filler);
    case FILL_POSITIVE:
        return 0.5 + (double)sft_rng_uniform(rng);
    case FILL_NEGATIVE:
        return -1.5 + (double)sft_rng_uniform(rng);
    case FILL_SMALL_INTEGERS:
        return (double)sft_rng_below(rng, 5) - 2.0;
    case FILL_OFFSET:
        return 100.0 + (double)sft_rng_normal(rng);
    case FILL_LABELS:
        return (double)sft_rng_below(rng, (uint32_t)filler->classes + 1) - 1.0;
    case FILL_WORDS:
        return (double)(int32_t)sft_rng_u32(rng);
    case FILL_HYPER:
        return (double)hyper_values[i];
    case FILL_ZERO:
    case FILL_ABSENT:
        break;
    }
    return 0.0;
}

static bool is_integer(enum test_fill fill) { return fill == FILL_LABELS || fill == FILL_WORDS; }

/* Half of the labels mark outliers, whatever the number of classes. */
static void mark_outliers(const struct test_case *test_case, struct ref_call *ref)
{
    for (int i = 0; i < SFT_MAX_INPUTS; i++)
        for (int64_t k = 0; test_case->in[i].fill == FILL_LABELS && k < ref_count(&ref->in_shape[i]); k += 2)
            ref->in[i][k] = -1.0;
}

/* Makes the numbers to upload, and rounds the reference's input to them. */
static void round_input(struct test_data *data, int i)
{
    int64_t count = ref_count(&data->ref.in_shape[i]);
    float *number = data->bits[i] ? data->bits[i] : test_alloc((size_t)count, sizeof(float));
    for (int64_t k = 0; k < count; k++) {
        int32_t integer = (int32_t)data->ref.in[i][k];
        if (data->in_type[i] == SFT_I32) {
            memcpy(&number[k], &integer, sizeof(integer));
        } else {
            number[k] = (float)data->ref.in[i][k];
            data->ref.in[i][k] = (double)number[k];
        }
    }
    data->bits[i] = number;
}

void test_make_data(const struct test_name *test, struct test_data *data)
{
    const struct sft_shape *first = &test->test_case->in[0].shape;
    struct filler filler = {.classes = first->rank ? first->dim[first->rank - 1] : 1};
    struct ref_call *ref = &data->ref;
    memset(data, 0, sizeof(*data));
    data->test = test;
    ref->params = test->test_case->params;
    sft_rng_init(&filler.rng, test->seed, SFT_STREAM_TEST, 0);
    for (int i = 0; i < SFT_MAX_INPUTS; i++) {
        const struct test_input *input = &test->test_case->in[i];
        if (input->fill == FILL_ABSENT) continue;
        ref->in_shape[i] = input->shape;
        data->in_type[i] = is_integer(input->fill) ? SFT_I32 : SFT_F32;
        ref->in[i] = test_alloc((size_t)ref_count(&input->shape), sizeof(double));
        for (int64_t k = 0; k < ref_count(&input->shape); k++)
            ref->in[i][k] = next_number(&filler, input->fill, k);
        round_input(data, i);
    }
    mark_outliers(test->test_case, ref);
    if (test->op->prepare) test->op->prepare(ref);
    for (int i = 0; i < SFT_MAX_INPUTS; i++)
        if (ref->in[i]) round_input(data, i);
}

void test_run_ref(struct test_data *data, const struct sft_graph *graph, const sft_value *out)
{
    for (int i = 0; i < data->test->op->op->n_out; i++) {
        data->ref.out_shape[i] = *sft_graph_shape(graph, out[i]);
        data->ref.out[i] = test_alloc((size_t)ref_count(&data->ref.out_shape[i]), sizeof(double));
    }
    data->test->op->ref(&data->ref);
}

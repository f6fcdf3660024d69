/* SPDX-License-Identifier: Apache-2.0 */
/* Runs one case of an op on the device under test. */
#ifndef SFT_TESTS_HARNESS_H
#define SFT_TESTS_HARNESS_H

#include "runtime/program.h"
#include "runtime/tensor.h"
#include "tests/support/group.h"
#include "tests/support/test_op.h"

/* ---- named tests ---- */

/* "op/case", one cmocka test for each case of each op for which `wanted` is true (NULL: all). */
struct test_name {
    const struct test_op *op;
    const struct test_case *test_case;
    uint32_t seed;
    char name[160];
};

typedef bool (*test_wanted)(const struct test_op *op, const struct test_case *test_case);

/* Runs `function` for each case on the device under test; a struct test_name is the test's initial state. The
 * program's exit code. */
int test_run_cases(const char *group, int argc, char **argv, CMUnitTestFunction function, test_wanted wanted);

/* Fails the test with the command that repeats it. */
#define test_fail(test, ...) test_fail_at(test, __FILE__, __LINE__, __VA_ARGS__)
void test_fail_at(const struct test_name *test, const char *file, int line, const char *format, ...)
    SFT_PRINTF(4, 5);

/* ---- memory of one test: released with test_release, also after a failed assertion ---- */

void *test_alloc(size_t count, size_t size);
struct sft_graph *test_graph(void);
struct sft_tensor *test_tensor(const char *name, enum sft_dtype dtype, struct sft_shape shape);
struct sft_program *test_program(const struct sft_graph *graph);
int test_release(void **state); /* a cmocka teardown */

/* ---- a case's numbers ---- */

struct test_data {
    const struct test_name *test;
    struct ref_call ref; /* inputs as the reference sees them; in-place updates happen there */
    enum sft_dtype in_type[SFT_MAX_INPUTS];
    void *bits[SFT_MAX_INPUTS]; /* the same inputs as uploaded; NULL for an absent one */
};

/* Inputs from the case's seed; ref.out is not there yet. */
void test_make_data(const struct test_name *test, struct test_data *data);

/* Room for the outputs, whose shapes are `graph`'s; then the reference's results. */
void test_run_ref(struct test_data *data, const struct sft_graph *graph, const sft_value *out);

#endif

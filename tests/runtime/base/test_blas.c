/* SPDX-License-Identifier: Apache-2.0 */
/* What happens where there is no memory for OpenBLAS's buffers; test_linalg.c has the numbers. */
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "runtime/base/blas.h"
#include "runtime/base/parallel.h"
#include "tests/support/fixture.h"

enum { SIDE = 300, TASKS = 16 };

static struct rlimit old;

/* This much more address space, and no more. */
static void allow(size_t bytes)
{
    struct rlimit limit = old;
    long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    assert_non_null(file);
    assert_int_equal(fscanf(file, "%ld", &pages), 1);
    fclose(file);
    limit.rlim_cur = (rlim_t)pages * (rlim_t)sysconf(_SC_PAGESIZE) + bytes;
    assert_int_equal(setrlimit(RLIMIT_AS, &limit), 0);
}

static int threads_of_process(void)
{
    char line[256];
    int threads = 0;
    FILE *file = fopen("/proc/self/status", "r");
    while (file && fgets(line, sizeof(line), file))
        if (sscanf(line, "Threads: %d", &threads) == 1) break;
    if (file) fclose(file);
    return threads;
}

static void has_no_threads_of_its_own(void **state)
{
    int before = threads_of_process();
    (void)state;
    assert_non_null(strstr(sft_blas_name(), "OpenBLAS"));
    assert_int_equal(threads_of_process(), before);
}

static void no_buffer_is_a_status(void **state)
{
    enum sft_status status;
    (void)state;
    assert_int_equal(sft_parallel_set_threads(1), SFT_OK);
    allow((size_t)100 << 20);
    status = sft_blas_start();
    assert_int_equal(setrlimit(RLIMIT_AS, &old), 0);
    assert_int_equal(status, SFT_MEMORY);
    test_expect_last("ulimit -v");
}

static float a[SIDE * SIDE], c[TASKS][SIDE * SIDE];

static void product(void *context, int64_t task, int slot)
{
    (void)context;
    (void)slot;
    sft_blas_gemm(false, false, SIDE, SIDE, SIDE, a, SIDE, a, SIDE, 0.0f, c[task], SIDE);
}

static void products_share_what_there_is(void **state)
{
    enum sft_status status;
    (void)state;
    for (int i = 0; i < SIDE * SIDE; i++) a[i] = (float)(i % 7);
    assert_int_equal(sft_parallel_set_threads(4), SFT_OK);
    allow((size_t)300 << 20); /* for two */
    status = sft_blas_start();
    if (status == SFT_OK) sft_parallel_for(TASKS, product, NULL);
    assert_int_equal(setrlimit(RLIMIT_AS, &old), 0);
    assert_int_equal(status, SFT_OK);
    test_expect_last("2 of 4 threads");
    for (int i = 1; i < TASKS; i++) assert_memory_equal(c[i], c[0], sizeof(c[0]));
    sft_parallel_shutdown();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(has_no_threads_of_its_own),
        cmocka_unit_test(no_buffer_is_a_status),
        cmocka_unit_test(products_share_what_there_is),
    };
    if (getrlimit(RLIMIT_AS, &old) != 0) return 1;
    return cmocka_run_group_tests_name("runtime/base/blas", tests, test_setup_log, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <pthread.h>

#include "runtime/base/log.h"
#include "runtime/base/parallel.h"
#include "tests/support/fixture.h"

enum { TASKS = 10007 };

struct loop {
    atomic_int done[TASKS];
    atomic_int bad_slots;
    int threads;
};

static void mark(void *context, int64_t task, int slot)
{
    struct loop *loop = context;
    atomic_fetch_add(&loop->done[task], 1);
    if (slot < 0 || slot >= loop->threads) atomic_fetch_add(&loop->bad_slots, 1);
}

static void run_loop(int64_t count)
{
    struct loop *loop = calloc(1, sizeof(*loop));
    assert_non_null(loop);
    loop->threads = sft_parallel_threads();
    sft_parallel_for(count, mark, loop);
    for (int64_t i = 0; i < TASKS; i++) assert_int_equal(atomic_load(&loop->done[i]), i < count);
    assert_int_equal(atomic_load(&loop->bad_slots), 0);
    free(loop);
}

static void each_task_once(void **state)
{
    static const int64_t counts[] = {0, 1, 2, 3, 63, TASKS};
    (void)state;
    for (int threads = 1; threads <= 5; threads++) {
        assert_int_equal(sft_parallel_set_threads(threads), SFT_OK);
        assert_int_equal(sft_parallel_threads(), threads);
        for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) run_loop(counts[i]);
    }
}

static void many_short_loops(void **state)
{
    (void)state;
    assert_int_equal(sft_parallel_set_threads(3), SFT_OK);
    for (int i = 0; i < 2000; i++) {
        struct loop loop = {.threads = 3};
        sft_parallel_for(7, mark, &loop);
        for (int k = 0; k < 7; k++) assert_int_equal(atomic_load(&loop.done[k]), 1);
    }
}

static void nest(void *context, int64_t task, int slot)
{
    (void)task;
    (void)slot;
    sft_parallel_for(11, mark, context);
}

static void nested_loop_runs_in_its_task(void **state)
{
    struct loop loop = {.threads = 1};
    (void)state;
    assert_int_equal(sft_parallel_set_threads(4), SFT_OK);
    sft_parallel_for(13, nest, &loop);
    for (int i = 0; i < 11; i++) assert_int_equal(atomic_load(&loop.done[i]), 13);
    assert_int_equal(atomic_load(&loop.bad_slots), 0); /* slot 0 only */
}

static void *loops_of_a_thread(void *context)
{
    for (int i = 0; i < 200; i++) sft_parallel_for(23, mark, context);
    return NULL;
}

static void two_threads_at_once(void **state)
{
    struct loop loops[2] = {{.threads = 4}, {.threads = 4}};
    pthread_t other;
    (void)state;
    assert_int_equal(sft_parallel_set_threads(4), SFT_OK);
    assert_int_equal(pthread_create(&other, NULL, loops_of_a_thread, &loops[0]), 0);
    loops_of_a_thread(&loops[1]);
    pthread_join(other, NULL);
    for (int k = 0; k < 2; k++)
        for (int i = 0; i < 23; i++) assert_int_equal(atomic_load(&loops[k].done[i]), 200);
}

static void restarts_after_shutdown(void **state)
{
    (void)state;
    assert_int_equal(sft_parallel_set_threads(2), SFT_OK);
    run_loop(100);
    sft_parallel_shutdown();
    sft_parallel_shutdown();
    run_loop(100);
}

static void refuses_numbers(void **state)
{
    (void)state;
    test_catch_log();
    assert_int_equal(sft_parallel_set_threads(-1), SFT_USAGE);
    assert_int_equal(sft_parallel_set_threads(1000000), SFT_USAGE);
    test_release_log();
    assert_int_equal(test_log_lines(), 2);
    assert_int_equal(sft_parallel_set_threads(0), SFT_OK);
    assert_true(sft_parallel_threads() >= 1);
}

static int end_threads(void **state)
{
    (void)state;
    sft_parallel_shutdown();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_task_once),
        cmocka_unit_test(many_short_loops),
        cmocka_unit_test(nested_loop_runs_in_its_task),
        cmocka_unit_test(two_threads_at_once),
        cmocka_unit_test(restarts_after_shutdown),
        cmocka_unit_test(refuses_numbers),
    };
    return cmocka_run_group_tests_name("runtime/base/parallel", tests, NULL, end_threads);
}

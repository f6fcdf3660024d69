/* SPDX-License-Identifier: Apache-2.0 */
/* Signals, each case in a child, as they end the process. */
#include <errno.h>
#include <stdio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/support/fixture.h"
#include "tools/cli/interrupt.h"

static void pause_for(long milliseconds)
{
    struct timespec time = {0, milliseconds * 1000000};
    nanosleep(&time, NULL);
}

static int code_of(int (*child)(void))
{
    int end;
    pid_t process = fork();
    if (process == 0) {
        if (!freopen("/dev/null", "w", stderr)) _exit(100);
        sft_interrupt_install();
        _exit(child());
    }
    assert_int_equal(waitpid(process, &end, 0), process);
    assert_true(WIFEXITED(end));
    return WEXITSTATUS(end);
}

static int one(void)
{
    if (sft_interrupted()) return 1;
    errno = 77;
    raise(SIGTERM);
    if (errno != 77) return 2;
    return sft_interrupted() && *sft_interrupt_flag() == SIGTERM ? sft_interrupt_signal() : 3;
}

static int pair(void)
{
    raise(SIGINT);
    raise(SIGINT);
    pause_for(10);
    raise(SIGTERM);
    return sft_interrupt_signal();
}

static int again(void)
{
    raise(SIGINT);
    pause_for(150);
    raise(SIGTERM);
    return 0;
}

/* The limit of time is told every second. */
static int limit_of_time(void)
{
    raise(SIGXCPU);
    pause_for(150);
    raise(SIGXCPU);
    return sft_interrupt_signal();
}

static int of_a_batch_system(void)
{
    raise(SIGUSR1);
    return sft_interrupt_signal();
}

static int file_too_large(void) { return raise(SIGXFSZ); }

static void signals(void **state)
{
    (void)state;
    assert_int_equal(code_of(one), SIGTERM);
    assert_int_equal(code_of(pair), SIGINT);
    assert_int_equal(code_of(again), 128 + SIGTERM);
    assert_int_equal(code_of(limit_of_time), SIGXCPU);
    assert_int_equal(code_of(of_a_batch_system), SIGUSR1);
    assert_int_equal(code_of(file_too_large), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(signals)};
    return cmocka_run_group_tests_name("interrupt", tests, NULL, NULL);
}

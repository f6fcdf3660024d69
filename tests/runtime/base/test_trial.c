/* SPDX-License-Identifier: Apache-2.0 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/base/trial.h"
#include "tests/support/fixture.h"

static int here;

static void comes_back(void) { here = 1; }
static void crashes(void) { raise(SIGSEGV); }
static void gives_up(void) { abort(); }
static void waits(void) { pause(); }
static void leaves(void) { _exit(9); }

static void check(void (*call)(void), const char *want)
{
    char why[64] = "";
    assert_int_equal(sft_trial(call, 1, why, sizeof(why)), !want[0]);
    if (!strstr(why, want)) fail_msg("\"%s\" instead of \"%s\"", why, want);
}

/* What the parent does on a signal is not what the child does. */
static void every_end(void **state)
{
#if defined(__linux__) && !defined(__SANITIZE_THREAD__)
    void (*handler)(int) = signal(SIGABRT, SIG_IGN);
    (void)state;
    check(comes_back, "");
    assert_int_equal(here, 0);
    check(crashes, "ended by signal 11");
    check(gives_up, "ended by signal 6");
    check(leaves, "ended the process with code 9");
    check(waits, "did not come back in 1 second");
    signal(SIGABRT, handler);
#else
    (void)state;
    check(gives_up, "");
    (void)crashes, (void)leaves, (void)waits, (void)comes_back;
#endif
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_end)};
    return cmocka_run_group_tests_name("runtime/base/trial", tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/cli/interrupt.h"

#include <errno.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>
#include <unistd.h>

/* Nanoseconds: what comes within them of the first signal belongs to the same wish. */
#define ONE_WISH INT64_C(100000000)

static volatile sig_atomic_t received;
static atomic_llong first_time; /* nanoseconds of a monotonic clock; 0 before the first signal */

static long long now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (long long)time.tv_sec * 1000000000 + time.tv_nsec + 1;
}

/* SIGXCPU comes every second from when the limit is reached until the process has ended or is killed: it does
 * not say "at once". */
static void note(int number)
{
    static const char message[] = "sft-vk: stopping after this step; again to stop at once\n";
    int kept = errno;
    long long time = now(), first = 0;
    if (!atomic_compare_exchange_strong(&first_time, &first, time)) {
        if (time - first >= ONE_WISH && number != SIGXCPU) _exit(128 + number);
    } else {
        received = number;
        if (write(STDERR_FILENO, message, sizeof(message) - 1) < 0) received = number; /* nobody listens */
    }
    errno = kept;
}

/* A signal that was ignored when the program started (nohup) stays ignored. */
static void install(int number)
{
    struct sigaction old, new = {.sa_handler = note};
    sigemptyset(&new.sa_mask);
    new.sa_flags = SA_RESTART;
    if (sigaction(number, NULL, &old) == 0 && old.sa_handler != SIG_IGN) sigaction(number, &new, NULL);
}

void sft_interrupt_install(void)
{
    static const int stops[] = {SIGINT, SIGTERM, SIGHUP, SIGXCPU, SIGUSR1, SIGUSR2};
    for (size_t i = 0; i < sizeof(stops) / sizeof(stops[0]); i++) install(stops[i]);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
}

int sft_interrupt_signal(void) { return received; }

bool sft_interrupted(void) { return received != 0; }

const volatile sig_atomic_t *sft_interrupt_flag(void) { return &received; }

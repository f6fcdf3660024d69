/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/cli/interrupt.h"

#include <stddef.h>
#include <unistd.h>

static volatile sig_atomic_t received;

static void note(int number)
{
    static const char message[] = "sft-vk: stopping after this step; again to stop at once\n";
    if (received) _exit(128 + number);
    received = number;
    if (write(STDERR_FILENO, message, sizeof(message) - 1) < 0) return; /* nobody listens */
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
    install(SIGINT);
    install(SIGTERM);
    install(SIGHUP);
    signal(SIGPIPE, SIG_IGN);
}

int sft_interrupt_signal(void) { return received; }

bool sft_interrupted(void) { return received != 0; }

const volatile sig_atomic_t *sft_interrupt_flag(void) { return &received; }

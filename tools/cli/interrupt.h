/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signals. The first SIGINT, SIGTERM or SIGHUP, or one of those by which batch systems announce the end of a
 * job (SIGXCPU, SIGUSR1, SIGUSR2), sets a flag, which loops look at between steps: they save and return
 * SFT_INTERRUPTED, and the program exits with 128 + the signal. A second one exits at once; what was saved is
 * intact, as files are replaced atomically. Two within a tenth of a second are one wish: timeout(1), sudo and
 * batch systems send a signal to the process and to its group. SIGPIPE and SIGXFSZ are ignored: a write that
 * fails is a status like any other.
 */
#ifndef SFT_INTERRUPT_H
#define SFT_INTERRUPT_H

#include <signal.h>
#include <stdbool.h>

void sft_interrupt_install(void);

/* The first signal received, 0 for none. */
int sft_interrupt_signal(void);

bool sft_interrupted(void);

/* Not 0 after the first signal: for loops in libraries. */
const volatile sig_atomic_t *sft_interrupt_flag(void);

#endif

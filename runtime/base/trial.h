/* SPDX-License-Identifier: Apache-2.0 */
/* Other people's code, run in a child process first, to see whether it comes back. */
#ifndef SFT_TRIAL_H
#define SFT_TRIAL_H

#include <stdbool.h>
#include <stddef.h>

/* Whether call() returns in a child process, within that time. If not, `why` says what became of it: "ended
 * by signal 11 (Segmentation fault)", "did not come back in 30 seconds". The child prints nothing and leaves
 * no core. True, and not tried, where there are no children to be had, and elsewhere than on Linux: macOS's
 * frameworks do not work behind a fork. */
bool sft_trial(void (*call)(void), int seconds, char *why, size_t room);

#endif

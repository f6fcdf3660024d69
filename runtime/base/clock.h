/* SPDX-License-Identifier: Apache-2.0 */
/* The clock that durations are taken with. */
#ifndef SFT_CLOCK_H
#define SFT_CLOCK_H

/* Seconds since some moment before the program started, by a clock that nobody sets: only differences mean
 * anything. */
double sft_now(void);

#endif

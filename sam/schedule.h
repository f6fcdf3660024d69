/* SPDX-License-Identifier: Apache-2.0 */
/* Learning rate over steps. */
#ifndef SFT_SAM_SCHEDULE_H
#define SFT_SAM_SCHEDULE_H

#include <stdint.h>

enum sft_schedule_kind {
    SFT_SCHEDULE_CONSTANT,
    SFT_SCHEDULE_COSINE, /* from lr to `last` of it along half a cosine */

    /* Smith and Topin 2019: up from lr/25 over the warm-up (30 % by default), then down to lr/10^4. */
    SFT_SCHEDULE_ONECYCLE,
};

/* Their names in words, in the order of the enum and up to a NULL. */
extern const char *const sft_schedule_words[];

struct sft_schedule {
    enum sft_schedule_kind kind;
    double lr;      /* peak */
    int64_t warmup; /* steps of linear rise before a constant or cosine schedule; 0: none */
    int64_t steps;  /* of the whole run */
    double last;    /* cosine: share of lr at the end */
};

/* Rate of step `step` (0 is the first). */
double sft_schedule_rate(const struct sft_schedule *schedule, int64_t step);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#include "sam/schedule.h"

#include <math.h>
#include <stddef.h>

#include "runtime/base/words.h"

const char *const sft_schedule_words[] = {"constant", "cosine", "onecycle", NULL};
SFT_ASSERT_WORDS(sft_schedule_words, SFT_SCHEDULE_ONECYCLE);

static double half_cosine(double from, double to, double progress)
{
    return to + (from - to) * 0.5 * (1.0 + cos(3.141592653589793 * progress));
}

static double constant(const struct sft_schedule *s, double progress)
{
    (void)progress;
    return s->lr;
}

static double cosine(const struct sft_schedule *s, double progress)
{
    return half_cosine(s->lr, s->lr * s->last, progress);
}

static double onecycle(const struct sft_schedule *s, double progress)
{
    double rise = s->warmup > 0 ? (double)s->warmup / (double)s->steps : 0.3;
    if (progress < rise) return half_cosine(s->lr / 25.0, s->lr, progress / rise);
    return half_cosine(s->lr, s->lr * 1e-4, (progress - rise) / (1.0 - rise));
}

static const struct {
    double (*rate)(const struct sft_schedule *schedule, double progress);
    int linear_warmup;
} kinds[] = {
    [SFT_SCHEDULE_CONSTANT] = {constant, 1},
    [SFT_SCHEDULE_COSINE] = {cosine, 1},
    [SFT_SCHEDULE_ONECYCLE] = {onecycle, 0},
};

double sft_schedule_rate(const struct sft_schedule *s, int64_t step)
{
    int64_t first = kinds[s->kind].linear_warmup ? s->warmup : 0, span = s->steps - first;
    if (step < first) return s->lr * (double)(step + 1) / (double)(first + 1);
    return kinds[s->kind].rate(s, span > 0 ? (double)(step - first) / (double)span : 0.0);
}

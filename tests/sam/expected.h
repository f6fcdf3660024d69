/* SPDX-License-Identifier: Apache-2.0 */
/* What a golden file says of SAM steps. */
#ifndef SFT_TESTS_EXPECTED_H
#define SFT_TESTS_EXPECTED_H

#include "sam/step.h"
#include "tests/nn/golden.h"

static inline double number(const json_t *expected, const char *key)
{
    return json_number_value(json_object_get(expected, key));
}

static inline struct sft_step_rates expected_rates(const json_t *expected, int number_of_step)
{
    return (struct sft_step_rates){.step = number_of_step,
                                   .lr = number(expected, "lr"),
                                   .rho = number(expected, "rho"),
                                   .momentum = number(expected, "momentum"),
                                   .weight_decay = number(expected, "weight_decay")};
}

static inline void check_relative(double value, double expected, const char *what, double tolerance)
{
    if (fabs(value / expected - 1) < tolerance) return;
    fail_msg("%s is %.9g, expected %.9g", what, value, expected);
}

#endif

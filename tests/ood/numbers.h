/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers of golden files, and how near to them one has to be. */
#ifndef SFT_TESTS_OOD_NUMBERS_H
#define SFT_TESTS_OOD_NUMBERS_H

#include <jansson.h>
#include <math.h>
#include <stdlib.h>

#include "tests/support/fixture.h"

static inline void assert_near(double got, double want, double tolerance)
{
    if (!(fabs(got - want) <= tolerance)) fail_msg("got %.17g, want %.17g", got, want);
}

static inline float *numbers(const json_t *array, int64_t *n)
{
    float *values = calloc(json_array_size(array) + 1, sizeof(*values));
    *n = (int64_t)json_array_size(array);
    for (size_t i = 0; i < json_array_size(array); i++)
        values[i] = (float)json_number_value(json_array_get(array, i));
    return values;
}

static inline double number(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    assert_true(json_is_number(value));
    return json_number_value(value);
}

#endif

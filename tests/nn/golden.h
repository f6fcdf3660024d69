/* SPDX-License-Identifier: Apache-2.0 */
/* Comparing with tests/golden/models.json. */
#ifndef SFT_TESTS_GOLDEN_H
#define SFT_TESTS_GOLDEN_H

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "nn/parameters.h"
#include "tests/support/cm.h"

static inline json_t *golden_open(const char *path)
{
    json_error_t error;
    json_t *golden = json_load_file(path, 0, &error);
    if (!golden) print_error("%s: %s\n", path, error.text);
    return golden;
}

static inline double golden_number(const json_t *array, size_t i)
{
    return json_number_value(json_array_get(array, i));
}

/* Largest |value - golden| over the largest |golden|. */
static inline double golden_distance(const json_t *array, const float *values)
{
    double most = 0, scale = 0;
    for (size_t i = 0; i < json_array_size(array); i++) {
        most = fmax(most, fabs((double)values[i] - golden_number(array, i)));
        scale = fmax(scale, fabs(golden_number(array, i)));
    }
    return most / fmax(scale, 1e-30);
}

/* The largest norm among an object of summaries. */
static inline double golden_largest(json_t *summaries)
{
    const char *name;
    json_t *summary;
    double largest = 0;
    json_object_foreach(summaries, name, summary) largest = fmax(largest, golden_number(summary, 0));
    return largest;
}

/* Distance from the script's summary of a tensor in its file's layout: [L2 norm, sum, elements at 0, 2/7,
 * 4/7, 6/7]. The norm relative to itself (or to `floor` where that is larger: what counts as nothing),
 * elements relative to the norm's share of one element, the sum to that of all. */
static inline double golden_summary_distance(const json_t *summary, const double *values, int64_t count,
                                             double floor)
{
    double expected_norm = golden_number(summary, 0), norm = fmax(expected_norm, floor);
    double sum2 = 0, sum = 0, most;
    for (int64_t i = 0; i < count; i++) {
        sum2 += values[i] * values[i];
        sum += values[i];
    }
    if (norm == 0) return sqrt(sum2);
    most = fmax(fabs(sqrt(sum2) - expected_norm) / norm,
                fabs(sum - golden_number(summary, 1)) / (norm * sqrt((double)count)));
    for (int k = 0; k < 4; k++) {
        double expected = golden_number(summary, (size_t)k + 2);
        double share = fmax(fabs(expected), norm / sqrt((double)count));
        most = fmax(most, fabs(values[count * (2 * k) / 7] - expected) / share);
    }
    return most;
}

/* The same of a parameter in a flat host copy. `start` (elements of the file's layout, or NULL) is taken away
 * first. */
static inline double golden_parameter_distance(const json_t *summary, const struct sft_parameter *parameter,
                                               const float *flat, const float *start, double floor)
{
    float *values = calloc((size_t)parameter->count, sizeof(*values));
    double *exact = calloc((size_t)parameter->count, sizeof(*exact)), distance = INFINITY;
    if (values && exact) {
        sft_parameter_to_file(parameter, flat, values);
        for (int64_t i = 0; i < parameter->count; i++)
            exact[i] = (double)values[i] - (start ? (double)start[i] : 0.0);
        distance = golden_summary_distance(summary, exact, parameter->count, floor);
    }
    free(values);
    free(exact);
    return distance;
}

#endif

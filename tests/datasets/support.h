/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of datasets/ share. */
#ifndef SFT_TESTS_DATASETS_SUPPORT_H
#define SFT_TESTS_DATASETS_SUPPORT_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "datasets/dataset.h"
#include "runtime/base/file.h"
#include "tests/support/fixture.h"

#define GOLDEN(name) SFT_TEST_DATA "/golden/datasets/" name

enum { RECORD = 3073 };

/* ---- data ---- */

/* The generator that tests/golden/datasets.py has, too. */
static inline void fill_bytes(uint8_t *to, size_t count, uint32_t state)
{
    for (size_t i = 0; i < count; i++) {
        state = state * 1664525u + 1013904223u;
        to[i] = (uint8_t)(state >> 24);
    }
}

/* CIFAR records that tell which they are: label i % 10, first pixel (i, i / 256, mark), the rest drawn from
 * i. */
static inline uint8_t *make_records(int count, uint8_t mark)
{
    uint8_t *records = malloc((size_t)count * RECORD);
    assert_non_null(records);
    for (int i = 0; i < count; i++) {
        uint8_t *record = records + (size_t)i * RECORD;
        fill_bytes(record, RECORD, (uint32_t)i * 977 + mark);
        record[0] = (uint8_t)(i % 10);
        record[1] = (uint8_t)i;
        record[1 + 1024] = (uint8_t)(i / 256);
        record[1 + 2048] = mark;
    }
    return records;
}

static inline void put_records(const char *name, int count, uint8_t mark)
{
    uint8_t *records = make_records(count, mark);
    test_put(name, records, (size_t)count * RECORD);
    free(records);
}

/* "before" + the path of `name` + "after"; a static buffer. */
static inline const char *spec_of(const char *before, const char *name, const char *after)
{
    static char spec[512];
    snprintf(spec, sizeof(spec), "%s%s%s", before, test_path(name), after);
    return spec;
}

/* Opening must fail with this status and a message that has `part` in it. */
static inline void assert_refused(const char *spec, enum sft_status status, const char *part)
{
    struct sft_dataset *dataset;
    test_catch_log();
    assert_int_equal(sft_dataset_open(spec, &dataset), status);
    assert_null(dataset);
    test_expect_log(part);
}

static inline struct sft_dataset *open_or_fail(const char *spec)
{
    struct sft_dataset *dataset;
    test_catch_log();
    if (sft_dataset_open(spec, &dataset) != SFT_OK) fail_msg("%s: %s", spec, test_log());
    return dataset;
}

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of datasets/ share: files in a folder of their own, and the log's text. */
#ifndef SFT_TESTS_DATASETS_SUPPORT_H
#define SFT_TESTS_DATASETS_SUPPORT_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <ftw.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "datasets/dataset.h"
#include "runtime/file.h"
#include "runtime/log.h"

#define GOLDEN(name) SFT_TEST_DATA "/golden/datasets/" name

enum { RECORD = 3073 };

/* ---- the log ---- */

static char support_log[16384];

static inline void support_sink(void *context, enum sft_log_level level, const char *message)
{
    size_t used = strlen(support_log);
    (void)context;
    (void)level;
    snprintf(support_log + used, sizeof(support_log) - used, "%s\n", message);
}

static inline void forget_log(void) { support_log[0] = '\0'; }

static inline void assert_logged(const char *part)
{
    if (!strstr(support_log, part)) fail_msg("\"%s\" is not in the log:\n%s", part, support_log);
}

/* ---- files ---- */

static char support_folder[64];

/* Group setup: a new folder for files, the log caught. */
static inline int set_up_folder(void **state)
{
    (void)state;
    snprintf(support_folder, sizeof(support_folder), "/tmp/sft-test-XXXXXX");
    sft_log_set_sink(support_sink, NULL);
    return mkdtemp(support_folder) ? 0 : -1;
}

static inline int support_remove(const char *path, const struct stat *info, int kind, struct FTW *where)
{
    (void)info;
    (void)kind;
    (void)where;
    return remove(path);
}

static inline int remove_folder(void **state)
{
    (void)state;
    sft_log_set_sink(NULL, NULL);
    return nftw(support_folder, support_remove, 16, FTW_DEPTH | FTW_PHYS);
}

/* Path of `name` in the folder; one of four buffers in turn. */
static inline const char *in_folder(const char *name)
{
    static char paths[4][256];
    static int next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof(paths[0]), "%s/%s", support_folder, name);
    return path;
}

static inline void put(const char *name, const void *data, size_t size)
{
    char path[256], *slash;
    snprintf(path, sizeof(path), "%s", in_folder(name));
    slash = strrchr(path, '/');
    *slash = '\0';
    assert_int_equal(sft_make_folder(path), SFT_OK);
    *slash = '/';
    assert_int_equal(sft_file_write(path, data, size), SFT_OK);
}

static inline void put_copy(const char *name, const char *of)
{
    struct sft_bytes bytes;
    assert_int_equal(sft_file_open(of, &bytes), SFT_OK);
    put(name, bytes.data, bytes.size);
    sft_file_close(&bytes);
}

/* ---- data ---- */

/* The generator that tests/golden/datasets.py has, too. */
static inline void fill_bytes(uint8_t *to, size_t count, uint32_t state)
{
    for (size_t i = 0; i < count; i++) {
        state = state * 1664525u + 1013904223u;
        to[i] = (uint8_t)(state >> 24);
    }
}

/* CIFAR records that tell which they are: label i % 10, first pixel (i, i / 256, mark), the rest drawn from i. */
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
    put(name, records, (size_t)count * RECORD);
    free(records);
}

/* "before" + the path of `name` + "after"; a static buffer. */
static inline const char *spec_of(const char *before, const char *name, const char *after)
{
    static char spec[512];
    snprintf(spec, sizeof(spec), "%s%s%s", before, in_folder(name), after);
    return spec;
}

/* Opening must fail with this status and a message that has `part` in it. */
static inline void assert_refused(const char *spec, enum sft_status status, const char *part)
{
    struct sft_dataset *dataset;
    forget_log();
    assert_int_equal(sft_dataset_open(spec, &dataset), status);
    assert_null(dataset);
    assert_logged(part);
}

static inline struct sft_dataset *open_or_fail(const char *spec)
{
    struct sft_dataset *dataset;
    forget_log();
    if (sft_dataset_open(spec, &dataset) != SFT_OK) fail_msg("%s: %s", spec, support_log);
    return dataset;
}

#endif

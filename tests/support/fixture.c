/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/fixture.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/base/file.h"
#include "runtime/base/log.h"

/* ---- the log ---- */

static char caught[16384], *last = caught;

static void keep(void *context, enum sft_log_level level, const char *message)
{
    size_t used = strlen(caught);
    (void)context, (void)level;
    if (used + strlen(message) + 2 > sizeof(caught)) used = 0; /* full: the latest matter */
    last = caught + used;
    snprintf(last, sizeof(caught) - used, "%s\n", message);
}

void test_catch_log(void)
{
    last = caught;
    caught[0] = '\0';
    sft_log_set_sink(keep, NULL);
}

void test_release_log(void) { sft_log_set_sink(NULL, NULL); }

const char *test_log(void) { return caught; }

int test_log_lines(void)
{
    int lines = 0;
    for (const char *c = caught; *c; c++) lines += *c == '\n';
    return lines;
}

void test_expect_log(const char *part)
{
    if (!strstr(caught, part)) fail_msg("\"%s\" is not in the log:\n%s", part, caught);
}

void test_expect_last(const char *part)
{
    if (!strstr(last, part)) fail_msg("\"%s\" is not in the last message:\n%s", part, last);
}

int test_setup_log(void **state)
{
    (void)state;
    test_catch_log();
    return 0;
}

/* ---- files ---- */

static char folder[64];

int test_setup_folder(void **state)
{
    snprintf(folder, sizeof(folder), "/tmp/sft-test-XXXXXX");
    return mkdtemp(folder) ? test_setup_log(state) : -1;
}

static int remove_entry(const char *path, const struct stat *info, int kind, struct FTW *where)
{
    (void)info, (void)kind, (void)where;
    return remove(path);
}

int test_remove_folder(void **state)
{
    (void)state;
    test_release_log();
    return nftw(folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

const char *test_folder(void) { return folder; }

const char *test_path(const char *name)
{
    static char paths[4][256];
    static int next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof(paths[0]), "%s/%s", folder, name);
    return path;
}

void test_put(const char *name, const void *data, size_t size)
{
    char path[256], *slash;
    snprintf(path, sizeof(path), "%s", test_path(name));
    slash = strrchr(path, '/');
    *slash = '\0';
    assert_int_equal(sft_make_folder(path), SFT_OK);
    *slash = '/';
    assert_int_equal(sft_file_write(path, data, size), SFT_OK);
}

void test_put_copy(const char *name, const char *of)
{
    struct sft_bytes bytes;
    assert_int_equal(sft_file_open(of, &bytes), SFT_OK);
    test_put(name, bytes.data, bytes.size);
    sft_file_close(&bytes);
}

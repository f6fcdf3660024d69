/* SPDX-License-Identifier: Apache-2.0 */
/* What tests need around them: the log's text, and a folder of their own for files. */
#ifndef SFT_TESTS_FIXTURE_H
#define SFT_TESTS_FIXTURE_H

#include "tests/support/cm.h"

/* ---- the log ---- */

/* From now on messages are kept instead of printed; what was kept before is forgotten. */
void test_catch_log(void);
void test_release_log(void);

/* What was kept, a line a message; readable after the release too. */
const char *test_log(void);
int test_log_lines(void);

/* Fails the test unless `part` is in it; in its last message. */
void test_expect_log(const char *part);
void test_expect_last(const char *part);

/* Group setup: the log caught. */
int test_setup_log(void **state);

/* ---- files ---- */

/* Group setup: a new folder, the log caught; and its end. */
int test_setup_folder(void **state);
int test_remove_folder(void **state);

const char *test_folder(void);

/* Path of `name` in the folder; one of four buffers in turn. */
const char *test_path(const char *name);

/* Writes a file there, and the folders above it. */
void test_put(const char *name, const void *data, size_t size);
void test_put_copy(const char *name, const char *of);

#endif

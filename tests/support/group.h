/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A test program: one group of tests on the device under test. SFT_TEST_DEVICE names that device (default
 * cpu); SFT_TEST_FILTER, or the program's first argument, is a part of the names of the tests to run.
 */
#ifndef SFT_TESTS_GROUP_H
#define SFT_TESTS_GROUP_H

#include "runtime/device.h"
#include "tests/support/fixture.h"

/* Runs the chosen ones of `tests` with the device opened around them; what the device complains about until
 * its end (validation messages too) fails the group. The program's exit code. */
int test_run_group(const char *group, int argc, char **argv, const struct CMUnitTest *tests, size_t count);

/* While the group runs. */
struct sft_device *test_device(void);
const char *test_device_name(void);

/* Whether all cases are wanted: on the CPU backend, unless SFT_TEST_QUICK says that a few of each kind do, as
 * under sanitizers. Drivers that run on the CPU take minutes for what is no different there, which is left to
 * SFT_TEST_ALL=1. */
bool test_is_thorough(void);
const char *test_group_name(void);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/group.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/open.h"

/* ---- the device ---- */

static struct sft_device *device;

struct sft_device *test_device(void) { return device; }

const char *test_device_name(void)
{
    const char *name = getenv("SFT_TEST_DEVICE");
    return name && *name ? name : "cpu";
}

bool test_is_thorough(void)
{
    if (getenv("SFT_TEST_ALL")) return true;
    return strcmp(test_device_name(), "cpu") == 0 && !getenv("SFT_TEST_QUICK");
}

static int open_device(void **state)
{
    (void)state;
    if (sft_device_open(test_device_name(), 0, &device) != SFT_OK) return -1;
    print_message("device: %s, %s\n", sft_device_get_info(device)->name, sft_device_get_info(device)->driver);
    return 0;
}

static int close_device(void **state)
{
    enum sft_status status = sft_device_wait(device);
    (void)state;
    sft_device_close(&device);
    return status == SFT_OK ? 0 : -1;
}

/* ---- the group ---- */

static const char *group_name;

const char *test_group_name(void) { return group_name; }

int test_run_group(const char *group, int argc, char **argv, const struct CMUnitTest *tests, size_t count)
{
    const char *filter = argc > 1 ? argv[1] : getenv("SFT_TEST_FILTER");
    struct CMUnitTest *chosen = calloc(count, sizeof(*chosen));
    size_t n = 0;
    int failed = 1;
    if (!chosen) return 1;
    group_name = group;
    for (size_t i = 0; i < count; i++)
        if (!filter || strstr(tests[i].name, filter)) chosen[n++] = tests[i];
    if (n)
        failed = _cmocka_run_group_tests(group, chosen, n, open_device, close_device);
    else
        print_error("no test's name contains '%s'\n", filter ? filter : "");
    free(chosen);
    return failed;
}

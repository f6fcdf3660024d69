/* SPDX-License-Identifier: Apache-2.0 */
/* What is read of the process's and the machine's memory. */
#include <stdlib.h>
#include <string.h>

#include "runtime/base/memory.h"
#include "tests/support/fixture.h"

static const uint64_t MIB = 1 << 20;

static void the_resident_set_grows_with_what_is_touched(void **state)
{
    const size_t bytes = 64 << 20;
    uint64_t before = sft_memory_resident(), after;
    char *memory = malloc(bytes);
    (void)state;
    assert_non_null(memory);
    memset(memory, 1, bytes);
    after = sft_memory_resident();
    assert_true(memory[bytes / 2] == 1);
    free(memory);
    assert_true(before > 0);
    assert_true(after >= before + 60 * MIB && after <= before + 80 * MIB);
    assert_true(sft_memory_peak() >= after - 4 * MIB);
    assert_true(sft_memory_available() > 16 * MIB);
}

static void keys_are_found_at_the_beginning_of_a_line(void **state)
{
    static const char text[] = "MemTotal:       24000000 kB\nMemFree:  1 kB\nMemAvailable:    5 kB\n";
    (void)state;
    assert_int_equal(sft_memory_key(text, "MemAvailable:"), 5 * 1024);
    assert_int_equal(sft_memory_key(text, "MemTotal:"), UINT64_C(24000000) * 1024);
    assert_int_equal(sft_memory_key(text, "Available:"), 0);
    assert_int_equal(sft_memory_key("", "MemTotal:"), 0);
}

static void put(const char *name, const char *text) { test_put(name, text, strlen(text)); }

static uint64_t room(void) { return sft_memory_cgroup_room(test_path("list"), test_path("mount")); }

/* The least that is left of the limits on the way up. */
static void limits_of_cgroups_hold(void **state)
{
    (void)state;
    put("mount/a/b/memory.current", "700\n");
    put("mount/a/b/memory.max", "max\n");
    put("list", "0::/a/b\n");
    assert_true(room() == UINT64_MAX);
    put("mount/a/memory.max", "1000\n");
    put("mount/a/memory.current", "600\n");
    assert_int_equal(room(), 400);
    put("mount/a/b/memory.max", "900\n");
    assert_int_equal(room(), 200);
    put("mount/memory.max", "100\n");
    put("mount/memory.current", "120\n");
    assert_int_equal(room(), 0);
    put("list", "4:memory:/a\n");
    assert_true(room() == UINT64_MAX);
    put("list", "4:cpu:/x\n0::/a/gone\n");
    put("mount/memory.max", "max\n");
    assert_int_equal(room(), 400);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_resident_set_grows_with_what_is_touched),
        cmocka_unit_test(keys_are_found_at_the_beginning_of_a_line),
        cmocka_unit_test(limits_of_cgroups_hold),
    };
    return cmocka_run_group_tests(tests, test_setup_folder, test_remove_folder);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/base/thread.h"
#include "tests/support/fixture.h"

/* ---- stacks ---- */

static void *use_stack(void *context)
{
    volatile char frame[512 << 10];
    memset((char *)frame, 1, sizeof(frame));
    *(int *)context = frame[1000];
    return NULL;
}

/* With threads of 128 KiB by default, as musl has them, this would crash. */
static void stack_is_large_whatever_the_default(void **state)
{
    pthread_attr_t small;
    pthread_t thread;
    int got = 0;
    (void)state;
    assert_int_equal(pthread_attr_init(&small), 0);
    assert_int_equal(pthread_attr_setstacksize(&small, 128 << 10), 0);
    assert_int_equal(pthread_setattr_default_np(&small), 0);
    assert_true(sft_thread_start(&thread, use_stack, &got));
    pthread_join(thread, NULL);
    assert_int_equal(got, 1);
    pthread_attr_destroy(&small);
}

static int call_with_stack(void *context)
{
    use_stack(context);
    return 7;
}

static int call_as_others(void *context)
{
    pthread_t thread;
    if (pthread_create(&thread, NULL, use_stack, context) != 0) return 1;
    pthread_join(thread, NULL);
    return 7;
}

/* Threads that libraries start without a word about stacks. */
static void others_have_stack(void **state)
{
    pthread_attr_t old, small;
    int got = 0;
    (void)state;
    assert_int_equal(pthread_getattr_default_np(&old), 0);
    assert_int_equal(pthread_attr_init(&small), 0);
    assert_int_equal(pthread_attr_setstacksize(&small, 128 << 10), 0);
    assert_int_equal(pthread_setattr_default_np(&small), 0);
    assert_int_equal(sft_thread_call(call_as_others, &got), 7);
    assert_int_equal(got, 1);
    assert_int_equal(pthread_setattr_default_np(&old), 0);
    pthread_attr_destroy(&small);
    pthread_attr_destroy(&old);
}

/* In a child, as what a limit allows at most cannot be raised again. */
static int call_under_limit(rlim_t most)
{
    struct rlimit limit = {200 << 10, most};
    int got = 0;
    if (setrlimit(RLIMIT_STACK, &limit) != 0) return 1;
    if (sft_thread_call(call_with_stack, &got) != 7) return 2;
    return got == 1 ? 0 : 3;
}

static void check_limit(rlim_t most)
{
    int end;
    pid_t child = fork();
    if (child == 0) _exit(call_under_limit(most));
    assert_int_equal(waitpid(child, &end, 0), child);
    assert_true(WIFEXITED(end));
    assert_int_equal(WEXITSTATUS(end), 0);
}

static void main_has_stack_whatever_the_limit(void **state)
{
    struct rlimit old;
    (void)state;
    assert_int_equal(getrlimit(RLIMIT_STACK, &old), 0);
    check_limit(old.rlim_max);
    check_limit(200 << 10);
}

/* ---- cores ---- */

static void one_core_allowed_is_one(void **state)
{
    cpu_set_t old, one;
    (void)state;
    assert_int_equal(sched_getaffinity(0, sizeof(old), &old), 0);
    CPU_ZERO(&one);
    for (int i = 0; i < CPU_SETSIZE && CPU_COUNT(&one) == 0; i++)
        if (CPU_ISSET(i, &old)) CPU_SET(i, &one);
    assert_int_equal(sched_setaffinity(0, sizeof(one), &one), 0);
    assert_int_equal(sft_thread_cores(), 1);
    assert_int_equal(sched_setaffinity(0, sizeof(old), &old), 0);
    assert_true(sft_thread_cores() >= 1);
}

static void put(const char *name, const char *text) { test_put(name, text, strlen(text)); }

static int quota(const char *list)
{
    char path[512];
    put("list", list);
    snprintf(path, sizeof(path), "%s", test_path("list"));
    return sft_thread_cgroup_quota(path, test_folder());
}

static void quota_of_version_2(void **state)
{
    (void)state;
    mkdir(test_path("job"), 0777);
    mkdir(test_path("job/step"), 0777);
    put("job/step/cpu.max", "max 100000\n");
    assert_int_equal(quota("0::/job/step\n"), 0);
    put("job/cpu.max", "250000 100000\n"); /* of a group above, rounded up */
    assert_int_equal(quota("0::/job/step\n"), 3);
    put("job/step/cpu.max", "100000 100000\n");
    assert_int_equal(quota("0::/job/step\n"), 1);
    put("cpu.max", "50000 100000\n"); /* a container's own group is its root */
    assert_int_equal(quota("0::/\n"), 1);
    assert_int_equal(quota("0::/a/path/of/the/host\n"), 1);
    put("cpu.max", "nonsense\n");
    assert_int_equal(quota("0::/\nno colons\n"), 0);
    assert_int_equal(sft_thread_cgroup_quota(test_path("not there"), test_folder()), 0);
    unlink(test_path("job/step/cpu.max"));
    unlink(test_path("job/cpu.max"));
    rmdir(test_path("job/step"));
    rmdir(test_path("job"));
}

static void quota_of_version_1(void **state)
{
    static const char list[] = "4:cpuset:/job\n3:cpu,cpuacct:/job\n0::/\n";
    (void)state;
    mkdir(test_path("cpu"), 0777);
    mkdir(test_path("cpu/job"), 0777);
    put("cpu/job/cpu.cfs_quota_us", "-1\n");
    put("cpu/job/cpu.cfs_period_us", "100000\n");
    assert_int_equal(quota(list), 0);
    put("cpu/job/cpu.cfs_quota_us", "200000\n");
    assert_int_equal(quota(list), 2);
    put("cpu.max", "100000 100000\n"); /* both: the smaller one */
    assert_int_equal(quota(list), 1);
    assert_int_equal(quota("3:cpuacct:/job\n"), 0);
    unlink(test_path("cpu/job/cpu.cfs_quota_us"));
    unlink(test_path("cpu/job/cpu.cfs_period_us"));
    rmdir(test_path("cpu/job"));
    rmdir(test_path("cpu"));
}

#define IN_ROOM(function) cmocka_unit_test_setup_teardown(function, test_setup_folder, test_remove_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stack_is_large_whatever_the_default),
        cmocka_unit_test(others_have_stack),
        cmocka_unit_test(main_has_stack_whatever_the_limit),
        cmocka_unit_test(one_core_allowed_is_one),
        IN_ROOM(quota_of_version_2),
        IN_ROOM(quota_of_version_1),
    };
    return cmocka_run_group_tests_name("runtime/base/thread", tests, NULL, NULL);
}

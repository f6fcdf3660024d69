/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/base/thread.h"

#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "runtime/base/text.h"

/* The largest frames are those of the convolutions (under 128 KiB); sanitizers take as much again, and more.
 */
#define STACK ((size_t)2 << 20)

bool sft_thread_start(pthread_t *thread, void *(*run)(void *context), void *context)
{
    pthread_attr_t attributes;
    bool started;
    if (pthread_attr_init(&attributes) != 0) return false;
    started = pthread_attr_setstacksize(&attributes, STACK) == 0 &&
              pthread_create(thread, &attributes, run, context) == 0;
    pthread_attr_destroy(&attributes);
    return started;
}

static bool main_has_stack(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_STACK, &limit) != 0) return true;
    if (limit.rlim_cur == RLIM_INFINITY || limit.rlim_cur >= STACK) return true;
    limit.rlim_cur = STACK;
    return setrlimit(RLIMIT_STACK, &limit) == 0;
}

/* Libraries that start threads of their own (GLib, drivers) give them what the system gives by default. */
static void give_others_stack(void)
{
#ifdef __linux__
    pthread_attr_t attributes;
    size_t size;
    if (pthread_getattr_default_np(&attributes) != 0) return;
    if (pthread_attr_getstacksize(&attributes, &size) == 0 && size < STACK &&
        pthread_attr_setstacksize(&attributes, STACK) == 0)
        pthread_setattr_default_np(&attributes);
    pthread_attr_destroy(&attributes);
#endif
}

struct call {
    int (*run)(void *context);
    void *context;
    int result;
};

static void *run_call(void *context)
{
    struct call *call = context;
    call->result = call->run(call->context);
    return NULL;
}

int sft_thread_call(int (*run)(void *context), void *context)
{
    struct call call = {run, context, 0};
    pthread_t thread;
    give_others_stack();
    if (main_has_stack() || !sft_thread_start(&thread, run_call, &call)) return run(context);
    pthread_join(thread, NULL);
    return call.result;
}

/* ---- quota ---- */

/* What the first line of the file "FOLDER/NAME" says; false where there is no such file. */
static bool read_line(const char *folder, const char *name, char *line, int size)
{
    char path[4096];
    FILE *file;
    bool read;
    if (snprintf(path, sizeof(path), "%s/%s", folder, name) >= (int)sizeof(path)) return false;
    file = fopen(path, "re");
    if (!file) return false;
    read = fgets(line, size, file) != NULL;
    fclose(file);
    return read;
}

static int cores_of(int64_t quota, int64_t period)
{
    if (quota <= 0 || period <= 0) return 0; /* v1 says -1 for no limit */
    return (int)((quota - 1) / period + 1 < 65536 ? (quota - 1) / period + 1 : 65536);
}

/* Version 2: "QUOTA PERIOD" or "max PERIOD", in microseconds. */
static int quota_v2(const char *folder)
{
    char line[128];
    int64_t quota, period;
    if (!read_line(folder, "cpu.max", line, sizeof(line))) return 0;
    return sscanf(line, "%" SCNd64 " %" SCNd64, &quota, &period) == 2 ? cores_of(quota, period) : 0;
}

static int quota_v1(const char *folder)
{
    char line[128];
    int64_t quota;
    if (!read_line(folder, "cpu.cfs_quota_us", line, sizeof(line))) return 0;
    quota = strtoll(line, NULL, 10);
    if (!read_line(folder, "cpu.cfs_period_us", line, sizeof(line))) return 0;
    return cores_of(quota, strtoll(line, NULL, 10));
}

static int smaller(int a, int b) { return a == 0 || (b != 0 && b < a) ? b : a; }

/* Of the group and of all above it. A container sees its own group as the root, or a path of the host that is
 * not there; either way the root is looked at last. */
static int quota_on_the_way_up(const char *root, char *group, int (*quota)(const char *folder))
{
    int least = 0;
    for (;;) {
        char folder[4096];
        char *slash = strrchr(group, '/');
        if (snprintf(folder, sizeof(folder), "%s%s", root, group) < (int)sizeof(folder))
            least = smaller(least, quota(folder));
        if (!slash) return least;
        *slash = '\0';
    }
}

/* Whether a comma-separated list has the word. */
static bool has_word(const char *words, const char *word)
{
    size_t length = strlen(word);
    for (const char *at = words; (at = strstr(at, word)); at += length)
        if ((at == words || at[-1] == ',') && (at[length] == ',' || at[length] == '\0')) return true;
    return false;
}

/* One line "ID:CONTROLLERS:PATH"; version 2 names no controllers. */
static int quota_of_line(char *line, const char *mount)
{
    char root[4096];
    char *controllers = strchr(line, ':'), *group = controllers ? strchr(controllers + 1, ':') : NULL;
    if (!group) return 0;
    *group++ = '\0';
    controllers++;
    group[strcspn(group, "\n")] = '\0';
    if (*controllers == '\0') return quota_on_the_way_up(mount, group, quota_v2);
    if (!has_word(controllers, "cpu")) return 0;
    snprintf(root, sizeof(root), "%s/cpu", mount); /* a link where several controllers are mounted together */
    return quota_on_the_way_up(root, group, quota_v1);
}

int sft_thread_cgroup_quota(const char *list, const char *mount)
{
    char line[4096];
    FILE *file = fopen(list, "re");
    int least = 0;
    while (file && fgets(line, sizeof(line), file)) least = smaller(least, quota_of_line(line, mount));
    if (file) fclose(file);
    return least;
}

/* ---- affinity ---- */

#if defined(__linux__)
/* The kernel refuses a mask smaller than its own, whose size it does not tell. */
static int cores_allowed(void)
{
    for (int room = 1024; room <= 1 << 20; room *= 2) {
        cpu_set_t *set = CPU_ALLOC((size_t)room);
        int count;
        if (!set) break;
        count = sched_getaffinity(0, CPU_ALLOC_SIZE((size_t)room), set) == 0
                    ? CPU_COUNT_S(CPU_ALLOC_SIZE((size_t)room), set)
                    : 0;
        CPU_FREE(set);
        if (count > 0) return count;
    }
    return (int)sysconf(_SC_NPROCESSORS_ONLN);
}
#else
static int cores_allowed(void) { return (int)sysconf(_SC_NPROCESSORS_ONLN); }
#endif

int sft_thread_cores(void)
{
    int cores = smaller(cores_allowed(), sft_thread_cgroup_quota("/proc/self/cgroup", "/sys/fs/cgroup"));
    return cores < 1 ? 1 : cores;
}

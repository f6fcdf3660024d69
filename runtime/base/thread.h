/* SPDX-License-Identifier: Apache-2.0 */
/* Threads, and how many of them this process should have. */
#ifndef SFT_THREAD_H
#define SFT_THREAD_H

#include <pthread.h>
#include <stdbool.h>

/* Starts a thread that calls run(context), to be joined with pthread_join(). Its stack is as large as the
 * kernels need: the system's default may be 128 KiB (musl) or whatever `ulimit -s` says. False where the
 * system has no thread to give. */
bool sft_thread_start(pthread_t *thread, void *(*run)(void *context), void *context);

/* Calls run(context) from the main thread, with as much stack: `ulimit -s` is raised where it is smaller, and
 * where it cannot be, run() is on a thread of its own. The threads that other libraries start get as much,
 * too. Returns what run() returns. */
int sft_thread_call(int (*run)(void *context), void *context);

/* The cores that this process may keep busy, at least 1: those of its affinity mask (taskset, cpusets), and
 * no more than the CPU quota of its cgroups (containers, batch systems), rounded up. */
int sft_thread_cores(void);

/* The smallest CPU quota in cores, rounded up, on the way from the cgroups that `list` (in the form of
 * /proc/self/cgroup) names up to the roots mounted at `mount` (/sys/fs/cgroup); 0 for none. */
int sft_thread_cgroup_quota(const char *list, const char *mount);

#endif

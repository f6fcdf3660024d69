/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/base/parallel.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>

#include "runtime/base/alloc.h"
#include "runtime/base/log.h"
#include "runtime/base/thread.h"

/* A waiting thread looks this often for new work before it sleeps: kernels follow each other within
 * microseconds. */
enum { LOOKS_BEFORE_SLEEP = 2000 };

static struct {
    pthread_mutex_t owner; /* held by the thread whose loop runs */
    pthread_mutex_t lock;
    pthread_cond_t start, finished;
    pthread_t threads[SFT_MAX_THREADS];
    int wanted, running; /* threads besides the caller: asked for, started */
    bool stop;
    atomic_uint generation; /* number of the loop */
    sft_task task;
    void *context;
    int64_t count;
    atomic_llong next;
    atomic_int busy; /* helpers that have not left the loop yet */
} pool = {
    .owner = PTHREAD_MUTEX_INITIALIZER,
    .lock = PTHREAD_MUTEX_INITIALIZER,
    .start = PTHREAD_COND_INITIALIZER,
    .finished = PTHREAD_COND_INITIALIZER,
    .wanted = -1,
};

static _Thread_local bool inside_task;

static inline void relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#endif
}

static void take_tasks(int slot)
{
    int64_t task;
    inside_task = true;
    while ((task = atomic_fetch_add_explicit(&pool.next, 1, memory_order_relaxed)) < pool.count)
        pool.task(pool.context, task, slot);
    inside_task = false;
}

static void wait_for_loop(unsigned seen)
{
    for (int look = 0; look < LOOKS_BEFORE_SLEEP; look++) {
        if (atomic_load_explicit(&pool.generation, memory_order_acquire) != seen) return;
        relax();
    }
    pthread_mutex_lock(&pool.lock);
    while (atomic_load(&pool.generation) == seen) pthread_cond_wait(&pool.start, &pool.lock);
    pthread_mutex_unlock(&pool.lock);
}

struct helper_start {
    int slot;
    unsigned generation;
};

static void *helper(void *argument)
{
    struct helper_start start = *(struct helper_start *)argument;
    unsigned seen = start.generation;
    free(argument);
    for (;;) {
        wait_for_loop(seen);
        seen = atomic_load(&pool.generation);
        if (pool.stop) return NULL;
        take_tasks(start.slot);
        if (atomic_fetch_sub(&pool.busy, 1) == 1) {
            pthread_mutex_lock(&pool.lock);
            pthread_cond_signal(&pool.finished);
            pthread_mutex_unlock(&pool.lock);
        }
    }
}

static void announce(void)
{
    pthread_mutex_lock(&pool.lock);
    atomic_fetch_add_explicit(&pool.generation, 1, memory_order_release);
    pthread_cond_broadcast(&pool.start);
    pthread_mutex_unlock(&pool.lock);
}

static void start_helpers(void)
{
    while (pool.running < pool.wanted) {
        struct helper_start *start = sft_calloc(1, sizeof(*start));
        if (!start) break;
        *start = (struct helper_start){pool.running + 1, atomic_load(&pool.generation)};
        if (!sft_thread_start(&pool.threads[pool.running], helper, start)) {
            free(start);
            sft_log(SFT_LOG_WARNING, "could start only %d of %d threads", pool.running + 1, pool.wanted + 1);
            pool.wanted = pool.running;
            break;
        }
        pool.running++;
    }
}

void sft_parallel_shutdown(void)
{
    pthread_mutex_lock(&pool.owner);
    pool.stop = true;
    announce();
    for (int i = 0; i < pool.running; i++) pthread_join(pool.threads[i], NULL);
    pool.running = 0;
    pool.stop = false;
    pthread_mutex_unlock(&pool.owner);
}

static int cores(void)
{
    int cores = sft_thread_cores();
    return cores > SFT_MAX_THREADS ? SFT_MAX_THREADS : cores;
}

enum sft_status sft_parallel_set_threads(int threads)
{
    if (threads < 0 || threads > SFT_MAX_THREADS)
        return sft_fail(SFT_USAGE, "%d threads: must be 0 (one for each core) to %d", threads,
                        SFT_MAX_THREADS);
    sft_parallel_shutdown();
    pool.wanted = (threads ? threads : cores()) - 1;
    return SFT_OK;
}

int sft_parallel_threads(void)
{
    if (pool.wanted < 0) pool.wanted = cores() - 1;
    return pool.wanted + 1;
}

void sft_parallel_for(int64_t count, sft_task task, void *context)
{
    if (inside_task || count <= 1 || sft_parallel_threads() == 1 || pthread_mutex_trylock(&pool.owner) != 0) {
        for (int64_t i = 0; i < count; i++) task(context, i, 0);
        return;
    }
    start_helpers();
    pool.task = task;
    pool.context = context;
    pool.count = count;
    atomic_store(&pool.next, 0);
    atomic_store(&pool.busy, pool.running);
    announce();
    take_tasks(0);
    for (int look = 0; look < LOOKS_BEFORE_SLEEP && atomic_load(&pool.busy) > 0; look++) relax();
    pthread_mutex_lock(&pool.lock);
    while (atomic_load(&pool.busy) > 0) pthread_cond_wait(&pool.finished, &pool.lock);
    pthread_mutex_unlock(&pool.lock);
    pthread_mutex_unlock(&pool.owner);
}

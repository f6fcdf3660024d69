/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/base/mapped.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MOST = 256 };

struct sft_mapped {
    _Atomic(uintptr_t) begin; /* 0: the place is free. Read by the handler, without the lock */
    atomic_size_t size;
    atomic_bool cut; /* the handler has put zeros in */
    int file;
    char path[1024]; /* the end of a longer one */
};

static struct {
    pthread_mutex_t lock;
    struct sft_mapped place[MOST];
    atomic_int used; /* places that were ever taken */
    bool guarded;
    struct sigaction earlier;
    atomic_bool damaged;
    char path[1024]; /* of the first damaged file; set before `damaged` */
} maps = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* ---- the guard ---- */

static struct sft_mapped *at_address(uintptr_t address)
{
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    for (int i = 0; i < atomic_load(&maps.used); i++) {
        struct sft_mapped *mapped = &maps.place[i];
        uintptr_t begin = atomic_load(&mapped->begin);
        size_t whole = (atomic_load(&mapped->size) + page - 1) / page * page;
        if (begin && address >= begin && address - begin < whole) return mapped;
    }
    return NULL;
}

/* Puts zeros in the place of everything from the page on that could not be read. */
static bool put_zeros(struct sft_mapped *mapped, uintptr_t address)
{
    uintptr_t page = address / (uintptr_t)sysconf(_SC_PAGESIZE) * (uintptr_t)sysconf(_SC_PAGESIZE);
    size_t rest = atomic_load(&mapped->begin) + atomic_load(&mapped->size) - page;
    void *zeros = mmap((void *)page, rest, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    atomic_store(&mapped->cut, true);
    return zeros != MAP_FAILED;
}

/* A fault of another kind goes to who was asked before; by default it ends the process. */
static void pass_on(int number, siginfo_t *info, void *context)
{
    if (maps.earlier.sa_flags & SA_SIGINFO)
        maps.earlier.sa_sigaction(number, info, context);
    else if (maps.earlier.sa_handler != SIG_DFL && maps.earlier.sa_handler != SIG_IGN)
        maps.earlier.sa_handler(number);
    else
        signal(number, SIG_DFL); /* what faulted is tried again, and faults again */
}

static void on_bus_error(int number, siginfo_t *info, void *context)
{
    int kept = errno;
    struct sft_mapped *mapped = info->si_code == BUS_ADRERR ? at_address((uintptr_t)info->si_addr) : NULL;
    if (!mapped || !put_zeros(mapped, (uintptr_t)info->si_addr)) pass_on(number, info, context);
    errno = kept;
}

static void guard(void)
{
    struct sigaction action = {.sa_sigaction = on_bus_error, .sa_flags = SA_SIGINFO | SA_RESTART};
    if (maps.guarded) return;
    sigemptyset(&action.sa_mask);
    maps.guarded = sigaction(SIGBUS, &action, &maps.earlier) == 0;
}

/* ---- mapping ---- */

static struct sft_mapped *free_place(void)
{
    for (int i = 0; i < MOST; i++)
        if (atomic_load(&maps.place[i].begin) == 0) {
            if (i >= atomic_load(&maps.used)) atomic_store(&maps.used, i + 1);
            return &maps.place[i];
        }
    errno = EMFILE;
    return NULL;
}

static void name(char *to, size_t room, const char *path)
{
    int length = snprintf(NULL, 0, "%s", path), extra = length - (int)room + 1;
    snprintf(to, room, "%s", extra > 0 ? path + extra : path);
}

static struct sft_mapped *map(int file, const char *path, size_t size)
{
    struct sft_mapped *mapped = free_place();
    void *bytes = mapped ? mmap(NULL, size, PROT_READ, MAP_PRIVATE, file, 0) : MAP_FAILED;
    if (bytes == MAP_FAILED) return NULL;
    mapped->file = file;
    name(mapped->path, sizeof(mapped->path), path);
    atomic_store(&mapped->cut, false);
    atomic_store(&mapped->size, size);
    atomic_store(&mapped->begin, (uintptr_t)bytes);
    return mapped;
}

struct sft_mapped *sft_mapped_open(int file, const char *path, size_t size)
{
    struct sft_mapped *mapped;
    pthread_mutex_lock(&maps.lock);
    guard();
    mapped = map(file, path, size);
    pthread_mutex_unlock(&maps.lock);
    return mapped;
}

const void *sft_mapped_bytes(const struct sft_mapped *mapped) { return (const void *)mapped->begin; }

/* The last page of what is left reads as zeros without a fault; so the size is looked at, too. */
static void look_at(struct sft_mapped *mapped)
{
    struct stat info;
    bool cut = atomic_load(&mapped->cut);
    if (fstat(mapped->file, &info) == 0 && (uint64_t)info.st_size < atomic_load(&mapped->size)) cut = true;
    if (!cut || atomic_load(&maps.damaged)) return;
    name(maps.path, sizeof(maps.path), mapped->path);
    atomic_store(&maps.damaged, true);
}

void sft_mapped_close(struct sft_mapped *mapped)
{
    void *bytes = (void *)atomic_load(&mapped->begin);
    pthread_mutex_lock(&maps.lock);
    look_at(mapped);
    atomic_store(&mapped->begin, 0);
    munmap(bytes, atomic_load(&mapped->size));
    close(mapped->file);
    pthread_mutex_unlock(&maps.lock);
}

const char *sft_mapped_damaged(void)
{
    if (atomic_load(&maps.damaged)) return maps.path;
    if (atomic_load(&maps.used) == 0) return NULL;
    pthread_mutex_lock(&maps.lock);
    for (int i = 0; i < atomic_load(&maps.used); i++)
        if (atomic_load(&maps.place[i].begin)) look_at(&maps.place[i]);
    pthread_mutex_unlock(&maps.lock);
    return atomic_load(&maps.damaged) ? maps.path : NULL;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An LD_PRELOAD library that makes one call of a program fail.
 *
 *     SFT_FAIL=alloc:17    the 17th allocation; also open, read, write, fsync, rename, mmap, mkdir, thread
 *     SFT_FAIL=alloc:@17   the first call from the 17th place, a place being a stack of callers
 *     SFT_FAIL_SEEN=FILE   is made when the call fails, and holds its stack
 *
 * Calls of the program itself count, those of its libraries do not. A call fails once, as it does on a full
 * disk or without memory: a write leaves half of its bytes behind.
 */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <link.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* glibc's own, so that looking up the others can allocate. */
extern void *__libc_malloc(size_t size), *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *memory, size_t size), *__libc_memalign(size_t alignment, size_t size);

void *malloc(size_t size);
void *calloc(size_t count, size_t size);
void *realloc(void *memory, size_t size);
void *aligned_alloc(size_t alignment, size_t size);

enum { MAX_PLACES = 1 << 14, DEPTH = 9 };

static char wanted[16];
static long number;
static bool by_place, ready, fired;
static uintptr_t low, high; /* of the program's code */
static long calls;
static uint64_t places[MAX_PLACES];
static size_t n_places;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static __thread bool inside;

/* The first object, which is the program. */
static int find_code(struct dl_phdr_info *object, size_t size, void *context)
{
    (void)size;
    (void)context;
    low = UINTPTR_MAX;
    for (int i = 0; i < object->dlpi_phnum; i++) {
        uintptr_t begin = object->dlpi_addr + object->dlpi_phdr[i].p_vaddr;
        if (object->dlpi_phdr[i].p_type != PT_LOAD) continue;
        if (begin < low) low = begin;
        if (begin + object->dlpi_phdr[i].p_memsz > high) high = begin + object->dlpi_phdr[i].p_memsz;
    }
    return 1;
}

__attribute__((constructor)) static void start(void)
{
    const char *what = getenv("SFT_FAIL"), *colon = what ? strchr(what, ':') : NULL;
    void *frames[1];
    if (!colon || (size_t)(colon - what) >= sizeof(wanted)) return;
    memcpy(wanted, what, (size_t)(colon - what));
    by_place = colon[1] == '@';
    number = atol(colon + 1 + by_place);
    dl_iterate_phdr(find_code, NULL);
    backtrace(frames, 1); /* loads what it needs, which allocates */
    ready = true;
}

static void tell(void *const *frames, int depth)
{
    const char *path = getenv("SFT_FAIL_SEEN");
    int file = path ? (int)syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_TRUNC, 0666) : -1;
    if (file < 0) return;
    backtrace_symbols_fd(frames, depth, file);
    syscall(SYS_close, file);
}

/* Whether no call came from this stack before. */
static bool is_first(void *const *frames, int depth)
{
    uint64_t hash = 14695981039346656037u;
    for (int i = 0; i < depth; i++) hash = (hash ^ (uintptr_t)frames[i]) * 1099511628211u;
    for (size_t i = 0; i < n_places; i++)
        if (places[i] == hash) return false;
    if (n_places < MAX_PLACES) places[n_places++] = hash;
    return true;
}

static bool is_the_one(void)
{
    void *frames[DEPTH];
    int depth = 0;
    if (by_place) {
        depth = backtrace(frames, DEPTH);
        if (!is_first(frames, depth)) return false;
    }
    if (++calls != number) return false;
    if (!by_place) depth = backtrace(frames, DEPTH);
    fired = true;
    tell(frames, depth);
    return true;
}

static bool fails(const char *call, const void *caller)
{
    bool now;
    if (!ready || inside || strcmp(call, wanted) != 0) return false;
    if ((uintptr_t)caller < low || (uintptr_t)caller >= high) return false;
    inside = true;
    pthread_mutex_lock(&lock);
    now = !fired && is_the_one();
    pthread_mutex_unlock(&lock);
    inside = false;
    return now;
}

#define FAILS(call) fails(call, __builtin_return_address(0))

/* The C library's function behind this one. A union makes a function of what dlsym() gives. */
#define REAL(name)                                                                                           \
    static union {                                                                                           \
        void *found;                                                                                         \
        __typeof__(&name) call;                                                                              \
    } real;                                                                                                  \
    if (!real.found) real.found = dlsym(RTLD_NEXT, #name)

/* ---- memory ---- */

static void *no_memory(void)
{
    errno = ENOMEM;
    return NULL;
}

void *malloc(size_t size) { return FAILS("alloc") ? no_memory() : __libc_malloc(size); }

void *calloc(size_t count, size_t size) { return FAILS("alloc") ? no_memory() : __libc_calloc(count, size); }

void *realloc(void *memory, size_t size)
{
    return FAILS("alloc") ? no_memory() : __libc_realloc(memory, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
    return FAILS("alloc") ? no_memory() : __libc_memalign(alignment, size);
}

void *mmap(void *address, size_t size, int protection, int flags, int file, off_t offset)
{
    REAL(mmap);
    if (!FAILS("mmap")) return real.call(address, size, protection, flags, file, offset);
    errno = ENOMEM;
    return MAP_FAILED;
}

/* ---- files ---- */

static int failed(int error)
{
    errno = error;
    return -1;
}

int open(const char *path, int flags, ...)
{
    mode_t mode = 0;
    REAL(open);
    if (flags & O_CREAT) {
        va_list list;
        va_start(list, flags);
        mode = va_arg(list, mode_t);
        va_end(list);
    }
    return FAILS("open") ? failed(EMFILE) : real.call(path, flags, mode);
}

FILE *fopen(const char *path, const char *mode)
{
    REAL(fopen);
    if (!FAILS("open")) return real.call(path, mode);
    errno = EMFILE;
    return NULL;
}

DIR *opendir(const char *path)
{
    REAL(opendir);
    if (!FAILS("open")) return real.call(path);
    errno = EMFILE;
    return NULL;
}

ssize_t read(int file, void *data, size_t size)
{
    REAL(read);
    return FAILS("read") ? failed(EIO) : real.call(file, data, size);
}

ssize_t write(int file, const void *data, size_t size)
{
    REAL(write);
    if (!FAILS("write")) return real.call(file, data, size);
    if (size > 1 && real.call(file, data, size / 2) < 0) return -1;
    return failed(ENOSPC);
}

int fsync(int file)
{
    REAL(fsync);
    return FAILS("fsync") ? failed(EIO) : real.call(file);
}

int rename(const char *from_path, const char *to_path)
{
    REAL(rename);
    return FAILS("rename") ? failed(EACCES) : real.call(from_path, to_path);
}

int mkdir(const char *path, mode_t mode)
{
    REAL(mkdir);
    return FAILS("mkdir") ? failed(EACCES) : real.call(path, mode);
}

/* ---- threads ---- */

int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*function)(void *),
                   void *argument)
{
    REAL(pthread_create);
    return FAILS("thread") ? EAGAIN : real.call(thread, attributes, function, argument);
}

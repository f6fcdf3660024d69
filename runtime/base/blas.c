/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The only file that names OpenBLAS and LAPACK. It is kept at one thread of its own: the pool of
 * runtime/base/parallel.h cuts large products into pieces whose sizes do not depend on the number of threads,
 * so results do not either.
 *
 * OpenBLAS starts threads when it is loaded, each of which maps a buffer, and asks for a buffer again and
 * again, for ever, where there is no memory for one. So it is loaded when it is needed and with a word in the
 * environment that keeps it at one thread, and takes all its buffers at a moment when they are known to be
 * there.
 */
#include "runtime/base/blas.h"

#include <cblas.h>
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "runtime/base/alloc.h"
#include "runtime/base/log.h"
#include "runtime/base/parallel.h"

/* What OpenBLAS maps for each product that is computed. */
#define BUFFER ((size_t)128 << 20)

/* LAPACK's symmetric eigenproblem by divide and conquer; Debian has no header for the Fortran names. */
void dsyevd_(const char *jobz, const char *uplo, const int *n, double *a, const int *lda, double *w,
             double *work, const int *lwork, int *iwork, const int *liwork, int *info);

/* OpenBLAS's own, in no header: one of its buffers, and back to it, where it is kept for the next product. */
void *blas_memory_alloc(int position);
void blas_memory_free(void *buffer);

#define NEEDED(X)                                                                                            \
    X(cblas_sgemm)                                                                                           \
    X(cblas_sgemv)                                                                                           \
    X(cblas_dgemm)                                                                                           \
    X(dsyevd_)                                                                                               \
    X(openblas_get_config)                                                                                   \
    X(openblas_set_num_threads)

#define POINTER(name) __typeof__(name) *name;
static struct {
    NEEDED(POINTER)
    POINTER(blas_memory_alloc) /* NULL where the library does not export them */
    POINTER(blas_memory_free)
    char error[512]; /* why it is not loaded; "" */
    bool scarce;     /* that there was no memory */
} blas;

/* ---- loading ---- */

static bool find(void *library, const char *name, void *pointer)
{
    void *symbol = dlsym(library, name);
    memcpy(pointer, &symbol, sizeof(symbol));
    if (!symbol) snprintf(blas.error, sizeof(blas.error), "%s has no %s", SFT_OPENBLAS, name);
    return symbol != NULL;
}

#define FIND(name) &&find(library, #name, &blas.name)
/* The linker tells of a failed mmap() in words, and does not always leave errno. */
static void not_loaded(int error)
{
    const char *reason = dlerror();
    if (!reason) reason = SFT_OPENBLAS ": cannot be loaded";
    blas.scarce = error == ENOMEM || strstr(reason, "map segment") || strstr(reason, "allocate memory");
    snprintf(blas.error, sizeof(blas.error), "%s", reason);
}

static void load(void)
{
    void *library;
    setenv("OPENBLAS_NUM_THREADS", "1", 1);
    errno = 0;
    library = dlopen(SFT_OPENBLAS, RTLD_NOW | RTLD_LOCAL);
    if (!library) {
        not_loaded(errno);
        return;
    }
    if (!(true NEEDED(FIND))) return;
    if (!(true FIND(blas_memory_alloc) FIND(blas_memory_free))) {
        blas.blas_memory_alloc = NULL;
        blas.error[0] = '\0';
    }
    blas.openblas_set_num_threads(1); /* a build over OpenMP has not seen the environment's word */
}

static bool loaded(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, load);
    return blas.error[0] == '\0';
}

const char *sft_blas_name(void) { return loaded() ? blas.openblas_get_config() : blas.error; }

/* ---- work memory ---- */

static struct {
    pthread_mutex_t lock;
    pthread_cond_t left;
    int asked, buffers; /* threads to have one each; how many there are */
    bool scarce;        /* fewer than threads: products wait for one */
    int inside;         /* products that are computed, counted where buffers are scarce */
} work = {.lock = PTHREAD_MUTEX_INITIALIZER, .left = PTHREAD_COND_INITIALIZER};

static void *map_buffer(void)
{
    void *memory = mmap(NULL, BUFFER, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return memory == MAP_FAILED ? NULL : memory;
}

/* A buffer that stays taken until it is given back: OpenBLAS's, which it keeps, or only the room for one. */
static void *take_buffer(bool is_there)
{
    void *room = is_there ? NULL : map_buffer();
    if (!is_there && !room) return NULL;
    if (!blas.blas_memory_alloc) return room ? room : map_buffer();
    if (room) munmap(room, BUFFER);
    return blas.blas_memory_alloc(0);
}

static void give_back(void *buffer)
{
    if (blas.blas_memory_alloc)
        blas.blas_memory_free(buffer);
    else
        munmap(buffer, BUFFER);
}

/* OpenBLAS has places for two buffers a thread that it was built for, and at least 50. */
static int most_buffers(void)
{
    const char *at = strstr(blas.openblas_get_config(), "MAX_THREADS=");
    int threads = at ? atoi(at + strlen("MAX_THREADS=")) : 0;
    return threads > 25 ? 2 * threads : 50;
}

/* All at once, so that they are different ones. */
static int take_all(int wanted)
{
    void *held[SFT_MAX_THREADS];
    int n = 0, most = most_buffers();
    while (n < wanted && n < most && (held[n] = take_buffer(n < work.buffers))) n++;
    for (int i = 0; i < n; i++) give_back(held[i]);
    return n;
}

static enum sft_status reserve(int wanted)
{
    if (wanted <= work.asked) return SFT_OK;
    work.buffers = take_all(wanted);
    work.scarce = work.buffers < wanted;
    if (work.buffers == 0)
        return sft_fail(
            SFT_MEMORY,
            "out of memory: matrix products need %zu MiB of address space for each thread; raise the "
            "limit (ulimit -v, the job's memory)",
            BUFFER >> 20);
    work.asked = wanted;
    if (work.scarce)
        sft_log(SFT_LOG_WARNING,
                "work memory for matrix products on %d of %d threads; the others wait for it", work.buffers,
                wanted);
    return SFT_OK;
}

enum sft_status sft_blas_start(void)
{
    enum sft_status status;
    if (!loaded())
        return sft_fail(blas.scarce ? SFT_MEMORY : SFT_FAILED, "OpenBLAS cannot be loaded: %s", blas.error);
    pthread_mutex_lock(&work.lock);
    status = reserve(sft_parallel_threads());
    pthread_mutex_unlock(&work.lock);
    return status;
}

static void enter(void)
{
    if (!work.scarce) return;
    pthread_mutex_lock(&work.lock);
    while (work.inside >= work.buffers) pthread_cond_wait(&work.left, &work.lock);
    work.inside++;
    pthread_mutex_unlock(&work.lock);
}

static void leave(void)
{
    if (!work.scarce) return;
    pthread_mutex_lock(&work.lock);
    work.inside--;
    pthread_cond_signal(&work.left);
    pthread_mutex_unlock(&work.lock);
}

/* ---- what is computed ---- */

static CBLAS_TRANSPOSE transposed(bool is) { return is ? CblasTrans : CblasNoTrans; }

void sft_blas_gemm(bool transpose_a, bool transpose_b, int64_t m, int64_t n, int64_t k, const float *a,
                   int64_t lda, const float *b, int64_t ldb, float beta, float *c, int64_t ldc)
{
    enter();
    blas.cblas_sgemm(CblasRowMajor, transposed(transpose_a), transposed(transpose_b), (blasint)m, (blasint)n,
                     (blasint)k, 1.0f, a, (blasint)lda, b, (blasint)ldb, beta, c, (blasint)ldc);
    leave();
}

void sft_blas_gemv(bool transpose, int64_t rows, int64_t columns, const float *a, const float *x, float *y)
{
    enter();
    blas.cblas_sgemv(CblasRowMajor, transposed(transpose), (blasint)rows, (blasint)columns, 1.0f, a,
                     (blasint)columns, x, 1, 0.0f, y, 1);
    leave();
}

void sft_blas_syrk(int64_t n, int64_t k, const double *x, double *c)
{
    enter();
    blas.cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, (blasint)k, (blasint)k, (blasint)n, 1.0, x,
                     (blasint)k, x, (blasint)k, 0.0, c, (blasint)k);
    leave();
}

static void syevd(int n, double *a, double *values, double *reals, int n_reals, int *integers, int n_integers,
                  int *info)
{
    enter();
    blas.dsyevd_("V", "U", &n, a, &n, values, reals, &n_reals, integers, &n_integers, info);
    leave();
}

enum sft_status sft_lapack_syevd(int n, double *a, double *values)
{
    int info = 0, n_integers;
    enum sft_status status = SFT_MEMORY;
    double n_reals, *reals;
    int *integers;
    syevd(n, a, values, &n_reals, -1, &n_integers, -1, &info);
    reals = sft_calloc((size_t)n_reals, sizeof(*reals));
    integers = sft_calloc((size_t)n_integers, sizeof(*integers));
    if (reals && integers) {
        syevd(n, a, values, reals, (int)n_reals, integers, n_integers, &info);
        status = info == 0 ? SFT_OK : sft_fail(SFT_FAILED, "LAPACK's dsyevd found no eigenvalues (%d)", info);
    }
    free(integers);
    free(reals);
    return status;
}

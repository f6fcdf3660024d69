/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The only file that names OpenBLAS and LAPACK. It is kept at one thread of its own: the pool of
 * runtime/base/parallel.h cuts large products into pieces whose sizes do not depend on the number of threads,
 * so results do not either.
 */
#include "runtime/base/blas.h"

#include <cblas.h>
#include <pthread.h>
#include <stdlib.h>

#include "runtime/base/alloc.h"

/* LAPACK's symmetric eigenproblem by divide and conquer; Debian has no header for the Fortran names. */
void dsyevd_(const char *jobz, const char *uplo, const int *n, double *a, const int *lda, double *w,
             double *work, const int *lwork, int *iwork, const int *liwork, int *info);

static void single_thread(void) { openblas_set_num_threads(1); }

static void start(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, single_thread);
}

void sft_blas_gemm(bool transpose_a, bool transpose_b, int64_t m, int64_t n, int64_t k, const float *a,
                   int64_t lda, const float *b, int64_t ldb, float beta, float *c, int64_t ldc)
{
    start();
    cblas_sgemm(CblasRowMajor, transpose_a ? CblasTrans : CblasNoTrans,
                transpose_b ? CblasTrans : CblasNoTrans, (blasint)m, (blasint)n, (blasint)k, 1.0f, a,
                (blasint)lda, b, (blasint)ldb, beta, c, (blasint)ldc);
}

void sft_blas_gemv(bool transpose, int64_t rows, int64_t columns, const float *a, const float *x, float *y)
{
    start();
    cblas_sgemv(CblasRowMajor, transpose ? CblasTrans : CblasNoTrans, (blasint)rows, (blasint)columns, 1.0f,
                a, (blasint)columns, x, 1, 0.0f, y, 1);
}

void sft_blas_syrk(int64_t n, int64_t k, const double *x, double *c)
{
    start();
    cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, (blasint)k, (blasint)k, (blasint)n, 1.0, x,
                (blasint)k, x, (blasint)k, 0.0, c, (blasint)k);
}

enum sft_status sft_lapack_syevd(int n, double *a, double *values)
{
    int lwork = -1, liwork = -1, info = 0, integer_size;
    enum sft_status status = SFT_MEMORY;
    double size;
    double *work;
    int *integers;
    start();
    dsyevd_("V", "U", &n, a, &n, values, &size, &lwork, &integer_size, &liwork, &info);
    lwork = (int)size;
    liwork = integer_size;
    work = sft_calloc((size_t)lwork, sizeof(*work));
    integers = sft_calloc((size_t)liwork, sizeof(*integers));
    if (work && integers) {
        dsyevd_("V", "U", &n, a, &n, values, work, &lwork, integers, &liwork, &info);
        status = info == 0 ? SFT_OK : sft_fail(SFT_FAILED, "LAPACK's dsyevd found no eigenvalues (%d)", info);
    }
    free(integers);
    free(work);
    return status;
}

const char *sft_blas_name(void) { return openblas_get_config(); }

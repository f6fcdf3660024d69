/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The only file that names OpenBLAS. It is kept at one thread of its own: the pool of runtime/parallel.h cuts large
 * products into pieces whose sizes do not depend on the number of threads, so results do not either.
 */
#include "runtime/cpu/blas.h"

#include <cblas.h>
#include <pthread.h>

static void single_thread(void) { openblas_set_num_threads(1); }

void sft_blas_gemm(bool transpose_a, bool transpose_b, int64_t m, int64_t n, int64_t k, const float *a, int64_t lda,
                   const float *b, int64_t ldb, float beta, float *c, int64_t ldc)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, single_thread);
    cblas_sgemm(CblasRowMajor, transpose_a ? CblasTrans : CblasNoTrans, transpose_b ? CblasTrans : CblasNoTrans,
                (blasint)m, (blasint)n, (blasint)k, 1.0f, a, (blasint)lda, b, (blasint)ldb, beta, c, (blasint)ldc);
}

const char *sft_blas_name(void) { return openblas_get_config(); }

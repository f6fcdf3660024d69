/* SPDX-License-Identifier: Apache-2.0 */
/* Matrix products and eigenvalues through OpenBLAS, on one thread. For callers above runtime/:
 * runtime/base/linalg.h. */
#ifndef SFT_BLAS_H
#define SFT_BLAS_H

#include <stdbool.h>
#include <stdint.h>

#include "runtime/base/status.h"

/* Loads OpenBLAS and has it take its work memory, 128 MiB of address space for each thread of
 * runtime/base/parallel.h, so that no product needs to ask for it later. Where there is less, fewer products
 * are computed at the same time. Before any call below, and again after the number of threads has grown; not
 * while products are computed. SFT_MEMORY where it is not there for one thread, SFT_FAILED where the library
 * cannot be loaded. */
enum sft_status sft_blas_start(void) SFT_MUST_CHECK;

/* c (M,N) = op(a) op(b) + beta*c, row-major with leading dimensions; one thread, callable from many. */
void sft_blas_gemm(bool transpose_a, bool transpose_b, int64_t m, int64_t n, int64_t k, const float *a,
                   int64_t lda, const float *b, int64_t ldb, float beta, float *c, int64_t ldc);

/* y = a x, or a^T x, of a (rows,columns). */
void sft_blas_gemv(bool transpose, int64_t rows, int64_t columns, const float *a, const float *x, float *y);

/* c (k,k) = x^T x of x (n,k) in double precision. */
void sft_blas_syrk(int64_t n, int64_t k, const double *x, double *c);

/* Eigenvalues of the symmetric matrix a (n,n), the smallest first; row i of `a` becomes the unit vector of
 * values[i].
 */
enum sft_status sft_lapack_syevd(int n, double *a, double *values) SFT_MUST_CHECK;

/* "OpenBLAS 0.3.21 ...", or why it cannot be loaded. Takes no work memory. */
const char *sft_blas_name(void);

#endif

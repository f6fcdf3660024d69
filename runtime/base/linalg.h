/* SPDX-License-Identifier: Apache-2.0 */
/* Linear algebra on the host in double precision, through LAPACK, and large products in single precision.
 * Matrices are row-major. Results do not depend on the number of threads. */
#ifndef SFT_LINALG_H
#define SFT_LINALG_H

#include <stdint.h>

#include "runtime/base/status.h"

/* Loads the library and takes its work memory: before sft_product_nt(); the others do so themselves.
 * SFT_MEMORY, SFT_FAILED. */
enum sft_status sft_linalg_start(void) SFT_MUST_CHECK;

/* Eigenvalues, the largest first, and eigenvectors of a symmetric matrix (n,n): row i of `a` becomes the unit
 * vector of values[i]. SFT_FAILED for entries that are no numbers. */
enum sft_status sft_symmetric_eigen(int n, double *a, double *values) SFT_MUST_CHECK;

/* The Moore-Penrose inverse of a symmetric matrix (n,n), in place; eigenvalues up to `cutoff` times the
 * largest magnitude count as 0. */
enum sft_status sft_symmetric_pseudo_inverse(int n, double *a, double cutoff) SFT_MUST_CHECK;

/* The largest singular value of `a` (rows,cols) with its unit vectors u (rows) and v (cols): a v = s u. One
 * thread, callable from many. */
enum sft_status sft_largest_singular(int rows, int cols, const double *a, double *s, double *u,
                                     double *v) SFT_MUST_CHECK;

/* c (m,n) = a (m,k) b^T, b (n,k), on all threads. */
void sft_product_nt(int64_t m, int64_t n, int64_t k, const float *a, const float *b, float *c);

/* c (k,k) = x^T x of x (n,k), in double precision, on all threads; n may be large. SFT_MEMORY. */
enum sft_status sft_gram(int64_t n, int k, const double *x, double *c) SFT_MUST_CHECK;

#endif

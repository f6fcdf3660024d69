/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/base/linalg.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/base/alloc.h"
#include "runtime/base/blas.h"
#include "runtime/base/divide.h"
#include "runtime/base/parallel.h"

enum sft_status sft_linalg_start(void) { return sft_blas_start(); }

static void swap_rows(int n, double *a, double *b)
{
    for (int i = 0; i < n; i++) {
        double held = a[i];
        a[i] = b[i];
        b[i] = held;
    }
}

enum sft_status sft_symmetric_eigen(int n, double *a, double *values)
{
    for (int64_t i = 0; i < (int64_t)n * n; i++)
        if (!isfinite(a[i]))
            return sft_fail(SFT_FAILED, "eigenvalues of a matrix that holds values that are no numbers");
    SFT_TRY(sft_blas_start());
    SFT_TRY(sft_lapack_syevd(n, a, values));
    for (int i = 0; i < n / 2; i++) { /* LAPACK gives the smallest first */
        double held = values[i];
        values[i] = values[n - 1 - i];
        values[n - 1 - i] = held;
        swap_rows(n, a + (int64_t)i * n, a + (int64_t)(n - 1 - i) * n);
    }
    return SFT_OK;
}

/* a = sum over i of v_i v_i^T / values[i], of the eigenvectors in the rows of `vectors`. */
static void inverse_from_eigen(int n, const double *vectors, const double *values, double least, double *a)
{
    memset(a, 0, (size_t)n * (size_t)n * sizeof(*a));
    for (int i = 0; i < n; i++) {
        const double *v = vectors + (int64_t)i * n;
        if (!(fabs(values[i]) > least)) continue;
        for (int r = 0; r < n; r++)
            for (int c = 0; c < n; c++) a[(int64_t)r * n + c] += v[r] / values[i] * v[c];
    }
}

enum sft_status sft_symmetric_pseudo_inverse(int n, double *a, double cutoff)
{
    double *vectors = sft_calloc((size_t)n * (size_t)n, sizeof(double)),
           *values = sft_calloc((size_t)n, sizeof(double));
    enum sft_status status = SFT_MEMORY;
    if (!vectors || !values) goto out;
    memcpy(vectors, a, (size_t)n * (size_t)n * sizeof(*a));
    SFT_TRY_OUT(sft_symmetric_eigen(n, vectors, values));
    inverse_from_eigen(n, vectors, values, cutoff * fmax(fabs(values[0]), fabs(values[n - 1])), a);
    status = SFT_OK;
out:
    free(vectors);
    free(values);
    return status;
}

/* y = a x. */
static void times(int rows, int cols, const double *a, const double *x, double *y)
{
    for (int r = 0; r < rows; r++) {
        double sum = 0;
        for (int c = 0; c < cols; c++) sum += a[(int64_t)r * cols + c] * x[c];
        y[r] = sum;
    }
}

static double normalize(int n, double *x)
{
    double sum = 0;
    for (int i = 0; i < n; i++) sum += x[i] * x[i];
    sum = sqrt(sum);
    for (int i = 0; i < n && sum > 0; i++) x[i] /= sum;
    return sum;
}

/* With v from the eigenvectors of a^T a; for cols <= rows. */
static enum sft_status singular_of_tall(int rows, int cols, const double *a, double *s, double *u, double *v)
{
    double *gram = sft_calloc((size_t)cols * (size_t)cols, sizeof(double)), *values = NULL;
    enum sft_status status = SFT_MEMORY;
    if (!gram) goto out;
    values = sft_calloc((size_t)cols, sizeof(double));
    if (!values) goto out;
    sft_blas_syrk(rows, cols, a, gram);
    SFT_TRY_OUT(sft_symmetric_eigen(cols, gram, values));
    memcpy(v, gram, (size_t)cols * sizeof(*v));
    times(rows, cols, a, v, u);
    *s = normalize(rows, u);
    status = SFT_OK;
out:
    free(gram);
    free(values);
    return status;
}

enum sft_status sft_largest_singular(int rows, int cols, const double *a, double *s, double *u, double *v)
{
    double *turned;
    enum sft_status status;
    SFT_TRY(sft_blas_start());
    if (cols <= rows) return singular_of_tall(rows, cols, a, s, u, v);
    turned = sft_calloc((size_t)rows * (size_t)cols, sizeof(*turned));
    if (!turned) return SFT_MEMORY;
    for (int r = 0; r < rows; r++)
        for (int c = 0; c < cols; c++) turned[(int64_t)c * rows + r] = a[(int64_t)r * cols + c];
    status = singular_of_tall(cols, rows, turned, s, v, u);
    free(turned);
    return status;
}

/* ---- large products ---- */

enum { ROWS_A_TASK = 128 };

struct product {
    int64_t m, n, k;
    const float *a, *b;
    float *c;
};

static void product_rows(void *context, int64_t task, int slot)
{
    const struct product *p = context;
    int64_t first = task * ROWS_A_TASK, rows = p->m - first < ROWS_A_TASK ? p->m - first : ROWS_A_TASK;
    (void)slot;
    sft_blas_gemm(false, true, rows, p->n, p->k, p->a + first * p->k, p->k, p->b, p->k, 0.0f,
                  p->c + first * p->n, p->n);
}

void sft_product_nt(int64_t m, int64_t n, int64_t k, const float *a, const float *b, float *c)
{
    struct product product = {m, n, k, a, b, c};
    sft_parallel_for(sft_divide_up(m, ROWS_A_TASK), product_rows, &product);
}

/* The sum over rows is cut into pieces by n alone and added in their order. */
enum { GRAM_PIECES = 8 };

struct gram {
    int64_t n;
    int k;
    const double *x;
    double *parts;
};

static void gram_piece(void *context, int64_t task, int slot)
{
    const struct gram *gram = context;
    int64_t size = sft_divide_up(gram->n, GRAM_PIECES), first = task * size;
    int64_t rows = first + size > gram->n ? gram->n - first : size;
    (void)slot;
    if (rows > 0)
        sft_blas_syrk(rows, gram->k, gram->x + first * gram->k,
                      gram->parts + task * gram->k * (int64_t)gram->k);
}

enum sft_status sft_gram(int64_t n, int k, const double *x, double *c)
{
    int64_t size = (int64_t)k * k;
    struct gram gram = {n, k, x, NULL};
    SFT_TRY(sft_blas_start());
    gram.parts = sft_calloc((size_t)(GRAM_PIECES * size), sizeof(double));
    if (!gram.parts) return SFT_MEMORY;
    sft_parallel_for(GRAM_PIECES, gram_piece, &gram);
    memset(c, 0, (size_t)size * sizeof(*c));
    for (int piece = 0; piece < GRAM_PIECES; piece++)
        for (int64_t i = 0; i < size; i++) c[i] += gram.parts[piece * size + i];
    free(gram.parts);
    return SFT_OK;
}

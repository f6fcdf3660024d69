/* SPDX-License-Identifier: Apache-2.0 */
/* Linear algebra against its definitions: products written out, eigenvectors put back into their matrix. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/base/linalg.h"
#include "runtime/base/log.h"
#include "runtime/base/parallel.h"
#include "runtime/base/rng.h"
#include "tests/support/cm.h"

enum { N = 23, ROWS = 301 };

static void fill(double *values, int64_t n, uint64_t seed)
{
    struct sft_rng rng;
    sft_rng_init(&rng, seed, SFT_STREAM_TEST, 0);
    for (int64_t i = 0; i < n; i++) values[i] = (double)sft_rng_normal(&rng);
}

static void fill_symmetric(double *a, uint64_t seed)
{
    fill(a, N * N, seed);
    for (int i = 0; i < N; i++)
        for (int j = 0; j < i; j++) a[i * N + j] = a[j * N + i];
}

static void near(double got, double want, double tolerance)
{
    if (!(fabs(got - want) <= tolerance)) fail_msg("got %.17g, want %.17g", got, want);
}

static void eigenvectors_solve_their_equation(void **state)
{
    double a[N * N], vectors[N * N], values[N];
    (void)state;
    fill_symmetric(a, 1);
    memcpy(vectors, a, sizeof(a));
    assert_int_equal(sft_symmetric_eigen(N, vectors, values), SFT_OK);
    for (int k = 0; k < N; k++) {
        double length = 0;
        if (k) assert_true(values[k] <= values[k - 1]);
        for (int i = 0; i < N; i++) {
            double sum = 0;
            for (int j = 0; j < N; j++) sum += a[i * N + j] * vectors[k * N + j];
            near(sum, values[k] * vectors[k * N + i], 1e-12);
            length += vectors[k * N + i] * vectors[k * N + i];
        }
        near(length, 1, 1e-13);
    }
}

static void a_matrix_with_a_hole_is_refused(void **state)
{
    double a[4] = {1, NAN, NAN, 1}, values[2];
    (void)state;
    sft_log_set_level(SFT_LOG_ERROR);
    assert_int_equal(sft_symmetric_eigen(2, a, values), SFT_FAILED);
}

/* A A+ A = A and A+ A A+ = A+, of a matrix of rank 2. */
static void pseudo_inverse_has_its_properties(void **state)
{
    double x[2 * N], a[N * N], inverse[N * N];
    (void)state;
    fill(x, 2 * N, 2);
    for (int i = 0; i < N * N; i++) a[i] = x[i / N] * x[i % N] - 0.5 * x[N + i / N] * x[N + i % N];
    memcpy(inverse, a, sizeof(a));
    assert_int_equal(sft_symmetric_pseudo_inverse(N, inverse, 1e-12), SFT_OK);
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) {
            double back = 0, again = 0;
            for (int k = 0; k < N; k++)
                for (int l = 0; l < N; l++) {
                    back += a[i * N + k] * inverse[k * N + l] * a[l * N + j];
                    again += inverse[i * N + k] * a[k * N + l] * inverse[l * N + j];
                }
            near(back, a[i * N + j], 1e-11);
            near(again, inverse[i * N + j], 1e-11);
        }
}

static void check_singular(int rows, int cols, uint64_t seed)
{
    double a[40 * 40], u[40], v[40], s, most = 0;
    fill(a, (int64_t)rows * cols, seed);
    assert_int_equal(sft_largest_singular(rows, cols, a, &s, u, v), SFT_OK);
    for (int r = 0; r < rows; r++) {
        double sum = 0;
        for (int c = 0; c < cols; c++) sum += a[r * cols + c] * v[c];
        near(sum, s * u[r], 1e-10);
    }
    for (int k = 0; k < 200; k++) { /* no other direction is stretched more */
        double w[40], square = 0, length = 0;
        fill(w, cols, seed + 10 + (uint64_t)k);
        for (int c = 0; c < cols; c++) length += w[c] * w[c];
        for (int r = 0; r < rows; r++) {
            double sum = 0;
            for (int c = 0; c < cols; c++) sum += a[r * cols + c] * w[c];
            square += sum * sum;
        }
        most = fmax(most, sqrt(square / length));
    }
    assert_true(most <= s);
}

static void largest_singular_of_tall_and_wide(void **state)
{
    (void)state;
    check_singular(31, 7, 3);
    check_singular(7, 31, 4);
    check_singular(1, 5, 5);
}

static void products_are_sums(void **state)
{
    static float a[ROWS * 5], b[11 * 5], c[ROWS * 11], again[ROWS * 11];
    double wide[ROWS * 5];
    (void)state;
    fill(wide, ROWS * 5, 6);
    for (int i = 0; i < ROWS * 5; i++) a[i] = (float)wide[i];
    for (int i = 0; i < 11 * 5; i++) b[i] = (float)wide[ROWS * 5 - 1 - i];
    sft_product_nt(ROWS, 11, 5, a, b, c);
    for (int i = 0; i < ROWS; i++)
        for (int j = 0; j < 11; j++) {
            double sum = 0;
            for (int k = 0; k < 5; k++) sum += (double)a[i * 5 + k] * (double)b[j * 5 + k];
            near((double)c[i * 11 + j], sum, 1e-5);
        }
    assert_int_equal(sft_parallel_set_threads(1), SFT_OK);
    sft_product_nt(ROWS, 11, 5, a, b, again);
    assert_int_equal(sft_parallel_set_threads(0), SFT_OK);
    assert_memory_equal(c, again, sizeof(c));
}

static void gram_is_the_sum_over_rows(void **state)
{
    static double x[ROWS * 9];
    double c[81], again[81];
    (void)state;
    fill(x, ROWS * 9, 7);
    assert_int_equal(sft_gram(ROWS, 9, x, c), SFT_OK);
    for (int i = 0; i < 81; i++) {
        double sum = 0;
        for (int r = 0; r < ROWS; r++) sum += x[r * 9 + i / 9] * x[r * 9 + i % 9];
        near(c[i], sum, 1e-11);
    }
    assert_int_equal(sft_parallel_set_threads(1), SFT_OK);
    assert_int_equal(sft_gram(ROWS, 9, x, again), SFT_OK);
    assert_int_equal(sft_parallel_set_threads(0), SFT_OK);
    assert_memory_equal(c, again, sizeof(c));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(eigenvectors_solve_their_equation),
        cmocka_unit_test(a_matrix_with_a_hole_is_refused),
        cmocka_unit_test(pseudo_inverse_has_its_properties),
        cmocka_unit_test(largest_singular_of_tall_and_wide),
        cmocka_unit_test(products_are_sums),
        cmocka_unit_test(gram_is_the_sum_over_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

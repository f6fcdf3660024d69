/* SPDX-License-Identifier: Apache-2.0 */
/* The regression behind Mahalanobis against scikit-learn's LogisticRegressionCV: tests/golden/logistic.py. */
#include <math.h>

#include "ood/scores/logistic.h"
#include "runtime/base/log.h"
#include "tests/support/cm.h"

enum { N = 60, K = 3 };

static void as_scikit_learn(void **state)
{
    static const double spread[K] = {3, 2, 0.06}, shift[K] = {0.3, -0.2, 0.09};
    static const double beta[K] = {0x1.78dc70aebbeb1p-5, -0x1.0789b1ae499d7p-4, 0x1.bad6bc97b9ff4p+3};
    static const double beta0 = -0x1.436eec8e8bb0bp-1;
    double x[N * K];
    int labels[N];
    struct sft_logistic model;
    (void)state;
    for (int i = 0; i < N; i++) {
        labels[i] = i >= N / 2;
        for (int j = 0; j < K; j++)
            x[i * K + j] = sin(0.7 * i + 1.3 * j + 0.11 * i * j) * spread[j] + labels[i] * shift[j];
    }
    assert_int_equal(sft_logistic_fit(N, K, x, labels, &model), SFT_OK);
    for (int j = 0; j < K; j++)
        if (!(fabs(model.beta[j] - beta[j]) <= 1e-5 * fabs(beta[2])))
            fail_msg("beta %d: got %.9g, want %.9g", j, model.beta[j], beta[j]);
    if (!(fabs(model.beta0 - beta0) <= 1e-4)) fail_msg("beta0: got %.9g, want %.9g", model.beta0, beta0);
}

static void too_few_rows_are_refused(void **state)
{
    const double x[] = {1, 2, 3, 4, 5, 6};
    const int labels[] = {0, 0, 0, 0, 0, 1};
    struct sft_logistic model;
    (void)state;
    sft_log_set_level(SFT_LOG_ERROR);
    assert_int_equal(sft_logistic_fit(6, 1, x, labels, &model), SFT_DATA);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_scikit_learn),
        cmocka_unit_test(too_few_rows_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

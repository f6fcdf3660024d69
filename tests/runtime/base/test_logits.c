/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "runtime/base/logits.h"
#include "tests/support/fixture.h"

/* Logarithms of 1, 2 and 5, so that the sum of exponentials is 8; far from 0 they must not overflow. */
static void by_hand(void **state)
{
    static const float offsets[] = {0, 500, -500};
    (void)state;
    for (int i = 0; i < 3; i++) {
        const float z[] = {offsets[i], offsets[i] + logf(2), offsets[i] + logf(5)};
        const double want = (double)offsets[i] + log(8), worst = 1e-7 * fmax(1, fabs(want));
        double log_p[3];
        assert_true(sft_row_max(z, 3) == z[2]);
        assert_int_equal(sft_row_argmax(z, 3), 2);
        assert_true(fabs(sft_log_sum_exp(z, 3) - want) <= worst);
        assert_true(fabs((double)sft_row_log_sum_exp(z, 3) - want) <= worst);
        assert_true(fabs((double)sft_row_sum_exp(z, 3, z[2], 1) - 8.0 / 5) < 1e-4);
        sft_row_log_softmax(z, 3, log_p);
        assert_true(fabs(exp(log_p[2]) - 5.0 / 8) < 1e-4);
    }
}

static void ties_and_what_is_no_number(void **state)
{
    static const float tied[] = {1, 3, 3}, bad[] = {1, NAN, 3};
    double log_p[3];
    (void)state;
    assert_int_equal(sft_row_argmax(tied, 3), 1);
    assert_true(isnan(sft_row_max(bad, 3)));
    assert_true(isnan(sft_log_sum_exp(bad, 3)));
    assert_true(isnan(sft_row_log_sum_exp(bad, 3)));
    sft_row_log_softmax(bad, 3, log_p);
    for (int c = 0; c < 3; c++) assert_true(isnan(log_p[c]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(by_hand),
        cmocka_unit_test(ties_and_what_is_no_number),
    };
    return cmocka_run_group_tests_name("logits", tests, NULL, NULL);
}

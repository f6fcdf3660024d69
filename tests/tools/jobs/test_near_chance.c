/* SPDX-License-Identifier: Apache-2.0 */
/* The binomial tests, against tails summed in Python with exact binomial coefficients. */
#include "tests/support/fixture.h"
#include "tools/jobs/near_chance.h"

static void test_verdicts(void **state)
{
    static const struct {
        int64_t images, right;
        int classes;
        enum sft_chance verdict;
    } cases[] = {
        {0, 0, 10, SFT_CHANCE_UNKNOWN},
        /* 0.8991^n, with 0.1009 = 0.001 + 0.1 x 0.999, is below 0.001 from 65 images on */
        {64, 0, 1000, SFT_CHANCE_UNKNOWN},
        {65, 0, 1000, SFT_CHANCE_NEAR},
        /* Two right of few: P(X >= 2 | 10, 0.001) = 4.5e-5 */
        {10, 2, 1000, SFT_CHANCE_ABOVE},
        {10, 1, 1000, SFT_CHANCE_UNKNOWN}, /* 0.00996 */
        {2, 2, 10, SFT_CHANCE_UNKNOWN},    /* 0.01 */
        {4, 4, 10, SFT_CHANCE_ABOVE},
        {2, 2, 2, SFT_CHANCE_UNKNOWN},
        {9, 9, 2, SFT_CHANCE_UNKNOWN}, /* 1/512 */
        {10, 10, 2, SFT_CHANCE_ABOVE}, /* 1/1024 */
        /* 0.45^9 = 7.6e-4: nothing right at all is worse than guessing */
        {8, 0, 2, SFT_CHANCE_UNKNOWN},
        {9, 0, 2, SFT_CHANCE_NEAR},
        {1024, 102, 10, SFT_CHANCE_NEAR},
        {1024, 512, 2, SFT_CHANCE_NEAR}, /* P(X <= 512 | 1024, 0.55) = 7.4e-4 */
        {512, 256, 2, SFT_CHANCE_UNKNOWN},
        {1024, 900, 10, SFT_CHANCE_ABOVE},
        {16, 2, 10, SFT_CHANCE_UNKNOWN},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        if (sft_chance_of(cases[i].images, cases[i].right, cases[i].classes) != cases[i].verdict)
            fail_msg("%d of %d, %d classes: another verdict", (int)cases[i].right, (int)cases[i].images,
                     cases[i].classes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_verdicts)};
    return cmocka_run_group_tests(tests, test_setup_log, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Philox against the known answers published with it, and what is built on it against its definition. */
#include <math.h>

#include "runtime/base/rng.h"
#include "tests/support/cm.h"

/* Random123 (D. E. Shaw Research), tests/kat_vectors: philox4x32 10 <counter> <key> <expected>. */
static const struct {
    uint32_t counter[4], key[2], want[4];
} known_answers[] = {
    {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
    {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
     {0xffffffff, 0xffffffff},
     {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
    {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
     {0xa4093822, 0x299f31d0},
     {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
};

static void philox_known_answers(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(known_answers) / sizeof(known_answers[0]); i++) {
        uint32_t out[4];
        sft_philox(known_answers[i].counter, known_answers[i].key, out);
        assert_memory_equal(out, known_answers[i].want, sizeof(out));
    }
}

/* Position, index and stream are the counter; the seed is the key. */
static void generator_is_philox(void **state)
{
    uint32_t key[2] = {0x89abcdef, 0x01234567}, block[4], seen = 0;
    struct sft_rng rng;
    (void)state;
    sft_rng_init(&rng, 0x0123456789abcdefu, SFT_STREAM_PSEUDO, 0xfedcba9876543210u);
    for (uint32_t position = 0; position < 3; position++) {
        uint32_t counter[4] = {position, 0x76543210, 0xfedcba98, SFT_STREAM_PSEUDO};
        sft_philox(counter, key, block);
        for (int i = 0; i < 4; i++) {
            uint32_t word = sft_rng_u32(&rng);
            for (int k = 0; k < 4; k++) seen += word == block[k];
        }
    }
    assert_int_equal(seen, 12);
}

static void streams_differ(void **state)
{
    struct sft_rng a, b, c, d;
    (void)state;
    sft_rng_init(&a, 1, SFT_STREAM_INIT, 0);
    sft_rng_init(&b, 1, SFT_STREAM_SHUFFLE, 0);
    sft_rng_init(&c, 1, SFT_STREAM_INIT, 1);
    sft_rng_init(&d, (uint64_t)1 << 32 | 1, SFT_STREAM_INIT, 0);
    uint32_t word = sft_rng_u32(&a);
    assert_int_not_equal(word, sft_rng_u32(&b));
    assert_int_not_equal(word, sft_rng_u32(&c));
    assert_int_not_equal(word, sft_rng_u32(&d));
}

static void uniform_moments(void **state)
{
    enum { N = 100000 };
    double sum = 0, squares = 0;
    struct sft_rng rng;
    (void)state;
    sft_rng_init(&rng, 7, SFT_STREAM_TEST, 0);
    for (int i = 0; i < N; i++) {
        double x = (double)sft_rng_uniform(&rng);
        assert_true(x >= 0.0 && x < 1.0);
        sum += x;
        squares += x * x;
    }
    assert_true(fabs(sum / N - 0.5) < 5 * sqrt(1.0 / 12 / N));
    assert_true(fabs(squares / N - 1.0 / 3) < 5 * sqrt(4.0 / 45 / N));
}

static void normal_moments(void **state)
{
    enum { N = 100000 };
    double power[5] = {0};
    struct sft_rng rng;
    (void)state;
    sft_rng_init(&rng, 8, SFT_STREAM_TEST, 0);
    for (int i = 0; i < N; i++) {
        double x = (double)sft_rng_normal(&rng), p = 1;
        assert_true(isfinite(x));
        for (int k = 0; k < 5; k++, p *= x) power[k] += p / N;
    }
    assert_true(fabs(power[1]) < 5 * sqrt(1.0 / N));
    assert_true(fabs(power[2] - 1) < 5 * sqrt(2.0 / N));
    assert_true(fabs(power[3]) < 5 * sqrt(15.0 / N));
    assert_true(fabs(power[4] - 3) < 5 * sqrt(96.0 / N));
}

static void below_is_uniform(void **state)
{
    static const uint32_t bounds[] = {1, 2, 3, 6, 10, 17};
    struct sft_rng rng;
    (void)state;
    sft_rng_init(&rng, 9, SFT_STREAM_TEST, 0);
    for (size_t b = 0; b < sizeof(bounds) / sizeof(bounds[0]); b++) {
        int count[17] = {0}, draws = 10000 * (int)bounds[b];
        for (int i = 0; i < draws; i++) {
            uint32_t x = sft_rng_below(&rng, bounds[b]);
            assert_true(x < bounds[b]);
            count[x]++;
        }
        for (uint32_t i = 0; i < bounds[b]; i++) assert_in_range(count[i], 9500, 10500);
    }
    /* Three quarters of the words: plain modulo would give the lower third twice as often. */
    int low = 0;
    for (int i = 0; i < 10000; i++) low += sft_rng_below(&rng, 0xc0000000u) < 0x40000000u;
    assert_in_range(low, 3333 - 250, 3333 + 250);
}

static void permutations(void **state)
{
    int count[6] = {0};
    uint32_t out[257];
    struct sft_rng rng;
    (void)state;
    sft_rng_init(&rng, 10, SFT_STREAM_TEST, 0);
    for (uint32_t n = 0; n <= 257; n += n < 5 ? 1 : 63) {
        uint8_t seen[257] = {0};
        sft_rng_permutation(&rng, n, out);
        for (uint32_t i = 0; i < n; i++) {
            assert_true(out[i] < n && !seen[out[i]]);
            seen[out[i]] = 1;
        }
    }
    for (int i = 0; i < 60000; i++) {
        sft_rng_permutation(&rng, 3, out);
        count[out[0] * 2 + (out[1] > out[2])]++;
    }
    for (int i = 0; i < 6; i++) assert_in_range(count[i], 9500, 10500);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(philox_known_answers), cmocka_unit_test(generator_is_philox),
        cmocka_unit_test(streams_differ),       cmocka_unit_test(uniform_moments),
        cmocka_unit_test(normal_moments),       cmocka_unit_test(below_is_uniform),
        cmocka_unit_test(permutations),
    };
    return cmocka_run_group_tests_name("runtime/base/rng", tests, NULL, NULL);
}

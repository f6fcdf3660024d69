/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/base/rng.h"

#include <math.h>
#include <string.h>

void sft_philox(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4])
{
    uint32_t c0 = counter[0], c1 = counter[1], c2 = counter[2], c3 = counter[3];
    uint32_t k0 = key[0], k1 = key[1];
    for (int round = 0; round < 10; round++) {
        uint64_t p0 = (uint64_t)0xD2511F53u * c0;
        uint64_t p1 = (uint64_t)0xCD9E8D57u * c2;
        c0 = (uint32_t)(p1 >> 32) ^ c1 ^ k0;
        c2 = (uint32_t)(p0 >> 32) ^ c3 ^ k1;
        c1 = (uint32_t)p1;
        c3 = (uint32_t)p0;
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    out[0] = c0;
    out[1] = c1;
    out[2] = c2;
    out[3] = c3;
}

void sft_rng_init(struct sft_rng *rng, uint64_t seed, enum sft_stream stream, uint64_t index)
{
    memset(rng, 0, sizeof(*rng));
    rng->key[0] = (uint32_t)seed;
    rng->key[1] = (uint32_t)(seed >> 32);
    rng->counter[1] = (uint32_t)index;
    rng->counter[2] = (uint32_t)(index >> 32);
    rng->counter[3] = (uint32_t)stream;
}

uint32_t sft_rng_u32(struct sft_rng *rng)
{
    if (rng->left == 0) {
        sft_philox(rng->counter, rng->key, rng->block);
        rng->counter[0]++;
        rng->left = 4;
    }
    return rng->block[--rng->left];
}

float sft_rng_uniform(struct sft_rng *rng) { return (float)(sft_rng_u32(rng) >> 8) * 0x1p-24f; }

uint32_t sft_rng_below(struct sft_rng *rng, uint32_t bound)
{
    /* Words below 2^32 mod bound would make small results likelier: draw again. */
    uint32_t threshold = (0u - bound) % bound, word;
    do word = sft_rng_u32(rng);
    while (word < threshold);
    return word % bound;
}

float sft_rng_normal(struct sft_rng *rng)
{
    double u = ((double)sft_rng_u32(rng) + 1.0) * 0x1p-32;
    double v = (double)sft_rng_u32(rng) * 0x1p-32;
    return (float)(sqrt(-2.0 * log(u)) * cos(6.283185307179586 * v));
}

void sft_rng_permutation(struct sft_rng *rng, uint32_t n, uint32_t *out)
{
    for (uint32_t i = 0; i < n; i++) out[i] = i;
    for (uint32_t i = n; i > 1; i--) {
        uint32_t j = sft_rng_below(rng, i), swap = out[i - 1];
        out[i - 1] = out[j];
        out[j] = swap;
    }
}

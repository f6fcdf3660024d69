/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Counter-based random numbers: Philox 4x32 with 10 rounds (Salmon, Moraes, Dror and Shaw, "Parallel random
 * numbers: as easy as 1, 2, 3", SC 2011). A number is a pure function of (seed, stream, index, position): it
 * is the same on every backend, at any thread count and after a resume, and there is no state to save.
 */
#ifndef SFT_RNG_H
#define SFT_RNG_H

#include <stdint.h>

/* What a number is for; keeps independent uses of one seed apart. */
enum sft_stream {
    SFT_STREAM_INIT = 1,       /* initial weights; index = number of the parameter */
    SFT_STREAM_SHUFFLE,        /* order of a data set; index = epoch */
    SFT_STREAM_AUGMENT,        /* crop and flip; index = running number of the sample */
    SFT_STREAM_PSEUDO,         /* per-image draws of pseudo-OOD; index = running number of the sample */
    SFT_STREAM_PSEUDO_STEP,    /* per-batch draws of pseudo-OOD; index = step */
    SFT_STREAM_DROPOUT,        /* masks; index = step and layer */
    SFT_STREAM_SYNTHETIC,      /* the procedural data set; index = image */
    SFT_STREAM_SPLIT,          /* held-back part of a data set */
    SFT_STREAM_PERTURB,        /* directions, masks and choices of SAM's relatives; index = step */
    SFT_STREAM_BOOTSTRAP = 11, /* images drawn for a replicate; index = replicate and set */
    SFT_STREAM_TEST = 1000,    /* numbers of tests */
};

struct sft_rng {
    uint32_t key[2];     /* seed */
    uint32_t counter[4]; /* position, index low, index high, stream */
    uint32_t block[4];   /* numbers drawn but not handed out yet */
    int left;
};

/* One Philox block: 4 random words for a counter under a key. */
void sft_philox(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4]);

void sft_rng_init(struct sft_rng *rng, uint64_t seed, enum sft_stream stream, uint64_t index);
uint32_t sft_rng_u32(struct sft_rng *rng);
float sft_rng_uniform(struct sft_rng *rng); /* [0, 1), 24 bits */
uint32_t sft_rng_below(struct sft_rng *rng,
                       uint32_t bound);    /* uniform in 0 .. bound-1, without bias; bound >= 1 */
float sft_rng_normal(struct sft_rng *rng); /* mean 0, variance 1 (Box-Muller) */
void sft_rng_permutation(struct sft_rng *rng, uint32_t n, uint32_t *out); /* Fisher-Yates of 0 .. n-1 */

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Batches: images read, resized, augmented, made into pseudo-OOD images and normalised by threads that run
 * ahead of who asks for them.
 *
 * What a batch holds is a function of the parameters and its step number alone: not of the number of threads,
 * not of whether the run was resumed. Epoch e of a training run is a permutation of the data set drawn from
 * (seed, e), and batches run on across the end of an epoch, so that all have the same size.
 */
#ifndef SFT_LOADER_H
#define SFT_LOADER_H

#include <stdbool.h>
#include <stdint.h>

#include "datasets/dataset.h"
#include "datasets/pseudo.h"
#include "datasets/transform.h"

/* Start from sft_loader_defaults(). */
struct sft_loader_params {
    const struct sft_dataset *dataset; /* the ID images; borrowed until the loader is closed */
    int64_t batch;                     /* ID images of a batch */
    int size;                          /* side of the square that the model sees, in pixels */
    float mean[3], std[3];             /* x = (v / 255 - mean) / std, v = 0 .. 255 */
    struct sft_framing framing;        /* how a picture becomes that square */
    bool shuffle;                      /* false: ID images and `outliers` in the order of their sets */
    uint64_t seed;
    enum sft_augment augment;
    int ood_per_id;                  /* outliers for each ID image; 0: none */
    struct sft_pseudo_params pseudo; /* how they are made from ID images */
    /* Where outliers are taken from instead, in an order of their own. Borrowed; NULL: made from ID
     * images. */
    const struct sft_dataset *outliers;
    int64_t steps;      /* number of the step behind the last; 0: one pass over the set (evaluation) */
    int64_t first_step; /* where a resumed run goes on; 0 for a new one */
    bool drop_last;     /* in evaluation, leave out the batch that is not full */
    int prefetch;       /* batches that are prepared ahead, at least 1 */
    int workers;        /* threads that prepare them; 0: as many as sft_parallel has */
    /* A picture that is damaged ends nothing: its place is black, its label -1, and the batch says why. */
    bool tolerant;
};

/* One step's images, (n_id + n_ood, size, size, 3) float32, channels last, normalised, ID images first.
 * Outlier k * n_id + j is the k-th one made from ID image j. labels (n_id + n_ood): the class, -1 for
 * outliers and unlabelled images. */
struct sft_batch {
    int64_t step;
    int n_id, n_ood;
    float *images;
    int32_t *labels;
    char **failures; /* with `tolerant`: (n_id) why ID image j could not be read, NULL for one that could */
};

struct sft_loader;

/* Batch 32, size 32, mean and std 0.5, pictures squashed, no shuffle, no augmentation, no outliers, pseudo
 * parameters for `size` pixels, one pass, prefetch 2, workers 0. */
void sft_loader_defaults(struct sft_loader_params *params, int size);

/* Outliers in a full batch: what n_ood will be. */
int64_t sft_loader_outliers(const struct sft_loader_params *params);

/* Bytes that a loader holds in batches. */
int64_t sft_loader_bytes(const struct sft_loader_params *params);

/* Sets read[i] for every image i of `set` (the data set, the outliers) that a run of params->steps steps
 * reads; the others stay as they are. Statuses as sft_loader_open(). */
enum sft_status sft_loader_reads(const struct sft_loader_params *params, const struct sft_dataset *set,
                                 bool *read) SFT_MUST_CHECK;

/* Starts the threads. SFT_USAGE: a parameter out of range. SFT_DATA: steps > 0 and a data set smaller than a
 * batch. */
enum sft_status sft_loader_open(const struct sft_loader_params *params,
                                struct sft_loader **out) SFT_MUST_CHECK;

/* The next batch in *batch, NULL behind the last. It belongs to the loader and is valid until the next call.
 * When an image of it could not be read, its failure; there is no going on then. One thread at a time. */
enum sft_status sft_loader_next(struct sft_loader *loader, const struct sft_batch **batch) SFT_MUST_CHECK;

/* Stops the threads; clears the handle. NULL is fine. */
void sft_loader_close(struct sft_loader **loader);

#endif

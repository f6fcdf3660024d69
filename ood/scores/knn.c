/* SPDX-License-Identifier: Apache-2.0 */
/*
 * KNN: Sun, Ming, Zhu and Li, "Out-of-distribution detection with deep nearest neighbors", ICML 2022. S =
 * -(squared L2 distance to the K-th nearest of the training features), all features normalised to length 1,
 * then 1e-10 added to each entry (as OpenOOD does).
 *
 * Squared distances come from one product: |q|^2 + |b|^2 - 2 q.b.
 */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ood/scores/rows.h"
#include "runtime/base/alloc.h"
#include "runtime/base/linalg.h"
#include "runtime/base/parallel.h"

enum { NEIGHBOUR };
static const struct sft_knob knobs[] = {
    [NEIGHBOUR] = {"knn-k", SFT_KNOB_INT, "K", "50", 1, 1e6, NULL, "knn: which neighbour's distance counts"},
    {0},
};

enum { QUERIES = 64, PIECE = 2048 }; /* a task's rows, and how much of the bank it looks at in one go */

static void normalize(const float *features, int width, float *unit)
{
    double sum = 0;
    float norm;
    for (int j = 0; j < width; j++) sum += (double)features[j] * (double)features[j];
    norm = (float)sqrt(sum);
    for (int j = 0; j < width; j++) unit[j] = features[j] / norm + 1e-10f;
}

static enum sft_status check_bank(int64_t n, int64_t k)
{
    if (n >= k) return SFT_OK;
    return sft_fail(SFT_DATA,
                    "knn: %" PRId64 " images to fit on and --knn-k %" PRId64 "; take more or a smaller K", n,
                    k);
}

static enum sft_status fit(const struct sft_score_input *in, struct sft_statistics *statistics)
{
    const struct sft_outputs *outputs = in->outputs;
    float *bank;
    SFT_TRY(check_bank(outputs->n, in->knobs[NEIGHBOUR].integer));
    SFT_TRY(sft_statistics_add(statistics, "bank", SFT_SHAPE(outputs->n, outputs->width), &bank));
    for (int64_t i = 0; i < outputs->n; i++)
        normalize(sft_features_of(in, i), outputs->width, bank + i * outputs->width);
    return SFT_OK;
}

/* ---- the K smallest of a stream of numbers: a heap with the largest of them on top ---- */

static void sift(float *heap, int n, int at)
{
    for (;;) {
        int child = 2 * at + 1;
        float held = heap[at];
        if (child >= n) return;
        if (child + 1 < n && heap[child + 1] > heap[child]) child++;
        if (!(heap[child] > held)) return;
        heap[at] = heap[child];
        heap[child] = held;
        at = child;
    }
}

static void offer(float *heap, int k, float value)
{
    if (!(value < heap[0])) return;
    heap[0] = value;
    sift(heap, k, 0);
}

/* ---- queries against the bank ---- */

struct search {
    const struct sft_score_input *in;
    const struct sft_statistic *bank;
    float *norms;  /* |b|^2 of the bank */
    float *memory; /* a piece for each slot: units, products, heaps */
    int64_t memory_size;
    int k;
    float *scores;
};

static void search_piece(const struct search *search, int64_t first, int64_t n, const float *units,
                         int64_t queries, float *products, float *heaps)
{
    int width = search->in->outputs->width;
    sft_product_nt(queries, n, width, units, search->bank->values + first * width, products);
    for (int64_t q = 0; q < queries; q++)
        for (int64_t i = 0; i < n; i++)
            offer(heaps + q * search->k, search->k, search->norms[first + i] - 2 * products[q * n + i]);
}

static double squared(const float *x, int n)
{
    double sum = 0;
    for (int j = 0; j < n; j++) sum += (double)x[j] * (double)x[j];
    return sum;
}

static void search_rows(void *context, int64_t task, int slot)
{
    const struct search *search = context;
    const struct sft_outputs *outputs = search->in->outputs;
    int64_t first = task * QUERIES, queries = outputs->n - first < QUERIES ? outputs->n - first : QUERIES;
    int64_t bank = search->bank->shape.dim[0];
    float *units = search->memory + slot * search->memory_size,
          *products = units + (int64_t)QUERIES * outputs->width;
    float *heaps = products + (int64_t)QUERIES * PIECE;
    for (int64_t q = 0; q < queries; q++)
        normalize(sft_features_of(search->in, first + q), outputs->width, units + q * outputs->width);
    for (int64_t i = 0; i < queries * search->k; i++) heaps[i] = INFINITY;
    for (int64_t at = 0; at < bank; at += PIECE)
        search_piece(search, at, bank - at < PIECE ? bank - at : PIECE, units, queries, products, heaps);
    for (int64_t q = 0; q < queries; q++) {
        double own = squared(units + q * outputs->width, outputs->width);
        search->scores[first + q] = isnan(own) ? NAN : (float)-(own + (double)heaps[q * search->k]);
    }
}

static enum sft_status compute(const struct sft_score_input *in, float *scores)
{
    const struct sft_outputs *outputs = in->outputs;
    struct search search = {.in = in, .scores = scores, .k = (int)in->knobs[NEIGHBOUR].integer};
    enum sft_status status = SFT_MEMORY;
    search.bank = sft_statistics_find(in->statistics, "bank");
    SFT_TRY(check_bank(search.bank->shape.dim[0], search.k));
    SFT_TRY(sft_linalg_start());
    search.memory_size = (int64_t)QUERIES * (outputs->width + PIECE + search.k);
    search.norms = sft_calloc((size_t)search.bank->shape.dim[0], sizeof(float));
    search.memory = sft_calloc((size_t)search.memory_size * (size_t)sft_parallel_threads(), sizeof(float));
    if (search.norms && search.memory) {
        for (int64_t i = 0; i < search.bank->shape.dim[0]; i++)
            search.norms[i] = (float)squared(search.bank->values + i * outputs->width, outputs->width);
        sft_parallel_for((outputs->n + QUERIES - 1) / QUERIES, search_rows, &search);
        status = SFT_OK;
    }
    free(search.norms);
    free(search.memory);
    return status;
}

const struct sft_score sft_score_knn = {
    .name = "knn",
    .title = "KNN",
    .summary = "-squared distance to the K-th nearest training feature (Sun et al., ICML 2022)",
    .needs = SFT_NEEDS_FEATURES | SFT_NEEDS_FIT,
    .knobs = knobs,
    .statistics = (const struct sft_statistic_rule[]){{"bank", "nD"}, {0}},
    .fit = fit,
    .compute = compute,
};

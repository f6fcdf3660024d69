/* SPDX-License-Identifier: Apache-2.0 */
#include "datasets/check.h"

#include <stdlib.h>
#include <string.h>

#include "runtime/base/alloc.h"
#include "runtime/base/log.h"
#include "runtime/base/parallel.h"

/* Images between two looks at the signal. */
enum { BLOCK = 256, LONGEST_REASON = 1024 };

struct checking {
    const struct sft_check *check;
    int64_t first; /* image of the block */
    enum sft_status status[BLOCK];
    char *why[BLOCK];          /* NULL: no message */
    struct sft_image *scratch; /* (threads) */
};

void sft_bad_pictures_free(struct sft_bad_pictures *bad)
{
    for (size_t i = 0; i < bad->n; i++) free(bad->items[i].why);
    free(bad->items);
    *bad = (struct sft_bad_pictures){0};
}

static void read_one(void *context, int64_t task, int slot)
{
    struct checking *checking = context;
    const struct sft_check *check = checking->check;
    const int64_t image = checking->first + task;
    char why[LONGEST_REASON] = "";
    int label;
    checking->status[task] = SFT_OK;
    checking->why[task] = NULL;
    if (check->wanted && !check->wanted[image]) return;
    sft_log_catch(why, sizeof(why));
    checking->status[task] = sft_dataset_read(check->dataset, image, &checking->scratch[slot], &label);
    sft_log_catch(NULL, 0);
    if (checking->status[task] != SFT_OK) checking->why[task] = sft_strdup(why);
}

static enum sft_status take_one(struct checking *checking, int64_t task, struct sft_bad_pictures *bad)
{
    char *why = checking->why[task];
    if (checking->status[task] == SFT_OK) return SFT_OK;
    if (checking->status[task] != SFT_DATA)
        return why && *why ? sft_fail(checking->status[task], "%s", why) : checking->status[task];
    if (!why) return SFT_MEMORY;
    SFT_TRY(sft_grow(&bad->items, &bad->capacity, bad->n + 1, sizeof(*bad->items)));
    bad->items[bad->n++] = (struct sft_bad_picture){.image = checking->first + task, .why = why};
    checking->why[task] = NULL;
    return SFT_OK;
}

static enum sft_status read_block(struct checking *checking, int64_t n, struct sft_bad_pictures *bad)
{
    enum sft_status status = SFT_OK;
    sft_parallel_for(n, read_one, checking);
    for (int64_t i = 0; i < n; i++) {
        if (status == SFT_OK) status = take_one(checking, i, bad);
        free(checking->why[i]);
    }
    return status;
}

static enum sft_status read_all(struct checking *checking, struct sft_bad_pictures *bad)
{
    const struct sft_check *check = checking->check;
    const int64_t count = sft_dataset_count(check->dataset);
    for (; checking->first < count; checking->first += BLOCK) {
        const int64_t left = count - checking->first, n = left < BLOCK ? left : BLOCK;
        if (check->stop && *check->stop) return SFT_INTERRUPTED;
        SFT_TRY(read_block(checking, n, bad));
        if (check->progress) check->progress(check->context, checking->first + n, count);
    }
    return SFT_OK;
}

enum sft_status sft_check_pictures(const struct sft_check *check, struct sft_bad_pictures *bad)
{
    const int threads = sft_parallel_threads();
    struct checking *checking = sft_calloc(1, sizeof(*checking));
    enum sft_status status = SFT_MEMORY;
    if (checking) checking->scratch = sft_calloc((size_t)threads, sizeof(*checking->scratch));
    if (checking && checking->scratch) {
        checking->check = check;
        status = read_all(checking, bad);
        for (int i = 0; i < threads; i++) sft_image_free(&checking->scratch[i]);
        free(checking->scratch);
    }
    free(checking);
    return status;
}

enum sft_status sft_leave_out(struct sft_dataset *dataset, const struct sft_bad_pictures *bad)
{
    const int64_t count = sft_dataset_count(dataset), left = count - (int64_t)bad->n;
    int64_t *indices = NULL, n = 0;
    enum sft_status status;
    size_t next = 0;
    if (bad->n == 0) return SFT_OK;
    if (left < 1)
        return sft_fail(SFT_DATA, "%s: none of its pictures can be read", sft_dataset_spec(dataset));
    indices = sft_calloc((size_t)left, sizeof(*indices));
    if (!indices) return SFT_MEMORY;
    for (int64_t i = 0; i < count; i++)
        if (next < bad->n && bad->items[next].image == i)
            next++;
        else
            indices[n++] = i;
    status = sft_dataset_select(dataset, indices, n);
    free(indices);
    return status;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "datasets/contents.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <string.h>

#include "runtime/base/file.h"
#include "runtime/base/log.h"
#include "runtime/base/parallel.h"
#include "runtime/base/text.h"

/* So many files are read at a time, over all threads; whoever waits for more is told. */
enum { BLOCK = 1024 };
#define WORTH_A_WORD ((uint64_t)1 << 30)

struct block {
    const struct sft_contents *contents;
    int64_t first, every;
    bool sizes; /* those of files that are not read count, too */
    char hex[BLOCK][65];
    size_t size[BLOCK];
    atomic_int status; /* of the first that failed */
};

static int64_t number_of(const struct sft_contents *contents, int64_t i)
{
    return contents->index ? contents->index[i] : contents->first + i;
}

static const struct sft_listed *item_of(const struct sft_contents *contents, int64_t i)
{
    return &contents->source->listing->items[number_of(contents, i)];
}

static enum sft_status hash_file(const struct sft_contents *contents, int64_t i, char hex[65], size_t *size)
{
    struct sft_bytes bytes;
    SFT_TRY(contents->format->content(contents->source->state, number_of(contents, i), &bytes));
    sft_sha256(bytes.data ? bytes.data : (const uint8_t *)"", bytes.size, hex);
    *size = bytes.size;
    sft_file_close(&bytes);
    return SFT_OK;
}

static enum sft_status measure_file(const struct sft_contents *contents, int64_t i, size_t *size)
{
    *size = item_of(contents, i)->size;
    if (*size != SFT_SIZE_UNKNOWN) return SFT_OK;
    return contents->format->measure(contents->source->state, number_of(contents, i), size);
}

static void note_failure(struct block *block, enum sft_status status)
{
    int none = SFT_OK;
    if (status != SFT_OK) atomic_compare_exchange_strong(&block->status, &none, (int)status);
}

static void hash_one(void *context, int64_t task, int slot)
{
    struct block *block = context;
    const int64_t i = block->first + task;
    (void)slot;
    strcpy(block->hex[task], "-");
    block->size[task] = 0;
    if (atomic_load(&block->status) != SFT_OK) return;
    if (i % block->every == 0)
        note_failure(block, hash_file(block->contents, i, block->hex[task], &block->size[task]));
    else if (block->sizes)
        note_failure(block, measure_file(block->contents, i, &block->size[task]));
}

/* Adds one hash of the block's files. */
static enum sft_status add_block(struct block *block, struct sft_text *sum)
{
    const struct sft_contents *contents = block->contents;
    const int64_t left = contents->count - block->first, n = left < BLOCK ? left : BLOCK;
    struct sft_text lines = {0};
    char hex[65];
    enum sft_status status;
    sft_parallel_for(n, hash_one, block);
    SFT_TRY((enum sft_status)atomic_load(&block->status));
    for (int64_t i = 0; i < n; i++)
        sft_text_printf(&lines, "%s %zu %d\n", block->hex[i], block->size[i],
                        item_of(contents, block->first + i)->label);
    status = lines.status;
    if (status == SFT_OK) sft_sha256(lines.data, lines.length, hex);
    sft_text_free(&lines);
    if (status == SFT_OK) sft_text_printf(sum, "%s\n", hex);
    return status;
}

/* ---- how many are read ---- */

static void measure_one(void *context, int64_t task, int slot)
{
    struct block *block = context;
    (void)slot;
    note_failure(block, measure_file(block->contents, block->first + task, &block->size[task]));
}

static enum sft_status add_sizes(struct block *block, uint64_t *bytes)
{
    const int64_t count = block->contents->count;
    *bytes = 0;
    for (block->first = 0; block->first < count; block->first += BLOCK) {
        const int64_t left = count - block->first, n = left < BLOCK ? left : BLOCK;
        sft_parallel_for(n, measure_one, block);
        SFT_TRY((enum sft_status)atomic_load(&block->status));
        for (int64_t i = 0; i < n; i++) *bytes += block->size[i];
    }
    block->first = 0;
    return SFT_OK;
}

/* Sets how many files there are to each one that is read. */
static enum sft_status thin_out(struct block *block)
{
    const struct sft_contents *contents = block->contents;
    uint64_t bytes = UINT64_MAX;
    block->sizes = contents->count <= contents->many;
    block->every = contents->count / SFT_CONTENTS_SAMPLE + 1;
    if (block->sizes) {
        SFT_TRY(add_sizes(block, &bytes));
        block->every = (int64_t)(bytes / (contents->limit + 1)) + 1;
    }
    if (bytes >= WORTH_A_WORD)
        sft_log(SFT_LOG_INFO, "reading %s%" PRId64 " files to tell the data from other",
                block->every > 1 ? "some of " : "all ", contents->count);
    return SFT_OK;
}

static enum sft_status add_files(const struct sft_contents *contents, struct sft_text *sum)
{
    struct block block = {.contents = contents};
    SFT_TRY(thin_out(&block));
    for (; block.first < contents->count; block.first += BLOCK) SFT_TRY(add_block(&block, sum));
    return sft_files_whole();
}

enum sft_status sft_contents_hash(const struct sft_contents *contents, char hex[65])
{
    const struct sft_listing *listing = contents->source->listing;
    struct sft_text sum = {0};
    enum sft_status status = add_files(contents, &sum);
    for (size_t i = 0; i < listing->class_count; i++)
        sft_text_printf(&sum, "class %s\n", listing->classes[i]);
    if (status == SFT_OK) status = sum.status;
    if (status == SFT_OK) sft_sha256(sum.data, sum.length, hex);
    sft_text_free(&sum);
    return status;
}

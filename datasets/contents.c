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
    char hex[BLOCK][65];
    atomic_int status; /* of the first that failed */
};

static int64_t number_of(const struct sft_contents *contents, int64_t i)
{
    return contents->index ? contents->index[i] : contents->first + i;
}

static enum sft_status hash_file(const struct sft_contents *contents, int64_t i, char hex[65])
{
    struct sft_bytes bytes;
    SFT_TRY(contents->format->content(contents->source->state, number_of(contents, i), &bytes));
    sft_sha256(bytes.data ? bytes.data : (const uint8_t *)"", bytes.size, hex);
    sft_file_close(&bytes);
    return SFT_OK;
}

static void hash_one(void *context, int64_t task, int slot)
{
    struct block *block = context;
    int none = SFT_OK;
    enum sft_status status;
    (void)slot;
    strcpy(block->hex[task], "-");
    if ((block->first + task) % block->every != 0 || atomic_load(&block->status) != SFT_OK) return;
    status = hash_file(block->contents, block->first + task, block->hex[task]);
    if (status != SFT_OK) atomic_compare_exchange_strong(&block->status, &none, (int)status);
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
    for (int64_t i = 0; i < n; i++) {
        const struct sft_listed *item =
            &contents->source->listing->items[number_of(contents, block->first + i)];
        sft_text_printf(&lines, "%s %zu %d\n", block->hex[i], item->size, item->label);
    }
    status = lines.status;
    if (status == SFT_OK) sft_sha256(lines.data, lines.length, hex);
    sft_text_free(&lines);
    if (status == SFT_OK) sft_text_printf(sum, "%s\n", hex);
    return status;
}

/* How many files there are to each one that is read. */
static int64_t thin_out(const struct sft_contents *contents)
{
    uint64_t bytes = 0;
    int64_t every;
    for (int64_t i = 0; i < contents->count; i++)
        bytes += contents->source->listing->items[number_of(contents, i)].size;
    every = (int64_t)(bytes / (contents->limit + 1)) + 1;
    if (bytes >= WORTH_A_WORD)
        sft_log(SFT_LOG_INFO, "reading %s of %" PRId64 " files to tell the data from other",
                every > 1 ? "some" : "all", contents->count);
    return every;
}

static enum sft_status add_files(const struct sft_contents *contents, struct sft_text *sum)
{
    struct block block = {.contents = contents, .every = thin_out(contents)};
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

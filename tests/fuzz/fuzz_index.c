/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libFuzzer target for the index of a checkpoint in several files, which lies beside the parts of a golden
 * one; and for the header of safetensors. Seeds:
 *
 *     fuzz_index -max_total_time=1800 CORPUS ../tests/golden/checkpoints/sharded_safetensors
 */
#include "tests/fuzz/feed_checkpoint.h"

#include "nn/checkpoint/safetensors.h"
#include "nn/checkpoint/shards.h"

#define INDEX SFT_TEST_DATA "/golden/checkpoints/sharded_safetensors/input.index.json"

static bool is_one(const struct sft_bytes *bytes) { return bytes->size > 0; }

/* Nothing but the parts is ever opened. */
static enum sft_status open_part(const char *path, const struct sft_bytes *bytes, const char *wanted,
                                 struct sft_checkpoint **part)
{
    const size_t folder = strlen(INDEX) - strlen("input.index.json");
    if (bytes || wanted || strncmp(path, INDEX, folder) != 0 || strchr(path + folder, '/')) abort();
    return sft_checkpoint_open(path, part);
}

static void feed_index(const uint8_t *data, size_t size)
{
    static const struct sft_part_opener opener = {.is_one = is_one, .open = open_part};
    struct sft_checkpoint *checkpoint = feed_begin(INDEX, &sft_checkpoint_shards, &opener);
    const struct sft_bytes file = {.data = data, .size = size};
    feed_end(checkpoint,
             sft_checkpoint_shards.is(&file) ? sft_checkpoint_shards.read(checkpoint, &file) : SFT_DATA);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    feed_index(data, size);
    feed_format(&sft_checkpoint_safetensors, data, size);
    return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libFuzzer target for pickles: the bytes as the pickle of a PyTorch zip, whose storages are all the same few
 * bytes, and as a file of before 1.6. Seeds:
 *
 *     fuzz_pickle -max_total_time=1800 CORPUS ../tests/golden/checkpoints
 */
#include "tests/fuzz/feed_checkpoint.h"

#include "nn/checkpoint/torch/pickle.h"
#include "nn/checkpoint/torch/torch_dict.h"
#include "nn/checkpoint/torch/torch_legacy.h"
#include "nn/checkpoint/torch/torch_zip.h"

static enum sft_status find_storage(const struct sft_torch_storages *storages, const char *key,
                                    struct sft_bytes *bytes)
{
    static const uint8_t values[256];
    (void)storages;
    *bytes = (struct sft_bytes){.data = values, .size = sizeof(values)};
    return strlen(key) < SFT_MAX_STORAGE_KEY ? SFT_OK : SFT_FAILED;
}

static void feed_pickle(const uint8_t *data, size_t size, bool big_endian)
{
    const struct sft_torch_storages storages = {.find = find_storage, .big_endian = big_endian};
    struct sft_checkpoint *checkpoint = feed_begin("input", NULL, NULL);
    const struct sft_bytes bytes = {.data = data, .size = size};
    struct sft_pickle pickle = {.path = "input"};
    size_t at = 0;
    uint32_t top;
    enum sft_status status = sft_pickle_walk(&pickle, &bytes, &at, &top);
    if (status == SFT_OK && (at > size || top >= pickle.n_nodes)) abort();
    if (status == SFT_OK) status = sft_torch_dict_read(checkpoint, &pickle, top, &storages);
    sft_pickle_free(&pickle);
    feed_end(checkpoint, status);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    feed_pickle(data, size, size % 2);
    feed_format(&sft_checkpoint_torch_legacy, data, size);
    return 0;
}

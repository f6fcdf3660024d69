/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libFuzzer target for the reader of zips and its deflate: every member is taken, whatever its checksum; then
 * the bytes are read as the formats that are zips. Seeds:
 *
 *     fuzz_zip -max_total_time=1800 CORPUS ../tests/golden/checkpoints
 */
#include "tests/fuzz/feed_checkpoint.h"

#include "nn/checkpoint/archive.h"
#include "nn/checkpoint/torch/torch_zip.h"
#include "nn/checkpoint/zip.h"

static void take_members(const struct sft_bytes *file)
{
    struct sft_zip zip;
    if (sft_zip_open("input", file, &zip) != SFT_OK) return;
    zip.lenient = true;
    for (size_t i = 0; i < zip.n; i++) {
        struct sft_bytes bytes;
        if (zip.members[i].size > FEED_MOST && zip.members[i].method != 0) continue;
        if (sft_zip_take(&zip, &zip.members[i], &bytes) != SFT_OK) continue;
        if (bytes.size && bytes.data[0] + bytes.data[bytes.size - 1] < 0) abort(); /* they are there */
        if (!sft_zip_find(&zip, zip.members[i].name)) abort();
    }
    sft_zip_close(&zip);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct sft_bytes file = {.data = data, .size = size};
    sft_log_set_sink(feed_ignore, NULL);
    take_members(&file);
    feed_format(&sft_checkpoint_torch_zip, data, size);
    feed_format(&sft_checkpoint_zip, data, size);
    return 0;
}

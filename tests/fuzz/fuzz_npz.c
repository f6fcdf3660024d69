/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libFuzzer target for NumPy archives: the bytes as an archive, and as the one array in an archive whose
 * checksums are right. Seeds:
 *
 *     fuzz_npz -max_total_time=1800 CORPUS ../tests/golden/checkpoints ../tests/golden/datasets
 */
#include "tests/fuzz/feed_checkpoint.h"

#include <zlib.h>

#include "nn/checkpoint/npz.h"
#include "runtime/base/little_endian.h"

enum { NAME = 5, LOCAL = 30 + NAME, ENTRY = 46 + NAME, END = 22 };

static void feed_array(const uint8_t *data, size_t size)
{
    uint8_t *file = sft_calloc(LOCAL + size + ENTRY + END, 1), *entry = file + LOCAL + size,
            *end = entry + ENTRY;
    if (!file) return;
    memcpy(file, "PK\3\4", 4);
    file[26] = entry[28] = NAME;
    memcpy(file + 30, "a.npy", NAME);
    memcpy(entry + 46, "a.npy", NAME);
    memcpy(file + LOCAL, data, size);
    memcpy(entry, "PK\1\2", 4);
    sft_put_little_endian(crc32(0, data, (uInt)size), entry + 16, 4);
    sft_put_little_endian(size, entry + 20, 4);
    sft_put_little_endian(size, entry + 24, 4);
    memcpy(end, "PK\5\6", 4);
    end[8] = end[10] = 1;
    sft_put_little_endian(ENTRY, end + 12, 4);
    sft_put_little_endian(LOCAL + size, end + 16, 4);
    feed_format(&sft_checkpoint_npz, file, LOCAL + size + ENTRY + END);
    free(file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    feed_format(&sft_checkpoint_npz, data, size);
    if (size > 0 && size < FEED_MOST) feed_array(data, size);
    return 0;
}

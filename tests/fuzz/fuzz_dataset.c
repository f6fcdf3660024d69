/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libFuzzer target for the readers of datasets/. SFT_FUZZ_FORMAT is a row of datasets/formats/formats.def;
 * without it, the decoder of pictures is fed, or, with SFT_FUZZ_WEBP, that of WebP alone. Seeds are the files
 * of tests/golden/datasets/:
 *
 *     fuzz_dataset_npy -max_total_time=600 CORPUS ../tests/golden/datasets
 */
#include "tests/datasets/feed.h"

#include <string.h>

#include "datasets/format.h"
#include "runtime/base/little_endian.h"
#include "runtime/base/log.h"

#ifdef SFT_FUZZ_WEBP
#define FEED(data, size) feed_webp(data, size)
#elif defined(SFT_FUZZ_FORMAT)
#define FORMAT_OF(row) sft_format_##row
#define FORMAT(row) FORMAT_OF(row)
#define FEED(data, size) feed_format(FORMAT(SFT_FUZZ_FORMAT).name, data, size)
#else
#define FEED(data, size) feed_decoder(data, size)
#endif

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#ifdef SFT_FUZZ_WEBP
/* Whatever else is changed, it stays a WebP, and the size in its head its own. */
static void feed_webp(const uint8_t *data, size_t size)
{
    uint8_t *bytes = size >= 12 ? malloc(size) : NULL;
    if (!bytes) return;
    memcpy(bytes, data, size);
    memcpy(bytes, "RIFF", 4);
    memcpy(bytes + 8, "WEBP", 4);
    if (bytes[7] & 0x80) sft_put_little_endian(size - 8, bytes + 4, 4);
    feed_decoder(bytes, size);
    free(bytes);
}
#endif

static void ignore(void *context, enum sft_log_level level, const char *message)
{
    (void)context;
    (void)level;
    (void)message;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    sft_log_set_sink(ignore, NULL);
    FEED(data, size);
    return 0;
}

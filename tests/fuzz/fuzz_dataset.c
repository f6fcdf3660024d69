/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libFuzzer target for the readers of datasets/. SFT_FUZZ_FORMAT is a row of datasets/formats/formats.def;
 * without it, the decoder of pictures is fed. Seeds are the files of tests/golden/datasets/:
 *
 *     fuzz_dataset_npy -max_total_time=600 CORPUS ../tests/golden/datasets
 */
#include "tests/datasets/feed.h"

#include "datasets/format.h"
#include "runtime/base/log.h"

#ifdef SFT_FUZZ_FORMAT
#define FORMAT_OF(row) sft_format_##row
#define FORMAT(row) FORMAT_OF(row)
#define FEED(data, size) feed_format(FORMAT(SFT_FUZZ_FORMAT).name, data, size)
#else
#define FEED(data, size) feed_decoder(data, size)
#endif

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

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

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libFuzzer target for the readers of datasets/. SFT_FUZZ_FORMAT says which: "image" is the PNG and JPEG
 * decoder, anything else a data set format. Seeds are the files of tests/golden/datasets/. fuzz_dataset_npy
 * -max_total_time=600 CORPUS ../tests/golden/datasets
 */
#include "tests/datasets/feed.h"

#include <string.h>

#include "runtime/base/log.h"

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
    if (strcmp(SFT_FUZZ_FORMAT, "image") == 0)
        feed_decoder(data, size);
    else
        feed_format(SFT_FUZZ_FORMAT, data, size);
    return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Feeds bytes of any kind to a reader: shared by the mutation test and the fuzzers. Whatever the bytes are,
 * the reader must come back, with success or with a failure that has a message. */
#ifndef SFT_TESTS_DATASETS_FEED_H
#define SFT_TESTS_DATASETS_FEED_H

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "datasets/dataset.h"

/* Reading a few images must not need more than memory; a crash is the sanitizers' to find. True when all went
 * well. */
static inline int feed_decoder(const uint8_t *data, size_t size)
{
    struct sft_image image = {0};
    enum sft_status status = sft_image_decode(data, size, "input", &image);
    sft_image_free(&image);
    return status == SFT_OK;
}

static inline enum sft_status feed_images(const struct sft_dataset *dataset)
{
    struct sft_image image = {0};
    enum sft_status status = SFT_OK;
    for (int64_t i = 0; status == SFT_OK && i < sft_dataset_count(dataset) && i < 4; i++) {
        int label = 0;
        status = sft_dataset_read(dataset, i, &image, &label);
        if (status == SFT_OK && label >= sft_dataset_classes(dataset)) abort();
        if (status == SFT_OK && label >= 0 && !sft_dataset_class_name(dataset, label)) abort();
    }
    sft_image_free(&image);
    return status;
}

/* The bytes as the file of a data set of this format ("npy"), in a file that exists in memory only. */
static inline int feed_format(const char *format, const uint8_t *data, size_t size)
{
    struct sft_dataset *dataset = NULL;
    enum sft_status status = SFT_FAILED;
    char spec[64], hex[65];
    int file = memfd_create("input", 0);
    if (file < 0) return 0;
    snprintf(spec, sizeof(spec), "%s:/proc/self/fd/%d", format, file);
    if (write(file, data, size) == (ssize_t)size) status = sft_dataset_open(spec, &dataset);
    if ((status == SFT_OK) != (dataset != NULL)) abort();
    if (dataset) {
        status = sft_dataset_hash(dataset, hex);
        if (status == SFT_OK) status = feed_images(dataset);
    }
    sft_dataset_close(&dataset);
    close(file);
    return status == SFT_OK;
}

#endif

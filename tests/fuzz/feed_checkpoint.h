/* SPDX-License-Identifier: Apache-2.0 */
/* Feeds bytes of any kind to a reader of checkpoints. Whatever they are, it comes back with a status, and
 * what it accepted can be read and packed. */
#ifndef SFT_TESTS_FUZZ_FEED_CHECKPOINT_H
#define SFT_TESTS_FUZZ_FEED_CHECKPOINT_H

#include <stdlib.h>
#include <string.h>

#include "nn/checkpoint/checkpoint.h"
#include "runtime/base/alloc.h"
#include "runtime/base/log.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static inline void feed_ignore(void *context, enum sft_log_level level, const char *message)
{
    (void)context;
    (void)level;
    (void)message;
}

/* Larger ones are left alone: copying them finds nothing. */
enum { FEED_MOST = 1 << 20 };

static inline void feed_tensor(const struct sft_stored_tensor *tensor)
{
    const size_t size = sft_stored_dtype_size(tensor->dtype);
    uint64_t count;
    float *values;
    uint8_t *packed;
    if (!tensor->name) abort();
    if (size == 0 || !sft_stored_count(&tensor->shape, size, &count) || count > FEED_MOST) return;
    if (tensor->bytes != count * size) abort();
    values = malloc((size_t)count * sizeof(*values) + 1);
    packed = malloc(tensor->bytes + 1);
    if (values && sft_stored_read(tensor, values) != SFT_OK) abort();
    if (packed) sft_stored_pack(tensor, packed);
    free(values);
    free(packed);
}

/* A checkpoint of these bytes, as checkpoint.c makes one before it reads. */
static inline struct sft_checkpoint *feed_begin(const char *path, const struct sft_checkpoint_format *format,
                                                const struct sft_part_opener *opener)
{
    struct sft_checkpoint *checkpoint = sft_calloc(1, sizeof(*checkpoint));
    sft_log_set_sink(feed_ignore, NULL);
    if (!checkpoint || !(checkpoint->path = sft_strdup(path))) abort();
    checkpoint->borrowed = true;
    checkpoint->format = format;
    checkpoint->opener = opener;
    return checkpoint;
}

static inline void feed_end(struct sft_checkpoint *checkpoint, enum sft_status status)
{
    for (size_t i = 0; status == SFT_OK && i < checkpoint->n_tensors; i++)
        feed_tensor(&checkpoint->tensors[i]);
    sft_checkpoint_close(&checkpoint);
}

static inline void feed_format(const struct sft_checkpoint_format *format, const uint8_t *data, size_t size)
{
    struct sft_checkpoint *checkpoint = feed_begin("input", format, NULL);
    checkpoint->file = (struct sft_bytes){.data = data, .size = size};
    feed_end(checkpoint,
             format->is(&checkpoint->file) ? format->read(checkpoint, &checkpoint->file) : SFT_DATA);
}

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#include "nn/checkpoint/format.h"

#include <string.h>

#include "runtime/base/alloc.h"

void *sft_checkpoint_own(struct sft_checkpoint *checkpoint, size_t count, size_t size)
{
    void *memory;
    if (sft_grow(&checkpoint->owned, &checkpoint->room_owned, checkpoint->n_owned + 1,
                 sizeof(*checkpoint->owned)) != SFT_OK)
        return NULL;
    memory = sft_calloc(count, size);
    if (memory) checkpoint->owned[checkpoint->n_owned++] = memory;
    return memory;
}

char *sft_checkpoint_own_text(struct sft_checkpoint *checkpoint, const void *bytes, size_t length)
{
    char *text = sft_checkpoint_own(checkpoint, length + 1, 1);
    if (text && length) memcpy(text, bytes, length);
    return text;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "datasets/names.h"

#include <stdlib.h>
#include <string.h>

enum { BLOCK = 1 << 16 };

struct sft_names_block {
    struct sft_names_block *before;
    size_t used, size;
    char text[];
};

static struct sft_names_block *add_block(struct sft_names *names, size_t least)
{
    const size_t size = least > BLOCK ? least : BLOCK;
    struct sft_names_block *block = malloc(sizeof(*block) + size);
    if (!block) {
        (void)!sft_fail(SFT_MEMORY, "out of memory: %zu bytes for names", size);
        return NULL;
    }
    *block = (struct sft_names_block){.before = names->last, .size = size};
    names->last = block;
    return block;
}

char *sft_names_copy(struct sft_names *names, const char *text)
{
    const size_t length = strlen(text) + 1;
    struct sft_names_block *block = names->last;
    char *copy;
    if (!block || block->size - block->used < length) block = add_block(names, length);
    if (!block) return NULL;
    copy = block->text + block->used;
    memcpy(copy, text, length);
    block->used += length;
    return copy;
}

void sft_names_free(struct sft_names *names)
{
    for (struct sft_names_block *block = names->last, *before; block; block = before) {
        before = block->before;
        free(block);
    }
    names->last = NULL;
}

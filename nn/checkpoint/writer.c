/* SPDX-License-Identifier: Apache-2.0 */
#include "nn/checkpoint/writer.h"

#include <string.h>

#include "nn/checkpoint/npz.h"
#include "nn/checkpoint/safetensors.h"
#include "nn/checkpoint/torch/torch_zip.h"

static const struct sft_checkpoint_writer *const writers[] = {&sft_writer_safetensors, &sft_writer_npz,
                                                              &sft_writer_torch_zip};
enum { WRITERS = sizeof(writers) / sizeof(writers[0]) };

const struct sft_checkpoint_writer *sft_checkpoint_writer_at(int i)
{
    return i >= 0 && i < WRITERS ? writers[i] : NULL;
}

const struct sft_checkpoint_writer *sft_checkpoint_writer_find(const char *name)
{
    for (int i = 0; i < WRITERS; i++)
        if (strcmp(writers[i]->name, name) == 0) return writers[i];
    return NULL;
}

/* Whether `path` ends in one of the endings. */
static bool ends_in(const char *path, const char *endings)
{
    const size_t length = strlen(path);
    while (*endings) {
        size_t ending = strcspn(endings, " ");
        if (length > ending && strncmp(path + length - ending, endings, ending) == 0) return true;
        endings += ending + strspn(endings + ending, " ");
    }
    return false;
}

const struct sft_checkpoint_writer *sft_checkpoint_writer_of(const char *path)
{
    for (int i = 0; i < WRITERS; i++)
        if (ends_in(path, writers[i]->endings)) return writers[i];
    return NULL;
}

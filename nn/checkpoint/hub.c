/* SPDX-License-Identifier: Apache-2.0 */
#include "nn/checkpoint/hub.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "runtime/base/path.h"

/* In the order in which the Hub's own libraries prefer them. */
static const char *const names[] = {"model.safetensors", "model.safetensors.index.json", "pytorch_model.bin",
                                    "pytorch_model.bin.index.json", "open_clip_pytorch_model.bin"};
enum { NAMES = sizeof(names) / sizeof(names[0]) };

/* A description is short. */
#define MAX_CONFIG ((size_t)4 << 20)

enum sft_status sft_hub_find(const char *folder, char **file)
{
    for (int i = 0; i < NAMES; i++) {
        *file = sft_path_join(folder, "%s", names[i]);
        if (!*file) return SFT_MEMORY;
        if (!sft_file_is_absent(*file)) return SFT_OK;
        free(*file);
        *file = NULL;
    }
    return sft_fail(
        SFT_DATA,
        "%s: a folder without model.safetensors, pytorch_model.bin or the index of such a model in "
        "several files; name the file with the weights",
        folder);
}

bool sft_hub_is(const char *folder)
{
    struct stat info;
    bool is = false;
    if (stat(folder, &info) != 0 || !S_ISDIR(info.st_mode)) return false;
    for (int i = 0; i < NAMES && !is; i++) {
        char *file = sft_path_join(folder, "%s", names[i]);
        is = file && !sft_file_is_absent(file);
        free(file);
    }
    return is;
}

static bool has_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    for (int i = 0; i < NAMES; i++)
        if (strcmp(slash ? slash + 1 : path, names[i]) == 0) return true;
    return false;
}

static enum sft_status read_text(struct sft_checkpoint *checkpoint, const char *path)
{
    struct sft_bytes bytes;
    enum sft_status status = SFT_OK;
    SFT_TRY(sft_file_open(path, &bytes));
    if (bytes.size > MAX_CONFIG)
        status = sft_fail(SFT_DATA, "%s: %zu bytes are none of a description of a model", path, bytes.size);
    else
        checkpoint->config = sft_checkpoint_own_text(checkpoint, bytes.data, bytes.size);
    sft_file_close(&bytes);
    if (status == SFT_OK && !checkpoint->config) status = SFT_MEMORY;
    return status;
}

enum sft_status sft_hub_read_config(struct sft_checkpoint *checkpoint)
{
    const char *slash = strrchr(checkpoint->path, '/');
    char folder[4096] = ".", *path;
    enum sft_status status = SFT_OK;
    if (!has_name(checkpoint->path)) return SFT_OK;
    if (slash && (size_t)(slash - checkpoint->path) >= sizeof(folder)) return SFT_OK;
    if (slash) {
        memcpy(folder, checkpoint->path, (size_t)(slash - checkpoint->path) + 1);
        folder[slash - checkpoint->path + 1] = '\0';
    }
    path = sft_path_join(folder, "config.json");
    if (!path) return SFT_MEMORY;
    if (!sft_file_is_absent(path)) status = read_text(checkpoint, path);
    free(path);
    return status;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/jobs/run_paths.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

const char *sft_run_file(const char *folder, const char *name, char path[SFT_RUN_PATH])
{
    if (snprintf(path, SFT_RUN_PATH, "%s%s%s", folder, *name ? "/" : "", name) >= SFT_RUN_PATH) *path = '\0';
    return path;
}

const char *sft_run_below(const char *folder, const char *path)
{
    size_t length = strlen(folder);
    return strncmp(path, folder, length) == 0 && path[length] == '/' ? path + length + 1 : NULL;
}

const char *sft_run_place(const char *folder, char path[SFT_RUN_PATH])
{
    if (access(sft_run_file(folder, SFT_RUN_NEXT, path), F_OK) == 0) return path;
    return sft_run_file(folder, "", path);
}

const char *sft_snapshot_file(const char *folder, int64_t steps, char path[SFT_RUN_PATH])
{
    char name[64];
    snprintf(name, sizeof(name), "model-%" PRId64 ".safetensors", steps);
    return sft_run_file(folder, name, path);
}

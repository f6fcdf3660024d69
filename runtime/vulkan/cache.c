/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pipeline cache on disk. Drivers may crash on data that is not theirs or is damaged, so the file has a
 * header of our own: which device and driver wrote it, and the hash of what follows.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/base/alloc.h"
#include "runtime/base/file.h"
#include "runtime/base/log.h"
#include "runtime/base/sha256.h"
#include "runtime/vulkan/vk.h"

struct header {
    char magic[8];
    uint8_t device[VK_UUID_SIZE], driver[VK_UUID_SIZE], cache[VK_UUID_SIZE];
    uint32_t driver_version, pointer_bytes;
    uint64_t bytes;
    char sha256[72]; /* of the data, in digits */
};

static struct header make_header(const struct sft_vk *vk, const void *data, size_t bytes)
{
    struct header header = {.magic = "sftvkpc",
                            .driver_version = vk->adapter.properties.driverVersion,
                            .pointer_bytes = sizeof(void *),
                            .bytes = bytes};
    memcpy(header.device, vk->adapter.properties11.deviceUUID, VK_UUID_SIZE);
    memcpy(header.driver, vk->adapter.properties11.driverUUID, VK_UUID_SIZE);
    memcpy(header.cache, vk->adapter.properties.pipelineCacheUUID, VK_UUID_SIZE);
    sft_sha256(data, bytes, header.sha256);
    return header;
}

/* $SFT_VK_CACHE_DIR, or sft-vk in the user's cache folder; false where there is none. */
static bool cache_folder(char *path, size_t room)
{
    const char *own = getenv("SFT_VK_CACHE_DIR");
    const char *xdg = getenv("XDG_CACHE_HOME");
    const char *home = getenv("HOME");
    int length = -1;
    if (own && *own)
        length = snprintf(path, room, "%s", own);
    else if (xdg && *xdg == '/')
        length = snprintf(path, room, "%s/sft-vk", xdg);
    else if (home && *home == '/')
        length = snprintf(path, room, "%s/.cache/sft-vk", home);
    return length > 0 && (size_t)length < room;
}

static bool cache_path(const struct sft_vk *vk, char *path, size_t room)
{
    size_t at;
    if (!cache_folder(path, room)) return false;
    at = strlen(path);
    if (at + 2 * VK_UUID_SIZE * 2 + 16 > room) return false;
    path[at++] = '/';
    for (unsigned i = 0; i < VK_UUID_SIZE; i++)
        at += (size_t)sprintf(path + at, "%02x", vk->adapter.properties11.deviceUUID[i]);
    path[at++] = '-';
    for (unsigned i = 0; i < VK_UUID_SIZE; i++)
        at += (size_t)sprintf(path + at, "%02x", vk->adapter.properties11.driverUUID[i]);
    strcpy(path + at, ".vkpc");
    return true;
}

/* The data behind a header that is exactly the one we would write now; NULL otherwise. */
static const uint8_t *valid_data(const struct sft_vk *vk, const struct sft_bytes *file, size_t *bytes)
{
    struct header found, expected;
    if (file->size < sizeof(found)) return NULL;
    memcpy(&found, file->data, sizeof(found));
    *bytes = file->size - sizeof(found);
    if (found.bytes != *bytes) return NULL;
    expected = make_header(vk, file->data + sizeof(found), *bytes);
    return memcmp(&found, &expected, sizeof(found)) == 0 ? file->data + sizeof(found) : NULL;
}

enum sft_status sft_vk_cache_open(struct sft_vk *vk)
{
    VkPipelineCacheCreateInfo info = {.sType = VK_STRUCTURE_TYPE_PIPELINE_CACHE_CREATE_INFO};
    struct sft_bytes file = {0};
    char path[4096];
    VkResult result;
    if (cache_path(vk, path, sizeof(path)) && access(path, R_OK) == 0 &&
        sft_file_open(path, &file) == SFT_OK) {
        info.pInitialData = valid_data(vk, &file, &info.initialDataSize);
        if (!info.pInitialData) {
            info.initialDataSize = 0;
            sft_log(SFT_LOG_DEBUG, "%s: of another driver or damaged; made anew", path);
        }
    }
    result = vkCreatePipelineCache(vk->device, &info, NULL, &vk->cache);
    sft_file_close(&file);
    return result == VK_SUCCESS ? SFT_OK : sft_vk_fail(vk, result, "vkCreatePipelineCache");
}

/* Whether a file could be made at `path`: its nearest folder that exists can be written. */
static bool writable(const char *path)
{
    char folder[4096];
    snprintf(folder, sizeof(folder), "%s", path);
    for (char *slash = strrchr(folder, '/'); slash && slash > folder; slash = strrchr(folder, '/')) {
        *slash = '\0';
        if (access(folder, F_OK) == 0) return access(folder, W_OK) == 0;
    }
    return false;
}

/* The driver's data behind a header of ours; release with free(). */
static enum sft_status make_file(struct sft_vk *vk, uint8_t **file, size_t *bytes)
{
    struct header header;
    size_t data;
    VK_TRY(vk, vkGetPipelineCacheData(vk->device, vk->cache, &data, NULL));
    *file = sft_calloc(1, sizeof(header) + data);
    if (!*file) return SFT_MEMORY;
    VK_TRY(vk, vkGetPipelineCacheData(vk->device, vk->cache, &data, *file + sizeof(header)));
    header = make_header(vk, *file + sizeof(header), data);
    memcpy(*file, &header, sizeof(header));
    *bytes = sizeof(header) + data;
    return SFT_OK;
}

static enum sft_status save(const char *path, const uint8_t *file, size_t bytes)
{
    char folder[4096];
    snprintf(folder, sizeof(folder), "%.*s", (int)(strrchr(path, '/') - path), path);
    SFT_TRY(sft_make_folder(folder));
    return sft_file_write(path, file, bytes);
}

void sft_vk_cache_save(struct sft_vk *vk)
{
    uint8_t *file = NULL;
    char path[4096];
    size_t bytes = 0;
    enum sft_status status;
    if (!cache_path(vk, path, sizeof(path)) || !writable(path)) return;
    status = make_file(vk, &file, &bytes);
    if (status == SFT_OK) status = save(path, file, bytes);
    if (status != SFT_OK)
        sft_log(SFT_LOG_WARNING,
                "the pipeline cache was not saved; the next start compiles its kernels again");
    free(file);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ROOT/data.pkl is the pickled object, ROOT/data/KEY the bytes of a storage, ROOT/byteorder "little" or "big"
 * (absent before PyTorch 2.1: little). ROOT is the name of the file mostly. A TorchScript program looks the
 * same and has ROOT/code/ and ROOT/constants.pkl.
 */
#include "nn/checkpoint/torch/torch_zip.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nn/checkpoint/metadata.h"
#include "nn/checkpoint/torch/pickle.h"
#include "nn/checkpoint/torch/torch_dict.h"
#include "nn/checkpoint/zip.h"
#include "runtime/base/alloc.h"

static const char pickle_name[] = "data.pkl";

struct torch_zip {
    struct sft_zip zip;
    const char *root; /* "" or ends in '/' */
};

static bool is_torch_zip(const struct sft_bytes *file) { return sft_zip_mentions(file, pickle_name); }

/* Whether the name is data.pkl in some folder. */
static bool is_pickle(const char *name)
{
    const char *slash = strrchr(name, '/');
    return strcmp(slash ? slash + 1 : name, pickle_name) == 0;
}

static struct sft_zip_member *find_member(const struct torch_zip *file, const char *name)
{
    char path[1024];
    const int length = snprintf(path, sizeof(path), "%s%s", file->root, name);
    return length < (int)sizeof(path) ? sft_zip_find(&file->zip, path) : NULL;
}

/* The pickle that lies highest. */
static enum sft_status find_root(struct sft_checkpoint *checkpoint, struct torch_zip *file)
{
    const struct sft_zip_member *pickle = NULL;
    for (size_t i = 0; i < file->zip.n; i++) {
        const struct sft_zip_member *member = &file->zip.members[i];
        if (is_pickle(member->name) && (!pickle || strlen(member->name) < strlen(pickle->name)))
            pickle = member;
    }
    if (!pickle)
        return sft_fail(SFT_DATA, "%s: a zip archive without the data.pkl of PyTorch", checkpoint->path);
    file->root =
        sft_checkpoint_own_text(checkpoint, pickle->name, strlen(pickle->name) - strlen(pickle_name));
    return file->root ? SFT_OK : SFT_MEMORY;
}

/* Whether a member's name begins so. */
static bool has_folder(const struct torch_zip *file, const char *folder)
{
    const size_t root = strlen(file->root), length = strlen(folder);
    for (size_t i = 0; i < file->zip.n; i++)
        if (strncmp(file->zip.members[i].name, file->root, root) == 0 &&
            strncmp(file->zip.members[i].name + root, folder, length) == 0)
            return true;
    return false;
}

static enum sft_status refuse_programs(const struct sft_checkpoint *checkpoint, const struct torch_zip *file)
{
    const char *what = NULL;
    if (has_folder(file, "code/") || find_member(file, "constants.pkl")) what = "a TorchScript program";
    if (has_folder(file, "models/") || find_member(file, "archive_format")) what = "a torch.export program";
    if (!what) return SFT_OK;
    return sft_fail(
        SFT_DATA,
        "%s is %s and no state dict: save its weights in Python with torch.save(model.state_dict(), "
        "\"W.pth\")",
        checkpoint->path, what);
}

static enum sft_status find_storage(const struct sft_torch_storages *storages, const char *key,
                                    struct sft_bytes *bytes)
{
    struct torch_zip *file = storages->context;
    char name[SFT_MAX_STORAGE_KEY + 8];
    struct sft_zip_member *member;
    snprintf(name, sizeof(name), "data/%s", key);
    member = find_member(file, name);
    if (!member)
        return sft_fail(SFT_DATA, "%s: storage %s is not in the zip; the file is damaged", file->zip.path,
                        key);
    return sft_zip_take(&file->zip, member, bytes);
}

static enum sft_status read_byte_order(struct torch_zip *file, bool *big)
{
    struct sft_zip_member *member = find_member(file, "byteorder");
    struct sft_bytes bytes;
    *big = false;
    if (!member) return SFT_OK;
    SFT_TRY(sft_zip_take(&file->zip, member, &bytes));
    *big = bytes.size == 3 && memcmp(bytes.data, "big", 3) == 0;
    if (*big || (bytes.size == 6 && memcmp(bytes.data, "little", 6) == 0)) return SFT_OK;
    return sft_fail(SFT_DATA, "%s: its byteorder is neither \"little\" nor \"big\"", file->zip.path);
}

static enum sft_status read_metadata(struct sft_checkpoint *checkpoint, struct torch_zip *file)
{
    struct sft_zip_member *member = find_member(file, SFT_METADATA_MEMBER);
    struct sft_bytes bytes;
    if (!member) return SFT_OK;
    SFT_TRY(sft_zip_take(&file->zip, member, &bytes));
    return sft_metadata_read(checkpoint, &bytes);
}

static enum sft_status walk(struct sft_checkpoint *checkpoint, struct torch_zip *file)
{
    struct sft_pickle pickle = {.path = checkpoint->path};
    struct sft_torch_storages storages = {.find = find_storage, .context = file};
    struct sft_bytes bytes;
    size_t at = 0;
    uint32_t top;
    enum sft_status status;
    SFT_TRY(read_byte_order(file, &storages.big_endian));
    SFT_TRY(sft_zip_take(&file->zip, find_member(file, pickle_name), &bytes));
    SFT_TRY_OUT(sft_pickle_walk(&pickle, &bytes, &at, &top));
    SFT_TRY_OUT(sft_torch_dict_read(checkpoint, &pickle, top, &storages));
out:
    sft_pickle_free(&pickle);
    return status;
}

static enum sft_status read_torch_zip(struct sft_checkpoint *checkpoint, const struct sft_bytes *bytes)
{
    struct torch_zip *file = sft_calloc(1, sizeof(*file));
    checkpoint->state = file;
    if (!file) return SFT_MEMORY;
    SFT_TRY(sft_zip_open(checkpoint->path, bytes, &file->zip));
    file->zip.lenient = true;
    SFT_TRY(find_root(checkpoint, file));
    SFT_TRY(refuse_programs(checkpoint, file));
    SFT_TRY(walk(checkpoint, file));
    return read_metadata(checkpoint, file);
}

static void release(struct sft_checkpoint *checkpoint)
{
    struct torch_zip *file = checkpoint->state;
    if (file) sft_zip_close(&file->zip);
    free(file);
}

const struct sft_checkpoint_format sft_checkpoint_torch_zip = {
    .name = "PyTorch (zip)",
    .is = is_torch_zip,
    .read = read_torch_zip,
    .release = release,
};

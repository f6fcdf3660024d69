/* SPDX-License-Identifier: Apache-2.0 */
#include "nn/checkpoint/archive.h"

#include <stdlib.h>
#include <string.h>

#include "nn/checkpoint/zip.h"
#include "runtime/base/alloc.h"
#include "runtime/base/log.h"
#include "runtime/base/text.h"

enum { TOLD = 8 };

/* "a, b, c, ..." */
static void tell_name(struct sft_text *names, size_t n, const char *name)
{
    if (n < TOLD) sft_text_printf(names, "%s%.100s", n ? ", " : "", name);
    if (n == TOLD) sft_text_add(names, ", ...");
}

/* ---- a zip of other files ---- */

static bool is_zip(const struct sft_bytes *file) { return sft_zip_begins(file) && sft_zip_has_list(file); }

static bool is_exported(const struct sft_zip *zip)
{
    return sft_zip_find(zip, "serialized_exported_program.json") || sft_zip_find(zip, "archive_format");
}

static enum sft_status refuse_zip(struct sft_checkpoint *checkpoint, const struct sft_bytes *file)
{
    struct sft_zip zip;
    struct sft_text names = {0};
    SFT_TRY(sft_zip_open(checkpoint->path, file, &zip));
    for (size_t i = 0; i < zip.n; i++) tell_name(&names, i, zip.members[i].name);
    if (is_exported(&zip))
        sft_fail(SFT_DATA,
                 "%s is a torch.export program and no state dict: save its weights in Python with "
                 "torch.save(model.state_dict(), \"W.pth\")",
                 checkpoint->path);
    else
        sft_fail(
            SFT_DATA,
            "%s is a zip archive without the data.pkl of PyTorch or the .npy files of NumPy; it holds: %s; "
            "unpack it first, and name the file with the weights",
            checkpoint->path, names.data ? names.data : "nothing");
    sft_text_free(&names);
    sft_zip_close(&zip);
    return SFT_DATA;
}

const struct sft_checkpoint_format sft_checkpoint_zip = {
    .name = "zip archive",
    .unsure = true,
    .holds_files = true,
    .is = is_zip,
    .read = refuse_zip,
};

/* ---- tar ---- */

enum { BLOCK = 512, NAME = 100, SIZE_AT = 124, SIZE = 12, TYPE_AT = 156 };

static bool is_tar(const struct sft_bytes *file)
{
    return file->size >= BLOCK && memcmp(file->data + 257, "ustar", 5) == 0;
}

/* Octal digits, or a number in big-endian bytes behind 0x80. */
static uint64_t tar_size(const uint8_t *header)
{
    uint64_t size = 0;
    for (int i = 0; i < SIZE; i++) {
        const uint8_t byte = header[SIZE_AT + i];
        if (header[SIZE_AT] & 0x80)
            size = size << 8 | (i == 0 ? byte & 0x7f : byte);
        else if (byte >= '0' && byte <= '7')
            size = size << 3 | (byte - '0');
    }
    return size;
}

/* Members, one behind the other. */
struct tar {
    const struct sft_bytes *file;
    size_t next;
    char name[NAME + 1];
    struct sft_bytes bytes; /* only data and size */
    bool regular;
};

/* The next member; false behind the last. One that is cut off reaches to the end of the file. */
static bool next_member(struct tar *tar)
{
    const uint8_t *header = tar->file->data + tar->next;
    size_t left = tar->file->size - tar->next;
    uint64_t size;
    if (left < BLOCK || header[0] == '\0') return false;
    size = tar_size(header);
    left -= BLOCK;
    memcpy(tar->name, header, NAME);
    tar->name[NAME] = '\0';
    tar->regular = header[TYPE_AT] == '0' || header[TYPE_AT] == '\0';
    tar->bytes = (struct sft_bytes){.data = header + BLOCK, .size = size < left ? (size_t)size : left};
    tar->next += BLOCK;
    tar->next += size + BLOCK - 1 < left ? (size_t)((size + BLOCK - 1) / BLOCK * BLOCK) : left;
    return true;
}

static enum sft_status refuse_tar(const struct sft_checkpoint *checkpoint, int checkpoints)
{
    struct tar tar = {.file = &checkpoint->file};
    struct sft_text names = {0};
    for (size_t n = 0; next_member(&tar);)
        if (tar.regular) tell_name(&names, n++, tar.name);
    sft_fail(SFT_DATA,
             "%s is a tar archive with %s checkpoint in it; it holds: %s; unpack it and name the "
             "file with the weights",
             checkpoint->path, checkpoints ? "more than one" : "no", names.data ? names.data : "nothing");
    sft_text_free(&names);
    return SFT_DATA;
}

/* Takes the tensors of the one part over. */
static enum sft_status take_part(struct sft_checkpoint *checkpoint)
{
    struct sft_checkpoint *part = checkpoint->parts[0];
    checkpoint->tensors = sft_calloc(part->n_tensors, sizeof(*part->tensors));
    checkpoint->metadata = sft_calloc(part->n_metadata, sizeof(*part->metadata));
    if (!checkpoint->tensors || !checkpoint->metadata) return SFT_MEMORY;
    if (part->n_tensors) memcpy(checkpoint->tensors, part->tensors, part->n_tensors * sizeof(*part->tensors));
    if (part->n_metadata)
        memcpy(checkpoint->metadata, part->metadata, part->n_metadata * sizeof(*part->metadata));
    checkpoint->n_tensors = part->n_tensors;
    checkpoint->n_metadata = part->n_metadata;
    checkpoint->key = part->key;
    return SFT_OK;
}

static enum sft_status open_member(struct sft_checkpoint *checkpoint, const char *name,
                                   const struct sft_bytes *bytes)
{
    struct sft_text path = {0};
    enum sft_status status;
    checkpoint->parts = sft_calloc(1, sizeof(*checkpoint->parts));
    if (!checkpoint->parts) return SFT_MEMORY;
    sft_text_printf(&path, "%s: %s", checkpoint->path, name);
    status = path.status;
    if (status == SFT_OK) {
        sft_log(SFT_LOG_INFO, "%s is a tar archive; %s in it is read", checkpoint->path, name);
        status = checkpoint->opener->open(path.data, bytes, checkpoint->wanted, &checkpoint->parts[0]);
    }
    sft_text_free(&path);
    if (status == SFT_OK) checkpoint->n_parts = 1;
    return status == SFT_OK ? take_part(checkpoint) : status;
}

static enum sft_status read_tar(struct sft_checkpoint *checkpoint, const struct sft_bytes *file)
{
    struct tar tar = {.file = file};
    struct sft_bytes found = {0};
    char name[NAME + 1] = "";
    int checkpoints = 0;
    while (next_member(&tar)) {
        if (!tar.regular || !checkpoint->opener->is_one(&tar.bytes)) continue;
        checkpoints++;
        found = tar.bytes;
        memcpy(name, tar.name, sizeof(name));
    }
    return checkpoints == 1 ? open_member(checkpoint, name, &found) : refuse_tar(checkpoint, checkpoints);
}

const struct sft_checkpoint_format sft_checkpoint_tar = {
    .name = "tar archive",
    .unsure = true,
    .holds_files = true,
    .is = is_tar,
    .read = read_tar,
};

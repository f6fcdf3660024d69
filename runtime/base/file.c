/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/base/alloc.h"

enum sft_status sft_file_open(const char *path, struct sft_bytes *bytes)
{
    enum sft_status status = SFT_OK;
    struct stat info;
    int file = open(path, O_RDONLY | O_CLOEXEC);
    memset(bytes, 0, sizeof(*bytes));
    if (file < 0) return sft_fail(SFT_DATA, "%s: cannot be opened: %s", path, strerror(errno));
    if (fstat(file, &info) != 0 || !S_ISREG(info.st_mode)) {
        status = sft_fail(SFT_DATA, "%s: not a regular file", path);
        goto out;
    }
    bytes->size = (size_t)info.st_size;
    bytes->data = (const uint8_t *)"";
    if (bytes->size == 0) goto out;
    bytes->mapping = mmap(NULL, bytes->size, PROT_READ, MAP_PRIVATE, file, 0);
    if (bytes->mapping == MAP_FAILED) {
        memset(bytes, 0, sizeof(*bytes));
        status = sft_fail(SFT_DATA, "%s: cannot be read: %s", path, strerror(errno));
        goto out;
    }
    bytes->data = bytes->mapping;
out:
    close(file);
    return status;
}

void sft_file_close(struct sft_bytes *bytes)
{
    if (bytes->mapping) munmap(bytes->mapping, bytes->size);
    memset(bytes, 0, sizeof(*bytes));
}

static enum sft_status write_all(int file, const char *path, const uint8_t *data, size_t size)
{
    while (size > 0) {
        ssize_t wrote = write(file, data, size > INT_MAX ? INT_MAX : size);
        if (wrote < 0 && errno == EINTR) continue;
        if (wrote <= 0) return sft_fail(SFT_WRITE, "%s: cannot be written: %s", path, strerror(errno));
        data += wrote;
        size -= (size_t)wrote;
    }
    if (fsync(file) != 0) return sft_fail(SFT_WRITE, "%s: cannot be written: %s", path, strerror(errno));
    return SFT_OK;
}

/* Makes a rename durable. Some file systems refuse fsync on folders; the file itself is safe then. */
static void sync_folder(const char *path)
{
    char *folder = sft_strdup(path), *slash = folder ? strrchr(folder, '/') : NULL;
    int file;
    if (!folder) return;
    if (slash) slash[slash == folder] = '\0';
    file = open(slash ? folder : ".", O_RDONLY | O_CLOEXEC);
    if (file >= 0) {
        fsync(file);
        close(file);
    }
    free(folder);
}

enum sft_status sft_file_write(const char *path, const void *data, size_t size)
{
    enum sft_status status;
    size_t length = strlen(path) + 32;
    char *temporary = sft_calloc(length, 1);
    int file;
    if (!temporary) return SFT_MEMORY;
    snprintf(temporary, length, "%s.%ld.part", path, (long)getpid());
    file = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (file < 0) {
        status = sft_fail(SFT_WRITE, "%s: cannot be created: %s", temporary, strerror(errno));
        free(temporary);
        return status;
    }
    status = write_all(file, path, data, size);
    if (close(file) != 0 && status == SFT_OK)
        status = sft_fail(SFT_WRITE, "%s: cannot be written: %s", path, strerror(errno));
    if (status == SFT_OK && rename(temporary, path) != 0)
        status = sft_fail(SFT_WRITE, "%s: cannot be replaced: %s", path, strerror(errno));
    if (status == SFT_OK)
        sync_folder(path);
    else
        unlink(temporary);
    free(temporary);
    return status;
}

enum sft_status sft_make_folder(const char *path)
{
    enum sft_status status = SFT_OK;
    struct stat info;
    char *copy = sft_strdup(path);
    if (!copy) return SFT_MEMORY;
    for (char *end = copy + 1; status == SFT_OK; end++) {
        char kept = *end;
        if (kept != '/' && kept != '\0') continue;
        *end = '\0';
        if (mkdir(copy, 0777) != 0 && (errno != EEXIST || stat(copy, &info) != 0 || !S_ISDIR(info.st_mode)))
            status = sft_fail(SFT_WRITE, "%s: cannot be made a folder: %s", copy, strerror(errno));
        *end = kept;
        if (kept == '\0') break;
    }
    free(copy);
    return status;
}

enum sft_status sft_file_sha256(const char *path, char hex[65])
{
    struct sft_bytes bytes;
    SFT_TRY(sft_file_open(path, &bytes));
    sft_sha256(bytes.data, bytes.size, hex);
    sft_file_close(&bytes);
    return SFT_OK;
}

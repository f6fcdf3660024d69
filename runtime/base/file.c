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

static uint32_t rotate(uint32_t word, int by) { return word >> by | word << (32 - by); }

static void sha256_block(uint32_t state[8], const uint8_t block[64])
{
    static const uint32_t k[64] = {
        0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
        0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
        0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
        0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
        0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
        0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
        0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
        0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
    };
    uint32_t w[64], s[8];
    for (int i = 0; i < 16; i++)
        w[i] = (uint32_t)block[4 * i] << 24 | (uint32_t)block[4 * i + 1] << 16 |
               (uint32_t)block[4 * i + 2] << 8 | block[4 * i + 3];
    for (int i = 16; i < 64; i++)
        w[i] = w[i - 16] + w[i - 7] + (rotate(w[i - 15], 7) ^ rotate(w[i - 15], 18) ^ w[i - 15] >> 3) +
               (rotate(w[i - 2], 17) ^ rotate(w[i - 2], 19) ^ w[i - 2] >> 10);
    memcpy(s, state, sizeof(s));
    for (int i = 0; i < 64; i++) {
        uint32_t t1 = s[7] + (rotate(s[4], 6) ^ rotate(s[4], 11) ^ rotate(s[4], 25)) +
                      ((s[4] & s[5]) ^ (~s[4] & s[6])) + k[i] + w[i];
        uint32_t t2 = (rotate(s[0], 2) ^ rotate(s[0], 13) ^ rotate(s[0], 22)) +
                      ((s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2]));
        memmove(s + 1, s, 7 * sizeof(s[0]));
        s[4] += t1;
        s[0] = t1 + t2;
    }
    for (int i = 0; i < 8; i++) state[i] += s[i];
}

void sft_sha256(const void *data, size_t size, char hex[65])
{
    uint32_t state[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                         0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
    const uint8_t *bytes = data;
    uint8_t tail[128] = {0};
    size_t whole = size / 64 * 64, rest = size - whole, padded = rest < 56 ? 64 : 128;
    uint64_t bits = (uint64_t)size * 8;
    for (size_t i = 0; i < whole; i += 64) sha256_block(state, bytes + i);
    if (rest) memcpy(tail, bytes + whole, rest);
    tail[rest] = 0x80;
    for (int i = 0; i < 8; i++) tail[padded - 1 - (size_t)i] = (uint8_t)(bits >> (8 * i));
    for (size_t i = 0; i < padded; i += 64) sha256_block(state, tail + i);
    for (int i = 0; i < 8; i++) snprintf(hex + 8 * i, 9, "%08x", state[i]);
}

enum sft_status sft_file_sha256(const char *path, char hex[65])
{
    struct sft_bytes bytes;
    SFT_TRY(sft_file_open(path, &bytes));
    sft_sha256(bytes.data, bytes.size, hex);
    sft_file_close(&bytes);
    return SFT_OK;
}

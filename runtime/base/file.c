/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/base/alloc.h"
#include "runtime/base/mapped.h"
#include "runtime/base/path.h"

/* From this size on a file stays where it is, mapped, and its pages are the system's to drop. */
#define LARGE ((size_t)16 << 20)

/* ---- reading ---- */

/* What the reason says about whose fault it is. */
static enum sft_status unreadable(const char *path, const char *what, int reason)
{
    if (reason == ENOMEM) return sft_fail(SFT_MEMORY, "%s: %s: %s", path, what, strerror(reason));
    if (reason == EMFILE || reason == ENFILE)
        return sft_fail(SFT_FAILED, "%s: %s: %s; raise the limit (ulimit -n)", path, what, strerror(reason));
    return sft_fail(SFT_DATA, "%s: %s: %s", path, what, strerror(reason));
}

static enum sft_status read_whole(int file, const char *path, struct sft_bytes *bytes)
{
    uint8_t *memory = sft_calloc(bytes->size, 1);
    size_t got = 0;
    bytes->memory = memory;
    if (!memory) return SFT_MEMORY;
    while (got < bytes->size) {
        ssize_t some = read(file, memory + got, bytes->size - got);
        if (some < 0 && errno == EINTR) continue;
        if (some < 0) return unreadable(path, "cannot be read", errno);
        if (some == 0) return sft_fail(SFT_DATA, "%s: was cut off while it was read", path);
        got += (size_t)some;
    }
    bytes->data = memory;
    return SFT_OK;
}

/* Takes the open file over. */
static enum sft_status map(int file, const char *path, struct sft_bytes *bytes)
{
    enum sft_status status;
    bytes->mapped = sft_mapped_open(file, path, bytes->size);
    if (bytes->mapped) {
        bytes->data = sft_mapped_bytes(bytes->mapped);
        return SFT_OK;
    }
    status = unreadable(path, "cannot be read", errno);
    close(file);
    return status;
}

/* Without waiting for somebody at the other end of a pipe. The file, or -1 with errno, which is 0 for
 * what is no regular file. */
static int open_regular(const char *path, size_t *size)
{
    struct stat info;
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (file < 0) return -1;
    if (fstat(file, &info) == 0 && S_ISREG(info.st_mode)) {
        *size = (size_t)info.st_size;
        return file;
    }
    close(file);
    errno = 0;
    return -1;
}

enum sft_status sft_file_open(const char *path, struct sft_bytes *bytes)
{
    enum sft_status status = SFT_OK;
    int file;
    *bytes = (struct sft_bytes){0};
    file = open_regular(path, &bytes->size);
    if (file < 0 && errno == 0) return sft_fail(SFT_DATA, "%s: not a regular file", path);
    if (file < 0) return unreadable(path, "cannot be opened", errno);
    if (bytes->size >= LARGE) {
        status = map(file, path, bytes);
    } else {
        bytes->data = (const uint8_t *)"";
        if (bytes->size > 0) status = read_whole(file, path, bytes);
        close(file);
    }
    if (status != SFT_OK) sft_file_close(bytes);
    return status;
}

bool sft_file_is_absent(const char *path)
{
    return access(path, F_OK) != 0 && (errno == ENOENT || errno == ENOTDIR);
}

size_t sft_file_head(const char *path, void *head, size_t size)
{
    size_t whole;
    int file = open_regular(path, &whole);
    ssize_t got = file >= 0 ? read(file, head, size) : 0;
    if (file >= 0) close(file);
    return got > 0 ? (size_t)got : 0;
}

enum sft_status sft_file_size(const char *path, size_t *size)
{
    struct stat info;
    if (stat(path, &info) != 0) return unreadable(path, "cannot be opened", errno);
    *size = (size_t)info.st_size;
    return SFT_OK;
}

void sft_file_close(struct sft_bytes *bytes)
{
    if (bytes->mapped) sft_mapped_close(bytes->mapped);
    free(bytes->memory);
    *bytes = (struct sft_bytes){0};
}

enum sft_status sft_files_whole(void)
{
    static atomic_flag told = ATOMIC_FLAG_INIT;
    const char *path = sft_mapped_damaged();
    if (!path) return SFT_OK;
    if (atomic_flag_test_and_set(&told)) return SFT_DATA;
    return sft_fail(SFT_DATA, "%s: was cut off or became unreadable while it was in use", path);
}

/* ---- writing ---- */

static enum sft_status write_all(int file, const char *path, const uint8_t *data, size_t size)
{
    while (size > 0) {
        ssize_t wrote = write(file, data, size > INT_MAX ? INT_MAX : size);
        if (wrote < 0 && errno == EINTR) continue;
        if (wrote <= 0) return sft_fail(SFT_WRITE, "%s: cannot be written: %s", path, strerror(errno));
        data += wrote;
        size -= (size_t)wrote;
    }
    return SFT_OK;
}

static enum sft_status write_pieces(int file, const char *path, sft_next_piece next, void *context)
{
    struct sft_piece piece = {NULL, 0};
    do {
        SFT_TRY(next(context, &piece));
        SFT_TRY(write_all(file, path, piece.data, piece.size));
    } while (piece.size > 0);
    if (fsync(file) != 0) return sft_fail(SFT_WRITE, "%s: cannot be written: %s", path, strerror(errno));
    return SFT_OK;
}

/* Temporary files are called PATH.XXXXXXXXXXXX.part, and are locked for as long as their writer lives. Of a
 * name that is so long that file systems would not take more of it, they have only the beginning. */
enum { RANDOM_DIGITS = 12, LONGEST_NAME = 255 };
static const char part[] = ".part";
enum { LONGEST_STEM = LONGEST_NAME - RANDOM_DIGITS - (int)sizeof(part) };

static const char *base_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static size_t stem_length(const char *base)
{
    size_t length = strlen(base);
    return length < LONGEST_STEM ? length : LONGEST_STEM;
}

static bool is_random_digit(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); }

static bool is_temporary_of(const char *name, const char *base)
{
    size_t length = stem_length(base);
    if (strncmp(name, base, length) != 0 || name[length] != '.') return false;
    name += length + 1;
    for (int i = 0; i < RANDOM_DIGITS; i++)
        if (!is_random_digit(name[i])) return false;
    return strcmp(name + RANDOM_DIGITS, part) == 0;
}

/* Removes a temporary file whose writer is gone: its lock can be had. */
static void remove_abandoned(int folder, const char *name)
{
    struct stat info;
    int file = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (file < 0) return;
    if (fstat(file, &info) == 0 && S_ISREG(info.st_mode) && flock(file, LOCK_EX | LOCK_NB) == 0)
        unlinkat(folder, name, 0);
    close(file);
}

static void remove_all_abandoned(int folder, const char *base)
{
    int again = dup(folder);
    DIR *entries = again >= 0 ? fdopendir(again) : NULL;
    if (!entries && again >= 0) close(again);
    for (const struct dirent *entry; entries && (entry = readdir(entries));)
        if (is_temporary_of(entry->d_name, base)) remove_abandoned(folder, entry->d_name);
    if (entries) closedir(entries);
}

/* Makes the rename durable (some file systems refuse fsync on folders; the file itself is safe then), and
 * tidies up. */
static void finish_folder(const char *path)
{
    char *folder = sft_strdup(path), *slash = folder ? strrchr(folder, '/') : NULL;
    int file;
    if (!folder) return;
    if (slash) slash[slash == folder] = '\0';
    file = open(slash ? folder : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (file >= 0) {
        fsync(file);
        remove_all_abandoned(file, base_of(path));
        close(file);
    }
    free(folder);
}

static void random_name(const char *path, char *name, size_t room)
{
    static atomic_uint number;
    const char *base = base_of(path);
    size_t length = (size_t)(base - path) + stem_length(base);
    uint64_t bits = 0;
    if (getentropy(&bits, sizeof(bits)) != 0)
        bits = (uint64_t)getpid() << 24 | (atomic_fetch_add(&number, 1) & 0xffffff);
    snprintf(name, room, "%.*s.%0*" PRIx64 "%s", (int)length, path, RANDOM_DIGITS, bits & 0xffffffffffff,
             part);
}

/* A new file, locked. What somebody else has put under that name is not opened, be it a link; and a file that
 * was taken for abandoned before it was locked is given up. */
static int create(const char *path, char *name, size_t room)
{
    for (int attempt = 0; attempt < 100; attempt++) {
        struct stat info;
        int file;
        random_name(path, name, room);
        file = open(name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
        if (file < 0 && errno == EEXIST) continue;
        if (file < 0) return -1;
        flock(file, LOCK_EX | LOCK_NB);
        if (fstat(file, &info) == 0 && info.st_nlink > 0) return file;
        close(file);
    }
    errno = EEXIST;
    return -1;
}

static enum sft_status check_target(const char *path)
{
    struct stat info;
    if (stat(path, &info) != 0 || S_ISREG(info.st_mode)) return SFT_OK;
    return sft_fail(SFT_WRITE, "%s: not a regular file, and is not replaced by one", path);
}

static enum sft_status write_and_rename(const char *path, const char *temporary, int file,
                                        sft_next_piece next, void *context)
{
    SFT_TRY(write_pieces(file, path, next, context));
    if (rename(temporary, path) != 0)
        return sft_fail(SFT_WRITE, "%s: cannot be replaced: %s", path, strerror(errno));
    return SFT_OK;
}

static enum sft_status whole_once(void *context, struct sft_piece *piece)
{
    struct sft_piece *whole = context;
    *piece = *whole;
    *whole = (struct sft_piece){NULL, 0};
    return SFT_OK;
}

enum sft_status sft_file_write(const char *path, const void *data, size_t size)
{
    struct sft_piece whole = {data, size};
    return sft_file_write_pieces(path, whole_once, &whole);
}

enum sft_status sft_file_write_pieces(const char *path, sft_next_piece next, void *context)
{
    enum sft_status status;
    size_t room = strlen(path) + RANDOM_DIGITS + sizeof(part) + 1;
    char *temporary;
    int file;
    SFT_TRY(check_target(path));
    temporary = sft_calloc(room, 1);
    if (!temporary) return SFT_MEMORY;
    file = create(path, temporary, room);
    if (file < 0) {
        status = sft_fail(SFT_WRITE, "%s: cannot be created: %s", temporary, strerror(errno));
    } else {
        status = write_and_rename(path, temporary, file, next, context);
        if (status == SFT_OK)
            finish_folder(path);
        else
            unlink(temporary);
        close(file);
    }
    free(temporary);
    return status;
}

/* ---- folders ---- */

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

enum sft_status sft_refuse_link(const char *path)
{
    struct stat info;
    if (lstat(path, &info) != 0 || !S_ISLNK(info.st_mode)) return SFT_OK;
    return sft_fail(SFT_WRITE, "%s: a link, through which nothing is written; remove it", path);
}

/* Makes path[0 .. end-1] a folder that is no link. */
static enum sft_status make_own_folder(char *path, char *end)
{
    enum sft_status status;
    char kept = *end;
    *end = '\0';
    status = sft_refuse_link(path);
    if (status == SFT_OK) status = sft_make_folder(path);
    *end = kept;
    return status;
}

enum sft_status sft_make_folder_in(const char *folder, const char *below)
{
    enum sft_status status;
    char *path;
    SFT_TRY(sft_make_folder(folder));
    path = sft_path_join(folder, "%s", below);
    if (!path) return SFT_MEMORY;
    status = SFT_OK;
    for (char *end = path + strlen(folder) + 1; status == SFT_OK && *end; end++)
        if (end[1] == '/' || end[1] == '\0') status = make_own_folder(path, end + 1);
    free(path);
    return status;
}

enum sft_status sft_file_sha256(const char *path, char hex[65])
{
    struct sft_bytes bytes;
    SFT_TRY(sft_file_open(path, &bytes));
    sft_sha256(bytes.data, bytes.size, hex);
    sft_file_close(&bytes);
    return sft_files_whole();
}

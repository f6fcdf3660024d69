/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/jobs/run_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "runtime/base/log.h"
#include "tools/jobs/run_paths.h"

/* Who holds the lock, for the message of the one who does not get it. */
static void sign(int file)
{
    struct utsname system;
    char text[256];
    int length;
    if (uname(&system) != 0) system.nodename[0] = '\0';
    length = snprintf(text, sizeof(text), "process %ld on %.200s", (long)getpid(), system.nodename);
    if (ftruncate(file, 0) != 0 || pwrite(file, text, (size_t)length, 0) != length)
        sft_log(SFT_LOG_DEBUG, "the lock of a run says nothing of its holder: %s", strerror(errno));
}

static enum sft_status refuse(const char *folder, int file)
{
    char holder[256];
    ssize_t length = pread(file, holder, sizeof(holder) - 1, 0);
    holder[length > 0 ? length : 0] = '\0';
    return sft_fail(SFT_USAGE, "--out %s: %s is writing there; wait for its end, or name another folder",
                    folder, *holder ? holder : "another process");
}

/* Whether `path` still names the open file: a holder removes it when it is done. */
static bool is_still(const char *path, int file)
{
    struct stat named, opened;
    return stat(path, &named) == 0 && fstat(file, &opened) == 0 && named.st_dev == opened.st_dev &&
           named.st_ino == opened.st_ino;
}

/* One attempt; *again where the file went away in the meantime. */
static enum sft_status try_lock(const char *folder, const char *path, int *lock, bool *again)
{
    enum sft_status status = SFT_OK;
    int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
    *again = false;
    if (file < 0) return sft_fail(SFT_WRITE, "%s: %s", path, strerror(errno));
    if (flock(file, LOCK_EX | LOCK_NB) == 0) {
        *again = !is_still(path, file);
        if (!*again) sign(file);
    } else if (errno == EWOULDBLOCK) {
        status = refuse(folder, file);
    } else {
        sft_log(SFT_LOG_WARNING, "--out %s: cannot be locked (%s); let no other run write there", folder,
                strerror(errno));
    }
    if (status == SFT_OK && !*again)
        *lock = file;
    else
        close(file);
    return status;
}

enum sft_status sft_run_lock(const char *folder, int *lock)
{
    char path[SFT_RUN_PATH];
    bool again = true;
    *lock = -1;
    sft_run_file(folder, SFT_RUN_LOCK_FILE, path);
    while (again) SFT_TRY(try_lock(folder, path, lock, &again));
    return SFT_OK;
}

void sft_run_unlock(const char *folder, int *lock)
{
    char path[SFT_RUN_PATH];
    if (*lock < 0) return;
    unlink(sft_run_file(folder, SFT_RUN_LOCK_FILE, path));
    flock(*lock, LOCK_UN);
    close(*lock);
    *lock = -1;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/jobs/outputs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/base/alloc.h"

/* The folder of the path, in memory of its own; NULL without memory. */
static char *folder_of(const char *path)
{
    char *folder = sft_strdup(path), *slash = folder ? strrchr(folder, '/') : NULL;
    if (slash == folder && slash) slash++;
    if (slash) *slash = '\0';
    if (slash || !folder) return folder;
    free(folder);
    return sft_strdup(".");
}

static enum sft_status check_folder(const char *where, const char *path)
{
    char *folder = folder_of(path);
    enum sft_status status = folder ? SFT_OK : SFT_MEMORY;
    if (folder && access(folder, W_OK | X_OK) != 0)
        status = sft_fail(SFT_WRITE, "%s %s: its folder: %s", where, path, strerror(errno));
    free(folder);
    return status;
}

enum sft_status sft_output_check(const char *where, const char *path, bool overwrite)
{
    struct stat info;
    if (stat(path, &info) != 0) return check_folder(where, path);
    if (!S_ISREG(info.st_mode)) return sft_fail(SFT_WRITE, "%s %s: not a regular file", where, path);
    if (!overwrite)
        return sft_fail(SFT_USAGE, "%s %s: is there already; name another file, or say --overwrite", where,
                        path);
    return check_folder(where, path);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/base/memory.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum { TEXT = 8192, PATH = 4096 };

static bool read_text(const char *path, char *text, size_t size)
{
    FILE *file = fopen(path, "r");
    size_t n = 0;
    if (file) {
        n = fread(text, 1, size - 1, file);
        fclose(file);
    }
    text[n] = '\0';
    return n > 0;
}

/* ---- the process ---- */

uint64_t sft_memory_resident(void)
{
    char text[TEXT], *end;
    if (!read_text("/proc/self/statm", text, sizeof(text))) return 0;
    strtoull(text, &end, 10);
    return strtoull(end, NULL, 10) * (uint64_t)sysconf(_SC_PAGESIZE);
}

uint64_t sft_memory_peak(void)
{
    struct rusage usage;
    return getrusage(RUSAGE_SELF, &usage) == 0 ? (uint64_t)usage.ru_maxrss * 1024 : 0;
}

/* ---- the machine ---- */

uint64_t sft_memory_key(const char *text, const char *key)
{
    size_t length = strlen(key);
    while (text && strncmp(text, key, length) != 0) {
        text = strchr(text, '\n');
        if (text) text++;
    }
    return text ? strtoull(text + length, NULL, 10) * 1024 : 0;
}

/* A file of one number; `otherwise` for "max", or where there is none. */
static uint64_t read_number(const char *folder, const char *name, uint64_t otherwise)
{
    char path[PATH + 64], text[TEXT], *end;
    uint64_t number;
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    if (!read_text(path, text, sizeof(text))) return otherwise;
    number = strtoull(text, &end, 10);
    return end == text ? otherwise : number;
}

static uint64_t folder_room(const char *folder)
{
    uint64_t most = read_number(folder, "memory.max", UINT64_MAX);
    uint64_t taken = read_number(folder, "memory.current", 0);
    if (most == UINT64_MAX) return most;
    return most > taken ? most - taken : 0;
}

uint64_t sft_memory_cgroup_room(const char *list, const char *mount)
{
    char text[TEXT], folder[PATH];
    char *name, *slash;
    size_t root = strlen(mount);
    uint64_t least = UINT64_MAX;
    if (!read_text(list, text, sizeof(text))) return least;
    name = strncmp(text, "0::", 3) == 0 ? text : strstr(text, "\n0::");
    if (!name) return least;
    name = strchr(name, '/');
    if (!name) return least;
    name[strcspn(name, "\n")] = '\0';
    snprintf(folder, sizeof(folder), "%s%s", mount, name);
    while (strlen(folder) >= root) {
        uint64_t room = folder_room(folder);
        if (room < least) least = room;
        slash = strrchr(folder, '/');
        if (!slash) break;
        *slash = '\0';
    }
    return least;
}

uint64_t sft_memory_available(void)
{
    char text[TEXT];
    uint64_t machine = 0, group = sft_memory_cgroup_room("/proc/self/cgroup", "/sys/fs/cgroup");
    if (read_text("/proc/meminfo", text, sizeof(text))) machine = sft_memory_key(text, "MemAvailable:");
    return group < machine ? group : machine;
}

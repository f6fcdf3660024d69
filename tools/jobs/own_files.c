/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/jobs/own_files.h"

#include <dirent.h>
#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/base/alloc.h"
#include "runtime/base/file.h"
#include "runtime/base/json.h"
#include "runtime/base/path.h"
#include "tools/jobs/run_paths.h"

/* Names that runs give: of a run, or behind seed-N/ of one of its seeds. */
static const char *const own_names[] = {
    SFT_FILE_RECORD,
    SFT_FILE_MODEL,
    SFT_FILE_CHECKPOINT,
    SFT_FILE_METRICS,
    SFT_FILE_PROP1,
    SFT_FILE_RESULTS,
    SFT_FILE_RESULTS_CSV,
    SFT_FILE_EXAMPLES,
    SFT_FILE_REPORT,
    SFT_FILE_SEEDS,
    SFT_FILE_SEEDS_CSV,
    SFT_RUN_ABOUT_FILE,
    SFT_RUN_LOCK_FILE,
    "model-[0-9]*.safetensors",
    "*-bins.csv",
    "*-kernel.csv",
    SFT_FOLDER_PLOTS "/*.svg",
    SFT_FOLDER_PLOTS "/*.png",
    SFT_FOLDER_PLOTS "/*.csv",
    SFT_FOLDER_PLOTS "/*/*.svg",
    SFT_FOLDER_PLOTS "/*/*.png",
    SFT_FOLDER_PLOTS "/*/*.csv",
    SFT_FOLDER_SCORES "/*/*.npy",
    SFT_FOLDER_SCORES "/*/*/*.npy",
};

/* ---- lists ---- */

static bool is_folder(const char *path)
{
    struct stat about; /* a link is none: what it leads to is not the run's */
    return lstat(path, &about) == 0 && S_ISDIR(about.st_mode);
}

static int compare_paths(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void sort(struct sft_file_list *list)
{
    if (list->count) qsort(list->items, list->count, sizeof(char *), compare_paths);
}

/* Takes `path` over, in any case. */
static enum sft_status add_path(struct sft_file_list *list, char *path)
{
    enum sft_status status = sft_grow(&list->items, &list->capacity, list->count + 1, sizeof(char *));
    if (status == SFT_OK)
        list->items[list->count++] = path;
    else
        free(path);
    return status;
}

enum sft_status sft_file_list_add(struct sft_file_list *list, const char *path)
{
    char *copy = sft_strdup(path);
    return copy ? add_path(list, copy) : SFT_MEMORY;
}

/* The hidden files and folders at the top of a run folder. */
static bool is_for_runs(const char *below, const char *name)
{
    return !*below && strncmp(name, SFT_RUN_HIDDEN, strlen(SFT_RUN_HIDDEN)) == 0;
}

/* Appends what is in FOLDER/BELOW; an empty `below` is the folder itself. */
static enum sft_status walk(const char *folder, const char *below, struct sft_file_list *list)
{
    enum sft_status status = SFT_OK;
    char *path = *below ? sft_path_join(folder, "%s", below) : sft_strdup(folder);
    DIR *entries = path ? opendir(path) : NULL;
    if (!path) return SFT_MEMORY;
    if (!entries && errno != ENOENT && errno != EACCES) /* there, but not to be listed now */
        status = sft_fail(errno == ENOMEM ? SFT_MEMORY : SFT_FAILED, "%s: %s", path, strerror(errno));
    for (const struct dirent *entry; status == SFT_OK && entries && (entry = readdir(entries));) {
        const char *name = entry->d_name;
        char *relative, *full;
        if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || is_for_runs(below, name)) continue;
        relative = *below ? sft_path_join(below, "%s", name) : sft_strdup(name);
        full = relative ? sft_path_join(folder, "%s", relative) : NULL;
        if (!full) {
            free(relative);
            status = SFT_MEMORY;
        } else if (is_folder(full)) {
            status = walk(folder, relative, list);
            free(relative);
        } else {
            status = add_path(list, relative);
        }
        free(full);
    }
    if (entries) closedir(entries);
    free(path);
    return status;
}

enum sft_status sft_file_list_read(const char *folder, struct sft_file_list *list)
{
    *list = (struct sft_file_list){.count = 0};
    SFT_TRY(walk(folder, "", list));
    sort(list);
    return SFT_OK;
}

bool sft_file_list_has(const struct sft_file_list *list, const char *path)
{
    return list->count && bsearch(&path, list->items, list->count, sizeof(char *), compare_paths);
}

void sft_file_list_free(struct sft_file_list *list)
{
    for (size_t i = 0; i < list->count; i++) free(list->items[i]);
    free(list->items);
    *list = (struct sft_file_list){.count = 0};
}

/* ---- what is a run's own ---- */

bool sft_is_run_name(const char *path)
{
    const char *slash = strchr(path, '/');
    if (slash && fnmatch("seed-[0-9]*/*", path, 0) == 0) path = slash + 1;
    for (size_t i = 0; i < sizeof(own_names) / sizeof(own_names[0]); i++)
        if (fnmatch(own_names[i], path, FNM_PATHNAME) == 0) return true;
    return false;
}

bool sft_is_fixed_name(const char *path)
{
    for (size_t i = 0; i < sizeof(own_names) / sizeof(own_names[0]); i++)
        if (strcmp(own_names[i], path) == 0) return true;
    return false;
}

enum sft_status sft_run_about(const char *folder, json_t **about)
{
    char path[SFT_RUN_PATH];
    return sft_json_read_found(sft_run_file(folder, SFT_RUN_ABOUT_FILE, path), about);
}

static enum sft_status read_list(const json_t *array, struct sft_file_list *list)
{
    for (size_t i = 0; i < json_array_size(array); i++) {
        char *path = sft_json_bytes(json_array_get(array, i));
        if (!path) return SFT_MEMORY;
        SFT_TRY(add_path(list, path));
    }
    sort(list);
    return SFT_OK;
}

enum sft_status sft_own_read(const json_t *about, struct sft_own *own)
{
    const json_t *files = json_object_get(about, "files");
    *own = (struct sft_own){.listed = files != NULL};
    SFT_TRY(read_list(files, &own->files));
    return read_list(json_object_get(about, "others"), &own->others);
}

bool sft_own_has(const struct sft_own *own, const char *path)
{
    if (own->listed) return sft_file_list_has(&own->files, path);
    return sft_is_run_name(path) && !sft_file_list_has(&own->others, path);
}

void sft_own_free(struct sft_own *own)
{
    sft_file_list_free(&own->files);
    sft_file_list_free(&own->others);
}

/* ---- taking the place of another run ---- */

/* Removes the folders above FOLDER/PATH, up to FOLDER, that are empty. */
static void prune(const char *folder, const char *path)
{
    char *full = sft_path_join(folder, "%s", path), *slash = full ? strrchr(full, '/') : NULL;
    const size_t top = strlen(folder);
    while (slash && (size_t)(slash - full) > top) {
        *slash = '\0';
        if (rmdir(full) != 0) break;
        slash = strrchr(full, '/');
    }
    free(full);
}

struct replacement {
    const char *from, *to;
    struct sft_own coming, going;
    struct sft_file_list there; /* all in the folder */
};

static bool is_in_way(const struct replacement *replacement, const char *path)
{
    char *from;
    bool comes;
    if (!sft_file_list_has(&replacement->there, path) || sft_own_has(&replacement->going, path)) return false;
    from = sft_path_join(replacement->from, "%s", path);
    comes = from && access(from, F_OK) == 0; /* else it has its place already */
    free(from);
    return comes;
}

static enum sft_status check_way(const struct replacement *replacement)
{
    const struct sft_file_list *files = &replacement->coming.files;
    for (size_t i = 0; i < files->count; i++)
        if (is_in_way(replacement, files->items[i]))
            return sft_fail(SFT_WRITE,
                            "%s/%s: is no file of a run, and in the way of one; move it away and run again "
                            "(the results are whole in %s)",
                            replacement->to, files->items[i], replacement->from);
    return SFT_OK;
}

static void remove_earlier(const struct replacement *replacement)
{
    for (size_t i = 0; i < replacement->there.count; i++) {
        const char *path = replacement->there.items[i];
        char *full;
        if (sft_own_has(&replacement->coming, path) || !sft_own_has(&replacement->going, path)) continue;
        full = sft_path_join(replacement->to, "%s", path);
        if (full && unlink(full) == 0) prune(replacement->to, path);
        free(full);
    }
}

/* Makes the folders above FOLDER/PATH. */
static enum sft_status make_folders(const char *folder, const char *path)
{
    char *below = sft_strdup(path), *slash = below ? strrchr(below, '/') : NULL;
    enum sft_status status = below ? SFT_OK : SFT_MEMORY;
    if (slash) {
        *slash = '\0';
        status = sft_make_folder_in(folder, below);
    }
    free(below);
    return status;
}

static enum sft_status move_file(const struct replacement *replacement, const char *path)
{
    char *from = sft_path_join(replacement->from, "%s", path);
    char *to = sft_path_join(replacement->to, "%s", path);
    enum sft_status status = from && to ? make_folders(replacement->to, path) : SFT_MEMORY;
    if (status == SFT_OK && rename(from, to) != 0 && errno != ENOENT)
        status = sft_fail(SFT_WRITE, "%s: cannot be replaced: %s", to, strerror(errno));
    free(from);
    free(to);
    return status;
}

/* Before anything changes; a folder that an earlier file leaves empty is made again when a file needs it. */
static enum sft_status make_all_folders(const struct replacement *replacement)
{
    const struct sft_file_list *files = &replacement->coming.files;
    for (size_t i = 0; i < files->count; i++) SFT_TRY(make_folders(replacement->to, files->items[i]));
    return SFT_OK;
}

static enum sft_status read_own(const char *folder, struct sft_own *own)
{
    json_t *about;
    enum sft_status status;
    SFT_TRY(sft_run_about(folder, &about));
    status = sft_own_read(about, own);
    json_decref(about);
    return status;
}

static enum sft_status replace(struct replacement *replacement)
{
    const struct sft_file_list *files = &replacement->coming.files;
    SFT_TRY(read_own(replacement->from, &replacement->coming));
    SFT_TRY(read_own(replacement->to, &replacement->going));
    SFT_TRY(sft_file_list_read(replacement->to, &replacement->there));
    SFT_TRY(check_way(replacement));
    SFT_TRY(make_all_folders(replacement));
    remove_earlier(replacement);
    for (size_t i = 0; i < files->count; i++)
        if (strcmp(files->items[i], SFT_FILE_RECORD) != 0) SFT_TRY(move_file(replacement, files->items[i]));
    SFT_TRY(move_file(replacement, SFT_FILE_RECORD));
    return move_file(replacement, SFT_RUN_ABOUT_FILE);
}

enum sft_status sft_own_replace(const char *from, const char *to)
{
    struct replacement replacement = {.from = from, .to = to};
    enum sft_status status = replace(&replacement);
    if (status == SFT_OK) sft_own_remove_tree(from);
    sft_own_free(&replacement.coming);
    sft_own_free(&replacement.going);
    sft_file_list_free(&replacement.there);
    return status;
}

void sft_own_remove_tree(const char *folder)
{
    DIR *entries = is_folder(folder) ? opendir(folder) : NULL;
    for (const struct dirent *entry; entries && (entry = readdir(entries));) {
        char *path;
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
        path = sft_path_join(folder, "%s", entry->d_name);
        if (path && is_folder(path))
            sft_own_remove_tree(path);
        else if (path)
            unlink(path);
        free(path);
    }
    if (entries) closedir(entries);
    rmdir(folder);
}

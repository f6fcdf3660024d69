/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/jobs/run_folder.h"

#include <dirent.h>
#include <errno.h>
#include <fnmatch.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "runtime/base/clock.h"
#include "runtime/base/file.h"
#include "runtime/base/parallel.h"

/* run.json comes first. */
static const char *const own_files[] = {
    SFT_FILE_RECORD, SFT_FILE_MODEL,   SFT_FILE_CHECKPOINT,  SFT_FILE_METRICS,
    SFT_FILE_PROP1,  SFT_FILE_RESULTS, SFT_FILE_RESULTS_CSV, SFT_FILE_EXAMPLES,
    SFT_FILE_REPORT, SFT_FILE_SEEDS,   SFT_FILE_SEEDS_CSV,
};
enum { OWN_FILES = sizeof(own_files) / sizeof(own_files[0]) };

/* What else a run makes: files whose names depend on it, in the folder and in folders below that are its
 * own. */
static const struct {
    const char *below, *pattern;
    int depth; /* of folders in there */
} own_patterns[] = {
    {"", "model-[0-9]*.safetensors", 0}, {"", "*-bins.csv", 0},          {"", "*-kernel.csv", 0},
    {SFT_FOLDER_PLOTS, "*.svg", 1},      {SFT_FOLDER_PLOTS, "*.png", 1}, {SFT_FOLDER_PLOTS, "*.csv", 1},
    {SFT_FOLDER_SCORES, "*.npy", 2},
};

static bool is_empty(DIR *folder)
{
    for (const struct dirent *entry; (entry = readdir(folder));)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) return false;
    return true;
}

enum sft_status sft_run_check(const char *folder, bool reuse)
{
    enum sft_status status = SFT_OK;
    DIR *open_folder = opendir(folder);
    if (strlen(folder) >= sizeof(((struct sft_run *)0)->folder))
        status = sft_fail(SFT_USAGE, "--out: the name of the folder is too long");
    else if (!open_folder && errno != ENOENT)
        status = sft_fail(SFT_WRITE, "--out %s: %s", folder, strerror(errno));
    else if (open_folder && !reuse && !is_empty(open_folder))
        status =
            sft_fail(SFT_USAGE, "--out %s: the folder is in use; name another, or say --overwrite", folder);
    else if (open_folder && access(folder, W_OK) != 0)
        status = sft_fail(SFT_WRITE, "--out %s: %s", folder, strerror(errno));
    if (open_folder) closedir(open_folder);
    return status;
}

const char *sft_run_file(const char *folder, const char *name, char path[SFT_RUN_PATH])
{
    if (snprintf(path, SFT_RUN_PATH, "%s%s%s", folder, *name ? "/" : "", name) >= SFT_RUN_PATH) *path = '\0';
    return path;
}

const char *sft_run_path(const struct sft_run *run, const char *name, char path[SFT_RUN_PATH])
{
    return sft_run_file(run->folder, name, path);
}

const char *sft_snapshot_file(const char *folder, int64_t steps, char path[SFT_RUN_PATH])
{
    char name[64];
    snprintf(name, sizeof(name), "model-%" PRId64 ".safetensors", steps);
    return sft_run_file(folder, name, path);
}

/* ---- what an earlier run left ---- */

/* A link is none: what it points at is not the run's. */
static bool is_folder(const char *path)
{
    struct stat about;
    return lstat(path, &about) == 0 && S_ISDIR(about.st_mode);
}

static void remove_matching(const char *folder, const char *pattern, int depth)
{
    DIR *entries = opendir(folder);
    for (const struct dirent *entry; entries && (entry = readdir(entries));) {
        char path[SFT_RUN_PATH];
        if (entry->d_name[0] == '.' || !*sft_run_file(folder, entry->d_name, path)) continue;
        if (fnmatch(pattern, entry->d_name, 0) == 0) unlink(path);
        if (depth == 0 || !is_folder(path)) continue;
        remove_matching(path, pattern, depth - 1);
        rmdir(path);
    }
    if (entries) closedir(entries);
}

/* Files by their names, never a whole folder: what else someone put there stays, and the folders that hold
 * it. */
static void remove_files(const char *folder)
{
    char path[SFT_RUN_PATH];
    for (int i = 0; i < OWN_FILES; i++) unlink(sft_run_file(folder, own_files[i], path));
    for (size_t i = 0; i < sizeof(own_patterns) / sizeof(own_patterns[0]); i++) {
        const bool below = *own_patterns[i].below;
        sft_run_file(folder, own_patterns[i].below, path);
        if (below && !is_folder(path)) continue;
        remove_matching(path, own_patterns[i].pattern, own_patterns[i].depth);
        if (below) rmdir(path);
    }
}

/* The run's, and those of its seeds. */
static void remove_earlier(const char *folder)
{
    DIR *entries = opendir(folder);
    for (const struct dirent *entry; entries && (entry = readdir(entries));) {
        char path[SFT_RUN_PATH];
        if (fnmatch("seed-[0-9]*", entry->d_name, 0) != 0) continue;
        if (!is_folder(sft_run_file(folder, entry->d_name, path))) continue;
        remove_files(path);
        rmdir(path);
    }
    if (entries) closedir(entries);
    remove_files(folder);
}

static enum sft_status check_input(const char *folder, const struct sft_run_input *input)
{
    char *in = realpath(folder, NULL), *file = input->path ? realpath(input->path, NULL) : NULL;
    size_t length = in ? strlen(in) : 0;
    bool lost = in && file && !is_folder(file) && strncmp(file, in, length) == 0 && file[length] == '/';
    free(in);
    free(file);
    if (!lost) return SFT_OK;
    return sft_fail(SFT_USAGE, "--%s %s lies in --out %s, which --overwrite would clear; name another --out",
                    input->option, input->path, folder);
}

/* No file that is to be read may be one of those that would be removed. */
static enum sft_status check_inputs(const struct sft_run_start *start)
{
    for (const struct sft_run_input *input = start->inputs; input && input->option; input++)
        SFT_TRY(check_input(start->folder, input));
    return SFT_OK;
}

/* Removes what an earlier run left where that is asked for. */
static enum sft_status make_folder(const struct sft_run_start *start, struct sft_run *run)
{
    char path[SFT_RUN_PATH];
    if (start->clean) SFT_TRY(check_inputs(start));
    snprintf(run->folder, sizeof(run->folder), "%s", start->folder);
    run->created = access(start->folder, F_OK) != 0;
    SFT_TRY(sft_make_folder(start->folder));
    SFT_TRY(sft_refuse_link(sft_run_path(run, SFT_FOLDER_PLOTS, path)));
    SFT_TRY(sft_refuse_link(sft_run_path(run, SFT_FOLDER_SCORES, path)));
    if (start->clean) remove_earlier(start->folder);
    return SFT_OK;
}

/* Whether anything but run.json is there of what a run makes. */
static bool has_results(const struct sft_run *run)
{
    char path[SFT_RUN_PATH];
    for (int i = 1; i < OWN_FILES; i++)
        if (access(sft_run_path(run, own_files[i], path), F_OK) == 0) return true;
    return false;
}

/* A run that failed before its first step leaves nothing behind, so that it can be repeated as it was
 * typed. */
static void withdraw(const struct sft_run *run)
{
    char path[SFT_RUN_PATH];
    unlink(sft_run_path(run, own_files[0], path));
    if (run->created) rmdir(run->folder);
}

static enum sft_status write_record(const struct sft_run *run)
{
    char path[SFT_RUN_PATH];
    return sft_json_write(&run->record, sft_run_path(run, SFT_FILE_RECORD, path),
                          JSON_INDENT(2) | JSON_REAL_PRECISION(15));
}

static void note_host(struct sft_json *record)
{
    struct utsname system;
    if (uname(&system) != 0) {
        sft_json_null(record, "host");
        return;
    }
    sft_json_object(record, "host");
    sft_json_text(record, "system", system.sysname);
    sft_json_text(record, "release", system.release);
    sft_json_text(record, "machine", system.machine);
    sft_json_integer(record, "threads", sft_parallel_threads());
    sft_json_end(record);
}

static void note_time(struct sft_json *record, const char *key)
{
    char text[32];
    time_t seconds = time(NULL);
    struct tm parts;
    bool known = gmtime_r(&seconds, &parts) != NULL;
    if (known) strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &parts);
    sft_json_text(record, key, known ? text : NULL);
}

/* What the caller says of the run, as it says it. */
static enum sft_status note_words(const char *text, struct sft_json *record)
{
    json_t *words = text ? json_loads(text, 0, NULL) : json_object(), *value;
    const char *key;
    bool fine = json_is_object(words);
    json_object_foreach(words, key, value) sft_json_value(record, key, json_incref(value));
    json_decref(words);
    return fine ? SFT_OK : sft_fail(SFT_FAILED, "what is to be said in %s is no object", SFT_FILE_RECORD);
}

enum sft_status sft_run_begin(const struct sft_run_start *start, struct sft_run *run)
{
    struct sft_json *record = &run->record;
    *run = (struct sft_run){.start = sft_now()};
    SFT_TRY(make_folder(start, run));
    run->begun = true;
    sft_json_object(record, NULL);
    sft_json_text(record, "program", "sft-vk");
    sft_json_text(record, "version", SFT_VERSION);
    sft_json_text(record, "status", "running");
    SFT_TRY(note_words(start->record, record));
    note_host(record);
    note_time(record, "started");
    sft_json_text(record, "compiler", __VERSION__);
    return write_record(run);
}

enum sft_status sft_run_note_file(struct sft_run *run, const char *name, const char *path)
{
    struct sft_bytes bytes;
    char hex[65];
    SFT_TRY(sft_file_open(path, &bytes));
    sft_sha256(bytes.data, bytes.size, hex);
    sft_json_object(&run->record, name);
    sft_json_text(&run->record, "path", path);
    sft_json_integer(&run->record, "bytes", (int64_t)bytes.size);
    sft_json_text(&run->record, "sha256", hex);
    sft_json_end(&run->record);
    sft_file_close(&bytes);
    return sft_files_whole();
}

const char *sft_run_file_sha256(const struct sft_run *run, const char *name)
{
    const json_t *note = json_object_get(run->record.root, name);
    const char *hex = json_string_value(json_object_get(note, "sha256"));
    return hex ? hex : "";
}

void sft_run_words_free(struct sft_run_words *words)
{
    free(words->record);
    free(words->settings);
    *words = (struct sft_run_words){NULL, NULL};
}

bool sft_run_is_done(const char *folder)
{
    char path[SFT_RUN_PATH];
    json_t *record = sft_json_read_found(sft_run_file(folder, SFT_FILE_RECORD, path));
    const char *status = json_string_value(json_object_get(record, "status"));
    bool done = status && strcmp(status, sft_status_str(SFT_OK)) == 0;
    json_decref(record);
    return done;
}

enum sft_status sft_run_end(struct sft_run *run, enum sft_status status)
{
    struct rusage usage;
    enum sft_status written;
    if (!run->begun) return status;
    if (getrusage(RUSAGE_SELF, &usage) == 0)
        sft_json_integer(&run->record, "peak_host_memory", (int64_t)usage.ru_maxrss * 1024);
    sft_json_real(&run->record, "seconds", sft_now() - run->start);
    note_time(&run->record, "finished");
    sft_json_text(&run->record, "status", sft_status_str(status));
    written = write_record(run);
    if (status != SFT_OK && status != SFT_INTERRUPTED && !has_results(run)) withdraw(run);
    sft_json_free(&run->record);
    run->begun = false;
    return status != SFT_OK ? status : written;
}

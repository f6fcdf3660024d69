/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/jobs/run_folder.h"

#include <dirent.h>
#include <errno.h>
#include <fnmatch.h>
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
#include "tools/cli/common.h"

/* run.json comes first. */
static const char *const own_files[] = {"run.json",      "model.safetensors", "checkpoint.safetensors",
                                        "metrics.jsonl", "prop1.jsonl",       "results.json",
                                        "results.csv",   "examples.json",     "report.html",
                                        "seeds.json",    "seeds.csv"};

/* What else a run makes: files whose names depend on it, in the folder and in folders below that are its own.
 */
static const struct {
    const char *below, *pattern;
    int depth; /* of folders in there */
} own_patterns[] = {
    {"", "model-[0-9]*.safetensors", 0},
    {"", "*-bins.csv", 0},
    {"", "*-kernel.csv", 0},
    {"plots", "*.svg", 1},
    {"plots", "*.png", 1},
    {"plots", "*.csv", 1},
    {"scores", "*.npy", 2},
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

const char *sft_run_path(const struct sft_run *run, const char *name, char *text)
{
    snprintf(text, SFT_RUN_PATH, "%s/%s", run->folder, name);
    return text;
}

/* ---- what an earlier run left ---- */

/* "FOLDER/NAME" into path[SFT_RUN_PATH]; false where that is too long for a run to have made it. */
static bool join(const char *folder, const char *name, char *path)
{
    return snprintf(path, SFT_RUN_PATH, "%s%s%s", folder, *name ? "/" : "", name) < SFT_RUN_PATH;
}

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
        if (entry->d_name[0] == '.' || !join(folder, entry->d_name, path)) continue;
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
    for (size_t i = 0; i < sizeof(own_files) / sizeof(own_files[0]); i++)
        if (join(folder, own_files[i], path)) unlink(path);
    for (size_t i = 0; i < sizeof(own_patterns) / sizeof(own_patterns[0]); i++) {
        const bool below = *own_patterns[i].below;
        if (!join(folder, own_patterns[i].below, path) || (below && !is_folder(path))) continue;
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
        if (fnmatch("seed-[0-9]*", entry->d_name, 0) != 0 || !join(folder, entry->d_name, path)) continue;
        if (!is_folder(path)) continue;
        remove_files(path);
        rmdir(path);
    }
    if (entries) closedir(entries);
    remove_files(folder);
}

static enum sft_status check_input(const char *folder, const char *option, const char *path)
{
    char *in = realpath(folder, NULL), *file = realpath(path, NULL);
    size_t length = in ? strlen(in) : 0;
    bool lost = in && file && !is_folder(file) && strncmp(file, in, length) == 0 && file[length] == '/';
    free(in);
    free(file);
    if (!lost) return SFT_OK;
    return sft_fail(SFT_USAGE, "--%s %s lies in --out %s, which --overwrite would clear; name another --out",
                    option, path, folder);
}

/* No file that an option names may be one of those that would be removed. */
static enum sft_status check_inputs(const struct sft_args *args, const char *folder)
{
    enum sft_status status = SFT_OK;
    json_t *options = sft_args_json(args), *value, *item;
    const char *name;
    size_t i;
    json_object_foreach(options, name, value)
    {
        if (status == SFT_OK && json_is_string(value) && strcmp(name, "out") != 0)
            status = check_input(folder, name, json_string_value(value));
        json_array_foreach(value, i, item) if (status == SFT_OK && json_is_string(item)) status =
            check_input(folder, name, json_string_value(item));
    }
    json_decref(options);
    return status;
}

/* Whether anything but run.json is there of what a run makes. */
static bool has_results(const struct sft_run *run)
{
    char path[SFT_RUN_PATH];
    for (size_t i = 1; i < sizeof(own_files) / sizeof(own_files[0]); i++)
        if (access(sft_run_path(run, own_files[i], path), F_OK) == 0) return true;
    return false;
}

/* A run that failed before its first step leaves nothing behind, so that it can be repeated as it was typed.
 */
static void withdraw(const struct sft_run *run)
{
    char path[SFT_RUN_PATH];
    unlink(sft_run_path(run, own_files[0], path));
    if (run->created) rmdir(run->folder);
}

static enum sft_status write_record(const struct sft_run *run)
{
    char path[SFT_RUN_PATH];
    char *text = json_dumps(run->record, JSON_INDENT(2) | JSON_REAL_PRECISION(15));
    enum sft_status status;
    if (!text) return sft_fail(SFT_MEMORY, "no memory for run.json");
    status = sft_file_write(sft_run_path(run, "run.json", path), text, strlen(text));
    free(text);
    return status;
}

static json_t *command_line(const struct sft_args *args)
{
    json_t *words = json_array();
    json_array_append_new(words, json_string("sft-vk"));
    json_array_append_new(words, json_string(args->command->name));
    for (int i = 0; i < args->argc; i++) {
        json_t *word = json_string(args->argv[i]);
        json_array_append_new(words, word ? word : json_string("(not UTF-8)"));
    }
    return words;
}

static json_t *this_host(void)
{
    struct utsname system;
    if (uname(&system) != 0) return json_null();
    return json_pack("{s:s, s:s, s:s, s:i}", "system", system.sysname, "release", system.release, "machine",
                     system.machine, "threads", sft_parallel_threads());
}

static json_t *time_of_day(void)
{
    char text[32];
    time_t seconds = time(NULL);
    struct tm parts;
    if (!gmtime_r(&seconds, &parts)) return json_null();
    strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &parts);
    return json_string(text);
}

enum sft_status sft_run_begin(const struct sft_args *args, const char *folder, bool clean,
                              struct sft_run *run)
{
    *run = (struct sft_run){.start = sft_now()};
    if (clean) SFT_TRY(check_inputs(args, folder));
    snprintf(run->folder, sizeof(run->folder), "%s", folder);
    run->created = access(folder, F_OK) != 0;
    SFT_TRY(sft_make_folder(folder));
    if (clean) remove_earlier(folder);
    run->record =
        json_pack("{s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:o}", "program", "sft-vk", "version", SFT_VERSION,
                  "status", "running", "command", command_line(args), "options", sft_args_json(args), "given",
                  sft_args_origins_json(args), "host", this_host(), "started", time_of_day());
    if (!run->record) return sft_fail(SFT_MEMORY, "no memory for run.json");
    json_object_set_new(run->record, "compiler", json_string(__VERSION__));
    return write_record(run);
}

void sft_run_note(struct sft_run *run, const char *name, json_t *value)
{
    json_object_set_new(run->record, name, value);
}

void sft_run_note_device(struct sft_run *run, const struct sft_device *device)
{
    sft_run_note(run, "device", sft_device_json(sft_device_get_info(device)));
}

enum sft_status sft_run_note_file(struct sft_run *run, const char *name, const char *path)
{
    struct sft_bytes bytes;
    char hex[65];
    SFT_TRY(sft_file_open(path, &bytes));
    sft_sha256(bytes.data, bytes.size, hex);
    sft_run_note(run, name,
                 json_pack("{s:s, s:I, s:s}", "path", path, "bytes", (json_int_t)bytes.size, "sha256", hex));
    sft_file_close(&bytes);
    return SFT_OK;
}

const char *sft_run_file_sha256(const struct sft_run *run, const char *name)
{
    const char *hex = json_string_value(json_object_get(json_object_get(run->record, name), "sha256"));
    return hex ? hex : "";
}

enum sft_status sft_run_end(struct sft_run *run, enum sft_status status)
{
    struct rusage usage;
    enum sft_status written;
    if (!run->record) return status;
    if (getrusage(RUSAGE_SELF, &usage) == 0)
        sft_run_note(run, "peak_host_memory", json_integer((json_int_t)usage.ru_maxrss * 1024));
    sft_run_note(run, "seconds", json_real(sft_now() - run->start));
    sft_run_note(run, "finished", time_of_day());
    sft_run_note(run, "status", json_string(sft_status_str(status)));
    written = write_record(run);
    if (status != SFT_OK && status != SFT_INTERRUPTED && !has_results(run)) withdraw(run);
    json_decref(run->record);
    run->record = NULL;
    return status != SFT_OK ? status : written;
}

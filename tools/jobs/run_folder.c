/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/jobs/run_folder.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "ood/report/report.h"
#include "runtime/base/clock.h"
#include "runtime/base/file.h"
#include "runtime/base/json_parse.h"
#include "runtime/base/log.h"
#include "runtime/base/parallel.h"
#include "runtime/base/words.h"
#include "tools/jobs/run_lock.h"

const char *const sft_run_kind_words[] = {"training", "seeds", "evaluation", "figure", "reproduction", NULL};
SFT_ASSERT_WORDS(sft_run_kind_words, SFT_RUN_REPRODUCTION);

const char *sft_run_path(const struct sft_run *run, const char *name, char path[SFT_RUN_PATH])
{
    return sft_run_file(run->folder, name, path);
}

bool sft_run_is_done(const char *folder)
{
    char path[SFT_RUN_PATH];
    const char *status;
    json_t *record;
    bool done;
    if (sft_json_read_found(sft_run_file(folder, SFT_FILE_RECORD, path), &record) != SFT_OK) return false;
    status = json_string_value(json_object_get(record, "status"));
    done = status && strcmp(status, sft_status_str(SFT_OK)) == 0;
    json_decref(record);
    return done;
}

/* ---- run.json ---- */

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
    json_t *words = text ? sft_json_parse(text, strlen(text), 0, NULL) : json_object(), *value;
    const char *key;
    bool fine = json_is_object(words);
    json_object_foreach(words, key, value) sft_json_value(record, key, json_incref(value));
    json_decref(words);
    return fine ? SFT_OK : sft_fail(SFT_FAILED, "what is to be said in %s is no object", SFT_FILE_RECORD);
}

struct about {
    const char *kind;
    json_t *identity; /* NULL: none */
};

/* Writes what is hidden of the run, with a list of files under `key`. */
static enum sft_status write_about(const char *folder, struct about what, const char *key,
                                   const struct sft_file_list *files)
{
    struct sft_json about = {0};
    char path[SFT_RUN_PATH];
    enum sft_status status;
    sft_json_object(&about, NULL);
    sft_json_text(&about, "kind", what.kind);
    if (what.identity) sft_json_value(&about, "identity", json_incref(what.identity));
    sft_json_array(&about, key);
    for (size_t i = 0; i < files->count; i++) sft_json_text(&about, NULL, files->items[i]);
    status = sft_json_write(&about, sft_run_file(folder, SFT_RUN_ABOUT_FILE, path), JSON_INDENT(1));
    sft_json_free(&about);
    return status;
}

/* Files that are there, are not the run's, and have names as the run may give them. */
static enum sft_status list_others(const struct sft_run *run, struct sft_file_list *others)
{
    struct sft_own own;
    enum sft_status status = sft_own_read(run->about, &own);
    for (size_t i = 0; status == SFT_OK && i < run->before.count; i++) {
        const char *path = run->before.items[i];
        if (sft_is_run_name(path) && !sft_own_has(&own, path)) status = sft_file_list_add(others, path);
    }
    sft_own_free(&own);
    return status;
}

static enum sft_status write_first_about(const struct sft_run *run)
{
    struct sft_file_list others = {.count = 0};
    const struct about about = {sft_run_kind_words[run->kind], run->identity};
    enum sft_status status = list_others(run, &others);
    if (status == SFT_OK) status = write_about(run->folder, about, "others", &others);
    sft_file_list_free(&others);
    return status;
}

enum sft_status sft_run_begin(struct sft_run *run, const char *words, json_t *identity)
{
    struct sft_json *record = &run->record;
    run->begun = true;
    run->identity = json_incref(identity);
    sft_json_object(record, NULL);
    sft_json_text(record, "program", "sft-vk");
    sft_json_text(record, "version", SFT_VERSION);
    sft_json_text(record, "status", "running");
    SFT_TRY(note_words(words, record));
    note_host(record);
    note_time(record, "started");
    sft_json_text(record, "compiler", __VERSION__);
    SFT_TRY(write_record(run));
    return write_first_about(run);
}

/* A file of the run by the path that it will have. */
static void note_path(struct sft_run *run, const char *path)
{
    const char *below = sft_run_below(run->folder, path);
    char final[SFT_RUN_PATH];
    sft_json_text(&run->record, "path", below ? sft_run_file(run->target, below, final) : path);
}

static void note(struct sft_run *run, const char *name, const char *path, int64_t bytes, const char *sha256,
                 const struct sft_model_file *file)
{
    sft_json_object(&run->record, name);
    note_path(run, path);
    sft_json_integer(&run->record, "bytes", bytes);
    sft_json_text(&run->record, "sha256", sha256);
    if (file && file->layout) {
        sft_json_text(&run->record, "layout", file->layout->name);
        sft_json_text(&run->record, "class_order", file->class_order);
    }
    sft_json_end(&run->record);
}

enum sft_status sft_run_note_file(struct sft_run *run, const char *name, const char *path)
{
    struct sft_bytes bytes;
    char hex[65];
    SFT_TRY(sft_file_open(path, &bytes));
    sft_sha256(bytes.data, bytes.size, hex);
    note(run, name, path, (int64_t)bytes.size, hex, NULL);
    sft_file_close(&bytes);
    return sft_files_whole();
}

void sft_run_note_weights(struct sft_run *run, const char *path, const struct sft_model *model)
{
    note(run, "weights", path, model->file.bytes, model->file.sha256, &model->file);
}

void sft_run_words_free(struct sft_run_words *words)
{
    free(words->record);
    free(words->settings);
    free(words->measures);
    *words = (struct sft_run_words){NULL, NULL, NULL};
}

/* ---- the end ---- */

static bool is_beside(const struct sft_run *run) { return strcmp(run->folder, run->target) != 0; }

/* Lists the files in the folder that are the run's: what it had, which `about` tells of, and what has come
 * since. One that it had and is gone stays its own, should it come back. */
static enum sft_status list_own(const char *folder, const json_t *about, const struct sft_file_list *before,
                                struct sft_file_list *files)
{
    struct sft_own own;
    struct sft_file_list now = {.count = 0};
    enum sft_status status = sft_own_read(about, &own);
    if (status == SFT_OK) status = sft_file_list_read(folder, &now);
    for (size_t i = 0; status == SFT_OK && i < now.count; i++)
        if (!sft_file_list_has(before, now.items[i]) || sft_own_has(&own, now.items[i]))
            status = sft_file_list_add(files, now.items[i]);
    for (size_t i = 0; status == SFT_OK && i < own.files.count; i++)
        if (!sft_file_list_has(&now, own.files.items[i]))
            status = sft_file_list_add(files, own.files.items[i]);
    sft_file_list_free(&now);
    sft_own_free(&own);
    return status;
}

static enum sft_status finish(const struct sft_run *run)
{
    struct sft_file_list files = {.count = 0};
    char stopped[SFT_RUN_PATH];
    enum sft_status status = list_own(run->folder, run->about, &run->before, &files);
    const struct about about = {sft_run_kind_words[run->kind], run->identity};
    if (status == SFT_OK) status = write_about(run->folder, about, "files", &files);
    sft_file_list_free(&files);
    if (status != SFT_OK || !is_beside(run)) return status;
    SFT_TRY(sft_own_replace(run->folder, run->target));
    sft_own_remove_tree(sft_run_file(run->target, SFT_RUN_STOPPED, stopped));
    return SFT_OK;
}

/* Whether there is something to go on from: a state, of the run or of a seed. */
static bool can_go_on(const struct sft_run *run)
{
    struct sft_file_list files;
    bool found = sft_file_list_read(run->folder, &files) != SFT_OK;
    for (size_t i = 0; !found && i < files.count; i++) {
        const char *slash = strrchr(files.items[i], '/');
        found = strcmp(slash ? slash + 1 : files.items[i], SFT_FILE_CHECKPOINT) == 0;
    }
    sft_file_list_free(&files);
    return found;
}

/* The earlier run stays as it was; the one that was to replace it stays where it can be gone on with. */
static void give_up_beside(const struct sft_run *run)
{
    char stopped[SFT_RUN_PATH];
    sft_run_file(run->target, SFT_RUN_STOPPED, stopped);
    if (run->about && !run->begun) return; /* it was refused */
    if (can_go_on(run)) {
        sft_own_remove_tree(stopped);
        sft_log(SFT_LOG_WARNING,
                "--out %s: still holds the results of the earlier run; what this one made is in %s, for "
                "--resume to go on with",
                run->target, run->folder);
        return;
    }
    sft_own_remove_tree(run->folder);
    if (rename(stopped, run->folder) != 0 && errno != ENOENT)
        sft_log(SFT_LOG_WARNING, "%s: cannot be renamed to %s", stopped, run->folder);
}

/* Whether anything but run.json is there. */
static bool has_results(const struct sft_run *run)
{
    struct sft_file_list files;
    bool found = sft_file_list_read(run->folder, &files) != SFT_OK;
    for (size_t i = 0; !found && i < files.count; i++) found = strcmp(files.items[i], SFT_FILE_RECORD) != 0;
    sft_file_list_free(&files);
    return found;
}

/* A run that failed before its first step leaves nothing behind, so that it can be repeated as it was
 * typed. */
static void withdraw(const struct sft_run *run)
{
    char path[SFT_RUN_PATH];
    unlink(sft_run_path(run, SFT_FILE_RECORD, path));
    unlink(sft_run_path(run, SFT_RUN_ABOUT_FILE, path));
}

static void give_up(const struct sft_run *run, enum sft_status status)
{
    if (is_beside(run))
        give_up_beside(run);
    else if (run->begun && status != SFT_INTERRUPTED && !has_results(run))
        withdraw(run);
}

static enum sft_status write_end(struct sft_run *run, enum sft_status status)
{
    struct rusage usage;
    if (getrusage(RUSAGE_SELF, &usage) == 0)
        sft_json_integer(&run->record, "peak_host_memory", (int64_t)usage.ru_maxrss * 1024);
    sft_json_real(&run->record, "seconds", sft_now() - run->start);
    note_time(&run->record, "finished");
    sft_json_text(&run->record, "status", sft_status_str(status));
    return write_record(run);
}

/* A page that cannot be made is a failure, but the results are whole without it. */
static enum sft_status end_well(struct sft_run *run, bool report)
{
    enum sft_status reported = report ? sft_report_from_folder(run->folder) : SFT_OK;
    SFT_TRY(finish(run));
    return reported;
}

static void release(struct sft_run *run)
{
    sft_run_unlock(run->target, &run->lock);
    if (run->created) rmdir(run->target); /* where nothing is left in it */
    sft_json_free(&run->record);
    sft_file_list_free(&run->before);
    json_decref(run->about);
    json_decref(run->identity);
    run->entered = run->begun = false;
}

enum sft_status sft_run_end(struct sft_run *run, enum sft_status status, bool report)
{
    enum sft_status written = SFT_OK;
    if (!run->entered) return status;
    if (run->begun) written = write_end(run, status);
    if (status == SFT_OK) status = written;
    if (status == SFT_OK)
        status = end_well(run, report);
    else
        give_up(run, status);
    release(run);
    return status;
}

/* ---- the report, again ---- */

static enum sft_status report_again(const char *folder, const json_t *about)
{
    struct sft_file_list before = {.count = 0}, files = {.count = 0};
    const struct about same = {json_string_value(json_object_get(about, "kind")),
                               json_object_get(about, "identity")};
    enum sft_status status = sft_file_list_read(folder, &before);
    if (status == SFT_OK) status = sft_report_from_folder(folder);
    if (status == SFT_OK) status = list_own(folder, about, &before, &files);
    if (status == SFT_OK) status = write_about(folder, same, "files", &files);
    sft_file_list_free(&before);
    sft_file_list_free(&files);
    return status;
}

enum sft_status sft_run_report(const char *folder)
{
    json_t *about;
    enum sft_status status = SFT_OK;
    int lock = -1;
    SFT_TRY(sft_run_about(folder, &about));
    if (json_object_get(about, "files")) {
        status = sft_run_lock(folder, &lock);
        if (status == SFT_OK) status = report_again(folder, about);
        sft_run_unlock(folder, &lock);
    } else {
        status = sft_report_from_folder(folder);
    }
    json_decref(about);
    return status;
}

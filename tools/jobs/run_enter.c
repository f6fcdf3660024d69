/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/jobs/run_enter.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "nn/checkpoint/checkpoint.h"
#include "runtime/base/alloc.h"
#include "runtime/base/clock.h"
#include "runtime/base/file.h"
#include "runtime/base/log.h"
#include "tools/jobs/run_lock.h"

static bool exists_in(const char *folder, const char *name)
{
    char path[SFT_RUN_PATH];
    return access(sft_run_file(folder, name, path), F_OK) == 0;
}

/* ---- what is in the folder ---- */

enum contents { NOTHING, A_RUN, SOMETHING_ELSE };

static bool is_empty(DIR *folder)
{
    for (const struct dirent *entry; (entry = readdir(folder));)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 &&
            strcmp(entry->d_name, SFT_RUN_LOCK_FILE) != 0)
            return false;
    return true;
}

/* Whether run.json says that sft-vk made it. */
static enum sft_status find_run(const char *folder, enum contents *contents)
{
    char path[SFT_RUN_PATH];
    const char *program;
    json_t *record;
    SFT_TRY(sft_json_read_found(sft_run_file(folder, SFT_FILE_RECORD, path), &record));
    program = json_string_value(json_object_get(record, "program"));
    *contents = SOMETHING_ELSE;
    if ((program && strcmp(program, "sft-vk") == 0) || exists_in(folder, SFT_RUN_ABOUT_FILE))
        *contents = A_RUN;
    json_decref(record);
    return SFT_OK;
}

static enum sft_status look(const char *folder, enum contents *contents)
{
    DIR *entries = opendir(folder);
    bool empty;
    *contents = NOTHING;
    if (!entries && errno == ENOENT) return SFT_OK;
    if (!entries) return sft_fail(SFT_WRITE, "--out %s: %s", folder, strerror(errno));
    empty = is_empty(entries);
    closedir(entries);
    if (!empty) SFT_TRY(find_run(folder, contents));
    if (access(folder, W_OK) != 0) return sft_fail(SFT_WRITE, "--out %s: %s", folder, strerror(errno));
    return SFT_OK;
}

static enum sft_status judge(const struct sft_run_start *start, enum contents *contents)
{
    SFT_TRY(look(start->folder, contents));
    if (*contents == NOTHING || (*contents == A_RUN && (start->overwrite || start->resume))) return SFT_OK;
    if (*contents == A_RUN)
        return sft_fail(SFT_USAGE, "--out %s: the folder is in use; name another, or say --overwrite",
                        start->folder);
    return sft_fail(
        SFT_USAGE,
        "--out %s: the folder is in use, and by no run of sft-vk, which is all that --overwrite and "
        "--resume are for; name another",
        start->folder);
}

enum sft_status sft_run_check(const struct sft_run_start *start)
{
    enum contents contents;
    if (strlen(start->folder) >= sizeof(((struct sft_run *)0)->target))
        return sft_fail(SFT_USAGE, "--out: the name of the folder is too long");
    return judge(start, &contents);
}

/* ---- inputs that lie in the folder, or around it ---- */

static enum sft_status check_path(const struct sft_run_start *start, const struct sft_own *own,
                                  const struct sft_run_input *input, const char *path)
{
    char *folder = realpath(start->folder, NULL), *real = folder ? realpath(path, NULL) : NULL;
    const char *below = real ? sft_run_below(folder, real) : NULL;
    enum sft_status status = SFT_OK;
    if (below && start->overwrite && !start->resume && sft_own_has(own, below))
        status = sft_fail(SFT_USAGE,
                          "--%s %s lies in --out %s, whose run --overwrite replaces; name another --out",
                          input->option, input->spec, start->folder);
    else if (real && sft_run_below(real, folder))
        sft_log(
            SFT_LOG_WARNING,
            "--out %s lies inside the data of --%s %s, where other programs may take its charts for images",
            start->folder, input->option, input->spec);
    free(real);
    free(folder);
    return status;
}

/* The path that a SPEC, [FORMAT:]PATH[#SPLIT][[FIRST:END]], names, by what is there; NULL where nothing is.
 * The caller releases it with free(). */
static char *path_of(const char *spec)
{
    const char *colon = strchr(spec, ':');
    for (const char *from = spec; from; from = from == spec && colon ? colon + 1 : NULL) {
        char *path = sft_strdup(from);
        char *end = path ? path + strlen(path) : NULL;
        while (end && *path && access(path, F_OK) != 0) {
            while (end > path && *end != '#' && *end != '[') end--;
            *end = '\0';
        }
        if (path && *path) return path;
        free(path);
    }
    return NULL;
}

/* The file or folder of an input: of weights in a folder, they. */
static char *input_path(const struct sft_run_input *input)
{
    if (!input->spec) return NULL;
    return strcmp(input->option, "weights") == 0 ? sft_checkpoint_file(input->spec) : path_of(input->spec);
}

static enum sft_status check_input(const struct sft_run_start *start, const struct sft_own *own,
                                   const struct sft_run_input *input)
{
    char *path = input_path(input);
    enum sft_status status = path ? check_path(start, own, input, path) : SFT_OK;
    free(path);
    return status;
}

static enum sft_status check_inputs(const struct sft_run_start *start)
{
    json_t *about;
    struct sft_own own;
    enum sft_status status;
    SFT_TRY(sft_run_about(start->folder, &about));
    status = sft_own_read(about, &own);
    for (const struct sft_run_input *input = start->inputs; status == SFT_OK && input && input->option;
         input++)
        status = check_input(start, &own, input);
    sft_own_free(&own);
    json_decref(about);
    return status;
}

/* ---- entering ---- */

/* A run that was killed while its files took their places takes the rest of them; one that was killed right
 * after it began gives way to the stopped one that was there before. */
static enum sft_status tidy(const char *folder)
{
    char next[SFT_RUN_PATH], stopped[SFT_RUN_PATH];
    json_t *about;
    bool whole;
    sft_run_file(folder, SFT_RUN_NEXT, next);
    sft_run_file(folder, SFT_RUN_STOPPED, stopped);
    SFT_TRY(sft_run_about(next, &about));
    whole = json_object_get(about, "files") != NULL;
    json_decref(about);
    if (whole) SFT_TRY(sft_own_replace(next, folder));
    if (access(stopped, F_OK) != 0) return SFT_OK;
    if (whole || exists_in(next, SFT_FILE_CHECKPOINT)) {
        sft_own_remove_tree(stopped);
        return SFT_OK;
    }
    sft_own_remove_tree(next);
    if (rename(stopped, next) == 0) return SFT_OK;
    return sft_fail(SFT_WRITE, "%s: cannot be renamed: %s", stopped, strerror(errno));
}

/* In place of the folder's run, beside it. */
static enum sft_status make_next(struct sft_run *run)
{
    char stopped[SFT_RUN_PATH];
    sft_run_file(run->target, SFT_RUN_NEXT, run->folder);
    sft_run_file(run->target, SFT_RUN_STOPPED, stopped);
    if (access(run->folder, F_OK) == 0 && rename(run->folder, stopped) != 0)
        return sft_fail(SFT_WRITE, "%s: cannot be renamed: %s", run->folder, strerror(errno));
    return sft_make_folder(run->folder);
}

static enum sft_status go_on(struct sft_run *run)
{
    const char *kind;
    SFT_TRY(sft_run_about(run->folder, &run->about));
    kind = json_string_value(json_object_get(run->about, "kind"));
    if (kind && strcmp(kind, sft_run_kind_words[run->kind]) == 0) return SFT_OK;
    return sft_fail(SFT_USAGE,
                    "--resume: %s holds %s%s, not %s to go on with; name another folder, or say "
                    "--overwrite",
                    run->target, kind ? "a run of the kind " : "a run of another version", kind ? kind : "",
                    sft_run_kind_words[run->kind]);
}

/* What is gone on with is written in its place: no file of somebody else's may have a name of the run's. */
static enum sft_status check_foreign(const struct sft_run *run)
{
    struct sft_own own;
    const char *foreign = NULL;
    enum sft_status status = sft_own_read(run->about, &own);
    for (size_t i = 0; !foreign && i < run->before.count; i++)
        if (sft_is_fixed_name(run->before.items[i]) && !sft_own_has(&own, run->before.items[i]))
            foreign = run->before.items[i];
    sft_own_free(&own);
    SFT_TRY(status);
    if (!foreign) return SFT_OK;
    return sft_fail(SFT_USAGE,
                    "--resume: %s/%s is no file of the run there, but may be written by it; move it away",
                    run->folder, foreign);
}

static enum sft_status choose_folder(const struct sft_run_start *start, struct sft_run *run)
{
    enum contents contents;
    SFT_TRY(tidy(run->target));
    SFT_TRY(judge(start, &contents));
    SFT_TRY(check_inputs(start));
    if (contents == NOTHING) return SFT_OK;
    if (!start->resume) return make_next(run);
    sft_run_place(run->target, run->folder);
    return go_on(run);
}

static enum sft_status refuse_links(const char *folder)
{
    char path[SFT_RUN_PATH];
    SFT_TRY(sft_refuse_link(sft_run_file(folder, SFT_FOLDER_PLOTS, path)));
    return sft_refuse_link(sft_run_file(folder, SFT_FOLDER_SCORES, path));
}

enum sft_status sft_run_enter(const struct sft_run_start *start, struct sft_run *run)
{
    *run = (struct sft_run){.start = sft_now(), .kind = start->kind, .lock = -1};
    SFT_TRY(sft_run_check(start));
    snprintf(run->target, sizeof(run->target), "%s", start->folder);
    snprintf(run->folder, sizeof(run->folder), "%s", start->folder);
    run->created = access(start->folder, F_OK) != 0;
    SFT_TRY(sft_make_folder(start->folder));
    run->entered = true;
    SFT_TRY(sft_run_lock(start->folder, &run->lock));
    SFT_TRY(choose_folder(start, run));
    SFT_TRY(refuse_links(run->target));
    SFT_TRY(refuse_links(run->folder));
    SFT_TRY(sft_file_list_read(run->folder, &run->before));
    return check_foreign(run);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Who may write into a run folder, and what becomes of the files that are there. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/base/file.h"
#include "tests/support/fixture.h"
#include "tools/jobs/run_enter.h"
#include "tools/jobs/run_lock.h"

static void put(const char *folder, const char *name, const char *text)
{
    char path[SFT_RUN_PATH], full[SFT_RUN_PATH];
    snprintf(full, sizeof(full), "%s", sft_run_file(folder, name, path));
    *strrchr(full, '/') = '\0';
    assert_int_equal(sft_make_folder(full), SFT_OK);
    assert_int_equal(sft_file_write(path, text, strlen(text)), SFT_OK);
}

static bool holds(const char *folder, const char *name, const char *text)
{
    char path[SFT_RUN_PATH], read[64] = "";
    FILE *file = fopen(sft_run_file(folder, name, path), "r");
    if (!file) return text == NULL;
    if (!fgets(read, sizeof(read), file)) *read = '\0';
    fclose(file);
    return text && strcmp(read, text) == 0;
}

static enum sft_status enter(const char *folder, bool overwrite, bool resume, struct sft_run *run)
{
    const struct sft_run_start start = {
        .folder = folder,
        .kind = SFT_RUN_TRAINING,
        .overwrite = overwrite,
        .resume = resume,
    };
    return sft_run_enter(&start, run);
}

/* A run that writes these files, NAME and TEXT in turn up to NULL, and ends with `end`. */
static enum sft_status make_run(const char *folder, bool overwrite, const char *const *files,
                                enum sft_status end)
{
    struct sft_run run;
    enum sft_status status = enter(folder, overwrite, false, &run);
    if (status == SFT_OK) status = sft_run_begin(&run, NULL, NULL);
    for (; status == SFT_OK && *files; files += 2) put(run.folder, files[0], files[1]);
    return sft_run_end(&run, status == SFT_OK ? end : status, false);
}

static const char *const first[] = {SFT_FILE_MODEL, "1", SFT_FILE_RESULTS, "1", "plots/a/b.svg", "1", NULL};
static const char *const second[] = {SFT_FILE_MODEL, "2", "plots/loss.svg", "2", NULL};

static void another_takes_the_place_when_it_is_whole(void **state)
{
    const char *folder = test_path("replaced");
    (void)state;
    assert_int_equal(make_run(folder, false, first, SFT_OK), SFT_OK);
    put(folder, "plots/holiday.svg", "mine");
    put(folder, "model-1.safetensors", "mine");
    assert_int_equal(make_run(folder, false, second, SFT_OK), SFT_USAGE);
    test_expect_last("--overwrite");
    assert_int_equal(make_run(folder, true, second, SFT_FAILED), SFT_FAILED);
    assert_true(holds(folder, SFT_FILE_MODEL, "1") && holds(folder, "plots/a/b.svg", "1"));
    assert_true(holds(folder, SFT_RUN_NEXT "/" SFT_FILE_RECORD, NULL));
    assert_int_equal(make_run(folder, true, second, SFT_OK), SFT_OK);
    assert_true(holds(folder, SFT_FILE_MODEL, "2") && holds(folder, "plots/loss.svg", "2"));
    assert_true(holds(folder, SFT_FILE_RESULTS, NULL) && holds(folder, "plots/a/b.svg", NULL));
    assert_true(holds(folder, "plots/holiday.svg", "mine") && holds(folder, "model-1.safetensors", "mine"));
    assert_int_not_equal(access(test_path("replaced/" SFT_RUN_NEXT), F_OK), 0);
    assert_int_not_equal(access(test_path("replaced/plots/a"), F_OK), 0);
    assert_true(sft_run_is_done(folder));
}

static void files_of_others_are_never_replaced(void **state)
{
    static const char *const clash[] = {SFT_FILE_RESULTS_CSV, "2", NULL};
    const char *folder = test_path("foreign");
    struct sft_run run;
    (void)state;
    put(folder, SFT_FILE_RESULTS_CSV, "mine");
    assert_int_equal(make_run(folder, true, second, SFT_OK), SFT_USAGE);
    test_expect_last("no run of sft-vk");
    assert_int_equal(enter(folder, false, true, &run), SFT_USAGE);
    assert_int_equal(sft_run_end(&run, SFT_USAGE, false), SFT_USAGE);
    assert_true(holds(folder, SFT_FILE_RESULTS_CSV, "mine") && holds(folder, SFT_FILE_RECORD, NULL));

    /* In a run's folder: what has been computed waits until the file is out of the way. */
    folder = test_path("clash");
    assert_int_equal(make_run(folder, false, first, SFT_OK), SFT_OK);
    put(folder, SFT_FILE_RESULTS_CSV, "mine");
    assert_int_equal(make_run(folder, true, clash, SFT_OK), SFT_WRITE);
    test_expect_last("move it away");
    assert_true(holds(folder, SFT_FILE_RESULTS_CSV, "mine") && holds(folder, SFT_FILE_MODEL, "1"));
    unlink(test_path("clash/" SFT_FILE_RESULTS_CSV));
    assert_int_equal(make_run(folder, true, second, SFT_FAILED), SFT_FAILED);
    assert_true(holds(folder, SFT_FILE_RESULTS_CSV, "2") && holds(folder, SFT_FILE_MODEL, NULL));
}

static void what_was_stopped_can_be_gone_on_with(void **state)
{
    static const char *const stopped[] = {SFT_FILE_CHECKPOINT, "2", NULL};
    const char *folder = test_path("stopped");
    struct sft_run run;
    (void)state;
    assert_int_equal(make_run(folder, false, first, SFT_OK), SFT_OK);
    assert_int_equal(make_run(folder, true, stopped, SFT_INTERRUPTED), SFT_INTERRUPTED);
    test_expect_last("--resume");
    assert_true(holds(folder, SFT_FILE_MODEL, "1") && holds(folder, SFT_FILE_CHECKPOINT, NULL));

    /* Another one that fails leaves both as they were. */
    assert_int_equal(make_run(folder, true, second, SFT_FAILED), SFT_FAILED);
    assert_int_equal(enter(folder, false, true, &run), SFT_OK);
    assert_true(holds(run.folder, SFT_FILE_CHECKPOINT, "2"));
    assert_int_equal(sft_run_begin(&run, NULL, NULL), SFT_OK);
    put(run.folder, SFT_FILE_MODEL, "2");
    assert_int_equal(sft_run_end(&run, SFT_OK, false), SFT_OK);
    assert_true(holds(folder, SFT_FILE_MODEL, "2") && holds(folder, SFT_FILE_CHECKPOINT, "2"));
    assert_true(holds(folder, SFT_FILE_RESULTS, NULL));
}

/* A finished run that is gone on with, and killed: what others put there before stays theirs. */
static void files_of_others_stay_theirs_after_a_kill(void **state)
{
    const char *folder = test_path("killed");
    struct sft_run run;
    (void)state;
    assert_int_equal(make_run(folder, false, first, SFT_OK), SFT_OK);
    put(folder, "plots/holiday.svg", "mine");
    assert_int_equal(enter(folder, false, true, &run), SFT_OK);
    assert_int_equal(sft_run_begin(&run, NULL, NULL), SFT_OK);
    put(run.folder, "plots/loss.svg", "2");
    sft_run_unlock(run.target, &run.lock); /* and no more */
    assert_int_equal(make_run(folder, true, first, SFT_OK), SFT_OK);
    assert_true(holds(folder, "plots/holiday.svg", "mine") && holds(folder, "plots/loss.svg", NULL));
    sft_json_free(&run.record);
    sft_file_list_free(&run.before);
    json_decref(run.about);
}

/* As if killed after the first file had its place. */
static void a_replacement_that_was_cut_off_is_finished(void **state)
{
    const char *folder = test_path("cut");
    char next[SFT_RUN_PATH];
    struct sft_run run;
    (void)state;
    assert_int_equal(make_run(folder, false, first, SFT_OK), SFT_OK);
    sft_run_file(folder, SFT_RUN_NEXT, next);
    put(next, SFT_FILE_RECORD, "{\"program\": \"sft-vk\", \"status\": \"ok\"}");
    put(next, SFT_FILE_RESULTS, "2");
    put(next, SFT_RUN_ABOUT_FILE,
        "{\"kind\": \"training\", \"files\": [\"run.json\", \"model.safetensors\", \"results.json\"]}");
    put(folder, SFT_FILE_MODEL, "2");
    assert_int_equal(enter(folder, false, true, &run), SFT_OK);
    assert_string_equal(run.folder, folder);
    assert_int_equal(sft_run_end(&run, SFT_USAGE, false), SFT_USAGE);
    assert_true(holds(folder, SFT_FILE_MODEL, "2") && holds(folder, SFT_FILE_RESULTS, "2"));
    assert_true(holds(folder, "plots/a/b.svg", NULL) && holds(next, SFT_FILE_RECORD, NULL));
}

static void a_folder_has_one_writer(void **state)
{
    const char *folder = test_path("locked");
    struct sft_run one, other;
    int status, lock;
    pid_t child;
    (void)state;
    assert_int_equal(enter(folder, false, false, &one), SFT_OK);
    assert_int_equal(enter(folder, true, false, &other), SFT_USAGE);
    test_expect_last("is writing there");
    assert_int_equal(sft_run_end(&other, SFT_USAGE, false), SFT_USAGE);
    assert_int_equal(sft_run_end(&one, SFT_FAILED, false), SFT_FAILED);
    assert_int_not_equal(access(folder, F_OK), 0); /* it made nothing */

    /* What a process that was killed left of its lock is in nobody's way. */
    assert_int_equal(sft_make_folder(folder), SFT_OK);
    child = fork();
    if (child == 0) _exit(sft_run_lock(folder, &lock) == SFT_OK ? 0 : 1);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_int_equal(access(test_path("locked/" SFT_RUN_LOCK_FILE), F_OK), 0);
    assert_int_equal(enter(folder, false, false, &one), SFT_OK);
    assert_int_equal(sft_run_end(&one, SFT_FAILED, false), SFT_FAILED);
}

static void another_kind_of_run_is_not_gone_on_with(void **state)
{
    struct sft_run_start start = {.folder = test_path("kind"), .kind = SFT_RUN_EVALUATION};
    struct sft_run run;
    (void)state;
    assert_int_equal(make_run(start.folder, false, first, SFT_OK), SFT_OK);
    start.resume = true;
    assert_int_equal(sft_run_enter(&start, &run), SFT_USAGE);
    test_expect_last("training");
    assert_int_equal(sft_run_end(&run, SFT_USAGE, false), SFT_USAGE);
    assert_true(sft_run_is_done(start.folder));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(another_takes_the_place_when_it_is_whole),
        cmocka_unit_test(files_of_others_are_never_replaced),
        cmocka_unit_test(what_was_stopped_can_be_gone_on_with),
        cmocka_unit_test(a_replacement_that_was_cut_off_is_finished),
        cmocka_unit_test(files_of_others_stay_theirs_after_a_kill),
        cmocka_unit_test(a_folder_has_one_writer),
        cmocka_unit_test(another_kind_of_run_is_not_gone_on_with),
    };
    return cmocka_run_group_tests(tests, test_setup_folder, test_remove_folder);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The folder of a run, and run.json in it: all that was asked, chosen and found. It is written when the run
 * starts and again when it ends, so that a run that was killed can be told from one that ended well.
 */
#ifndef SFT_RUN_FOLDER_H
#define SFT_RUN_FOLDER_H

#include <stdbool.h>

#include "ood/results/run_files.h"
#include "runtime/base/json.h"

enum { SFT_RUN_PATH = 4096 };

/* What a caller says of a run that is about to begin. Jobs write it and compare it, and know nothing of what
 * it says. Owned by who asked for it. */
struct sft_run_words {
    char *record;   /* a JSON object whose members go into run.json */
    char *settings; /* all that decides the outcome beside the contents of the inputs: --resume compares it */
};
void sft_run_words_free(struct sft_run_words *words);

/* A file that a run reads, and the option that names it. */
struct sft_run_input {
    const char *option;
    const char *path; /* NULL: not given; what is no path, as a SPEC with a format, is no file */
};

struct sft_run_start {
    const char *folder;
    const char *record; /* a JSON object for run.json; NULL: nothing */
    bool clean;         /* remove what an earlier run made there */
    const struct sft_run_input
        *inputs; /* of which none may be removed; up to one without an option, or NULL */
};

struct sft_run {
    char folder[SFT_RUN_PATH - 64];
    struct sft_json record; /* run.json, in whose object it stands: jobs add what they find; owned */
    double start;           /* seconds of a monotonic clock */
    bool created;           /* the folder was not there before */
    bool begun;
};

/* Whether `folder` may become the folder of a run: new or empty, or `reuse` is set. Before the work starts,
 * so that nothing is computed in vain. SFT_USAGE where it is used, SFT_WRITE where it cannot be. */
enum sft_status sft_run_check(const char *folder, bool reuse) SFT_MUST_CHECK;

/* Makes the folder and writes a first run.json. With `clean`, the files that an earlier run made there are
 * removed, in plots/, scores/ and the folders of seeds too; others stay, and SFT_USAGE where an input lies in
 * there. Release with sft_run_end() in any case. */
enum sft_status sft_run_begin(const struct sft_run_start *start, struct sft_run *run) SFT_MUST_CHECK;

/* Notes a file with its size and SHA-256 under a name. SFT_DATA where it cannot be read. */
enum sft_status sft_run_note_file(struct sft_run *run, const char *name, const char *path) SFT_MUST_CHECK;

/* The SHA-256 of a file that was noted, "" where none of that name was. */
const char *sft_run_file_sha256(const struct sft_run *run, const char *name);

/* "FOLDER/NAME", FOLDER alone where `name` is ""; returns path, "" where that is too long. */
const char *sft_run_file(const char *folder, const char *name, char path[SFT_RUN_PATH]);
const char *sft_run_path(const struct sft_run *run, const char *name, char path[SFT_RUN_PATH]);

/* The file of the model that a training kept after `steps` steps; returns path, "" where that is too long. */
const char *sft_snapshot_file(const char *folder, int64_t steps, char path[SFT_RUN_PATH]);

/* Whether the run in that folder ended well. */
bool sft_run_is_done(const char *folder);

/* Writes run.json with times, memory and how the run ended; returns `status`, or the first failure to write.
 * A run that failed before it made anything takes its folder away again. */
enum sft_status sft_run_end(struct sft_run *run, enum sft_status status) SFT_MUST_CHECK;

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The folder of a run, and run.json in it: all that was asked, chosen and found. It is written when the run
 * starts and again when it ends, so that a run that was killed can be told from one that ended well.
 *
 * A folder has one writer at a time (tools/jobs/run_lock.h). Where a run is to take the place of an earlier
 * one, its files are made in a folder in there and put into their places when it has ended well, so that the
 * earlier results stay until then, whatever happens; a run that was stopped before is gone on with there.
 * Hidden files tell of the run what is none of the user's business: SFT_RUN_ABOUT_FILE holds {"kind",
 * "identity": what the run is a function of, and "others" or "files" (tools/jobs/own_files.h)}.
 */
#ifndef SFT_RUN_FOLDER_H
#define SFT_RUN_FOLDER_H

#include <stdbool.h>

#include "nn/model.h"
#include "runtime/base/json.h"
#include "tools/jobs/own_files.h"
#include "tools/jobs/run_paths.h"

/* What a caller says of a run that is about to begin. Jobs write it and compare it, and know nothing of what
 * it says. Each is a JSON object as text, or NULL. Owned by who asked for it. */
struct sft_run_words {
    char *record;   /* its members go into run.json */
    char *settings; /* all that decides the trained model, beside the contents of the inputs */
    char *measures; /* all that decides what is measured of it, beside those */
};
void sft_run_words_free(struct sft_run_words *words);

/* What a run folder may hold; one kind of run is no other to go on with. */
enum sft_run_kind {
    SFT_RUN_TRAINING,
    SFT_RUN_SEEDS,
    SFT_RUN_EVALUATION,
    SFT_RUN_FIGURE,
    SFT_RUN_REPRODUCTION
};
extern const char *const sft_run_kind_words[];

struct sft_run {
    char target[SFT_RUN_PATH - 256]; /* the folder that was asked for */
    char folder[SFT_RUN_PATH];       /* where files are to be written up to the end of the run */
    enum sft_run_kind kind;
    struct sft_json record; /* run.json, in whose object it stands: jobs add what they find; owned */
    json_t *about;          /* of the run to go on with; NULL: it is a new one; owned */
    double start;           /* seconds of a monotonic clock */
    int lock;               /* private, as the rest */
    bool created;           /* the folder was not there before */
    bool entered, begun;
    struct sft_file_list before; /* files that were there */
    json_t *identity;            /* what sft_run_begin() was given */
};

/* In a folder that was entered (tools/jobs/run_enter.h): writes a first run.json, with the members of
 * `record` (may be NULL), and notes the identity (may be NULL).
 */
enum sft_status sft_run_begin(struct sft_run *run, const char *record, json_t *identity) SFT_MUST_CHECK;

/* Notes a file with its size and SHA-256 under a name. SFT_DATA where it cannot be read. */
enum sft_status sft_run_note_file(struct sft_run *run, const char *name, const char *path) SFT_MUST_CHECK;

/* The same as "weights", of the file that the model was loaded from: by now another may be in its place. */
void sft_run_note_weights(struct sft_run *run, const char *path, const struct sft_model *model);

/* The path of a file of the run, as sft_run_file(). */
const char *sft_run_path(const struct sft_run *run, const char *name, char path[SFT_RUN_PATH]);

/* Makes the report of a folder again (ood/report/report.h), whose new files are the run's own then. */
enum sft_status sft_run_report(const char *folder) SFT_MUST_CHECK;

/* Whether the run in that folder ended well, as far as can be read. */
bool sft_run_is_done(const char *folder);

/* Writes run.json with times, memory and how the run ended, makes the report where that is wanted and the run
 * ended well, and puts the files into their places. Returns `status`, or the first failure. A run that failed
 * before it made anything takes its folder away again; one that was to replace another leaves that as it was.
 */
enum sft_status sft_run_end(struct sft_run *run, enum sft_status status, bool report) SFT_MUST_CHECK;

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The folder of a run, and run.json in it: all that was asked, chosen and found. It is written when the run
 * starts and again when it ends, so that a run that was killed can be told from one that ended well.
 */
#ifndef SFT_RUN_FOLDER_H
#define SFT_RUN_FOLDER_H

#include "runtime/device.h"
#include "tools/cli/args.h"

enum { SFT_RUN_PATH = 4096 };

struct sft_run {
    char folder[SFT_RUN_PATH - 64];
    json_t *record; /* run.json: commands add what they find; owned */
    double start;   /* seconds of a monotonic clock */
    bool created;   /* the folder was not there before */
};

/* Whether `folder` may become the folder of a run: new or empty, or `reuse` is set. Before the work starts,
 * so that nothing is computed in vain. SFT_USAGE where it is used, SFT_WRITE where it cannot be. */
enum sft_status sft_run_check(const char *folder, bool reuse) SFT_MUST_CHECK;

/* Makes the folder and writes a first run.json. With `clean`, the files that an earlier run made there are
 * removed, in plots/, scores/ and the folders of seeds too; others stay, and SFT_USAGE where an option names
 * a file in there. Release with sft_run_end() in any case. */
enum sft_status sft_run_begin(const struct sft_args *args, const char *folder, bool clean,
                              struct sft_run *run) SFT_MUST_CHECK;

/* Notes the device; a file by its SHA-256 under its name; any value, whose reference is taken, under its
 * name. */
void sft_run_note_device(struct sft_run *run, const struct sft_device *device);
enum sft_status sft_run_note_file(struct sft_run *run, const char *name, const char *path) SFT_MUST_CHECK;
void sft_run_note(struct sft_run *run, const char *name, json_t *value);

/* The SHA-256 of a file that was noted, "" where none of that name was. */
const char *sft_run_file_sha256(const struct sft_run *run, const char *name);

/* "FOLDER/name" into text[SFT_RUN_PATH]; returns text. */
const char *sft_run_path(const struct sft_run *run, const char *name, char *text);

/* Writes run.json with times, memory and how the run ended; returns `status`, or the first failure to write.
 * A run that failed before it made anything takes its folder away again. */
enum sft_status sft_run_end(struct sft_run *run, enum sft_status status) SFT_MUST_CHECK;

#endif

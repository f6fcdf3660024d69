/* SPDX-License-Identifier: Apache-2.0 */
/* The beginning of a run: which folder its files go to, and whether they may. */
#ifndef SFT_RUN_ENTER_H
#define SFT_RUN_ENTER_H

#include "tools/jobs/run_folder.h"

/* A file or data set that a run reads, and the option that names it. */
struct sft_run_input {
    const char *option;
    const char *spec; /* a path or SPEC; NULL: not given */
};

struct sft_run_start {
    const char *folder;
    enum sft_run_kind kind;
    bool overwrite;                     /* take the place of an earlier run there */
    bool resume;                        /* go on with a run there; stronger than `overwrite` */
    const struct sft_run_input *inputs; /* up to one without an option, or NULL */
};

/* Whether a run may start in the folder: it is new or empty, or holds a run of ours that may be overwritten
 * or gone on with. Before the work starts, so that nothing is computed in vain. SFT_USAGE where it may not,
 * SFT_WRITE where the folder cannot be written. */
enum sft_status sft_run_check(const struct sft_run_start *start) SFT_MUST_CHECK;

/* Makes the folder and locks it; nothing in it changes yet. SFT_USAGE also where another run is writing
 * there, or an input is one of the files to be replaced. Release with sft_run_end() in any case. */
enum sft_status sft_run_enter(const struct sft_run_start *start, struct sft_run *run) SFT_MUST_CHECK;

#endif

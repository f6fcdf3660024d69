/* SPDX-License-Identifier: Apache-2.0 */
/* Going on with a run: whether the state in its folder is one of this very run, and what is told of it. */
#ifndef SFT_RESUME_H
#define SFT_RESUME_H

#include "tools/jobs/training.h"

struct sft_resume {
    json_t *identity; /* of the run as it is asked for (tools/jobs/identity.h); owned, as all */
    /* [{"step": from which on, "id", "name", "driver": of the GPU, "version": ours, "micro_batches"}, ...] */
    json_t *history;
    char *identity_text, *history_text;
    bool found; /* there is a state to go on from */
    struct sft_fit_state state;
};

/* Looks for a state where the job says so, in the folder that was entered. SFT_DATA for one of another run,
 * with what differs, or a damaged one; SFT_USAGE where the job asks for what only steps that are done could
 * tell. A run goes on with the micro-batches that it began with, if it fits so (training->plan). Warnings say
 * that there is none, and that another device, version or division goes on, which will not end with the same
 * bytes. Release with sft_resume_close() in any case. */
enum sft_status sft_resume_open(struct sft_training *training, const struct sft_run *run,
                                struct sft_resume *resume) SFT_MUST_CHECK;
void sft_resume_close(struct sft_resume *resume);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Evaluation of a model: how well its scores tell OOD sets from ID images. */
#ifndef SFT_EVAL_H
#define SFT_EVAL_H

#include "tools/jobs/eval_sets.h"
#include "tools/jobs/inputs.h"

struct sft_eval_job {
    struct sft_job_model model;
    const char *id;                  /* SPEC of the model's own kind of images */
    struct sft_eval_request request; /* its limit is that of the ID images, too */
    bool skip_bad;                   /* leave damaged pictures out; else they end the job */
    const char *out;                 /* folder for results, scores and the report; NULL: none */
    bool overwrite;                  /* take the place of an earlier run in it */
    const char *record;              /* what run.json is to say of the caller: a JSON object; NULL: nothing */
};

/* MSP and Energy, as sft_eval_request_init() has it. */
void sft_eval_job_init(struct sft_eval_job *job);

/* Evaluates the model; it is the model SFT_BEFORE of the results, which the caller releases with
 * sft_results_free() in any case. `watch` may be NULL. Statuses as sft_finetune(). */
enum sft_status sft_eval(const struct sft_eval_job *job, const struct sft_watch *watch,
                         struct sft_results *results) SFT_MUST_CHECK;

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* The threshold of scores and the statistics they need, fitted on ID images into one file for predictions. */
#ifndef SFT_CALIBRATE_H
#define SFT_CALIBRATE_H

#include "ood/calibration.h"
#include "tools/jobs/inputs.h"
#include "tools/jobs/watch.h"

struct sft_calibrate_job {
    struct sft_job_model model;
    const char *id;                    /* SPEC of the images whose scores the thresholds are taken from */
    int64_t limit;                     /* the first so many of them; 0: all */
    const char *fit;                   /* SPEC of the images to fit statistics on; NULL: as `id` */
    int64_t fit_limit;                 /* the first so many of those; 0: all, or as `limit` without `fit` */
    bool skip_bad;                     /* leave damaged pictures out; else they end the job */
    const char *scores;                /* names with commas between, or "all"; verdicts go by the first */
    const union sft_knob_value *knobs; /* of tools/jobs/scorers.h; NULL: defaults */
    double recall;                     /* share of the ID images that is to reach the threshold */
    int batch;
    const char *out; /* the file */
    bool overwrite;
};

/* Energy at a recall of 0.95, 100 images at a time. */
void sft_calibrate_job_init(struct sft_calibrate_job *job);

/* Writes the file and gives what is in it, which the caller releases with sft_calibration_free() in any case.
 * `watch` may be NULL. SFT_USAGE where the file is there already, or for a score that is not for this model;
 * others as sft_evaluate_fit(). */
enum sft_status sft_calibrate(const struct sft_calibrate_job *job, const struct sft_watch *watch,
                              struct sft_calibration *calibration) SFT_MUST_CHECK;

#endif

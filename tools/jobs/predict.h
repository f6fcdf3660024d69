/* SPDX-License-Identifier: Apache-2.0 */
/* What a model says about images: logits, features or scores as an array, or a verdict for each as it comes.
 */
#ifndef SFT_PREDICT_H
#define SFT_PREDICT_H

#include "nn/prediction.h"
#include "ood/scores/score.h"
#include "tools/jobs/inputs.h"
#include "tools/jobs/watch.h"

enum sft_predict_output {
    SFT_PREDICT_LOGITS,
    SFT_PREDICT_FEATURES, /* the classifier's input */
    SFT_PREDICT_VERDICTS,
    SFT_PREDICT_SCORE,
};

/* Whether an image is one that the classifier was made for, and what it takes it for. */
struct sft_verdict {
    int64_t number;       /* of the image, from 0 */
    const char *image;    /* its name, valid during the call; NULL for one of a normalised array */
    const char *error;    /* why there is no verdict: the picture is damaged, its score is no number. Then
                             what follows is nothing. NULL: there is one */
    bool in_distribution; /* whether its score is not below the threshold */
    double score, threshold;
    struct sft_prediction best;
    const char *class_name; /* of best.label, where weights or calibration have names; else NULL */
};

struct sft_predict_job {
    struct sft_job_model model;
    const char *input;  /* .npy file of images N,H,W,C: float32 of the model's size, normalised, or uint8 */
    const char *images; /* or a SPEC */
    int64_t limit;      /* the first so many images of a set; 0: all */
    bool skip_bad;      /* in arrays, NaN for damaged pictures; else they end the job before it begins */
    enum sft_predict_output output;
    const struct sft_score *score;     /* of SFT_PREDICT_SCORE; verdicts go by the calibration's first */
    const char *calibration;           /* file of thresholds, statistics and settings; NULL: none */
    const union sft_knob_value *knobs; /* of tools/jobs/scorers.h, without a calibration; NULL: defaults */
    int batch;

    /* Takes each verdict in turn; a failure ends the job. */
    enum sft_status (*verdict)(void *context, const struct sft_verdict *verdict);
    void *context;
};

/* Logits, 100 images at a time. */
void sft_predict_job_init(struct sft_predict_job *job);

struct sft_predictions {
    int64_t count;   /* images */
    int64_t damaged; /* of them could not be read */
    int64_t vague;   /* of them have no verdict, as their score is no number */
    int width;       /* numbers an image; 1 of a score */
    float *values;   /* (count, width), owned; NULL: verdicts, which are gone */
};

/* Runs the images through the model. Release `predictions` with free(predictions->values) in any case.
 * `watch` may be NULL. SFT_USAGE for members that make no sense together, SFT_DATA for inputs that are
 * missing, damaged or of another shape, and what job->verdict returns. Images without a verdict are no
 * failure: they are counted. */
enum sft_status sft_predict_images(const struct sft_predict_job *job, const struct sft_watch *watch,
                                   struct sft_predictions *predictions) SFT_MUST_CHECK;

#endif

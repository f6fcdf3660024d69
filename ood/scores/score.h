/* SPDX-License-Identifier: Apache-2.0 */
/*
 * OOD scores: one number an image, higher means more in-distribution.
 *
 * A score is one file, ood/scores/NAME.c, that defines a struct sft_score, and one row in scores.def; the
 * command line, its help, the tables and the tests read that list. A score says what it needs, so that the
 * network runs once and its outputs are shared by all scores that were asked for; what it wants of the
 * network beyond logits and features it appends to that same pass. Its hyper-parameters (knobs) are rows too:
 * each becomes a flag.
 */
#ifndef SFT_SCORE_H
#define SFT_SCORE_H

#include <stdbool.h>
#include <stdint.h>

#include "nn/groups.h"
#include "nn/inference.h"
#include "ood/scores/statistics.h"

/* What a score needs to know; a bit each. */
enum sft_score_needs {
    SFT_NEEDS_LOGITS = 1 << 0,    /* the classifier's outputs, one a class: not those of a grouped one */
    SFT_NEEDS_FEATURES = 1 << 1,  /* the classifier's inputs (penultimate features) */
    SFT_NEEDS_HEAD = 1 << 2,      /* the classifier's weights; not those of a grouped one */
    SFT_NEEDS_FIT = 1 << 3,       /* statistics of images of the training kind (--fit) */
    SFT_NEEDS_LABELS = 1 << 4,    /* their labels as well */
    SFT_NEEDS_FIT_ON_ID = 1 << 5, /* statistics of the ID images that are scored themselves, with labels */
    SFT_NEEDS_TUNE = 1 << 6,      /* a second pass over the first of the --fit images, as SFT_IMAGES_TUNE */
    SFT_NEEDS_GROUPS = 1 << 7     /* the outputs of a grouped classifier (nn/groups.h) */
};

/* What a network said about n images. Borrowed; a member that no score asks for may be NULL. */
struct sft_outputs {
    int64_t n;
    int classes;
    const struct sft_groups *groups; /* of classes; NULL: the classifier is a plain one */
    const float *logits;             /* (n, classes), with groups (n, groups->outputs) */
    int width;
    const float *features; /* (n, width) */
    int extra_width;
    const float *extra;    /* (n, extra_width): what the score appended to the pass */
    const int32_t *labels; /* (n), -1 where there is none; NULL: not known */
};

/* Logits an image. */
static inline int sft_outputs_logits(const struct sft_outputs *outputs)
{
    return outputs->groups ? outputs->groups->outputs : outputs->classes;
}

/* The classifier: logits = features * weight^T + bias. */
struct sft_head {
    int classes, width, n_taps;   /* classes: logits, of a grouped classifier */
    int tap_widths[SFT_MAX_TAPS]; /* channels of the feature maps that were recorded on the way to it */
    int tap_tokens[SFT_MAX_TAPS]; /* and how many tokens they are; 0: a map */
    const float *weight;          /* (classes, width) */
    const float *bias;            /* (classes) */
};

/* ---- knobs ---- */

enum sft_knob_type { SFT_KNOB_REAL, SFT_KNOB_INT, SFT_KNOB_CHOICE, SFT_KNOB_FLAG };

union sft_knob_value {
    double real;
    int64_t integer;
    int choice; /* place in `choices` */
    bool flag;
};

/* A hyper-parameter: the row of its flag. */
struct sft_knob {
    const char *name; /* without the dashes; unique among all scores */
    enum sft_knob_type type;
    const char *value;    /* the placeholder in help */
    const char *fallback; /* the default as one would type it */
    double min, max;
    const char *const *choices; /* NULL-terminated */
    const char *help;           /* one sentence without a full stop */
};

enum { SFT_SCORE_MAX_KNOBS = 6 };

/* ---- scores ---- */

/* A statistic that fit() leaves and compute() reads: its shape as a letter a dimension, C for classes, D for
 * features, E for what was appended to the pass, 1, and n for any size. */
struct sft_statistic_rule {
    const char *name, *shape;
};

/* What the images of a pass are: few scores treat them differently. */
enum sft_images {
    SFT_IMAGES_FIT,
    SFT_IMAGES_TUNE, /* the first of those to fit on, again, once the score is fitted */
    SFT_IMAGES_ID,
    SFT_IMAGES_OOD
};

/* What fit(), tune() and compute() see: the score's own knobs in the order of its table, the outputs, and
 * what it needs. */
struct sft_score_input {
    const union sft_knob_value *knobs;
    const struct sft_variant *variant; /* of the model; NULL: not known */
    const struct sft_outputs *outputs;
    const struct sft_head *head;
    const struct sft_statistics *statistics; /* what was learned, as its rules say; empty in fit() */
};

struct sft_scorer;

struct sft_score {
    const char *name;             /* as the command line spells it */
    const char *title;            /* as tables and reports print it */
    const char *summary;          /* formula and source, one line, for --help */
    unsigned needs;               /* SFT_NEEDS_... */
    const struct sft_knob *knobs; /* up to a row without a name, at most SFT_SCORE_MAX_KNOBS; NULL: none */

    const struct sft_statistic_rule *statistics; /* up to a row without a name; NULL: none */

    /* What it needs with these knobs, where that differs from `needs`. May be NULL. */
    unsigned (*needs_with)(const union sft_knob_value *knobs, const struct sft_variant *variant);

    /* Why it cannot be computed for this model, NULL where it can. May be NULL. */
    const char *(*misfit)(const struct sft_model *model);

    /* Appends to the pass what the score wants of the network: a value (N, k) that becomes outputs->extra, or
     * SFT_NONE. The scorer has no statistics yet in a pass over SFT_IMAGES_FIT. May be NULL. */
    sft_value (*extend)(const struct sft_scorer *scorer, const struct sft_pass *pass, enum sft_images images);

    /* Learns from images of the training kind. NULL for a score without statistics. */
    enum sft_status (*fit)(const struct sft_score_input *in, struct sft_statistics *statistics);

    /* With SFT_NEEDS_TUNE: how many images tuning takes at most, and what it adds to the statistics that
     * fit() left and that `in` shows too. */
    int (*tune_images)(const union sft_knob_value *knobs);
    enum sft_status (*tune)(const struct sft_score_input *in, struct sft_statistics *statistics);

    /* Fills scores[0 .. n - 1]. Called through sft_scorer_compute(), which has checked what `needs` promises.
     */
    enum sft_status (*compute)(const struct sft_score_input *in, float *scores);
};

/* The table: rows 0 .. sft_score_count()-1. */
int sft_score_count(void);
const struct sft_score *sft_score_at(int index);

/* The score of that name; NULL where there is none (nothing is logged). */
const struct sft_score *sft_score_find(const char *name);

/* Its title; the name itself where there is none. */
const char *sft_score_title(const char *name);

int sft_score_knobs(const struct sft_score *score); /* how many */

/* In a list of scores: each that there is. */
#define SFT_ALL_SCORES "all"

/* Reads "energy,msp" or "all"; names as sft_score_find() takes them. Gives *count scores in the order named,
 * without repeats, in an array that the caller releases with free(). SFT_USAGE for an unknown name (with the
 * nearest known one) or an empty list. */
enum sft_status sft_score_parse(const char *list, const struct sft_score ***scores,
                                int *count) SFT_MUST_CHECK;

/* Whether such a list names the score itself, and not only by "all". */
bool sft_score_is_named(const char *list, const struct sft_score *score);

/* ---- a score with its settings ---- */

struct sft_scorer {
    const struct sft_score *score;
    const struct sft_variant *variant; /* the model's; NULL: not known */
    union sft_knob_value knobs[SFT_SCORE_MAX_KNOBS];
    struct sft_statistics statistics; /* owned */
    bool untuned;                     /* fitted, and SFT_NEEDS_TUNE is still to come */
    bool optional;                    /* where it cannot be fitted or computed, the others go on without it */
    bool left_out;                    /* that happened, and was told */
};

/* The score with the default of every knob and no statistics. */
enum sft_status sft_scorer_init(const struct sft_score *score, struct sft_scorer *scorer) SFT_MUST_CHECK;
void sft_scorer_free(struct sft_scorer *scorer);

/* Reads a knob's default or a user's text. SFT_USAGE for what cannot be read or is out of range. */
enum sft_status sft_knob_read(const struct sft_knob *knob, const char *text,
                              union sft_knob_value *value) SFT_MUST_CHECK;

/* SFT_NEEDS_... with the scorer's knobs. */
unsigned sft_scorer_needs(const struct sft_scorer *scorer);

/* Why the score cannot be computed for this model: it takes a plain classifier, or a grouped one, or the
 * score's own misfit(). NULL where it can. */
const char *sft_scorer_misfit(const struct sft_scorer *scorer, const struct sft_model *model);

/* What the scorer adds to a pass over images of a kind (nothing to a pass for learning from which it does not
 * learn): the context of the struct sft_inference_extra whose `append` is sft_extend(). Both must outlive
 * sft_inference_create().
 */
struct sft_extension {
    const struct sft_scorer *scorer;
    enum sft_images images;
};
sft_value sft_extend(const void *extension, const struct sft_pass *pass);

/* Learns the statistics from images of the training kind, in place of those that are there. SFT_DATA where
 * they do not suffice (no labels, a class without images, too few for a covariance). */
enum sft_status sft_scorer_fit(struct sft_scorer *scorer, const struct sft_outputs *outputs,
                               const struct sft_head *head) SFT_MUST_CHECK;

/* Completes them, where the scorer is untuned, from a pass over SFT_IMAGES_TUNE: the first of the same
 * images, of which it looks at sft_scorer_tune_images() at most. */
enum sft_status sft_scorer_tune(struct sft_scorer *scorer, const struct sft_outputs *outputs,
                                const struct sft_head *head) SFT_MUST_CHECK;
int sft_scorer_tune_images(const struct sft_scorer *scorer); /* 0: there is nothing to tune */

/* Scores outputs->n images into scores[]. The same bits at any number of threads. SFT_USAGE where something
 * that the score needs is missing. Outputs that are no numbers give scores that are no numbers, which the
 * metrics refuse. */
enum sft_status sft_scorer_compute(const struct sft_scorer *scorer, const struct sft_outputs *outputs,
                                   const struct sft_head *head, float *scores) SFT_MUST_CHECK;

#endif

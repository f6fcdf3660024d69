/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/cli/finetune_options.h"

#include "nn/loss.h"
#include "tools/cli/score_options.h"

#define FIELD(member) SFT_FIELD(struct sft_finetune_values, job.member)
#define STEP(member) FIELD(training.params.step.member)
#define LOADER(member) FIELD(training.params.loader.member)
#define EVALUATION(member) FIELD(evaluation.member)

static const char *const sam_masks[] = {"fresh", "same", NULL};
static const char *const bn_seconds[] = {"freeze", "update", NULL};
static const char *const bn_modes[] = {"train", "eval", NULL};
static const char *const ood_forwards[] = {"joint", "separate", NULL};
static const char *const traces[] = {"none", "prop1", NULL};

/* The sizes of a jigsaw are a struct sft_ints. */
#define SIZES_OFFSET offsetof(struct sft_finetune_values, job.training.params.loader.pseudo.size_count)
_Static_assert((int)SFT_JIGSAW_MAX_SIZES == (int)SFT_MAX_INTS &&
                   offsetof(struct sft_pseudo_params, sizes) -
                           offsetof(struct sft_pseudo_params, size_count) ==
                       offsetof(struct sft_ints, values),
               "size_count and sizes of struct sft_pseudo_params lie as count and values of struct sft_ints");

static const struct sft_option model_options[] = {
    {"weights", SFT_OPTION_TEXT, FIELD(training.model.weights), .value = "FILE", .required = true,
     .incidental = true, .help = "checkpoint of the classifier to fine-tune"},
    {"model", SFT_OPTION_TEXT, FIELD(training.model.variant), .value = "NAME", .incidental = true,
     .help = "its architecture, when the file does not tell:", .list = sft_model_list},
    SFT_CLASS_ORDER_OPTION(struct sft_finetune_values, job.training.model),
    {"force", SFT_OPTION_FLAG, FIELD(force), .incidental = true,
     .help = "go on although the weights classify the ID images no better than guessing, which mostly means "
             "that their classes are in another order"},
    SFT_CHANNEL_OPTIONS(struct sft_finetune_values, job.training.model),
    SFT_SIZE_OPTIONS(struct sft_finetune_values, job.training.model),
    SFT_FRAMING_OPTIONS(struct sft_finetune_values, job.training.model),
    {0},
};

static const struct sft_option trained_options[] = {
    {"train-size", SFT_OPTION_INT, LOADER(size), .value = "PX", .min = 0, .max = 4096,
     .help = "side of the training images; 0: the model's"},
    {"train-params", SFT_OPTION_CHOICE, STEP(trained), .value = "WORD", .choices = sft_trained_words,
     .help = "which parameters are updated"},
    {"wd-norm", SFT_OPTION_CHOICE, STEP(no_norm_decay), .value = "WORD", .choices = sft_yes_no,
     .help = "weight decay on the parameters of normalisation layers too"},
    {"dropout", SFT_OPTION_CHOICE, STEP(no_dropout), .value = "WORD", .choices = sft_on_off,
     .help = "dropout of models that have it"},
    {0},
};

static const struct sft_option outlier_options[] = {
    {"lambda", SFT_OPTION_REAL, STEP(lambda), .value = "X", .min = 0, .max = 1000,
     .help = "weight of the outliers' loss [1 from 120 pixels on, 0.25 below]"},
    {"ood-distance", SFT_OPTION_CHOICE, STEP(loss.distance), .value = "WORD", .choices = sft_distance_words,
     .help = "distance of an outlier's prediction from the uniform one"},
    {"energy-weight", SFT_OPTION_REAL, STEP(loss.energy_weight), .value = "X", .min = 0, .max = 1000,
     .help = "of --ood-distance energy: its weight"},
    {"energy-in", SFT_OPTION_REAL, STEP(loss.energy_in), .value = "X", .min = -1e6, .max = 1e6,
     .help = "of --ood-distance energy: margin of ID images"},
    {"energy-out", SFT_OPTION_REAL, STEP(loss.energy_out), .value = "X", .min = -1e6, .max = 1e6,
     .help = "of --ood-distance energy: margin of outliers"},
    {"ood-per-id", SFT_OPTION_INT, LOADER(ood_per_id), .value = "N", .min = 1, .max = 64,
     .help = "outliers for each ID image"},
    {"ood-forward", SFT_OPTION_CHOICE, STEP(separate), .value = "WORD", .choices = ood_forwards,
     .help =
         "outliers in one pass with the ID images, or in one of their own: batch norm tells the difference"},
    {"pseudo-mode", SFT_OPTION_CHOICE, LOADER(pseudo.mode), .value = "WORD", .choices = sft_pseudo_mode_words,
     .help = "shuffles that make outliers: both on one image, on halves of the batch, on two images, either "
             "at random, one only, or no outliers [compose from 120 pixels on, jigsaw below]"},
    {"pseudo-source", SFT_OPTION_CHOICE, LOADER(pseudo.source), .value = "WORD",
     .choices = sft_pseudo_source_words, .help = "outliers from the step's own ID images, or others"},
    {"pseudo-ood", SFT_OPTION_TEXT, FIELD(pseudo_ood), .value = "SPEC", .incidental = true,
     .help = "take the outliers from a data set instead of making them, as Outlier Exposure does"},
    {"jigsaw-sizes", SFT_OPTION_INTS, SIZES_OFFSET, sizeof(struct sft_ints), .value = "N,N,...", .min = 1,
     .max = 4096, .help = "sizes to draw from [2,3,5,10,15,30,60 from 120 pixels on, 2,4,8,16 below]"},
    {"jigsaw-unit", SFT_OPTION_CHOICE, LOADER(pseudo.unit), .value = "WORD", .choices = sft_jigsaw_unit_words,
     .help = "a size is a tile's side in pixels, or tiles in a row"},
    {"jigsaw-draw", SFT_OPTION_CHOICE, LOADER(pseudo.draw), .value = "WORD", .choices = sft_jigsaw_draw_words,
     .help = "a size for each step, or for each image"},
    {"jigsaw-rest", SFT_OPTION_CHOICE, LOADER(pseudo.rest), .value = "WORD", .choices = sft_jigsaw_rest_words,
     .help = "pixels that fill no tile stay, or become black"},
    {"rgb-identity", SFT_OPTION_CHOICE, LOADER(pseudo.rgb_identity), .value = "WORD",
     .choices = sft_rgb_identity_words, .help = "may a channel shuffle leave the channels as they are"},
    {0},
};

static const struct sft_option sam_options[] = {
    {"norm-scope", SFT_OPTION_CHOICE, STEP(scope), .value = "WORD", .choices = sft_norm_scope_words,
     .help = "which parameters of normalisation layers are perturbed; by-name: those called norm or bn in "
             "the file "
             "of the weights, as SAM-ON's code has it"},
    {"sam-first", SFT_OPTION_CHOICE, STEP(first), .value = "WORD", .choices = sft_first_loss_words,
     .help = "loss whose gradient perturbs"},
    {"sam-empty", SFT_OPTION_CHOICE, STEP(empty), .value = "WORD", .choices = sft_sam_empty_words,
     .help = "what to do with a model without normalisation layers"},
    {"sam-mask", SFT_OPTION_CHOICE, STEP(same_mask), .value = "WORD", .choices = sam_masks,
     .help = "dropout masks of the second pass"},
    {"bn-second", SFT_OPTION_CHOICE, STEP(second_updates_bn), .value = "WORD", .choices = bn_seconds,
     .help = "running statistics of batch norm in the second pass"},
    {"bn-mode", SFT_OPTION_CHOICE, STEP(frozen_bn), .value = "WORD", .choices = bn_modes,
     .help = "batch norm by the batch's statistics, or by the running ones"},
    {0},
};

static const struct sft_option eval_options[] = {
    {"eval-ood", SFT_OPTION_SETS, EVALUATION(ood), .value = "NAME=SPEC", .incidental = true,
     .help = "OOD set to evaluate on, before and after"},
    {"score", SFT_OPTION_TEXT, EVALUATION(scores), .value = "LIST", .measures = true,
     .help = "scores to evaluate with, or all:", .list = sft_score_list},
    {"fpr-positive", SFT_OPTION_TEXT, EVALUATION(convention), .value = "NAME", .measures = true,
     .help = "convention of FPR95:", .list = sft_convention_list},
    {"eval-limit", SFT_OPTION_INT, EVALUATION(limit), .value = "N", .min = 0, .max = 1e15, .incidental = true,
     .help = "only the first N images of each set evaluated on; 0: all"},
    {"fit", SFT_OPTION_TEXT, EVALUATION(fit), .value = "SPEC", .incidental = true,
     .help = "images of the training kind, for the scores that need statistics of them: usually as --id"},
    {"fit-limit", SFT_OPTION_INT, EVALUATION(fit_limit), .value = "N", .min = 0, .max = 1e15,
     .incidental = true, .help = "only the first N of them; 0: all"},
    {"seeds", SFT_OPTION_INT, FIELD(seeds), .value = "N", .min = 1, .max = 1000, .incidental = true,
     .help = "N runs into seed-S of the folder, for S from --seed on; their mean and deviation in "
             "seeds.json, seeds.csv"},
    {"recall", SFT_OPTION_REAL, EVALUATION(measure.recall), .value = "X", .min = 0.001, .max = 1,
     .measures = true, .help = "FPR is taken where this share of the positives is recognised"},
    {"bootstrap", SFT_OPTION_INT, EVALUATION(measure.replicates), .value = "N", .min = 0,
     .max = SFT_MAX_REPLICATES, .measures = true,
     .help = "replicates for 95 % intervals of FPR and AUROC; 0: none"},
    {"eval-batch", SFT_OPTION_INT, EVALUATION(batch), .value = "N", .min = 1, .max = 65536,
     .incidental = true, .help = "images at a time when evaluating"},
    {"trace", SFT_OPTION_CHOICE, FIELD(trace), .value = "WORD", .choices = traces,
     .help = "prop1: after each step, what the paper's Proposition 1 speaks of, as a line of prop1.jsonl; "
             "the sums into run.json"},
    {"probe", SFT_OPTION_INT, FIELD(probe), .value = "N", .min = 1, .max = 1e9,
     .help =
         "of --trace: how many of the first ID images evaluated on, and of those of every --eval-ood set"},
    {0},
};

const struct sft_option_group sft_finetune_groups[] = {
    {"Model", model_options},
    {"Data", sft_fit_data_options},
    {"Run", sft_fit_run_options},
    {"Step", sft_fit_step_options},
    {"What is trained", trained_options},
    {"Outliers", outlier_options},
    {"Perturbation", sft_fit_perturb_options},
    {"SAM", sam_options},
    {"Relatives of SAM", sft_fit_relative_options},
    {"Evaluation", eval_options},
    {"Settings of scores", sft_score_options},
    {"Device", sft_device_options},
    {"General", sft_general_options},
    {0},
};

void sft_finetune_values_init(void *values)
{
    struct sft_finetune_values *options = values;
    sft_common_init(&options->common);
    sft_score_options_defaults(&options->common);
    sft_finetune_job_init(&options->job);
}

void sft_finetune_take(const struct sft_fit_words *words, struct sft_device *device,
                       struct sft_finetune_job *job)
{
    const struct sft_finetune_values *values = words->args->values;
    *job = values->job;
    job->evaluation.knobs = values->common.knobs;
    sft_fit_take(words, device, &job->training);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/cli/fit_options.h"

#include <stdio.h>

#include "datasets/pseudo.h"
#include "sam/optimizer.h"

#define FIELD(member) SFT_FIELD(struct sft_fit_values, training.member)
#define PARAM(member) FIELD(params.member)
#define CONSTANT(member) FIELD(params.step.constants.member)

const char *const sft_no_yes[] = {"no", "yes", NULL};
const char *const sft_yes_no[] = {"yes", "no", NULL};
const char *const sft_on_off[] = {"on", "off", NULL};
static const char *const wsam_modes[] = {"decoupled", "coupled", NULL};

static const char *optimizer_list(int i)
{
    static char line[256];
    const struct sft_optimizer *optimizer = sft_optimizer_at(i);
    if (!optimizer) return NULL;
    snprintf(line, sizeof(line), "%s: %s", optimizer->name, optimizer->about);
    return line;
}

const struct sft_option sft_fit_data_options[] = {
    {"id", SFT_OPTION_TEXT, FIELD(id), .value = "SPEC", .required = true, .incidental = true,
     .help = "ID images with labels to learn from", .list = sft_data_formats},
    {"limit", SFT_OPTION_INT, FIELD(limit), .value = "N", .min = 0, .max = 1e15, .incidental = true,
     .help = "only the first N of them; 0: all"},
    SFT_SKIP_BAD_OPTION(FIELD(skip_bad)),
    {"eval-id", SFT_OPTION_TEXT, FIELD(eval_id), .value = "SPEC", .incidental = true,
     .help = "ID images to evaluate on; otherwise the test split of --id where there is one"},
    {0},
};

const struct sft_option sft_fit_run_options[] = {
    {"out", SFT_OPTION_TEXT, FIELD(out), .value = "DIR", .required = true, .incidental = true,
     .help = "folder of the run"},
    {"overwrite", SFT_OPTION_FLAG, FIELD(overwrite), .incidental = true,
     .help =
         "take the place of an earlier run in that folder, whose results stay until the new ones are whole"},
    {"save-every", SFT_OPTION_INT, PARAM(save_every), .value = "N", .min = 0, .max = 1e9, .incidental = true,
     .help = "steps between checkpoints for --resume; 0: only when stopped by a signal"},
    {"resume", SFT_OPTION_FLAG, FIELD(resume), .incidental = true,
     .help =
         "go on from the folder's checkpoint, or from the beginning without one; the result is that of an "
         "undisturbed run. Options and inputs must be the same, but for --steps at a constant rate"},
    {"snapshots", SFT_OPTION_INTS, FIELD(snapshots), .value = "N,N,...", .min = 1, .max = 1e9,
     .incidental = true, .help = "keep the model after so many steps, too, as model-N.safetensors"},
    {"seed", SFT_OPTION_INT, PARAM(seed), .value = "N", .min = 0, .max = 9007199254740991.0,
     .help = "of everything that is drawn: order, augmentation, pseudo-OOD, dropout"},
    {"no-shuffle", SFT_OPTION_NOT, PARAM(loader.shuffle), .help = "images in the order of the data set"},
    {"no-augment", SFT_OPTION_FLAG, SFT_FIELD(struct sft_fit_values, no_augment), .incidental = true,
     .help = "as --train-aug none"},
    {"dump-gradients", SFT_OPTION_TEXT, FIELD(gradients), .value = "FILE", .incidental = true,
     .help = "write the gradient of the last step as safetensors"},
    {0},
};

const struct sft_option sft_fit_step_options[] = {
    {"steps", SFT_OPTION_INT, PARAM(schedule.steps), .value = "N", .min = 1, .max = 1e9,
     .help = "training steps"},
    {"batch", SFT_OPTION_INT, PARAM(loader.batch), .value = "N", .min = 1, .max = 65536,
     .help = "ID images of a step"},
    {"lr", SFT_OPTION_REAL, PARAM(schedule.lr), .value = "X", .min = 0, .max = 100,
     .help = "learning rate, the peak of the schedule"},
    {"momentum", SFT_OPTION_REAL, PARAM(momentum), .value = "X", .min = 0, .max = 0.9999,
     .help = "momentum of SGD"},
    {"weight-decay", SFT_OPTION_REAL, PARAM(weight_decay), .value = "X", .min = 0, .max = 10,
     .help = "weight decay"},
    {"schedule", SFT_OPTION_CHOICE, PARAM(schedule.kind), .value = "NAME", .choices = sft_schedule_words,
     .help = "learning rate over steps"},
    {"optimizer", SFT_OPTION_TEXT, FIELD(optimizer), .value = "NAME",
     .help = "what perturbs and what updates:", .list = optimizer_list},
    {"rho", SFT_OPTION_REAL, PARAM(rho), .value = "X", .min = 0, .max = 100,
     .help = "length of SAM's perturbation [finetune: 0.5 from 120 pixels on, 0.1 below; train: 0.05; asam "
             "0.5, looksam 0.1]"},
    {"nesterov", SFT_OPTION_FLAG, PARAM(step.nesterov), .help = "Nesterov's momentum"},
    {"warmup", SFT_OPTION_INT, PARAM(schedule.warmup), .value = "N", .min = 0, .max = 1e9,
     .help = "steps over which the rate rises; 0: none, or 30 % of a onecycle"},
    {"train-aug", SFT_OPTION_CHOICE, PARAM(loader.augment), .value = "NAME", .choices = sft_augment_words,
     .help = "augmentation of ID images"},
    {0},
};

const struct sft_option sft_fit_perturb_options[] = {
    {"perturb", SFT_OPTION_CHOICE, PARAM(step.perturbed), .value = "WORD", .choices = sft_perturbed_words,
     .help = "parameters that are perturbed: the optimiser's own set, all, those of normalisation layers, "
             "all others, the classifier's, convolutions' filters"},
    {"adaptive", SFT_OPTION_CHOICE, PARAM(step.adaptive), .value = "WORD", .choices = sft_adaptive_words,
     .help = "scale of the perturbation: the optimiser's own, none, |w| + eta for each weight, or |p|(1 + "
             "eta) for each parameter tensor p"},
    {"eta", SFT_OPTION_REAL, CONSTANT(eta), .value = "X", .min = 0, .max = 100, .help = "of --adaptive"},
    {"adaptive-biases", SFT_OPTION_CHOICE, CONSTANT(adaptive_biases), .value = "WORD", .choices = sft_no_yes,
     .help = "--adaptive for biases too"},
    {"sam-m", SFT_OPTION_INT, PARAM(step.parts), .value = "M", .min = 1, .max = 65536,
     .help =
         "cut each batch into M parts with a perturbation each, and descend by the mean of their gradients"},
    {"rho-floor", SFT_OPTION_REAL, FIELD(rho_floor), .value = "X", .min = 0, .max = 1,
     .help = "share of --rho that is left where the rate is lowest; between, rho is linear in the rate, as "
             "GSAM has it"},
    {0},
};

const struct sft_option sft_fit_relative_options[] = {
    {"gsam-alpha", SFT_OPTION_REAL, CONSTANT(gsam_alpha), .value = "X", .min = 0, .max = 1000,
     .help = "gsam: weight of the gradient at right angles"},
    {"look-k", SFT_OPTION_INT, CONSTANT(look_every), .value = "N", .min = 1, .max = 1e9,
     .help = "looksam: every k-th step is one of SAM"},
    {"look-alpha", SFT_OPTION_REAL, CONSTANT(look_alpha), .value = "X", .min = 0, .max = 1000,
     .help = "looksam: weight of its direction in between"},
    {"wsam-gamma", SFT_OPTION_REAL, CONSTANT(wsam_gamma), .value = "X", .min = 0, .max = 0.999,
     .help = "wsam: the sharpness has the weight gamma/(1 - gamma)"},
    {"wsam-mode", SFT_OPTION_CHOICE, CONSTANT(wsam_coupled), .value = "WORD", .choices = wsam_modes,
     .help = "wsam: the sharpness in a step of its own, or in the mean"},
    {"friendly-sigma", SFT_OPTION_REAL, CONSTANT(friendly_sigma), .value = "X", .min = 0, .max = 1000,
     .help = "friendly-sam: how much of the mean gradient is taken away"},
    {"friendly-lambda", SFT_OPTION_REAL, CONSTANT(friendly_lambda), .value = "X", .min = 0, .max = 0.9999,
     .help = "friendly-sam: weight of the past in that mean"},
    {"ssam-sparsity", SFT_OPTION_REAL, CONSTANT(ssam_sparsity), .value = "X", .min = 0, .max = 0.9999,
     .help = "ssam: share of the set that is not perturbed"},
    {"ssam-every", SFT_OPTION_INT, CONSTANT(ssam_every), .value = "N", .min = 1, .max = 1e9,
     .help = "ssam: steps between choices of it"},
    {"ssam-samples", SFT_OPTION_INT, CONSTANT(ssam_samples), .value = "N", .min = 1, .max = 1e9,
     .help = "ssam-f: ID images of a step to choose by, at most"},
    {"ssam-drop", SFT_OPTION_REAL, CONSTANT(ssam_drop), .value = "X", .min = 0, .max = 1,
     .help = "ssam-d: share that is exchanged, at first; falls along a half cosine"},
    {"ssam-score", SFT_OPTION_CHOICE, CONSTANT(ssam_score), .value = "WORD", .choices = sft_ssam_score_words,
     .help = "ssam-d: what the entries that go have least of"},
    {"esam-beta", SFT_OPTION_REAL, CONSTANT(esam_beta), .value = "X", .min = 0.001, .max = 1,
     .help = "esam: share of the tensors that are perturbed"},
    {"esam-gamma", SFT_OPTION_REAL, CONSTANT(esam_gamma), .value = "X", .min = 0, .max = 1,
     .help = "esam: share of the images, those moved most, of the second pass"},
    {0},
};

/* What the values hold afterwards is the run with all its defaults. */
static enum sft_status describe(void *context, const struct sft_training_job *run,
                                struct sft_run_words *words)
{
    const struct sft_fit_words *from = context;
    struct sft_fit_values *values = from->args->values;
    values->training = *run;
    return sft_args_describe(from->typed, from->args, words);
}

void sft_fit_take(const struct sft_fit_words *words, struct sft_device *device, struct sft_training_job *job)
{
    const struct sft_fit_values *values = words->args->values;
    job->model.device = device;
    if (values->no_augment) job->params.loader.augment = SFT_AUGMENT_NONE;
    job->describe = describe;
    job->describe_context = (void *)words;
}

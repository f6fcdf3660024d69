/* SPDX-License-Identifier: Apache-2.0 */
/* The options of SAM and its relatives, as `train` and `finetune` have them. */
#ifndef SFT_SAM_OPTIONS_H
#define SFT_SAM_OPTIONS_H

#include "sam/step.h"
#include "tools/cli/args.h"

/* Member `sam` of struct sft_fit_values. */
struct sft_sam_values {
    int perturb, adaptive, adaptive_biases;
    int64_t parts;
    double rho_floor, eta;
    double gsam_alpha;
    int64_t look_k;
    double look_alpha;
    double wsam_gamma;
    int wsam_mode;
    double friendly_sigma, friendly_lambda;
    double ssam_sparsity, ssam_drop;
    int64_t ssam_every, ssam_samples;
    int ssam_score;
    double esam_beta, esam_gamma;
};

extern const struct sft_option sft_perturb_options[];  /* --perturb, --adaptive, --sam-m, ... */
extern const struct sft_option sft_relative_options[]; /* constants of one optimiser each */

/* Help lines of --optimizer; the text is overwritten by the next call. */
const char *sft_optimizer_list(int i);

/* The optimiser of that name; SFT_USAGE with the nearest one. */
enum sft_status sft_find_optimizer(const char *name, const struct sft_optimizer **optimizer) SFT_MUST_CHECK;

void sft_sam_params_init(const struct sft_sam_values *values, struct sft_step_params *params);

#endif

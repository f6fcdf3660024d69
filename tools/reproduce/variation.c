/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/reproduce/variation.h"

#define PAPER "--lr 1e-3 --rho 0.5 --lambda 1 --pseudo-mode compose"

const struct sft_variation sft_tuned = {.name = ""};
const struct sft_variation sft_tuned_only_id = {.name = "--pseudo-mode none --lambda 0", .only_id = true};
const struct sft_variation sft_tuned_sam = {.name = "--optimizer sam", .optimizer = "sam"};
const struct sft_variation sft_tuned_sgd = {.name = "--optimizer sgd", .optimizer = "sgd"};
const struct sft_variation sft_tuned_adam = {.name = "--optimizer adam", .optimizer = "adam"};
const struct sft_variation sft_tuned_rho_005 = {.name = "--rho 0.05", .rho = 0.05};
const struct sft_variation sft_tuned_rho_01 = {.name = "--rho 0.1", .rho = 0.1};
const struct sft_variation sft_tuned_rho_05 = {.name = "--rho 0.5", .rho = 0.5};
const struct sft_variation sft_tuned_rho_1 = {.name = "--rho 1.0", .rho = 1.0};
const struct sft_variation sft_tuned_rho_2 = {.name = "--rho 2.0", .rho = 2.0};
const struct sft_variation sft_tuned_empty_sgd = {.name = "--sam-empty sgd", .empty = SFT_EMPTY_SGD};
const struct sft_variation sft_tuned_empty_all = {.name = "--sam-empty all", .empty = SFT_EMPTY_ALL};
const struct sft_variation sft_tuned_paper = {.name = PAPER, .as_paper = true};
const struct sft_variation sft_tuned_paper_empty_sgd = {
    .name = PAPER " --sam-empty sgd",
    .as_paper = true,
    .empty = SFT_EMPTY_SGD,
};
const struct sft_variation sft_tuned_paper_empty_all = {
    .name = PAPER " --sam-empty all",
    .as_paper = true,
    .empty = SFT_EMPTY_ALL,
};

static void apply_paper(struct sft_fit_params *params)
{
    params->schedule.lr = 1e-3;
    params->rho = 0.5;
    params->step.lambda = 1;
    params->loader.pseudo.mode = SFT_PSEUDO_COMPOSE;
}

static void leave_outliers_out(struct sft_fit_params *params)
{
    params->loader.pseudo.mode = SFT_PSEUDO_NONE;
    params->step.lambda = 0;
}

void sft_variation_apply(const struct sft_variation *variation, struct sft_finetune_job *job)
{
    struct sft_fit_params *params = &job->training.params;
    if (variation->as_paper) apply_paper(params);
    if (variation->only_id) leave_outliers_out(params);
    if (variation->optimizer) job->training.optimizer = variation->optimizer;
    if (variation->rho > 0) params->rho = variation->rho;
    if (variation->empty != SFT_EMPTY_ERROR) params->step.empty = variation->empty;
}

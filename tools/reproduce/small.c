/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The same tables at the size of CIFAR-10: the paper prints nothing to set beside them. Settings are the
 * defaults of `finetune` below 120 pixels (tools/jobs/finetune.c), which have rho 0.1. VGG11-GN stands in the
 * place of T2T in table 2; tables 4 and 6 have one model only, so that all of them take less than two hours
 * on two cores.
 */
#include "tools/reproduce/small.h"

#define R20 "resnetv2_20_gn"
#define VGG "VGG11"
#define VGG_GN "VGG11-GN"
#define VGG_BN "VGG11-BN"

/* How a row is fine-tuned, in how many steps. */
#define AS_IS .tuning = NULL
#define SFT_IN(n) .tuning = &sft_tuned, .steps = n
#define SFT SFT_IN(50)
#define WITH(how) .tuning = &sft_tuned_##how, .steps = 50

static const struct sft_table_row table1[] = {
    {R20, "small-MSP", "msp", AS_IS},
    {R20, "small-ODIN", "odin", AS_IS},
    {R20, "small-Energy", "energy", AS_IS},
    {R20, "small-Mahalanobis", "mahalanobis", AS_IS},
    {R20, "small-GradNorm", "gradnorm", AS_IS},
    {R20, "small-ReAct", "react", AS_IS},
    {R20, "small-RankFeat", "rankfeat", AS_IS},
    {R20, "small-KL Matching", "klm", AS_IS},
    {R20, "small-MSP+SFT", "msp", SFT},
    {R20, "small-Energy+SFT", "energy", SFT},
    {R20, "small-RankFeat+SFT", "rankfeat", SFT},
    {0},
};

static const struct sft_table_row table2[] = {
    {VGG_GN, "small-MSP", "msp", AS_IS},
    {VGG_GN, "small-ODIN", "odin", AS_IS},
    {VGG_GN, "small-Mahalanobis", "mahalanobis", AS_IS},
    {VGG_GN, "small-Energy", "energy", AS_IS},
    {VGG_GN, "small-GradNorm", "gradnorm", AS_IS},
    {VGG_GN, "small-ReAct", "react", AS_IS},
    {VGG_GN, "small-RankFeat", "rankfeat", AS_IS},
    {VGG_GN, "small-MSP+SFT", "msp", SFT},
    {VGG_GN, "small-Energy+SFT", "energy", SFT},
    {VGG_GN, "small-RankFeat+SFT", "rankfeat", SFT},
    {0},
};

static const struct sft_table_row table3[] = {
    {VGG, "small-MSP", "msp", AS_IS},
    {VGG, "small-ODIN", "odin", AS_IS},
    {VGG, "small-Energy", "energy", AS_IS},
    {VGG, "small-ReAct", "react", AS_IS},
    {VGG, "small-DICE", "dice", AS_IS},
    {VGG, "small-FeatureNorm", "featurenorm", AS_IS},
    {VGG, "small-MSP+SFT, without perturbation", "msp", WITH(empty_sgd)},
    {VGG, "small-MSP+SFT, all perturbed", "msp", WITH(empty_all)},
    {VGG, "small-Energy+SFT, without perturbation", "energy", WITH(empty_sgd)},
    {VGG, "small-Energy+SFT, all perturbed", "energy", WITH(empty_all)},
    {VGG_GN, "small-MSP, group norm", "msp", AS_IS},
    {VGG_GN, "small-Energy, group norm", "energy", AS_IS},
    {VGG_GN, "small-MSP+SFT, group norm", "msp", SFT},
    {VGG_GN, "small-Energy+SFT, group norm", "energy", SFT},
    {VGG_BN, "small-MSP, batch norm", "msp", AS_IS},
    {VGG_BN, "small-Energy, batch norm", "energy", AS_IS},
    {VGG_BN, "small-MSP+SFT, batch norm", "msp", SFT},
    {VGG_BN, "small-Energy+SFT, batch norm", "energy", SFT},
    {0},
};

static const struct sft_table_row table4[] = {
    {R20, "small-Energy", "energy", AS_IS},
    {R20, "small-SFT, only ID data", "energy", WITH(only_id)},
    {R20, "small-SFT", "energy", SFT},
    {0},
};

static const struct sft_table_row table5[] = {
    {R20, "small-pretrained", "energy", AS_IS},
    {R20, "small-10 steps", "energy", SFT_IN(10)},
    {R20, "small-50 steps", "energy", SFT},
    {R20, "small-100 steps", "energy", SFT_IN(100)},
    {R20, "small-200 steps", "energy", SFT_IN(200)},
    {R20, "small-1 epoch", "energy", SFT_IN(SFT_EPOCHS(1))},
    {R20, "small-5 epochs", "energy", SFT_IN(SFT_EPOCHS(5))},
    {0},
};

static const struct sft_table_row table6[] = {
    {R20, "small-SAM", "energy", WITH(sam)},
    {R20, "small-SAM-only-norm", "energy", SFT},
    {0},
};

static const struct sft_table_row table7[] = {
    {R20, "small-rho 0.05", "energy", WITH(rho_005)}, {R20, "small-rho 0.1", "energy", SFT},
    {R20, "small-rho 0.5", "energy", WITH(rho_05)},   {R20, "small-rho 1.0", "energy", WITH(rho_1)},
    {R20, "small-rho 2.0", "energy", WITH(rho_2)},    {0},
};

static const struct sft_table_row table8[] = {
    {R20, "small-Energy+FT(SGD)", "energy", WITH(sgd)},
    {R20, "small-Energy+FT(Adam)", "energy", WITH(adam)},
    {R20, "small-Energy+SFT", "energy", SFT},
    {R20, "small-RankFeat+FT(SGD)", "rankfeat", WITH(sgd)},
    {R20, "small-RankFeat+FT(Adam)", "rankfeat", WITH(adam)},
    {R20, "small-RankFeat+SFT", "rankfeat", SFT},
    {0},
};

const struct sft_table sft_small_tables[] = {
    {"small-table1", "resnetv2_20_gn on CIFAR-10", table1, false, NULL},
    {"small-table2", "VGG11 with group norm on CIFAR-10", table2, false, NULL},
    {"small-table3", "VGG11 on CIFAR-10", table3, false,
     "VGG11 has no normalisation layers: SFT without a perturbation, with all parameters perturbed, and on "
     "VGG11 with group norm; batch norm is the paper's limitation"},
    {"small-table4", "pseudo-OOD images, Energy", table4, false, NULL},
    {"small-table5", "how long to fine-tune, Energy, averages over the sets", table5, true, NULL},
    {"small-table6", "optimiser and accuracy, Energy, averages over the sets", table6, true, NULL},
    {"small-table7", "rho, Energy, averages over the sets", table7, true, NULL},
    {"small-table8", "other optimisers", table8, false, NULL},
    {0},
};

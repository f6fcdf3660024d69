/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The same tables at the size of CIFAR-10: the paper prints nothing to set beside them. Settings are the
 * defaults of `finetune` below 120 pixels (tools/cmd_finetune.c), which has rho 0.1. VGG11-GN stands in the
 * place of T2T in table 2; tables 4 and 6 have one model only, so that all of them take less than two hours
 * on two cores.
 */
#include "tools/reproduce/tables.h"

#include <stddef.h>

#define R20 "resnetv2_20_gn"
#define VGG "VGG11"
#define VGG_GN "VGG11-GN"
#define VGG_BN "VGG11-BN"

#define AS_IS NULL, 0
#define SFT "", 50
#define ONLY_ID "--pseudo-mode none --lambda 0", 50
#define SAM "--optimizer sam", 50
#define SGD "--optimizer sgd", 50
#define ADAM "--optimizer adam", 50
#define RHO(value) "--rho " value, 50
#define EMPTY_SGD "--sam-empty sgd", 50
#define EMPTY_ALL "--sam-empty all", 50

static const struct sft_table_row table1[] = {
    {R20, "small-MSP", "msp", AS_IS, .average = {0}},
    {R20, "small-ODIN", "odin", AS_IS, .average = {0}},
    {R20, "small-Energy", "energy", AS_IS, .average = {0}},
    {R20, "small-Mahalanobis", "mahalanobis", AS_IS, .average = {0}},
    {R20, "small-GradNorm", "gradnorm", AS_IS, .average = {0}},
    {R20, "small-ReAct", "react", AS_IS, .average = {0}},
    {R20, "small-RankFeat", "rankfeat", AS_IS, .average = {0}},
    {R20, "small-KL Matching", "klm", AS_IS, .average = {0}},
    {R20, "small-MSP+SFT", "msp", SFT, .average = {0}},
    {R20, "small-Energy+SFT", "energy", SFT, .average = {0}},
    {R20, "small-RankFeat+SFT", "rankfeat", SFT, .average = {0}},
    {0},
};

static const struct sft_table_row table2[] = {
    {VGG_GN, "small-MSP", "msp", AS_IS, .average = {0}},
    {VGG_GN, "small-ODIN", "odin", AS_IS, .average = {0}},
    {VGG_GN, "small-Mahalanobis", "mahalanobis", AS_IS, .average = {0}},
    {VGG_GN, "small-Energy", "energy", AS_IS, .average = {0}},
    {VGG_GN, "small-GradNorm", "gradnorm", AS_IS, .average = {0}},
    {VGG_GN, "small-ReAct", "react", AS_IS, .average = {0}},
    {VGG_GN, "small-RankFeat", "rankfeat", AS_IS, .average = {0}},
    {VGG_GN, "small-MSP+SFT", "msp", SFT, .average = {0}},
    {VGG_GN, "small-Energy+SFT", "energy", SFT, .average = {0}},
    {VGG_GN, "small-RankFeat+SFT", "rankfeat", SFT, .average = {0}},
    {0},
};

static const struct sft_table_row table3[] = {
    {VGG, "small-MSP", "msp", AS_IS, .average = {0}},
    {VGG, "small-ODIN", "odin", AS_IS, .average = {0}},
    {VGG, "small-Energy", "energy", AS_IS, .average = {0}},
    {VGG, "small-ReAct", "react", AS_IS, .average = {0}},
    {VGG, "small-DICE", "dice", AS_IS, .average = {0}},
    {VGG, "small-FeatureNorm", "featurenorm", AS_IS, .average = {0}},
    {VGG, "small-MSP+SFT, without perturbation", "msp", EMPTY_SGD, .average = {0}},
    {VGG, "small-MSP+SFT, all perturbed", "msp", EMPTY_ALL, .average = {0}},
    {VGG, "small-Energy+SFT, without perturbation", "energy", EMPTY_SGD, .average = {0}},
    {VGG, "small-Energy+SFT, all perturbed", "energy", EMPTY_ALL, .average = {0}},
    {VGG_GN, "small-MSP, group norm", "msp", AS_IS, .average = {0}},
    {VGG_GN, "small-Energy, group norm", "energy", AS_IS, .average = {0}},
    {VGG_GN, "small-MSP+SFT, group norm", "msp", SFT, .average = {0}},
    {VGG_GN, "small-Energy+SFT, group norm", "energy", SFT, .average = {0}},
    {VGG_BN, "small-MSP, batch norm", "msp", AS_IS, .average = {0}},
    {VGG_BN, "small-Energy, batch norm", "energy", AS_IS, .average = {0}},
    {VGG_BN, "small-MSP+SFT, batch norm", "msp", SFT, .average = {0}},
    {VGG_BN, "small-Energy+SFT, batch norm", "energy", SFT, .average = {0}},
    {0},
};

static const struct sft_table_row table4[] = {
    {R20, "small-Energy", "energy", AS_IS, .average = {0}},
    {R20, "small-SFT, only ID data", "energy", ONLY_ID, .average = {0}},
    {R20, "small-SFT", "energy", SFT, .average = {0}},
    {0},
};

static const struct sft_table_row table5[] = {
    {R20, "small-pretrained", "energy", AS_IS, .average = {0}},
    {R20, "small-10 steps", "energy", "", 10, .average = {0}},
    {R20, "small-50 steps", "energy", SFT, .average = {0}},
    {R20, "small-100 steps", "energy", "", 100, .average = {0}},
    {R20, "small-200 steps", "energy", "", 200, .average = {0}},
    {R20, "small-1 epoch", "energy", "", SFT_EPOCHS(1), .average = {0}},
    {R20, "small-5 epochs", "energy", "", SFT_EPOCHS(5), .average = {0}},
    {0},
};

static const struct sft_table_row table6[] = {
    {R20, "small-SAM", "energy", SAM, .average = {0}},
    {R20, "small-SAM-only-norm", "energy", SFT, .average = {0}},
    {0},
};

static const struct sft_table_row table7[] = {
    {R20, "small-rho 0.05", "energy", RHO("0.05"), .average = {0}},
    {R20, "small-rho 0.1", "energy", SFT, .average = {0}},
    {R20, "small-rho 0.5", "energy", RHO("0.5"), .average = {0}},
    {R20, "small-rho 1.0", "energy", RHO("1.0"), .average = {0}},
    {R20, "small-rho 2.0", "energy", RHO("2.0"), .average = {0}},
    {0},
};

static const struct sft_table_row table8[] = {
    {R20, "small-Energy+FT(SGD)", "energy", SGD, .average = {0}},
    {R20, "small-Energy+FT(Adam)", "energy", ADAM, .average = {0}},
    {R20, "small-Energy+SFT", "energy", SFT, .average = {0}},
    {R20, "small-RankFeat+FT(SGD)", "rankfeat", SGD, .average = {0}},
    {R20, "small-RankFeat+FT(Adam)", "rankfeat", ADAM, .average = {0}},
    {R20, "small-RankFeat+SFT", "rankfeat", SFT, .average = {0}},
    {0},
};

const struct sft_table sft_small_tables[] = {
    {"small-table1", "resnetv2_20_gn on CIFAR-10", table1, false, NULL},
    {"small-table2", "VGG11 with group norm on CIFAR-10", table2, false, NULL},
    {"small-table3", "VGG11 on CIFAR-10", table3, false,
     "VGG11 has no normalisation layers: SFT without a perturbation, with all parameters perturbed, and on "
     "VGG11 with "
     "group norm; batch norm is the paper's limitation"},
    {"small-table4", "pseudo-OOD images, Energy", table4, false, NULL},
    {"small-table5", "how long to fine-tune, Energy, averages over the sets", table5, true, NULL},
    {"small-table6", "optimiser and accuracy, Energy, averages over the sets", table6, true, NULL},
    {"small-table7", "rho, Energy, averages over the sets", table7, true, NULL},
    {"small-table8", "other optimisers", table8, false, NULL},
    {0},
};

/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/reproduce/experiments.h"

#include "tools/reproduce/paper.h"
#include "tools/reproduce/small.h"

const struct sft_role sft_roles[] = {
    {"ResNetv2-101", "resnetv2_101*", "BiT-S-R101x1 with the flat head of ImageNet-1k", false},
    {"ResNetv2-101-MOS", "resnetv2_101*", "the same with the grouped head of MOS", true},
    {"T2T-ViT-24", "t2t_vit*_24", "T2T-ViT-24 for ImageNet-1k", false},
    {"VGG11", "vgg11", "VGG11 for CIFAR-10, without normalisation", false},
    {"VGG11-GN", "vgg11_gn", "VGG11 with group norm", false},
    {"VGG11-BN", "vgg11_bn", "VGG11 with batch norm", false},
    {"resnetv2_20_gn", "resnetv2_20_gn", "the small pre-activation ResNet with group norm", false},
    {0},
};

/* ---- data ---- */

static const struct sft_collection imagenet = {
    .train = {"--id", {"folder:imagenet/train", "folder:train"}},
    .test = {"--eval-id", {"folder:imagenet/val", "folder:val"}},
    .sets = {{"iNaturalist", {"folder:iNaturalist"}},
             {"SUN", {"folder:SUN"}},
             {"Places", {"folder:Places"}},
             {"Textures", {"folder:dtd/images", "folder:Textures"}}},
    .settings = {{"react-clip", "1.25"}}, /* of both models in the reference code */
};

static const struct sft_collection cifar = {
    .train = {"--id", {"cifar10:cifar10#train", "cifar10:cifar-10-batches-bin#train"}},
    .test = {"--eval-id", {"cifar10:cifar10#test", "cifar10:cifar-10-batches-bin#test"}},
    .sets = {{"SVHN", {"svhn:svhn/test_32x32.mat", "svhn:test_32x32.mat"}},
             {"Textures", {"folder:dtd/images", "folder:Textures"}},
             {"LSUN-c", {"folder:LSUN"}},
             {"LSUN-r", {"folder:LSUN_resize"}},
             {"iSUN", {"folder:iSUN"}},
             {"Places", {"folder:places365", "folder:Places"}}},
};

/* The packs that stand in for them; results on them go by their own names. */
static const struct sft_collection packs = {
    .train = {"--id", {"cifar10:cifar10#train", "cifar10:cifar-10-batches-bin#train"}},
    .test = {"--eval-id", {"cifar10:cifar10#test", "cifar10:cifar-10-batches-bin#test"}},
    .sets = {{"mnist_m", {"cifar-bin:mnist_m/test.bin.xz", "cifar-bin:mnist_m/test.bin"}},
             {"textures", {"cifar-bin:textures/test.bin.xz", "cifar-bin:textures/test.bin"}},
             {"tin_scenes_crop",
              {"cifar-bin:tin_scenes_crop/test.bin.xz", "cifar-bin:tin_scenes_crop/test.bin"}},
             {"tin_scenes_resize",
              {"cifar-bin:tin_scenes_resize/test.bin.xz", "cifar-bin:tin_scenes_resize/test.bin"}},
             {"tin_objects_resize",
              {"cifar-bin:tin_objects_resize/test.bin.xz", "cifar-bin:tin_objects_resize/test.bin"}},
             {"intel_scenes", {"cifar-bin:intel_scenes/test.bin.xz", "cifar-bin:intel_scenes/test.bin"}}},
};

/* ---- experiments ---- */

#define PAPER(number) .tables = sft_paper_tables, .table = (number)-1
#define SMALL(number) .tables = sft_small_tables, .table = (number)-1

#define BIT "ResNetv2-101"
#define R20 "resnetv2_20_gn"

static const char energy_everywhere[] = "densities of Energy on every set, before and after SFT";
static const char two_scores[] = "densities of the gradient norm and the largest logit, before and after";
static const char energy_on_textures[] = "densities of Energy, before and after";
static const char prop1[] = "what Proposition 1 speaks of, step by step";

const struct sft_experiment sft_experiments[] = {
    {"table1", "ResNetv2-101 on ImageNet-1k, all detectors", .collection = &imagenet, PAPER(1)},
    {"table2", "T2T-ViT-24 on ImageNet-1k, all detectors", .collection = &imagenet, PAPER(2)},
    {"table3", "VGG11 on CIFAR-10, all detectors, three readings of SFT", .collection = &cifar, PAPER(3)},
    {"table4", "with and without pseudo-OOD images", .collection = &imagenet, PAPER(4)},
    {"table5", "number of steps", .collection = &imagenet, PAPER(5)},
    {"table6", "SAM and SAM-only-norm, accuracy", .collection = &imagenet, PAPER(6)},
    {"table7", "rho", .collection = &imagenet, PAPER(7)},
    {"table8", "SGD and Adam", .collection = &imagenet, PAPER(8)},
    {"figure2", energy_everywhere, .kind = SFT_EXPERIMENT_FIGURE, .collection = &imagenet,
     .figure = {BIT, "energy", &sft_tuned, 50, NULL}},
    {"figure3", two_scores, .kind = SFT_EXPERIMENT_FIGURE, .collection = &imagenet,
     .figure = {BIT, "gradnorm,maxlogit", &sft_tuned, 50, "Textures"}},
    {"figure4", energy_on_textures, .kind = SFT_EXPERIMENT_FIGURE, .collection = &imagenet,
     .figure = {BIT, "energy", &sft_tuned, 50, "Textures"}},
    {"prop1", prop1, .kind = SFT_EXPERIMENT_PROP1, .collection = &imagenet,
     .figure = {BIT, "energy", &sft_tuned, 50, NULL}},
    {"small",
     "all eight tables at the size of CIFAR: resnetv2_20_gn, VGG11-GN in the place of T2T-ViT-24, VGG11; the "
     "data packs under their own names",
     .collection = &packs, .tables = sft_small_tables, .table = SFT_ALL_TABLES},
    {"small-table1", "one of them", .collection = &packs, SMALL(1)},
    {"small-table2", "one of them", .collection = &packs, SMALL(2)},
    {"small-table3", "one of them, and batch norm", .collection = &packs, SMALL(3)},
    {"small-table4", "one of them", .collection = &packs, SMALL(4)},
    {"small-table5", "one of them", .collection = &packs, SMALL(5)},
    {"small-table6", "one of them", .collection = &packs, SMALL(6)},
    {"small-table7", "one of them", .collection = &packs, SMALL(7)},
    {"small-table8", "one of them", .collection = &packs, SMALL(8)},
    {"small-figure2", energy_everywhere, .kind = SFT_EXPERIMENT_FIGURE, .collection = &packs,
     .figure = {R20, "energy", &sft_tuned, 50, NULL}},
    {"small-figure3", two_scores, .kind = SFT_EXPERIMENT_FIGURE, .collection = &packs,
     .figure = {R20, "gradnorm,maxlogit", &sft_tuned, 50, "textures"}},
    {"small-figure4", energy_on_textures, .kind = SFT_EXPERIMENT_FIGURE, .collection = &packs,
     .figure = {R20, "energy", &sft_tuned, 50, "textures"}},
    {"small-prop1", prop1, .kind = SFT_EXPERIMENT_PROP1, .collection = &packs,
     .figure = {R20, "energy", &sft_tuned, 50, NULL}},
    {0},
};

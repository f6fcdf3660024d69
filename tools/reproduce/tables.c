/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/reproduce/tables.h"

#include <stddef.h>

const struct sft_role sft_roles[] = {
    {"ResNetv2-101", "resnetv2_101*", "BiT-S-R101x1 with the flat head of ImageNet-1k", false},
    {"ResNetv2-101-MOS", "resnetv2_101*", "the same with the grouped head of MOS", true},
    {"T2T-ViT-24", "t2t_vit*", "T2T-ViT-24 for ImageNet-1k", false},
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

#define TABLE(i, text)                                                                                       \
    {                                                                                                        \
        "table" #i, text, .collection = (i) == 3 ? &cifar : &imagenet, .tables = sft_paper_tables,           \
                          .table = (i)-1                                                                     \
    }
#define SMALL_TABLE(i, text)                                                                                 \
    {                                                                                                        \
        "small-table" #i, text, .collection = &packs, .tables = sft_small_tables, .table = (i)-1             \
    }
#define FIGURE(prefix, i, role, on, list, column, text)                                                      \
    {                                                                                                        \
        prefix "figure" #i, text, .kind = SFT_EXPERIMENT_FIGURE, .collection = on, .figure = {               \
            role,                                                                                            \
            "",                                                                                              \
            list,                                                                                            \
            50,                                                                                              \
            column                                                                                           \
        }                                                                                                    \
    }
#define FIGURES(prefix, role, on, textures)                                                                  \
    FIGURE(prefix, 2, role, on, "energy", NULL, "densities of Energy on every set, before and after SFT"),   \
        FIGURE(prefix, 3, role, on, "gradnorm,maxlogit", textures,                                           \
               "densities of the gradient norm and the largest logit, before and after"),                    \
        FIGURE(prefix, 4, role, on, "energy", textures, "densities of Energy, before and after")
#define PROP1(prefix, role, on)                                                                              \
    {                                                                                                        \
        prefix "prop1", "what Proposition 1 speaks of, step by step", .kind = SFT_EXPERIMENT_PROP1,          \
                                                                      .collection = on, .figure = {          \
                                                                          role,                              \
                                                                          "",                                \
                                                                          "energy",                          \
                                                                          50,                                \
                                                                          NULL                               \
                                                                      }                                      \
    }

const struct sft_experiment sft_experiments[] = {
    TABLE(1, "ResNetv2-101 on ImageNet-1k, all detectors"),
    TABLE(2, "T2T-ViT-24 on ImageNet-1k, all detectors"),
    TABLE(3, "VGG11 on CIFAR-10, all detectors, three readings of SFT"),
    TABLE(4, "with and without pseudo-OOD images"),
    TABLE(5, "number of steps"),
    TABLE(6, "SAM and SAM-only-norm, accuracy"),
    TABLE(7, "rho"),
    TABLE(8, "SGD and Adam"),
    FIGURES("", "ResNetv2-101", &imagenet, "Textures"),
    PROP1("", "ResNetv2-101", &imagenet),
    {"small",
     "all eight tables at the size of CIFAR: resnetv2_20_gn, VGG11-GN in the place of T2T-ViT-24, VGG11; the "
     "data packs under their own names",
     .collection = &packs, .tables = sft_small_tables, .table = SFT_ALL_TABLES},
    SMALL_TABLE(1, "one of them"),
    SMALL_TABLE(2, "one of them"),
    SMALL_TABLE(3, "one of them, and batch norm"),
    SMALL_TABLE(4, "one of them"),
    SMALL_TABLE(5, "one of them"),
    SMALL_TABLE(6, "one of them"),
    SMALL_TABLE(7, "one of them"),
    SMALL_TABLE(8, "one of them"),
    FIGURES("small-", "resnetv2_20_gn", &packs, "textures"),
    PROP1("small-", "resnetv2_20_gn", &packs),
    {0},
};

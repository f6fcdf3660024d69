/* SPDX-License-Identifier: Apache-2.0 */
/* Layouts of ResNets with batch norm for images of 32 pixels. */
#include "nn/layouts/layout.h"

static const struct sft_name_rule kuangliu[] = {
    {"fc.*", "linear.*"},
    {0},
};

const struct sft_layout sft_layouts_resnet[] = {
    {
        .name = "kuangliu",
        .about = "kuangliu's CIFAR networks: the classifier is called linear",
        .rules = kuangliu,
        .mean = {0.4914f, 0.4822f, 0.4465f},
        .std = {0.2023f, 0.1994f, 0.2010f},
    },
    {0},
};

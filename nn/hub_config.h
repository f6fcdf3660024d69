/* SPDX-License-Identifier: Apache-2.0 */
/* What the config.json beside a model of the Hugging Face Hub says of it, as timm and others write it:
 *
 *     {"architecture": "resnetv2_50x1_bit", "label_names": ["n01440764", ...],
 *      "pretrained_cfg": {"mean": [R, G, B], "std": [R, G, B], "input_size": [3, H, W],
 *                         "interpolation": "bilinear", "crop_pct": 0.875, "crop_mode": "center"}}
 */
#ifndef SFT_NN_HUB_CONFIG_H
#define SFT_NN_HUB_CONFIG_H

#include "nn/checkpoint/checkpoint.h"
#include "nn/class_names.h"
#include "runtime/base/framing.h"

/* Members that it does not say, or not as something that can be taken, are zeros. */
struct sft_hub_config {
    const char *architecture; /* the name of a variant */
    float mean[3], std[3];    /* std 0: none */
    int image_size;
    struct sft_framing framing;
};

/* Zeros where there is no such file, or none that is read. */
enum sft_status sft_hub_config_read(const struct sft_checkpoint *checkpoint,
                                    struct sft_hub_config *config) SFT_MUST_CHECK;

/* The names of `classes` classes in the order of the head's rows, into *names, which is {0}; none where it
 * has none, or others in number. */
enum sft_status sft_hub_config_labels(const struct sft_checkpoint *checkpoint, int classes,
                                      struct sft_class_names *names) SFT_MUST_CHECK;

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* enum sft_hyper of runtime/ops.h, for GLSL; runtime/vulkan/ops/optimizer.c checks that they agree. */
#define SFT_AT_LR 0
#define SFT_AT_RHO 1
#define SFT_AT_MOMENTUM 2
#define SFT_AT_WEIGHT_DECAY 3
#define SFT_AT_BETA1 4
#define SFT_AT_BETA2 5
#define SFT_AT_EPSILON 6
#define SFT_AT_BIAS1 7
#define SFT_AT_BIAS2 8

/* SPDX-License-Identifier: Apache-2.0 */
/* enum sft_distance of runtime/ops.h, for GLSL; runtime/vulkan/ops/loss.c checks that they agree. */
#define SFT_LOSS_OE 0
#define SFT_LOSS_KL_PU 1
#define SFT_LOSS_L2 2
#define SFT_LOSS_JS 3
#define SFT_LOSS_ENERGY 4
#define SFT_LOSS_LOGITNORM 5

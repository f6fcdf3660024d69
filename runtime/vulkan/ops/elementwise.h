/* SPDX-License-Identifier: Apache-2.0 */
/* Ops that work element by element: one shader, elementwise.comp, whose function is a constant of it. */
#ifndef SFT_VULKAN_OPS_ELEMENTWISE_H
#define SFT_VULKAN_OPS_ELEMENTWISE_H

#include "runtime/vulkan/recorder.h"
#include "shaders/abi/elementwise.h"

enum sft_vk_map { SFT_MAPS(SFT_VK_ENUMERATOR) };

/* Records y = function(a, b, number), where b repeats over y's shape. An operand that the function does not
 * have is SFT_NONE. */
enum sft_status sft_vk_map(struct sft_vk_recorder *recorder, const struct sft_graph *graph,
                           enum sft_vk_map function, float number, sft_value a, sft_value b,
                           sft_value y) SFT_MUST_CHECK;

#endif

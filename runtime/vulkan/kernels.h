/* SPDX-License-Identifier: Apache-2.0 */
/* The table of Vulkan kernels, a row for each op. */
#ifndef SFT_VULKAN_KERNELS_H
#define SFT_VULKAN_KERNELS_H

#include "runtime/graph.h"
#include "runtime/vulkan/recorder.h"

/* Appends the dispatches of node number `node` of the graph; none for a view. SFT_MEMORY where a tensor has
 * more elements than a kernel can count. */
enum sft_status sft_vk_record_node(struct sft_vk_recorder *recorder, const struct sft_graph *graph,
                                   size_t node) SFT_MUST_CHECK;

/* Bytes of scratch memory that the node's kernel needs. */
size_t sft_vk_scratch(const struct sft_graph *graph, const struct sft_node *node);

#endif

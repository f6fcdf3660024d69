/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/vulkan/recorder.h"

/* Nothing runs: the output lies in the input's memory. */
enum sft_status sft_vk_view(struct sft_vk_recorder *recorder, const struct sft_graph *graph,
                            const struct sft_node *node)
{
    (void)recorder;
    (void)graph;
    (void)node;
    return SFT_OK;
}

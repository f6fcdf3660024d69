/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/cpu/kernels.h"

static enum sft_status (*const kernels[SFT_OP_COUNT])(const struct sft_call *call) = {
#define SFT_OP(name) [SFT_ID_##name] = sft_cpu_##name,
#include "runtime/ops.def"
#undef SFT_OP
};

static size_t (*const scratch[SFT_OP_COUNT])(const struct sft_graph *graph, const struct sft_node *node) = {
#define SFT_SCRATCH(name) [SFT_ID_##name] = sft_cpu_##name##_scratch,
#include "runtime/cpu/scratch.def"
#undef SFT_SCRATCH
};

enum sft_status sft_cpu_run(const struct sft_call *call) { return kernels[call->node->op->id](call); }

size_t sft_cpu_scratch(const struct sft_graph *graph, const struct sft_node *node)
{
    return scratch[node->op->id] ? scratch[node->op->id](graph, node) : 0;
}

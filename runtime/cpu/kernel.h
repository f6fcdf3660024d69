/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a CPU kernel is: sft_cpu_NAME computes one node of op NAME over sft_parallel_for. One that needs
 * scratch memory has sft_cpu_NAME_scratch beside it and a row in runtime/cpu/scratch.def.
 */
#ifndef SFT_CPU_KERNEL_H
#define SFT_CPU_KERNEL_H

#include "runtime/graph.h"
#include "runtime/op.h"

/* One node with its memory. Absent optional inputs and unused outputs are NULL. */
struct sft_call {
    const struct sft_graph *graph;
    const struct sft_node *node;
    void *in[SFT_MAX_INPUTS];
    void *out[SFT_MAX_OUTPUTS];
    void *scratch; /* as many bytes as sft_cpu_NAME_scratch says, 64-byte aligned, contents undefined */
};

#define SFT_OP(name) enum sft_status sft_cpu_##name(const struct sft_call *call);
#include "runtime/ops.def"
#undef SFT_OP

#define SFT_SCRATCH(name)                                                                                    \
    size_t sft_cpu_##name##_scratch(const struct sft_graph *graph, const struct sft_node *node);
#include "runtime/cpu/scratch.def"
#undef SFT_SCRATCH

#endif

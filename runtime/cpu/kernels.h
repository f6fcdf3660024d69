/* SPDX-License-Identifier: Apache-2.0 */
/* The table of CPU kernels, a row for each op. */
#ifndef SFT_CPU_KERNELS_H
#define SFT_CPU_KERNELS_H

#include "runtime/cpu/kernel.h"

enum sft_status sft_cpu_run(const struct sft_call *call) SFT_MUST_CHECK;

/* Bytes of scratch memory that the node's kernel needs. */
size_t sft_cpu_scratch(const struct sft_graph *graph, const struct sft_node *node);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* The form of group norm that is layer norm. */
#ifndef SFT_CPU_LAYER_NORM_H
#define SFT_CPU_LAYER_NORM_H

#include <stdbool.h>

#include "runtime/cpu/kernel.h"

/* Whether a node of group_norm is one: single pixels, one group, statistics that are computed. */
bool sft_cpu_is_layer_norm(const struct sft_graph *graph, const struct sft_node *node);

/* Computes such a node. Takes no scratch memory. */
enum sft_status sft_cpu_layer_norm(const struct sft_call *call) SFT_MUST_CHECK;

#endif

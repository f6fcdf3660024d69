/* SPDX-License-Identifier: Apache-2.0 */
/* The passes by name; each rewrites the graph in place. */
#ifndef SFT_PASS_H
#define SFT_PASS_H

#include "runtime/graph.h"

#define SFT_PASS(name) enum sft_status sft_pass_##name(struct sft_graph *graph) SFT_MUST_CHECK;
#include "runtime/passes/passes.def"
#undef SFT_PASS

#endif

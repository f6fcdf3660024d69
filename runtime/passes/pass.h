/* SPDX-License-Identifier: Apache-2.0 */
/* The passes by name; each rewrites the graph in place. */
#ifndef SFT_PASS_H
#define SFT_PASS_H

#include "runtime/passes.h"

#define SFT_PASS(name)                                                                                       \
    enum sft_status sft_pass_##name(struct sft_graph *graph, const struct sft_pass_limits *limits)           \
        SFT_MUST_CHECK;
#include "runtime/passes/passes.def"
#undef SFT_PASS

#endif

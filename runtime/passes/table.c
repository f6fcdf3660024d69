/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/passes.h"
#include "runtime/passes/pass.h"

static enum sft_status (*const passes[])(struct sft_graph *graph, const struct sft_pass_limits *limits) = {
#define SFT_PASS(name) sft_pass_##name,
#include "runtime/passes/passes.def"
#undef SFT_PASS
};

enum sft_status sft_passes_run(struct sft_graph *graph, const struct sft_pass_limits *limits)
{
    for (size_t i = 0; i < sizeof(passes) / sizeof(passes[0]); i++) SFT_TRY(passes[i](graph, limits));
    return sft_graph_status(graph);
}

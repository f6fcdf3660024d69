/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/tape.h"

bool sft_needs_grad(const struct sft_tape *tape, sft_value value)
{
    return value != SFT_NONE && (size_t)value < tape->n_values && tape->needed[value];
}

sft_value sft_grad(const struct sft_tape *tape, sft_value value)
{
    return value != SFT_NONE && (size_t)value < tape->n_values ? tape->grads[value] : SFT_NONE;
}

void sft_add_grad(struct sft_tape *tape, sft_value value, sft_value gradient)
{
    if (!sft_needs_grad(tape, value) || gradient == SFT_NONE) return;
    if (tape->grads[value] != SFT_NONE) gradient = tape->sum(tape->graph, tape->grads[value], gradient);
    tape->grads[value] = gradient;
}

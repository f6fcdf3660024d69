/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Walking over a Python pickle (protocols 2 to 5) without running anything in it.
 *
 * A pickle is a program for a stack machine that names functions and has them called. Here the machine is
 * followed and nothing is called: the few functions that make PyTorch's tensors and plain containers are
 * known (nn/checkpoint/torch/pickle_calls.h) and become nodes; the result of any other is a node that says
 * whose it would be, and reading goes on. Nodes, stack and memo are bounded, and nesting costs no stack.
 */
#ifndef SFT_NN_CHECKPOINT_PICKLE_H
#define SFT_NN_CHECKPOINT_PICKLE_H

#include "nn/checkpoint/torch/pickle_nodes.h"
#include "runtime/base/file.h"

/* Follows the pickle that begins at bytes->data[*at], and moves *at behind it. *top is the node of the
 * object. Texts stay where they are in `bytes`. SFT_DATA when it is damaged or asks for more than is sane. */
enum sft_status sft_pickle_walk(struct sft_pickle *pickle, const struct sft_bytes *bytes, size_t *at,
                                uint32_t *top) SFT_MUST_CHECK;

#endif

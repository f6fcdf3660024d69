/* SPDX-License-Identifier: Apache-2.0 */
/* What the functions would give that a pickle wants to have called: the few that are known, and for all
 * others a node that says so. */
#ifndef SFT_NN_CHECKPOINT_PICKLE_CALLS_H
#define SFT_NN_CHECKPOINT_PICKLE_CALLS_H

#include "nn/checkpoint/torch/pickle_nodes.h"

/* The node of maker(*args). */
enum sft_status sft_pickle_call(struct sft_pickle *pickle, uint32_t maker, uint32_t args,
                                uint32_t *result) SFT_MUST_CHECK;

/* The node of what PyTorch writes beside the pickle: ("storage", class, key, device, elements[, view]). */
enum sft_status sft_pickle_persistent(struct sft_pickle *pickle, uint32_t id,
                                      uint32_t *result) SFT_MUST_CHECK;

/* The classes of storages and the types of elements, both by their names in Python. */
const char *sft_pickle_storage_class(enum sft_stored_dtype dtype);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a run is a function of, as a JSON object:
 *
 *     {"training":   {"--lr": 0.001, ..., "contents of --id": HASH, "contents of --weights": HASH, ...},
 *      "evaluation": {"--score": "msp", ..., "contents of --eval-ood svhn": HASH, ...}}
 *
 * Options are there by value, with all defaults filled in; inputs by their contents and not by what they are
 * called (sft_dataset_hash(), sft_model_fingerprint()). "training" decides the model, "evaluation" what is
 * measured of it.
 */
#ifndef SFT_IDENTITY_H
#define SFT_IDENTITY_H

#include "tools/jobs/training.h"

/* The identity of the training, a reference of the caller's; *identity is NULL on failure. The model has the
 * weights of the start. */
enum sft_status sft_identity_make(const struct sft_training *training, json_t **identity) SFT_MUST_CHECK;

/* Whether the trainings are the same; otherwise SFT_DATA, with a message that begins with `where` and names
 * what differs. With `steps_may` another number of steps is no difference. */
enum sft_status sft_identity_check(const json_t *then, const json_t *now, bool steps_may,
                                   const char *where) SFT_MUST_CHECK;

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Scorers for the scores that a job was asked for, with the settings it was asked for. */
#ifndef SFT_SCORERS_H
#define SFT_SCORERS_H

#include "ood/scores/score.h"

/* Room for the knobs of all scores, one score after the other in the order of the table of scores. */
enum { SFT_MAX_KNOBS = 64 };

/* Fills knobs[SFT_MAX_KNOBS] with the default of each. */
enum sft_status sft_knobs_init(union sft_knob_value *knobs) SFT_MUST_CHECK;

/* Makes `count` scorers for the model with those knobs (NULL: defaults), in an array that the caller releases
 * with sft_scorers_free. */
enum sft_status sft_scorers_create(const union sft_knob_value *knobs, const struct sft_model *model,
                                   const struct sft_score *const *scores, int count,
                                   struct sft_scorer **scorers) SFT_MUST_CHECK;
void sft_scorers_free(struct sft_scorer **scorers, int count);

#endif

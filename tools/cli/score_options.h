/* SPDX-License-Identifier: Apache-2.0 */
/* Scores as the commands take them from the command line: a list of names, and a flag for each knob of any
 * score. */
#ifndef SFT_SCORE_OPTIONS_H
#define SFT_SCORE_OPTIONS_H

#include "ood/scores/score.h"
#include "tools/cli/common.h"

/* Rows for the knobs of all scores, for an option group; their values lie in sft_common.knobs. Filled by
 * sft_score_options_init, which main() calls once before it looks at the command line. */
extern struct sft_option sft_score_options[SFT_MAX_KNOBS + 1];
enum sft_status sft_score_options_init(void) SFT_MUST_CHECK;

/* Makes `count` scorers for the model with the knobs that were asked for, in an array that the caller
 * releases with sft_scorers_free. */
enum sft_status sft_scorers_create(const struct sft_common *common, const struct sft_model *model,
                                   const struct sft_score *const *scores, int count,
                                   struct sft_scorer **scorers) SFT_MUST_CHECK;
void sft_scorers_free(struct sft_scorer **scorers, int count);

/* Help lines of --score; the text is overwritten by the next call. */
const char *sft_score_list(int i);

#endif

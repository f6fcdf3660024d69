/* SPDX-License-Identifier: Apache-2.0 */
/* Scores on the command line: a list of names, a flag for each knob of any score, and how they are measured.
 */
#ifndef SFT_SCORE_OPTIONS_H
#define SFT_SCORE_OPTIONS_H

#include "tools/cli/common.h"

/* Rows for the knobs of all scores, for an option group; their values lie in sft_common.knobs. Filled by
 * sft_score_options_init, which main() calls once before it looks at the command line. */
extern struct sft_option sft_score_options[SFT_MAX_KNOBS + 1];
enum sft_status sft_score_options_init(void) SFT_MUST_CHECK;

/* The default of every knob, for a command's init(). */
void sft_score_options_defaults(struct sft_common *common);

/* Help lines of --score and of --fpr-positive; the text is overwritten by the next call. */
const char *sft_score_list(int i);
const char *sft_convention_list(int i);

#endif

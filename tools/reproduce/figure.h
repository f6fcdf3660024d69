/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The figures of the paper: scores of every image before and after fine-tuning, and their densities. In
 * FOLDER are the files of an evaluation of two models (results.json, scores/, report.html with plots/), and
 * for each score and set
 *
 *     SCORE-SET-bins.csv      bin_left,bin_right,id_before,ood_before,id_after,ood_after: densities over 100
 *                             bins
 *     SCORE-SET-kernel.csv    x,id_before,...: Gaussian kernel densities at 512 points
 *
 * over the range that all four samples have in common (ood/metrics/histogram.h).
 */
#ifndef SFT_REPRODUCE_FIGURE_H
#define SFT_REPRODUCE_FIGURE_H

#include "runtime/base/text.h"
#include "tools/reproduce/lab.h"

/* Makes the figure of the lab's experiment in `folder`, and adds means, deviations and shifts to `out`. */
enum sft_status sft_figure_make(struct sft_lab *lab, const char *folder, struct sft_text *out) SFT_MUST_CHECK;

/* Fine-tunes with a trace of Proposition 1 into `folder`. Release the result with sft_finetune_result_free()
 * in any case. */
enum sft_status sft_prop1_make(struct sft_lab *lab, const char *folder,
                               struct sft_finetune_result *result) SFT_MUST_CHECK;

#endif

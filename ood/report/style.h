/* SPDX-License-Identifier: Apache-2.0 */
/* The style sheets: of the page, light and dark as the reader's system asks, and of a chart in a file of its
 * own, in light colours. Private to ood/report. */
#ifndef SFT_OOD_REPORT_STYLE_H
#define SFT_OOD_REPORT_STYLE_H

#include "runtime/base/text.h"

void sft_style_for_page(struct sft_text *out);
void sft_style_for_file(struct sft_text *out);

#endif

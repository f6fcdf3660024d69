/* SPDX-License-Identifier: Apache-2.0 */
/* The style sheet of the report, in pieces up to a NULL. Private to ood/. */
#ifndef SFT_OOD_REPORT_STYLE_H
#define SFT_OOD_REPORT_STYLE_H

extern const char *const sft_report_style[];

#endif

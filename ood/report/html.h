/* SPDX-License-Identifier: Apache-2.0 */
/* What the pages of the program have in common: one file without script and network, light or dark as the
 * reader's system asks, no wider than a telephone. Callers append to the same text and escape what comes from
 * outside. */
#ifndef SFT_OOD_HTML_H
#define SFT_OOD_HTML_H

#include "runtime/base/text.h"

/* Everything up to the page's heading, inside of <header>. */
void sft_html_begin(struct sft_text *out, const char *title);

/* Ends <header> and starts <main>. */
void sft_html_main(struct sft_text *out);

/* Ends <main>, adds a footer, which is HTML, and ends the page. */
void sft_html_end(struct sft_text *out, const char *footer);

/* A region that scrolls sideways on its own, so that the page never does; keyboards reach it. A <div> to be
 * closed. */
void sft_html_open_scroll(struct sft_text *out, const char *label);

/* A name that may break after its separators, escaped. */
void sft_html_add_breakable(struct sft_text *out, const char *name);

#endif

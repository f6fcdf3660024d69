/* SPDX-License-Identifier: Apache-2.0 */
/* Text that grows: what the writers of CSV, SVG, HTML and tables append to. */
#ifndef SFT_TEXT_H
#define SFT_TEXT_H

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include "runtime/base/status.h"

/* Starts as {0}. The first failure sticks: later calls do nothing, so that a writer checks once, at its end.
 */
struct sft_text {
    char *data; /* zero-terminated once something was appended; owned */
    size_t length, capacity;
    enum sft_status status;
};

void sft_text_add(struct sft_text *text, const char *string);
void sft_text_add_bytes(struct sft_text *text, const void *bytes, size_t length);
void sft_text_printf(struct sft_text *text, const char *format, ...) SFT_PRINTF(2, 3);
void sft_text_vprintf(struct sft_text *text, const char *format, va_list args) SFT_PRINTF(2, 0);

/*
 * Spelling: bytes of any kind (a file's name) as UTF-8, so that different bytes stay different. A byte that
 * is no part of a UTF-8 character becomes a backslash, an x and its two digits: \xE9. Backslashes right
 * before such a byte, or before text that looks like its spelling (xE9), are doubled. Everything else is
 * kept, so that text which is UTF-8 stands for itself.
 */
void sft_text_add_spelled(struct sft_text *text, const char *bytes);

/* The spelling of `bytes`, which the caller releases with free(); NULL without memory. */
char *sft_text_spell(const char *bytes);

/* Turns a spelling into the bytes again, in place: they are never longer. */
void sft_text_unspell(char *spelling);

/* Appends the spelling of `string` with & < > " ' as entities, and what is no character of HTML as U+FFFD:
 * safe between tags and in quoted attributes. */
void sft_text_add_escaped(struct sft_text *text, const char *string);

/*
 * Appends the spelling of a text as a field of CSV (RFC 4180): quoted where it has to be. Text that a
 * spreadsheet would take for a formula (OWASP, "CSV injection": it begins with = + - @, their full-width
 * forms, a tab or an end of line) gets an apostrophe in front and is quoted. So does such text behind
 * apostrophes, so that who reads the file takes one off where apostrophes stand before such a character, and
 * has the text again. Numbers are no text: they are printed as they are.
 */
void sft_text_add_csv(struct sft_text *text, const char *field);

/* Appends a name or the like as a terminal may show it (runtime/base/visible.h), ends of lines spelled, too.
 */
void sft_text_add_visible(struct sft_text *text, const char *bytes);

/* Prints lines, and all but their ends as a terminal may show it. SFT_WRITE, or what failed in `text`. */
enum sft_status sft_text_print(const struct sft_text *text, FILE *out) SFT_MUST_CHECK;

/* Appends what `part` holds, or passes its failure on. */
void sft_text_append(struct sft_text *text, const struct sft_text *part);

/* What `part` holds, "" where nothing was appended. Its failure is passed on to `whole`, in which the string
 * is used: a text is whole with all of its parts, or has failed. Valid until `part` changes. */
const char *sft_text_string(struct sft_text *whole, const struct sft_text *part);

/* For data: URIs: bytes in base64 (RFC 4648, padded); a string with all but unreserved characters and commas
 * as %XX. */
void sft_text_add_base64(struct sft_text *text, const void *bytes, size_t size);
void sft_text_add_uri(struct sft_text *text, const char *string);

/* To be called where printing failed, as errno tells: SFT_WRITE with a message that names `what`. Where the
 * reader of a pipe went away (`| head`) there is none: he knows it. */
enum sft_status sft_fail_printing(const char *what);

void sft_text_free(struct sft_text *text);

/* How many columns `string` takes on a terminal: its UTF-8 characters, counted one each. */
int sft_text_columns(const char *string);

/* Copies `string` into out[size], cut to so many columns (and to the room), with an ellipsis in place of the
 * rest. */
void sft_text_shorten(char *out, size_t size, const char *string, int columns);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Text that strangers chose (names of files, lines of lists, metadata), made fit for a terminal or a log.
 *
 * A terminal obeys control characters: they set its title, clear it, hide what follows. Here each becomes
 * something to read. What this makes can go through it again unchanged, so that a name that was made visible
 * for a table and a table that is printed do not disturb each other. For text that has to be read back there
 * is sft_text_add_spelled() (runtime/base/text.h).
 */
#ifndef SFT_VISIBLE_H
#define SFT_VISIBLE_H

#include <stddef.h>

/* Bytes of the UTF-8 character at `s`; 0 where there is none: stray, cut off, overlong, surrogate, above
 * U+10FFFF. */
size_t sft_utf8_bytes(const char *s);

/* Bytes of the character at `s` where it is one that a terminal obeys: a control character (C0, DEL, C1), a
 * separator of lines, a mark that turns the direction of what follows, or a byte order mark, which nobody
 * would see. 0 for any other. */
size_t sft_control_bytes(const char *s);

/* Copies `text` into out[room], zero-terminated and cut where a character does not fit, with each byte of a
 * control character and each that is no UTF-8 as \xHH. The characters in `kept` stand for themselves: "\n"
 * for text of several lines. Returns the length without the cut. */
size_t sft_visible(const char *text, const char *kept, char *out, size_t room);

#endif

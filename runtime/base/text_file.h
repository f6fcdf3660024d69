/* SPDX-License-Identifier: Apache-2.0 */
/* Text files that people write with the editor of any system. */
#ifndef SFT_TEXT_FILE_H
#define SFT_TEXT_FILE_H

#include "runtime/base/text.h"

/* Puts the text of the file into *text, which is {0} and to be released in any case, without the byte order
 * mark that editors put before UTF-8. SFT_DATA where it is missing, longer than `most` bytes, UTF-16, or has
 * zero bytes as no text has. */
enum sft_status sft_text_file_read(const char *path, size_t most, struct sft_text *text) SFT_MUST_CHECK;

#endif

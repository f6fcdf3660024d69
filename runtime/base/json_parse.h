/* SPDX-License-Identifier: Apache-2.0 */
/* JSON of a text. */
#ifndef SFT_JSON_PARSE_H
#define SFT_JSON_PARSE_H

#include <jansson.h>
#include <stdbool.h>

/* What a text says, read with jansson's flags. NULL, with the reason in `error` (may be NULL), for text that
 * is no JSON and for lack of memory. The one way to read JSON: jansson's own functions may crash without
 * memory. */
json_t *sft_json_parse(const char *bytes, size_t size, size_t flags, json_error_t *error);

/* Whether it was memory that lacked, and not the text that is wrong. */
bool sft_json_lacks_memory(const json_error_t *error);

#endif

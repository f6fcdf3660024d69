/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON, on jansson: made piece by piece, and read.
 *
 * jansson answers NULL, and a field is gone without a word, where memory runs out or a text is no UTF-8. Here
 * the first failure sticks, as in struct sft_text, and what was made with a failure cannot be written: a
 * writer checks once, at its end. Texts and keys are any bytes; JSON gets their spelling
 * (runtime/base/text.h), in which different names stay different.
 *
 *     struct sft_json json = {0};
 *     sft_json_object(&json, NULL);
 *     sft_json_text(&json, "name", name);
 *     sft_json_array(&json, "values");
 *     for (...) sft_json_real(&json, NULL, values[i]);
 *     sft_json_end(&json);
 *     sft_json_end(&json);
 *     status = sft_json_write(&json, path, JSON_INDENT(2));
 *     sft_json_free(&json);
 */
#ifndef SFT_JSON_H
#define SFT_JSON_H

#include <jansson.h>
#include <stdbool.h>

#include "runtime/base/text.h"

enum { SFT_JSON_DEPTH = 16 };

/* Starts as {0}. */
struct sft_json {
    json_t *root; /* what was made so far; owned */
    json_t
        *open[SFT_JSON_DEPTH]; /* the objects and arrays that are not ended, the outermost first; borrowed */
    int depth;
    enum sft_status status; /* once it is not SFT_OK, the calls below do nothing */
};

/* ---- making ---- */

/* Each puts a value where the builder stands: into an object under `key`, in place of what was there; with
 * `key` NULL at the end of an array, or as the root. */

/* Puts an empty one and stands in it up to its sft_json_end(). */
void sft_json_object(struct sft_json *json, const char *key);
void sft_json_array(struct sft_json *json, const char *key);
void sft_json_end(struct sft_json *json);

void sft_json_text(struct sft_json *json, const char *key, const char *bytes); /* NULL: null */
void sft_json_real(struct sft_json *json, const char *key, double value);      /* not finite: null */
void sft_json_integer(struct sft_json *json, const char *key, int64_t value);
void sft_json_boolean(struct sft_json *json, const char *key, bool value);
void sft_json_null(struct sft_json *json, const char *key);

/* Takes the reference `value` over, in any case; NULL is a failure. */
void sft_json_value(struct sft_json *json, const char *key, json_t *value);

/* Gives the root away: a reference of the caller's, or NULL where something failed. The builder is {0} again.
 */
json_t *sft_json_take(struct sft_json *json);

void sft_json_free(struct sft_json *json);

/* ---- writing ---- */

/* Appends a value as text, with jansson's flags for its form (JSON_INDENT, JSON_REAL_PRECISION of 9 digits or
 * more, ...), in which what a terminal obeys (runtime/base/visible.h) is escaped. The text is read again and
 * compared: it fails where it does not hold all of the value. NULL fails. */
void sft_text_add_json(struct sft_text *text, const json_t *value, size_t flags);

/* The same of what was made; what is not ended yet is written as it is. */
void sft_json_dump(const struct sft_json *json, size_t flags, struct sft_text *text);

/* Writes that text and a newline to a file, atomically. SFT_WRITE, or what failed before; there is a message
 * with `path` in any case. */
enum sft_status sft_json_write(const struct sft_json *json, const char *path, size_t flags) SFT_MUST_CHECK;

/* ---- reading ---- */

/* Gives what a file holds, a reference of the caller's. SFT_DATA, with the line, where it is missing or no
 * JSON, or an object has a key twice. */
enum sft_status sft_json_read(const char *path, json_t **value) SFT_MUST_CHECK;

/* The same where the file is there: NULL where it is not, or is damaged, of which there is a message. What
 * else may fail, for lack of memory or with too many open files, does. */
enum sft_status sft_json_read_found(const char *path, json_t **value) SFT_MUST_CHECK;

/* The bytes that a string spells, which the caller releases with free(); NULL without memory. */
char *sft_json_bytes(const json_t *string);

/* NaN for what is no number. */
double sft_json_number(const json_t *value);

#endif

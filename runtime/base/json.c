/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/base/json.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/base/alloc.h"
#include "runtime/base/file.h"
#include "runtime/base/json_parse.h"
#include "runtime/base/visible.h"

/* ---- making ---- */

/* Takes `value` over. Not 0 where memory runs out, or there is no key. */
static int put_in_object(json_t *object, const char *key, json_t *value)
{
    char *spelled = key ? sft_text_spell(key) : NULL;
    int failed = -1;
    if (spelled)
        failed = json_object_set_new(object, spelled, value);
    else
        json_decref(value);
    free(spelled);
    return failed;
}

/* Takes `value` over, which is not NULL, into the container that is open. */
static int put(struct sft_json *json, const char *key, json_t *value)
{
    json_t *into = json->depth > 0 ? json->open[json->depth - 1] : NULL;
    if (json_is_object(into)) return put_in_object(into, key, value);
    if (into) return json_array_append_new(into, value);
    json_decref(json->root);
    json->root = value;
    return 0;
}

void sft_json_value(struct sft_json *json, const char *key, json_t *value)
{
    if (json->status != SFT_OK)
        json_decref(value);
    else if (!value || put(json, key, value) != 0)
        json->status = sft_fail(SFT_MEMORY, "out of memory for JSON%s%s", key ? ": " : "", key ? key : "");
}

static void open_in(struct sft_json *json, const char *key, json_t *container)
{
    if (json->status == SFT_OK && json->depth == SFT_JSON_DEPTH)
        json->status = sft_fail(SFT_FAILED, "JSON deeper than %d levels", SFT_JSON_DEPTH);
    sft_json_value(json, key, container);
    if (json->status == SFT_OK) json->open[json->depth++] = container;
}

void sft_json_object(struct sft_json *json, const char *key) { open_in(json, key, json_object()); }

void sft_json_array(struct sft_json *json, const char *key) { open_in(json, key, json_array()); }

void sft_json_end(struct sft_json *json)
{
    if (json->status == SFT_OK && json->depth > 0) json->depth--;
}

void sft_json_text(struct sft_json *json, const char *key, const char *bytes)
{
    char *spelled = bytes ? sft_text_spell(bytes) : NULL;
    json_t *value = spelled ? json_string(spelled) : NULL;
    free(spelled);
    sft_json_value(json, key, bytes ? value : json_null());
}

void sft_json_real(struct sft_json *json, const char *key, double value)
{
    sft_json_value(json, key, isfinite(value) ? json_real(value) : json_null());
}

void sft_json_integer(struct sft_json *json, const char *key, int64_t value)
{
    sft_json_value(json, key, json_integer((json_int_t)value));
}

void sft_json_boolean(struct sft_json *json, const char *key, bool value)
{
    sft_json_value(json, key, json_boolean(value));
}

void sft_json_null(struct sft_json *json, const char *key) { sft_json_value(json, key, json_null()); }

json_t *sft_json_take(struct sft_json *json)
{
    json_t *root = json->status == SFT_OK ? json_incref(json->root) : NULL;
    sft_json_free(json);
    return root;
}

void sft_json_free(struct sft_json *json)
{
    json_decref(json->root);
    memset(json, 0, sizeof(*json));
}

/* ---- writing ---- */

static bool holds(const json_t *read, const json_t *made);

static bool holds_object(const json_t *read, const json_t *made)
{
    const char *key;
    json_t *value;
    if (json_object_size(read) != json_object_size(made)) return false;
    json_object_foreach((json_t *)made, key,
                        value) if (!holds(json_object_get(read, key), value)) return false;
    return true;
}

static bool holds_array(const json_t *read, const json_t *made)
{
    if (json_array_size(read) != json_array_size(made)) return false;
    for (size_t i = 0; i < json_array_size(made); i++)
        if (!holds(json_array_get(read, i), json_array_get(made, i))) return false;
    return true;
}

/* Whether what was read is what was made, but for the digits of reals. */
static bool holds(const json_t *read, const json_t *made)
{
    if (!read || json_typeof(read) != json_typeof(made)) return false;
    if (json_is_object(made)) return holds_object(read, made);
    if (json_is_array(made)) return holds_array(read, made);
    if (json_is_real(made))
        return fabs(json_real_value(read) - json_real_value(made)) <= 1e-8 * fabs(json_real_value(made));
    return json_equal(read, made);
}

static int append(const char *bytes, size_t size, void *text)
{
    sft_text_add_bytes(text, bytes, size);
    return ((struct sft_text *)text)->status == SFT_OK ? 0 : -1;
}

static bool reads_back(const struct sft_text *text, size_t from, const json_t *made)
{
    json_t *read = sft_json_parse(text->data + from, text->length - from, JSON_DECODE_ANY, NULL);
    bool same = holds(read, made);
    json_decref(read);
    return same;
}

static unsigned code_point(const char *s, size_t bytes)
{
    unsigned code = (unsigned char)s[0] & (bytes == 1 ? 0x7fu : 0xffu >> (bytes + 1));
    for (size_t i = 1; i < bytes; i++) code = code << 6 | ((unsigned char)s[i] & 0x3f);
    return code;
}

/* Bytes before the next control that jansson lets through: it escapes those below a blank, and the ends of
 * lines are its own. */
static size_t plain_bytes(const char *s)
{
    size_t bytes = 0;
    while (s[bytes] && (s[bytes] == '\n' || !sft_control_bytes(s + bytes))) bytes++;
    return bytes;
}

static void add_without_controls(struct sft_text *text, const char *made)
{
    while (*made) {
        size_t plain = plain_bytes(made), control;
        sft_text_add_bytes(text, made, plain);
        made += plain;
        control = sft_control_bytes(made);
        if (control) sft_text_printf(text, "\\u%04X", code_point(made, control));
        made += control;
    }
}

void sft_text_add_json(struct sft_text *text, const json_t *value, size_t flags)
{
    struct sft_text made = {0};
    size_t from = text->length;
    if (text->status != SFT_OK) return;
    if (json_dump_callback(value, append, &made, flags | JSON_ENCODE_ANY) == 0)
        add_without_controls(text, made.data);
    if (text->length == from || text->status != SFT_OK || !reads_back(text, from, value))
        text->status = sft_fail(SFT_MEMORY, "out of memory for a text of JSON");
    sft_text_free(&made);
}

void sft_json_dump(const struct sft_json *json, size_t flags, struct sft_text *text)
{
    if (text->status == SFT_OK) text->status = json->status;
    sft_text_add_json(text, json->root, flags);
}

enum sft_status sft_json_write(const struct sft_json *json, const char *path, size_t flags)
{
    struct sft_text text = {0};
    enum sft_status status;
    sft_json_dump(json, flags, &text);
    sft_text_add(&text, "\n");
    status = text.status == SFT_OK ? sft_file_write(path, text.data, text.length)
                                   : sft_fail(text.status, "%s: not written, see above", path);
    sft_text_free(&text);
    return status;
}

/* ---- reading ---- */

static enum sft_status unread(const char *path, const json_error_t *error)
{
    if (sft_json_lacks_memory(error))
        return sft_fail(SFT_MEMORY, "%s: out of memory for what it holds", path);
    return sft_fail(SFT_DATA, "%s: line %d: %s", path, error->line, error->text);
}

enum sft_status sft_json_read(const char *path, json_t **value)
{
    struct sft_bytes file;
    json_error_t error;
    *value = NULL;
    SFT_TRY(sft_file_open(path, &file));
    *value = sft_json_parse((const char *)file.data, file.size, JSON_REJECT_DUPLICATES, &error);
    sft_file_close(&file);
    return *value ? SFT_OK : unread(path, &error);
}

enum sft_status sft_json_read_found(const char *path, json_t **value)
{
    enum sft_status status;
    *value = NULL;
    if (access(path, F_OK) != 0) return SFT_OK;
    status = sft_json_read(path, value);
    return status == SFT_DATA ? SFT_OK : status;
}

char *sft_json_bytes(const json_t *string)
{
    char *bytes = sft_strdup(json_string_value(string));
    if (bytes) sft_text_unspell(bytes);
    return bytes;
}

double sft_json_number(const json_t *value) { return json_is_number(value) ? json_number_value(value) : NAN; }

/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/base/text.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/base/alloc.h"
#include "runtime/base/visible.h"

/* Makes room for `extra` characters and a zero. */
static int reserve(struct sft_text *text, size_t extra)
{
    if (text->status == SFT_OK)
        text->status = sft_grow(&text->data, &text->capacity, text->length + extra + 1, 1);
    return text->status == SFT_OK;
}

void sft_text_add_bytes(struct sft_text *text, const void *bytes, size_t length)
{
    if (!reserve(text, length)) return;
    memcpy(text->data + text->length, bytes, length);
    text->length += length;
    text->data[text->length] = '\0';
}

void sft_text_add(struct sft_text *text, const char *string)
{
    sft_text_add_bytes(text, string, strlen(string));
}

void sft_text_vprintf(struct sft_text *text, const char *format, va_list args)
{
    va_list again;
    int length;
    va_copy(again, args);
    length = vsnprintf(NULL, 0, format, args);
    if (length >= 0 && reserve(text, (size_t)length)) {
        vsnprintf(text->data + text->length, (size_t)length + 1, format, again);
        text->length += (size_t)length;
    }
    va_end(again);
}

void sft_text_printf(struct sft_text *text, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    sft_text_vprintf(text, format, args);
    va_end(args);
}

/* ---- spelling ---- */

/* Whether "xE9" or the like stands at `s`. Only bytes from 80 on are ever spelled. */
static bool is_spelled_byte(const char *s)
{
    return s[0] == 'x' && s[1] && strchr("89ABCDEF", s[1]) && s[2] && strchr("0123456789ABCDEF", s[2]);
}

static bool is_stray(const char *s) { return sft_utf8_bytes(s) == 0; }

/* Appends the backslashes that `s` starts with; gives their number. */
static size_t add_backslashes(struct sft_text *text, const char *s)
{
    size_t count = strspn(s, "\\");
    const char *next = s + count;
    sft_text_add_bytes(text, s, count);
    if (is_stray(next) || is_spelled_byte(next)) sft_text_add_bytes(text, s, count);
    return count;
}

void sft_text_add_spelled(struct sft_text *text, const char *bytes)
{
    for (const char *s = bytes; *s;) {
        size_t length = sft_utf8_bytes(s);
        if (*s == '\\') {
            s += add_backslashes(text, s);
        } else if (length) {
            sft_text_add_bytes(text, s, length);
            s += length;
        } else {
            sft_text_printf(text, "\\x%02X", (unsigned)(unsigned char)*s);
            s++;
        }
    }
}

char *sft_text_spell(const char *bytes)
{
    struct sft_text text = {0};
    sft_text_add(&text, "");
    sft_text_add_spelled(&text, bytes);
    if (text.status != SFT_OK) sft_text_free(&text);
    return text.data;
}

static unsigned digit(char c) { return (unsigned)(c <= '9' ? c - '0' : c - 'A' + 10); }

void sft_text_unspell(char *spelling)
{
    char *to = spelling;
    for (const char *s = spelling; *s;) {
        size_t slashes = strspn(s, "\\");
        const char *next = s + slashes;
        bool spelled = slashes > 0 && is_spelled_byte(next);
        size_t kept = spelled ? slashes / 2 : slashes;
        memset(to, '\\', kept);
        to += kept;
        s = next;
        if (spelled && slashes % 2) {
            *to++ = (char)(16 * digit(next[1]) + digit(next[2]));
            s += 3;
        } else if (slashes == 0) {
            *to++ = *s++;
        }
    }
    *to = '\0';
}

/* ---- for HTML, CSV, URIs ---- */

static const struct {
    char character;
    const char *entity;
} entities[] = {{'&', "&amp;"}, {'<', "&lt;"}, {'>', "&gt;"}, {'"', "&quot;"}, {'\'', "&#39;"}};

/* What stands for an ASCII character in HTML; NULL where it stands for itself. */
static const char *entity(unsigned char c)
{
    static const char replacement[] = "\xef\xbf\xbd"; /* U+FFFD */
    for (size_t i = 0; i < sizeof(entities) / sizeof(entities[0]); i++)
        if (entities[i].character == (char)c) return entities[i].entity;
    return (c < 0x20 && c != '\n' && c != '\t') || c == 0x7f ? replacement : NULL;
}

/* The spelling of `string` in `spelled`, and whether it could be made; where it could not, `text` fails. */
static bool spell(struct sft_text *text, const char *string, struct sft_text *spelled)
{
    sft_text_add(spelled, "");
    sft_text_add_spelled(spelled, string);
    if (text->status == SFT_OK) text->status = spelled->status;
    return text->status == SFT_OK;
}

void sft_text_add_escaped(struct sft_text *text, const char *string)
{
    struct sft_text spelled = {0};
    const char *s = spell(text, string, &spelled) ? spelled.data : "";
    for (; *s; s++) {
        const char *replaced = entity((unsigned char)*s);
        if (replaced)
            sft_text_add(text, replaced);
        else
            sft_text_add_bytes(text, s, 1);
    }
    sft_text_free(&spelled);
}

/* What a spreadsheet takes for the beginning of a formula, as its owner or as East Asian keyboards write it
 * (full-width forms), and white space that it skips before one. */
static const char *const formulas[] = {
    "=", "+", "-", "@", "\xef\xbc\x9d", "\xef\xbc\x8b", "\xef\xbc\x8d", "\xef\xbc\xa0", "\t", "\r", "\n"};

/* Whether a formula stands at the start, or behind apostrophes: one more keeps all of these different. */
static bool needs_apostrophe(const char *field)
{
    field += strspn(field, "'");
    for (size_t i = 0; i < sizeof(formulas) / sizeof(formulas[0]); i++)
        if (strncmp(field, formulas[i], strlen(formulas[i])) == 0) return true;
    return false;
}

static void add_quoted(struct sft_text *text, const char *start, const char *field)
{
    sft_text_printf(text, "\"%s", start);
    for (; *field; field++) sft_text_printf(text, *field == '"' ? "\"\"" : "%c", *field);
    sft_text_add(text, "\"");
}

void sft_text_add_csv(struct sft_text *text, const char *field)
{
    struct sft_text spelled = {0};
    if (spell(text, field, &spelled)) {
        const char *start = needs_apostrophe(spelled.data) ? "'" : "";
        if (*start || strpbrk(spelled.data, ",\"\r\n"))
            add_quoted(text, start, spelled.data);
        else
            sft_text_append(text, &spelled);
    }
    sft_text_free(&spelled);
}

enum sft_status sft_fail_printing(const char *what)
{
    if (errno == EPIPE) return SFT_WRITE;
    return sft_fail(SFT_WRITE, "%s could not be printed: %s", what, strerror(errno));
}

/* ---- for terminals ---- */

static void add_visible(struct sft_text *text, const char *bytes, const char *kept)
{
    size_t length = sft_visible(bytes, kept, NULL, 0);
    if (!reserve(text, length)) return;
    sft_visible(bytes, kept, text->data + text->length, length + 1);
    text->length += length;
}

void sft_text_add_visible(struct sft_text *text, const char *bytes) { add_visible(text, bytes, ""); }

enum sft_status sft_text_print(const struct sft_text *text, FILE *out)
{
    struct sft_text shown = {0};
    enum sft_status status;
    add_visible(&shown, sft_text_string(&shown, text), "\n");
    status = shown.status;
    if (status == SFT_OK && (fputs(shown.data, out) < 0 || fflush(out) != 0))
        status = sft_fail_printing("the text");
    sft_text_free(&shown);
    return status;
}

const char *sft_text_string(struct sft_text *whole, const struct sft_text *part)
{
    if (whole->status == SFT_OK) whole->status = part->status;
    return part->data ? part->data : "";
}

void sft_text_append(struct sft_text *text, const struct sft_text *part)
{
    sft_text_add_bytes(text, sft_text_string(text, part), part->length);
}

void sft_text_add_base64(struct sft_text *text, const void *bytes, size_t size)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const unsigned char *s = bytes;
    for (size_t i = 0; i < size; i += 3) {
        size_t here = size - i < 3 ? size - i : 3;
        unsigned group =
            (unsigned)s[i] << 16 | (here > 1 ? (unsigned)s[i + 1] << 8 : 0) | (here > 2 ? s[i + 2] : 0);
        char four[4] = {digits[group >> 18], digits[group >> 12 & 63], '=', '='};
        if (here > 1) four[2] = digits[group >> 6 & 63];
        if (here > 2) four[3] = digits[group & 63];
        sft_text_add_bytes(text, four, 4);
    }
}

void sft_text_add_uri(struct sft_text *text, const char *string)
{
    for (const char *s = string; *s; s++) {
        if (isalnum((unsigned char)*s) || strchr("-._~,", *s))
            sft_text_add_bytes(text, s, 1);
        else
            sft_text_printf(text, "%%%02X", (unsigned)(unsigned char)*s);
    }
}

void sft_text_free(struct sft_text *text)
{
    free(text->data);
    memset(text, 0, sizeof(*text));
}

static int starts_character(char byte) { return ((unsigned char)byte & 0xc0) != 0x80; }

int sft_text_columns(const char *string)
{
    int columns = 0;
    for (; *string; string++) columns += starts_character(*string);
    return columns;
}

void sft_text_shorten(char *out, size_t size, const char *string, int columns)
{
    const size_t room = size - sizeof("\xe2\x80\xa6");
    size_t length = 0;
    if (sft_text_columns(string) > columns) columns--; /* for the ellipsis */
    for (; string[length] && length < room; length++)
        if (starts_character(string[length]) && columns-- == 0) break;
    while (length > 0 && string[length] && !starts_character(string[length])) length--;
    memcpy(out, string, length);
    strcpy(out + length, string[length] ? "\xe2\x80\xa6" : "");
}

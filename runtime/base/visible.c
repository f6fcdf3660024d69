/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/base/visible.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* How many bytes a character has that starts with `first`; 0: none starts so. */
static size_t claimed_bytes(unsigned char first)
{
    if (first < 0x80) return 1;
    if (first < 0xc2) return 0;
    if (first < 0xe0) return 2;
    if (first < 0xf0) return 3;
    return first < 0xf5 ? 4 : 0;
}

size_t sft_utf8_bytes(const char *s)
{
    const unsigned char *u = (const unsigned char *)s;
    size_t bytes = claimed_bytes(u[0]);
    for (size_t i = 1; i < bytes; i++)
        if ((u[i] & 0xc0) != 0x80) return 0;
    if ((u[0] == 0xe0 && u[1] < 0xa0) || (u[0] == 0xed && u[1] > 0x9f)) return 0;
    if ((u[0] == 0xf0 && u[1] < 0x90) || (u[0] == 0xf4 && u[1] > 0x8f)) return 0;
    return bytes;
}

/* First and last characters of ranges, which do not cross a byte before the last. */
static const struct {
    const char *first, *last;
} controls[] = {
    {"\x01", "\x1f"},
    {"\x7f", "\x7f"},
    {"\xc2\x80", "\xc2\x9f"},
    {"\xe2\x80\xa8", "\xe2\x80\xae"}, /* U+2028 to U+202E: separators, embeddings, overrides */
    {"\xe2\x81\xa6", "\xe2\x81\xa9"}, /* U+2066 to U+2069: isolates */
    {"\xef\xbb\xbf", "\xef\xbb\xbf"}, /* U+FEFF, the byte order mark */
};

size_t sft_control_bytes(const char *s)
{
    size_t bytes = sft_utf8_bytes(s);
    for (size_t i = 0; i < sizeof(controls) / sizeof(controls[0]); i++)
        if (bytes == strlen(controls[i].first) && memcmp(s, controls[i].first, bytes) >= 0 &&
            memcmp(s, controls[i].last, bytes) <= 0)
            return bytes;
    return 0;
}

struct copy {
    char *out;
    size_t room, length;
    bool cut;
};

/* Appends a piece whole or not at all; nothing behind one that did not fit. */
static void add(struct copy *copy, const char *piece, size_t bytes)
{
    copy->cut = copy->cut || copy->length + bytes + 1 > copy->room;
    if (!copy->cut) memcpy(copy->out + copy->length, piece, bytes);
    if (!copy->cut) copy->out[copy->length + bytes] = '\0';
    copy->length += bytes;
}

size_t sft_visible(const char *text, const char *kept, char *out, size_t room)
{
    struct copy copy = {.out = out, .room = room};
    if (room) out[0] = '\0';
    while (*text) {
        bool shown = strchr(kept, *text) || !sft_control_bytes(text);
        size_t bytes = shown ? sft_utf8_bytes(text) : 0;
        char spelled[5];
        snprintf(spelled, sizeof(spelled), "\\x%02X", (unsigned)(unsigned char)*text);
        add(&copy, bytes ? text : spelled, bytes ? bytes : strlen(spelled));
        text += bytes ? bytes : 1;
    }
    return copy.length;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Reading what was written: whole files, and markup checked element by element. */
#ifndef SFT_TEST_MARKUP_H
#define SFT_TEST_MARKUP_H

#include <ctype.h>
#include <string.h>

#include "runtime/base/file.h"
#include "tests/support/fixture.h"

/* The file as a string. */
static char *slurp(const char *path)
{
    struct sft_bytes file;
    char *text;
    assert_int_equal(sft_file_open(path, &file), SFT_OK);
    text = strndup((const char *)file.data, file.size);
    assert_int_equal(strlen(text), file.size);
    sft_file_close(&file);
    return text;
}

static int count(const char *text, const char *what)
{
    int n = 0;
    for (; (text = strstr(text, what)) != NULL; text++) n++;
    return n;
}

static int is_one_of(const char *word, const char *const *words)
{
    for (; *words; words++)
        if (strcmp(*words, word) == 0) return 1;
    return 0;
}

/* Copies a name and gives what follows it. */
static const char *read_name(const char *at, char name[32])
{
    int n = 0;
    for (; isalnum((unsigned char)*at) || *at == '-' || *at == ':'; at++)
        if (n < 31) name[n++] = *at;
    name[n] = '\0';
    return at;
}

/* A & that starts no entity which XML and HTML share or that the page uses. */
static void assert_entity(const char *at)
{
    static const char *const known[] = {"&amp;",   "&lt;",     "&gt;",    "&quot;", "&#39;",
                                        "&nbsp;",  "&middot;", "&darr;",  "&uarr;", "&minus;",
                                        "&ndash;", "&plusmn;", "&rsquo;", NULL};
    for (const char *const *k = known; *k; k++)
        if (strncmp(at, *k, strlen(*k)) == 0) return;
    fail_msg("a stray & at: %.40s", at);
}

/* Reads name="value" pairs up to the end of the tag. Every value is quoted and holds no <. */
static const char *read_attributes(const char *at)
{
    for (;;) {
        char name[32];
        while (isspace((unsigned char)*at)) at++;
        if (*at == '>' || *at == '/' || *at == '?') return at;
        at = read_name(at, name);
        if (name[0] == '\0') fail_msg("no attribute at: %.40s", at);
        if (*at != '=') continue; /* "open" */
        if (at[1] != '"') fail_msg("a value without quotes at: %.40s", at);
        for (at += 2; *at != '"'; at++) {
            assert_true(*at != '\0' && *at != '<');
            if (*at == '&') assert_entity(at);
        }
        at++;
    }
}

/* Every element closed in order, but those of HTML that never are; everything quoted and escaped. A style
 * sheet is text without < or &. */
static void assert_well_formed(const char *markup)
{
    static const char *const empty[] = {"meta", "img", "wbr", NULL};
    char stack[64][32];
    int depth = 0;
    for (const char *at = markup; *at;) {
        char name[32];
        int closing = at[0] == '<' && at[1] == '/', closed;
        if (*at == '&') assert_entity(at);
        if (*at++ != '<') continue;
        if (*at == '!') {
            at = strchr(at, '>') + 1;
            continue;
        }
        at = read_name(at + (closing || *at == '?'), name);
        if (name[0] == '\0') fail_msg("a stray < at: %.40s", at - 1);
        at = read_attributes(at);
        closed = *at == '/' || *at == '?';
        at += 1 + closed;
        if (closed || is_one_of(name, empty)) continue;
        if (!closing) {
            assert_true(depth < 64);
            strcpy(stack[depth++], name);
        } else if (depth == 0 || strcmp(stack[--depth], name) != 0) {
            fail_msg("</%s> closes <%s>", name, depth >= 0 ? stack[depth] : "");
        }
    }
    assert_int_equal(depth, 0);
}

#endif

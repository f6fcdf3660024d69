/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/base/nearest.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

enum { MAX_LENGTH = 63 };

/* A letter as it counts; 0 for what does not. */
static int letter(char c) { return strchr(" \t-_", c) ? 0 : tolower((unsigned char)c); }

bool sft_spells(const char *text, size_t length, const char *name)
{
    const char *end = text + length;
    for (;; text++, name++) {
        while (text < end && *text && !letter(*text)) text++;
        while (*name && !letter(*name)) name++;
        if (text == end || !*text || !*name) return (text == end || !*text) && !*name;
        if (letter(*text) != letter(*name)) return false;
    }
}

static int least(int a, int b) { return a < b ? a : b; }

static bool differ(char a, char b) { return tolower((unsigned char)a) != tolower((unsigned char)b); }

/* Optimal string alignment distance; texts longer than MAX_LENGTH are far from everything. */
static int distance(const char *a, const char *b)
{
    int n = (int)strlen(a), m = (int)strlen(b);
    int rows[3][MAX_LENGTH + 1]; /* i-2, i-1 and i, in turn */
    if (n > MAX_LENGTH || m > MAX_LENGTH) return MAX_LENGTH;
    for (int j = 0; j <= m; j++) rows[0][j] = j;
    for (int i = 1; i <= n; i++) {
        int *row = rows[i % 3];
        const int *above = rows[(i + 2) % 3], *above2 = rows[(i + 1) % 3];
        row[0] = i;
        for (int j = 1; j <= m; j++) {
            row[j] = least(least(above[j] + 1, row[j - 1] + 1), above[j - 1] + differ(a[i - 1], b[j - 1]));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                row[j] = least(row[j], above2[j - 2] + 1);
        }
    }
    return rows[n % 3][m];
}

struct sft_guess sft_guess_begin(const char *text)
{
    int length = (int)strlen(text);
    return (struct sft_guess){text, NULL, length < 3 ? 2 : length < 6 ? 3 : 4};
}

/* A beginning of the name counts as near, however much is missing. */
void sft_guess_consider(struct sft_guess *guess, const char *name)
{
    size_t length = strlen(guess->text);
    int far = length >= 3 && strncasecmp(guess->text, name, length) == 0 ? 1 : distance(guess->text, name);
    if (far >= guess->distance) return;
    guess->name = name;
    guess->distance = far;
}

const char *sft_nearest(const char *text, const char *const *names)
{
    struct sft_guess guess = sft_guess_begin(text);
    for (; *names; names++) sft_guess_consider(&guess, *names);
    return guess.name;
}

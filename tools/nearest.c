/* SPDX-License-Identifier: Apache-2.0 */
/* What a mistyped name was probably meant to be: the least number of letters inserted, left out, exchanged or swapped.
 */
#include <stdbool.h>
#include <string.h>

#include "tools/option.h"

enum { MAX_LENGTH = 63 };

static int least(int a, int b) { return a < b ? a : b; }

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
            row[j] = least(least(above[j] + 1, row[j - 1] + 1), above[j - 1] + (a[i - 1] != b[j - 1]));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                row[j] = least(row[j], above2[j - 2] + 1);
        }
    }
    return rows[n % 3][m];
}

struct best {
    const char *name;
    int distance;
};

/* A beginning of the name counts as near, however much is missing. */
static void consider(struct best *best, const char *text, const char *name)
{
    size_t length = strlen(text);
    int far = length >= 3 && strncmp(text, name, length) == 0 ? 1 : distance(text, name);
    if (far < best->distance) *best = (struct best){name, far};
}

static struct best nothing_yet(const char *text)
{
    int length = (int)strlen(text);
    return (struct best){NULL, length < 3 ? 2 : length < 6 ? 3 : 4};
}

const char *sft_nearest(const char *text, const char *const *names)
{
    struct best best = nothing_yet(text);
    for (; *names; names++) consider(&best, text, *names);
    return best.name;
}

const char *sft_option_nearest(const struct sft_option_group *groups, const char *text)
{
    struct best best = nothing_yet(text);
    for (; groups->title; groups++)
        for (const struct sft_option *option = groups->options; option->name; option++)
            consider(&best, text, option->name);
    return best.name;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The list of scores, which knows all of them: looking up, and reading names. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "ood/scores/score.h"
#include "runtime/base/alloc.h"
#include "runtime/base/nearest.h"

#define SFT_SCORE(name) extern const struct sft_score sft_score_##name;
#include "ood/scores/scores.def"
#undef SFT_SCORE

static const struct sft_score *const table[] = {
#define SFT_SCORE(name) &sft_score_##name,
#include "ood/scores/scores.def"
#undef SFT_SCORE
};

enum { TABLE_SIZE = sizeof(table) / sizeof(table[0]), NAME_MAX_LENGTH = 32 };

int sft_score_count(void) { return TABLE_SIZE; }

const struct sft_score *sft_score_at(int index)
{
    return index >= 0 && index < TABLE_SIZE ? table[index] : NULL;
}

static bool is_called(const struct sft_score *score, const char *text, size_t length)
{
    return sft_spells(text, length, score->name) || sft_spells(text, length, score->title);
}

const struct sft_score *sft_score_find(const char *name)
{
    for (int i = 0; i < TABLE_SIZE; i++)
        if (is_called(table[i], name, strlen(name))) return table[i];
    return NULL;
}

const char *sft_score_title(const char *name)
{
    const struct sft_score *score = sft_score_find(name);
    return score ? score->title : name;
}

static enum sft_status unknown(const char *name)
{
    struct sft_guess guess = sft_guess_begin(name);
    for (int i = 0; i < TABLE_SIZE; i++) sft_guess_consider(&guess, table[i]->name);
    if (guess.name)
        return sft_fail(SFT_USAGE, "no score is called '%s'; did you mean '%s'?", name, guess.name);
    return sft_fail(SFT_USAGE, "no score is called '%s'; see the list under --score in --help, or say 'all'",
                    name);
}

static void append(const struct sft_score **scores, int *count, const struct sft_score *score)
{
    for (int i = 0; i < *count; i++)
        if (scores[i] == score) return;
    scores[(*count)++] = score;
}

static enum sft_status take_name(const char *text, size_t length, const struct sft_score **scores, int *count)
{
    char name[NAME_MAX_LENGTH + 1] = "";
    for (int i = 0; i < TABLE_SIZE; i++) {
        if (!is_called(table[i], text, length)) continue;
        append(scores, count, table[i]);
        return SFT_OK;
    }
    memcpy(name, text, length < NAME_MAX_LENGTH ? length : NAME_MAX_LENGTH);
    return unknown(name);
}

/* Cuts blanks off both ends of `length` bytes at `text`. */
static void trim(const char **text, size_t *length)
{
    for (; *length && isspace((unsigned char)**text); --*length) ++*text;
    while (*length && isspace((unsigned char)(*text)[*length - 1])) --*length;
}

/* Takes one name, `length` bytes at `text`, and appends what it stands for. */
static enum sft_status take(const char *text, size_t length, const struct sft_score **scores, int *count)
{
    trim(&text, &length);
    if (length == 0)
        return sft_fail(SFT_USAGE, "--score: an empty name; write names with commas between: energy,msp");
    if (!sft_spells(text, length, SFT_ALL_SCORES)) return take_name(text, length, scores, count);
    for (int i = 0; i < TABLE_SIZE; i++) append(scores, count, table[i]);
    return SFT_OK;
}

enum sft_status sft_score_parse(const char *list, const struct sft_score ***scores, int *count)
{
    enum sft_status status = SFT_OK;
    *count = 0;
    *scores = sft_calloc(TABLE_SIZE, sizeof(**scores));
    if (!*scores) return SFT_MEMORY;
    for (const char *name = list; status == SFT_OK;) {
        size_t length = strcspn(name, ",");
        status = take(name, length, *scores, count);
        if (name[length] == '\0') break;
        name += length + 1;
    }
    if (status == SFT_OK) return SFT_OK;
    free(*scores);
    *scores = NULL;
    *count = 0;
    return status;
}

bool sft_score_is_named(const char *list, const struct sft_score *score)
{
    for (const char *name = list;;) {
        size_t length = strcspn(name, ",");
        if (is_called(score, name, length)) return true;
        if (name[length] == '\0') return false;
        name += length + 1;
    }
}

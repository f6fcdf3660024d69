/* SPDX-License-Identifier: Apache-2.0 */
/* The table of scores: looking up, reading lists of names, and the one path by which a score is computed. */
#include "ood/score.h"

#include <stdlib.h>
#include <string.h>

#include "runtime/alloc.h"

#define SFT_SCORE(name) extern const struct sft_score sft_score_##name;
#include "ood/scores.def"
#undef SFT_SCORE

static const struct sft_score *const table[] = {
#define SFT_SCORE(name) &sft_score_##name,
#include "ood/scores.def"
#undef SFT_SCORE
};

enum { TABLE_SIZE = sizeof(table) / sizeof(table[0]), NAME_MAX_LENGTH = 32 };

struct sft_score_params sft_score_params_default(void) { return (struct sft_score_params){.temperature = 1.0f}; }

int sft_score_count(void) { return TABLE_SIZE; }

const struct sft_score *sft_score_at(int index) { return index >= 0 && index < TABLE_SIZE ? table[index] : NULL; }

const struct sft_score *sft_score_find(const char *name)
{
    for (int i = 0; i < TABLE_SIZE; i++)
        if (strcmp(table[i]->name, name) == 0) return table[i];
    return NULL;
}

/* Levenshtein's edit distance of two short names. */
static int distance(const char *a, const char *b)
{
    int row[NAME_MAX_LENGTH + 1], length = (int)strlen(b);
    for (int j = 0; j <= length; j++) row[j] = j;
    for (int i = 1; a[i - 1]; i++) {
        int diagonal = row[0];
        row[0] = i;
        for (int j = 1; j <= length; j++) {
            int replaced = diagonal + (a[i - 1] != b[j - 1]), shorter = row[j] < row[j - 1] ? row[j] : row[j - 1];
            diagonal = row[j];
            row[j] = replaced < shorter + 1 ? replaced : shorter + 1;
        }
    }
    return row[length];
}

static enum sft_status unknown(const char *name)
{
    const char *nearest = NULL;
    int best = 4; /* a name further away than three edits is no misspelling */
    for (int i = 0; i < TABLE_SIZE; i++) {
        int edits = distance(name, table[i]->name);
        if (edits < best) best = edits, nearest = table[i]->name;
    }
    if (nearest) return sft_fail(SFT_USAGE, "no score is called '%s'; did you mean '%s'?", name, nearest);
    return sft_fail(SFT_USAGE, "no score is called '%s'; see the list under --score in --help, or say 'all'", name);
}

static void append(const struct sft_score **scores, int *count, const struct sft_score *score)
{
    for (int i = 0; i < *count; i++)
        if (scores[i] == score) return;
    scores[(*count)++] = score;
}

/* Takes one name, `length` bytes at `text`, and appends what it stands for. */
static enum sft_status take(const char *text, size_t length, const struct sft_score **scores, int *count)
{
    char name[NAME_MAX_LENGTH + 1] = "";
    const struct sft_score *score;
    if (length == 0) return sft_fail(SFT_USAGE, "--score: an empty name; write names with commas between: energy,msp");
    memcpy(name, text, length < NAME_MAX_LENGTH ? length : NAME_MAX_LENGTH);
    if (strcmp(name, "all") == 0) {
        for (int i = 0; i < TABLE_SIZE; i++) append(scores, count, table[i]);
        return SFT_OK;
    }
    score = sft_score_find(name);
    if (!score) return unknown(name);
    append(scores, count, score);
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

enum sft_status sft_score_compute(const struct sft_score *score, const struct sft_score_params *params,
                                  const struct sft_outputs *in, float *scores)
{
    if (in->n < 0) return sft_fail(SFT_USAGE, "%s: %lld images", score->name, (long long)in->n);
    if ((score->needs & SFT_NEEDS_LOGITS) && (!in->logits || in->classes < 1))
        return sft_fail(SFT_USAGE, "%s needs logits and was given none", score->name);
    if ((score->needs & SFT_NEEDS_FEATURES) && (!in->features || in->width < 1))
        return sft_fail(SFT_USAGE, "%s needs penultimate features and was given none", score->name);
    return score->compute(params, in, scores);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* One row of functions for each type of option: how its text is read, and how its value is written. */
#include "tools/cli/option.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "runtime/base/nearest.h"

/* ---- reading ---- */

static enum sft_status read_flag(const struct sft_option *option, void *field, const char *text,
                                 const char *where)
{
    static const struct {
        const char *word;
        bool value;
    } words[] = {{"yes", true}, {"true", true},   {"on", true},   {"1", true},
                 {"no", false}, {"false", false}, {"off", false}, {"0", false}};
    (void)option;
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (strcasecmp(text, words[i].word) == 0) {
            *(bool *)field = words[i].value;
            return SFT_OK;
        }
    return sft_fail(SFT_USAGE, "%s: \"%s\" is neither yes nor no", where, text);
}

static enum sft_status check_range(const struct sft_option *option, double value, const char *text,
                                   const char *where)
{
    if (value >= option->min && value <= option->max) return SFT_OK;
    return sft_fail(SFT_USAGE, "%s: %s is out of range; give %.15g to %.15g", where, text, option->min,
                    option->max);
}

/* Reads the integer at *text and moves on behind it. */
static enum sft_status next_int(const struct sft_option *option, const char **text, int64_t *value,
                                const char *where)
{
    char *end;
    errno = 0;
    *value = strtoll(*text, &end, 10);
    if (end == *text || isspace((unsigned char)**text) || (*end != '\0' && *end != ','))
        return sft_fail(SFT_USAGE, "%s: \"%s\" is no whole number", where, *text);
    if (errno == ERANGE) return sft_fail(SFT_USAGE, "%s: %s is out of range", where, *text);
    SFT_TRY(check_range(option, (double)*value, *text, where));
    *text = end;
    return SFT_OK;
}

static enum sft_status read_int(const struct sft_option *option, void *field, const char *text,
                                const char *where)
{
    const char *end = text;
    SFT_TRY(next_int(option, &end, field, where));
    if (*end != '\0') return sft_fail(SFT_USAGE, "%s: \"%s\" is no whole number", where, text);
    return SFT_OK;
}

static enum sft_status read_ints(const struct sft_option *option, void *field, const char *text,
                                 const char *where)
{
    struct sft_ints *ints = field;
    const char *at = text;
    ints->count = 0;
    for (;;) {
        if (ints->count == SFT_OPTION_MAX_INTS)
            return sft_fail(SFT_USAGE, "%s: more than %d numbers", where, SFT_OPTION_MAX_INTS);
        SFT_TRY(next_int(option, &at, &ints->values[ints->count++], where));
        if (*at == '\0') return SFT_OK;
        at++;
    }
}

static enum sft_status read_real(const struct sft_option *option, void *field, const char *text,
                                 const char *where)
{
    char *end;
    double value = strtod(text, &end);
    if (end == text || *end != '\0' || isspace((unsigned char)*text) || isnan(value))
        return sft_fail(SFT_USAGE, "%s: \"%s\" is no number", where, text);
    SFT_TRY(check_range(option, value, text, where));
    *(double *)field = value;
    return SFT_OK;
}

static enum sft_status read_size(const struct sft_option *option, void *field, const char *text,
                                 const char *where)
{
    static const char suffixes[] = "KMGT";
    char *end;
    double value = strtod(text, &end);
    const char *suffix = *end ? strchr(suffixes, toupper((unsigned char)*end)) : NULL;
    const char *rest = suffix ? end + 1 : end;
    (void)option;
    if (suffix && rest[0] == 'i') rest++;
    if (toupper((unsigned char)rest[0]) == 'B') rest++;
    if (suffix) value *= ldexp(1, 10 * (int)(suffix - suffixes + 1));
    if (end == text || *rest != '\0' || !isdigit((unsigned char)*text))
        return sft_fail(SFT_USAGE, "%s: \"%s\" is no size; give bytes, or 512M, 2G", where, text);
    if (!(value >= 1 && value < 9e18)) return sft_fail(SFT_USAGE, "%s: %s is out of range", where, text);
    *(uint64_t *)field = (uint64_t)value;
    return SFT_OK;
}

static enum sft_status read_text(const struct sft_option *option, void *field, const char *text,
                                 const char *where)
{
    (void)option;
    if (*text == '\0') return sft_fail(SFT_USAGE, "%s: the value is empty", where);
    *(const char **)field = text;
    return SFT_OK;
}

static enum sft_status read_texts(const struct sft_option *option, void *field, const char *text,
                                  const char *where)
{
    struct sft_texts *texts = field;
    if (texts->count == SFT_OPTION_MAX_TEXTS)
        return sft_fail(SFT_USAGE, "%s: given more than %d times", where, SFT_OPTION_MAX_TEXTS);
    return read_text(option, &texts->values[texts->count++], text, where);
}

static enum sft_status read_choice(const struct sft_option *option, void *field, const char *text,
                                   const char *where)
{
    char all[512] = "";
    const char *near = sft_nearest(text, option->choices);
    for (int i = 0; option->choices[i]; i++) {
        if (strcmp(option->choices[i], text) == 0) {
            *(int *)field = i;
            return SFT_OK;
        }
        if (i) strncat(all, ", ", sizeof(all) - strlen(all) - 1);
        strncat(all, option->choices[i], sizeof(all) - strlen(all) - 1);
    }
    if (near)
        return sft_fail(SFT_USAGE, "%s: no \"%s\"; did you mean \"%s\"? There is: %s", where, text, near,
                        all);
    return sft_fail(SFT_USAGE, "%s: no \"%s\"; there is: %s", where, text, all);
}

/* ---- writing ---- */

static json_t *write_flag(const struct sft_option *option, const void *field)
{
    (void)option;
    return json_boolean(*(const bool *)field);
}

static json_t *write_int(const struct sft_option *option, const void *field)
{
    (void)option;
    return json_integer(*(const int64_t *)field);
}

static json_t *write_real(const struct sft_option *option, const void *field)
{
    double value = *(const double *)field;
    (void)option;
    return isfinite(value) ? json_real(value) : json_string(value > 0 ? "inf" : "-inf");
}

static json_t *write_size(const struct sft_option *option, const void *field)
{
    (void)option;
    return json_integer((json_int_t) * (const uint64_t *)field);
}

/* Text from the command line need not be UTF-8, which JSON must be. */
static json_t *write_string(const char *text)
{
    if (!text) return json_null();
    json_t *string = json_string(text);
    return string ? string : json_string("(not UTF-8)");
}

static json_t *write_text(const struct sft_option *option, const void *field)
{
    (void)option;
    return write_string(*(const char *const *)field);
}

static json_t *write_choice(const struct sft_option *option, const void *field)
{
    return json_string(option->choices[*(const int *)field]);
}

static json_t *write_ints(const struct sft_option *option, const void *field)
{
    const struct sft_ints *ints = field;
    json_t *array = json_array();
    (void)option;
    for (int i = 0; i < ints->count; i++) json_array_append_new(array, json_integer(ints->values[i]));
    return array;
}

static json_t *write_texts(const struct sft_option *option, const void *field)
{
    const struct sft_texts *texts = field;
    json_t *array = json_array();
    (void)option;
    for (int i = 0; i < texts->count; i++) json_array_append_new(array, write_string(texts->values[i]));
    return array;
}

/* ---- the table of types ---- */

static const struct type {
    size_t size;
    enum sft_status (*read)(const struct sft_option *option, void *field, const char *text,
                            const char *where);
    json_t *(*write)(const struct sft_option *option, const void *field);
} types[] = {
    [SFT_OPTION_FLAG] = {sizeof(bool), read_flag, write_flag},
    [SFT_OPTION_INT] = {sizeof(int64_t), read_int, write_int},
    [SFT_OPTION_REAL] = {sizeof(double), read_real, write_real},
    [SFT_OPTION_SIZE] = {sizeof(uint64_t), read_size, write_size},
    [SFT_OPTION_TEXT] = {sizeof(char *), read_text, write_text},
    [SFT_OPTION_CHOICE] = {sizeof(int), read_choice, write_choice},
    [SFT_OPTION_INTS] = {sizeof(struct sft_ints), read_ints, write_ints},
    [SFT_OPTION_TEXTS] = {sizeof(struct sft_texts), read_texts, write_texts},
};

enum sft_status sft_option_set(const struct sft_option *option, void *values, const char *text,
                               const char *where)
{
    return types[option->type].read(option, (char *)values + option->offset, text, where);
}

void sft_option_clear(const struct sft_option *option, void *values)
{
    memset((char *)values + option->offset, 0, types[option->type].size);
}

json_t *sft_option_json(const struct sft_option *option, const void *values)
{
    return types[option->type].write(option, (const char *)values + option->offset);
}

bool sft_option_takes_value(const struct sft_option *option) { return option->type != SFT_OPTION_FLAG; }

const struct sft_option *sft_option_find(const struct sft_option_group *groups, const char *name)
{
    for (; groups->title; groups++)
        for (const struct sft_option *option = groups->options; option->name; option++)
            if (strcmp(option->name, name) == 0) return option;
    return NULL;
}

const char *sft_option_nearest(const struct sft_option_group *groups, const char *text)
{
    struct sft_guess guess = sft_guess_begin(text);
    for (; groups->title; groups++)
        for (const struct sft_option *option = groups->options; option->name; option++)
            sft_guess_consider(&guess, option->name);
    return guess.name;
}

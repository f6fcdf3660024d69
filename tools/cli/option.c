/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One row of functions for each type of option: how its text is read, how its value is written, and which C
 * types its field may have.
 */
#include "tools/cli/option.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "runtime/base/nearest.h"

/* ---- fields of several sizes ---- */

static void store_int(const struct sft_option *option, void *field, int64_t value)
{
    if (option->size == sizeof(bool))
        *(bool *)field = value != 0;
    else if (option->size == sizeof(int))
        *(int *)field = (int)value;
    else
        *(int64_t *)field = value;
}

static int64_t load_int(const struct sft_option *option, const void *field)
{
    if (option->size == sizeof(bool)) return *(const bool *)field;
    if (option->size == sizeof(int)) return *(const int *)field;
    return *(const int64_t *)field;
}

static void store_real(const struct sft_option *option, void *field, double value)
{
    if (option->size == sizeof(float))
        *(float *)field = (float)value;
    else
        *(double *)field = value;
}

/* The shortest decimal number that is this float: 0.1f as 0.1, not as 0.100000001490116. */
static double shortest(float value)
{
    char text[32];
    for (int digits = 1; digits < 9; digits++) {
        snprintf(text, sizeof(text), "%.*g", digits, (double)value);
        if (strtof(text, NULL) == value) return strtod(text, NULL);
    }
    return (double)value;
}

static double load_real(const struct sft_option *option, const void *field)
{
    if (option->size == sizeof(double)) return *(const double *)field;
    return isfinite(*(const float *)field) ? shortest(*(const float *)field) : (double)*(const float *)field;
}

/* ---- reading ---- */

/* Whether the text says yes or no. */
static enum sft_status read_yes(const char *text, const char *where, bool *yes)
{
    static const struct {
        const char *word;
        bool value;
    } words[] = {{"yes", true}, {"true", true},   {"on", true},   {"1", true},
                 {"no", false}, {"false", false}, {"off", false}, {"0", false}};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (strcasecmp(text, words[i].word) == 0) {
            *yes = words[i].value;
            return SFT_OK;
        }
    return sft_fail(SFT_USAGE, "%s: \"%s\" is neither yes nor no", where, text);
}

static enum sft_status read_flag(const struct sft_option *option, void *field, const char *text,
                                 const char *where)
{
    (void)option;
    return read_yes(text, where, field);
}

static enum sft_status read_not(const struct sft_option *option, void *field, const char *text,
                                const char *where)
{
    bool yes = false;
    (void)option;
    SFT_TRY(read_yes(text, where, &yes));
    *(bool *)field = !yes;
    return SFT_OK;
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
    int64_t value;
    SFT_TRY(next_int(option, &end, &value, where));
    if (*end != '\0') return sft_fail(SFT_USAGE, "%s: \"%s\" is no whole number", where, text);
    store_int(option, field, value);
    return SFT_OK;
}

static enum sft_status read_ints(const struct sft_option *option, void *field, const char *text,
                                 const char *where)
{
    struct sft_ints *ints = field;
    const char *at = text;
    int64_t value;
    ints->count = 0;
    for (;;) {
        if (ints->count == SFT_MAX_INTS)
            return sft_fail(SFT_USAGE, "%s: more than %d numbers", where, SFT_MAX_INTS);
        SFT_TRY(next_int(option, &at, &value, where));
        ints->values[ints->count++] = (int)value;
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
    store_real(option, field, value);
    return SFT_OK;
}

/* R,G,B */
static enum sft_status read_channels(const struct sft_option *option, void *field, const char *text,
                                     const char *where)
{
    struct sft_channels *channels = field;
    const char *at = text;
    for (int c = 0; c < 3; c++) {
        char *end;
        double value = strtod(at, &end);
        if (end == at || *end != (c < 2 ? ',' : '\0') || isspace((unsigned char)*at) || isnan(value))
            return sft_fail(SFT_USAGE,
                            "%s: \"%s\" is not three numbers with commas between, for red, green and blue",
                            where, text);
        SFT_TRY(check_range(option, value, text, where));
        channels->values[c] = (float)value;
        at = end + 1;
    }
    channels->given = true;
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
    if (texts->count == SFT_MAX_TEXTS)
        return sft_fail(SFT_USAGE, "%s: given more than %d times", where, SFT_MAX_TEXTS);
    return read_text(option, &texts->values[texts->count++], text, where);
}

/* NAME=SPEC */
static enum sft_status read_set(const struct sft_option *option, void *field, const char *text,
                                const char *where)
{
    struct sft_sets *sets = field;
    const char *equals = strchr(text, '=');
    size_t length = equals ? (size_t)(equals - text) : 0;
    (void)option;
    if (!equals || !equals[1])
        return sft_fail(SFT_USAGE, "%s: \"%s\": write NAME=SPEC, for example svhn=svhn:test_32x32.mat", where,
                        text);
    if (length == 0 || length >= SFT_SET_NAME)
        return sft_fail(SFT_USAGE, "%s: \"%s\": a name has 1 to %d letters", where, text, SFT_SET_NAME - 1);
    if (sets->count == SFT_MAX_SETS)
        return sft_fail(SFT_USAGE, "%s: given more than %d times", where, SFT_MAX_SETS);
    snprintf(sets->values[sets->count].name, SFT_SET_NAME, "%.*s", (int)length, text);
    sets->values[sets->count++].spec = equals + 1;
    return SFT_OK;
}

static enum sft_status unknown_choice(const char *const *words, const char *text, const char *where)
{
    const char *near = sft_nearest(text, words);
    char all[512] = "";
    for (int i = 0; words[i]; i++) {
        size_t used = strlen(all);
        snprintf(all + used, sizeof(all) - used, "%s%s", i ? ", " : "", words[i]);
    }
    if (near)
        return sft_fail(SFT_USAGE, "%s: no \"%s\"; did you mean \"%s\"? There is: %s", where, text, near,
                        all);
    return sft_fail(SFT_USAGE, "%s: no \"%s\"; there is: %s", where, text, all);
}

static enum sft_status read_choice(const struct sft_option *option, void *field, const char *text,
                                   const char *where)
{
    for (int i = 0; option->choices[i]; i++)
        if (strcmp(option->choices[i], text) == 0) {
            store_int(option, field, i);
            return SFT_OK;
        }
    return unknown_choice(option->choices, text, where);
}

/* ---- writing ---- */

static void write_flag(const struct sft_option *option, const void *field, struct sft_json *json)
{
    sft_json_boolean(json, option->name, *(const bool *)field);
}

static void write_not(const struct sft_option *option, const void *field, struct sft_json *json)
{
    sft_json_boolean(json, option->name, !*(const bool *)field);
}

static void write_int(const struct sft_option *option, const void *field, struct sft_json *json)
{
    sft_json_integer(json, option->name, load_int(option, field));
}

/* JSON has no infinity. */
static void write_real(const struct sft_option *option, const void *field, struct sft_json *json)
{
    double value = load_real(option, field);
    if (isinf(value))
        sft_json_text(json, option->name, value > 0 ? "inf" : "-inf");
    else
        sft_json_real(json, option->name, value);
}

static void write_size(const struct sft_option *option, const void *field, struct sft_json *json)
{
    sft_json_integer(json, option->name, (int64_t) * (const uint64_t *)field);
}

static void write_text(const struct sft_option *option, const void *field, struct sft_json *json)
{
    sft_json_text(json, option->name, *(const char *const *)field);
}

/* The word of a value; NULL for a value that has none. */
static const char *word_of(const struct sft_option *option, const void *field)
{
    int64_t value = load_int(option, field), i = 0;
    while (option->choices[i] && i != value) i++;
    return option->choices[i];
}

static void write_choice(const struct sft_option *option, const void *field, struct sft_json *json)
{
    sft_json_text(json, option->name, word_of(option, field));
}

static void write_ints(const struct sft_option *option, const void *field, struct sft_json *json)
{
    const struct sft_ints *ints = field;
    sft_json_array(json, option->name);
    for (int i = 0; i < ints->count; i++) sft_json_integer(json, NULL, ints->values[i]);
    sft_json_end(json);
}

static void write_channels(const struct sft_option *option, const void *field, struct sft_json *json)
{
    const struct sft_channels *channels = field;
    if (!channels->given) {
        sft_json_null(json, option->name);
        return;
    }
    sft_json_array(json, option->name);
    for (int c = 0; c < 3; c++) sft_json_real(json, NULL, shortest(channels->values[c]));
    sft_json_end(json);
}

static void write_texts(const struct sft_option *option, const void *field, struct sft_json *json)
{
    const struct sft_texts *texts = field;
    sft_json_array(json, option->name);
    for (int i = 0; i < texts->count; i++) sft_json_text(json, NULL, texts->values[i]);
    sft_json_end(json);
}

static void write_set(const struct sft_named_set *set, struct sft_json *json)
{
    struct sft_text text = {0};
    sft_text_printf(&text, "%s=%s", set->name, set->spec);
    if (text.status == SFT_OK)
        sft_json_text(json, NULL, text.data);
    else
        sft_json_value(json, NULL, NULL); /* fails: a null would tell of no set */
    sft_text_free(&text);
}

static void write_sets(const struct sft_option *option, const void *field, struct sft_json *json)
{
    const struct sft_sets *sets = field;
    sft_json_array(json, option->name);
    for (int i = 0; i < sets->count; i++) write_set(&sets->values[i], json);
    sft_json_end(json);
}

/* ---- printing ---- */

static bool in_range(const struct sft_option *option, double value)
{
    return value >= option->min && value <= option->max;
}

static bool print_int(const struct sft_option *option, const void *field, char *text, size_t size)
{
    int64_t value = load_int(option, field);
    snprintf(text, size, "%" PRId64, value);
    return in_range(option, (double)value);
}

/* "1e-05" becomes 1e-5. */
static void shorten_exponent(char *text)
{
    char *e = strchr(text, 'e');
    if (e && e[1] && e[2] == '0') memmove(e + 2, e + 3, strlen(e + 3) + 1);
}

static bool print_real(const struct sft_option *option, const void *field, char *text, size_t size)
{
    double value = load_real(option, field);
    snprintf(text, size, "%g", value);
    shorten_exponent(text);
    return in_range(option, value);
}

static bool print_text(const struct sft_option *option, const void *field, char *text, size_t size)
{
    const char *value = *(const char *const *)field;
    (void)option;
    if (value) snprintf(text, size, "%s", value);
    return value != NULL;
}

static bool print_choice(const struct sft_option *option, const void *field, char *text, size_t size)
{
    const char *word = word_of(option, field);
    if (word) snprintf(text, size, "%s", word);
    return word != NULL;
}

/* ---- the table of types ---- */

enum { MAX_FIELD_SIZES = 3 };

static const struct type {
    enum sft_status (*read)(const struct sft_option *option, void *field, const char *text,
                            const char *where);
    void (*write)(const struct sft_option *option, const void *field, struct sft_json *json);
    bool (*print)(const struct sft_option *option, const void *field, char *text, size_t size);
    size_t sizes[MAX_FIELD_SIZES]; /* of the C types that it fills */
} types[] = {
    [SFT_OPTION_FLAG] = {read_flag, write_flag, NULL, {sizeof(bool)}},
    [SFT_OPTION_NOT] = {read_not, write_not, NULL, {sizeof(bool)}},
    [SFT_OPTION_INT] = {read_int, write_int, print_int, {sizeof(int), sizeof(int64_t)}},
    [SFT_OPTION_REAL] = {read_real, write_real, print_real, {sizeof(float), sizeof(double)}},
    [SFT_OPTION_SIZE] = {read_size, write_size, NULL, {sizeof(uint64_t)}},
    [SFT_OPTION_TEXT] = {read_text, write_text, print_text, {sizeof(char *)}},
    [SFT_OPTION_CHOICE] = {read_choice, write_choice, print_choice, {sizeof(int), sizeof(bool)}},
    [SFT_OPTION_INTS] = {read_ints, write_ints, NULL, {sizeof(struct sft_ints)}},
    [SFT_OPTION_CHANNELS] = {read_channels, write_channels, NULL, {sizeof(struct sft_channels)}},
    [SFT_OPTION_TEXTS] = {read_texts, write_texts, NULL, {sizeof(struct sft_texts)}},
    [SFT_OPTION_SETS] = {read_set, write_sets, NULL, {sizeof(struct sft_sets)}},
};

enum sft_status sft_option_set(const struct sft_option *option, void *values, const char *text,
                               const char *where)
{
    return types[option->type].read(option, (char *)values + option->offset, text, where);
}

void sft_option_clear(const struct sft_option *option, void *values)
{
    memset((char *)values + option->offset, 0, option->size);
}

void sft_option_json(const struct sft_option *option, const void *values, struct sft_json *json)
{
    types[option->type].write(option, (const char *)values + option->offset, json);
}

bool sft_option_print(const struct sft_option *option, const void *values, char *text, size_t size)
{
    const struct type *type = &types[option->type];
    return type->print && type->print(option, (const char *)values + option->offset, text, size);
}

bool sft_option_takes_value(const struct sft_option *option)
{
    return option->type != SFT_OPTION_FLAG && option->type != SFT_OPTION_NOT;
}

bool sft_option_repeats(const struct sft_option *option)
{
    return option->type == SFT_OPTION_TEXTS || option->type == SFT_OPTION_SETS;
}

bool sft_option_fits(const struct sft_option *option)
{
    bool narrow =
        option->type == SFT_OPTION_INTS || (option->type == SFT_OPTION_INT && option->size == sizeof(int));
    if (narrow && (option->min < INT_MIN || option->max > INT_MAX)) return false;
    for (int i = 0; i < MAX_FIELD_SIZES; i++)
        if (types[option->type].sizes[i] == option->size) return true;
    return false;
}

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

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The command line is first split into pairs of option and text, then the sources are applied from the
 * weakest to the strongest: the command's defaults, the --config file that the pairs may name, the
 * environment, the pairs.
 */
#include "tools/cli/args.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/base/alloc.h"
#include "runtime/base/nearest.h"
#include "tools/cli/config.h"

/* ---- applying one value ---- */

static size_t option_index(const struct sft_command *command, const struct sft_option *wanted)
{
    size_t index = 0;
    for (const struct sft_option_group *group = command->groups; group->title; group++)
        for (const struct sft_option *option = group->options; option->name; option++, index++)
            if (option == wanted) return index;
    return index;
}

static enum sft_status apply(struct sft_args *args, const struct sft_option *option,
                             enum sft_option_origin origin, const char *text, const char *where)
{
    enum sft_option_origin *before = &args->origins[option_index(args->command, option)];
    if (origin > *before) sft_option_clear(option, args->values);
    *before = origin;
    return sft_option_set(option, args->values, text, where);
}

static enum sft_status unknown_option(const struct sft_command *command, const char *name, const char *where)
{
    const char *near = sft_option_nearest(command->groups, name);
    if (near)
        return sft_fail(SFT_USAGE, "%s: %s has no option --%s; did you mean --%s?", where, command->name,
                        name, near);
    return sft_fail(SFT_USAGE, "%s: %s has no option --%s; sft-vk %s --help lists them", where, command->name,
                    name, command->name);
}

/* ---- the command line ---- */

struct given {
    const struct sft_option *option;
    const char *text;
};

/* Splits argv[*i], which starts with "--", and moves *i over what it takes. */
static enum sft_status split_option(const struct sft_args *args, int *i, struct given *given)
{
    const char *word = args->argv[*i] + 2, *equals = strchr(word, '=');
    char name[64];
    size_t length = equals ? (size_t)(equals - word) : strlen(word);
    if (length >= sizeof(name))
        return sft_fail(SFT_USAGE, "no option has so long a name: %s", args->argv[*i]);
    memcpy(name, word, length);
    name[length] = '\0';
    given->option = sft_option_find(args->command->groups, name);
    if (!given->option) return unknown_option(args->command, name, "command line");
    if (equals) {
        given->text = equals + 1;
    } else if (!sft_option_takes_value(given->option)) {
        given->text = "yes";
    } else {
        if (*i + 1 >= args->argc)
            return sft_fail(SFT_USAGE, "--%s: needs a value: --%s %s", name, name, given->option->value);
        given->text = args->argv[++*i];
    }
    return SFT_OK;
}

static enum sft_status split(struct sft_args *args, struct given *given, int *count)
{
    bool only_operands = false;
    for (int i = 0; i < args->argc; i++) {
        const char *word = args->argv[i];
        if (only_operands || word[0] != '-' || word[1] == '\0')
            args->operands[args->operand_count++] = word;
        else if (strcmp(word, "--") == 0)
            only_operands = true;
        else if (word[1] != '-')
            return sft_fail(SFT_USAGE, "command line: no option %s; options have two dashes and whole names",
                            word);
        else
            SFT_TRY(split_option(args, &i, &given[(*count)++]));
    }
    return SFT_OK;
}

static enum sft_status check_operands(const struct sft_args *args)
{
    const struct sft_command *command = args->command;
    if (args->operand_count < command->min_operands)
        return sft_fail(SFT_USAGE, "%s: needs %s; see sft-vk %s --help", command->name, command->operands,
                        command->name);
    if (args->operand_count > command->max_operands)
        return sft_fail(
            SFT_USAGE,
            "%s: does not know what to do with \"%s\"; values belong to an option, see sft-vk %s --help",
            command->name, args->operands[command->max_operands], command->name);
    return SFT_OK;
}

/* ---- the sources ---- */

static enum sft_status apply_environment(struct sft_args *args)
{
    for (const struct sft_option_group *group = args->command->groups; group->title; group++)
        for (const struct sft_option *option = group->options; option->name; option++) {
            const char *text = option->environment ? getenv(option->environment) : NULL;
            if (text && *text) SFT_TRY(apply(args, option, SFT_FROM_ENVIRONMENT, text, option->environment));
        }
    return SFT_OK;
}

static bool known_elsewhere(const struct sft_command *const *commands, const char *name)
{
    for (; *commands; commands++)
        if (sft_option_find((*commands)->groups, name)) return true;
    return false;
}

/* A section of another command is no business of this one, but it has to be one. */
static enum sft_status check_section(const struct sft_command *const *commands,
                                     const struct sft_setting *setting)
{
    enum { MAX_COMMANDS = 32 };
    const char *names[MAX_COMMANDS] = {NULL}, *near;
    for (int i = 0; i < MAX_COMMANDS - 1 && commands[i]; i++) {
        names[i] = commands[i]->name;
        if (strcmp(setting->section, names[i]) == 0) return SFT_OK;
    }
    near = sft_nearest(setting->section, names);
    return sft_fail(SFT_USAGE, "%s:%d: no command \"%s\" for the section%s%s%s", setting->path, setting->line,
                    setting->section, near ? "; did you mean [" : "", near ? near : "", near ? "]?" : "");
}

/* What the reader of a --config file is called with. */
struct reading {
    struct sft_args *args;
    const struct sft_command *const *commands;
};

/* Settings before any [section] are for every command that has them; those in [COMMAND] for that command. */
static enum sft_status apply_setting(void *context, const struct sft_setting *setting)
{
    const struct reading *reading = context;
    struct sft_args *args = reading->args;
    const struct sft_option *option = sft_option_find(args->command->groups, setting->name);
    char where[512];
    bool general = *setting->section == '\0';
    if (!general && strcmp(setting->section, args->command->name) != 0)
        return check_section(reading->commands, setting);
    snprintf(where, sizeof(where), "%s:%d", setting->path, setting->line);
    if (!option)
        return general && known_elsewhere(reading->commands, setting->name)
                   ? SFT_OK
                   : unknown_option(args->command, setting->name, where);
    snprintf(where, sizeof(where), "%s:%d: %s", setting->path, setting->line, setting->name);
    return apply(args, option, SFT_FROM_FILE, setting->value, where);
}

static enum sft_status apply_config(struct sft_args *args, const struct sft_command *const *commands,
                                    const struct given *given, int count)
{
    struct reading reading = {args, commands};
    const char *path = NULL;
    for (int i = 0; i < count; i++)
        if (strcmp(given[i].option->name, "config") == 0) path = given[i].text;
    if (!path) return SFT_OK;
    return sft_config_read(path, apply_setting, &reading, &args->config_text);
}

static enum sft_status apply_given(struct sft_args *args, const struct given *given, int count)
{
    for (int i = 0; i < count; i++) {
        char where[80];
        snprintf(where, sizeof(where), "--%s", given[i].option->name);
        SFT_TRY(apply(args, given[i].option, SFT_FROM_FLAG, given[i].text, where));
    }
    return SFT_OK;
}

static enum sft_status check_required(const struct sft_args *args)
{
    for (const struct sft_option_group *group = args->command->groups; group->title; group++)
        for (const struct sft_option *option = group->options; option->name; option++)
            if (option->required && !sft_args_given(args, option->name))
                return sft_fail(SFT_USAGE, "%s: needs --%s %s (%s)", args->command->name, option->name,
                                option->value, option->help);
    return SFT_OK;
}

enum sft_status sft_args_parse(const struct sft_command *command, const struct sft_command *const *commands,
                               int argc, char **argv, struct sft_args *args)
{
    enum sft_status status = SFT_MEMORY;
    int count = 0;
    *args = (struct sft_args){.command = command, .argc = argc, .argv = argv};
    struct given *given = sft_calloc((size_t)argc + 1, sizeof(*given));
    args->operands = sft_calloc((size_t)argc + 1, sizeof(*args->operands));
    args->values = sft_calloc(1, command->values_size);
    args->origins = sft_calloc(option_index(command, NULL) + 1, sizeof(*args->origins));
    if (!given || !args->operands || !args->values || !args->origins) goto out;

    SFT_TRY_OUT(split(args, given, &count));
    SFT_TRY_OUT(check_operands(args));
    if (command->init) command->init(args->values);
    SFT_TRY_OUT(apply_config(args, commands, given, count));
    SFT_TRY_OUT(apply_environment(args));
    SFT_TRY_OUT(apply_given(args, given, count));
    status = check_required(args);
out:
    free(given);
    return status;
}

void sft_args_free(struct sft_args *args)
{
    free(args->operands);
    free(args->values);
    free(args->origins);
    free(args->config_text);
    *args = (struct sft_args){0};
}

bool sft_args_given(const struct sft_args *args, const char *name)
{
    const struct sft_option *option = sft_option_find(args->command->groups, name);
    return option && args->origins[option_index(args->command, option)] != SFT_FROM_DEFAULT;
}

static bool is_any(const struct sft_option *option)
{
    (void)option;
    return true;
}

static bool is_setting(const struct sft_option *option) { return !option->incidental && !option->measures; }

static bool is_measure(const struct sft_option *option) { return option->measures; }

/* {"name": value} of those options. */
static void add_values(const struct sft_args *args, bool (*of)(const struct sft_option *option),
                       const char *key, struct sft_json *json)
{
    sft_json_object(json, key);
    for (const struct sft_option_group *group = args->command->groups; group->title; group++)
        for (const struct sft_option *option = group->options; option->name; option++)
            if (of(option)) sft_option_json(option, args->values, json);
    sft_json_end(json);
}

void sft_args_json(const struct sft_args *args, const char *key, struct sft_json *json)
{
    add_values(args, is_any, key, json);
}

void sft_args_origins_json(const struct sft_args *args, const char *key, struct sft_json *json)
{
    static const char *const words[] = {
        [SFT_FROM_DEFAULT] = "default",
        [SFT_FROM_FILE] = "file",
        [SFT_FROM_ENVIRONMENT] = "environment",
        [SFT_FROM_FLAG] = "flag",
    };
    size_t index = 0;
    sft_json_object(json, key);
    for (const struct sft_option_group *group = args->command->groups; group->title; group++)
        for (const struct sft_option *option = group->options; option->name; option++, index++)
            if (args->origins[index] != SFT_FROM_DEFAULT)
                sft_json_text(json, option->name, words[args->origins[index]]);
    sft_json_end(json);
}

/* ---- what is told of a run ---- */

static void add_command_line(const struct sft_args *args, struct sft_json *json)
{
    sft_json_array(json, "command");
    sft_json_text(json, NULL, "sft-vk");
    sft_json_text(json, NULL, args->command->name);
    for (int i = 0; i < args->argc; i++) sft_json_text(json, NULL, args->argv[i]);
    sft_json_end(json);
}

/* The object as text, which the caller releases. */
static enum sft_status dump(struct sft_json *json, char **out)
{
    struct sft_text text = {0};
    sft_json_dump(json, JSON_COMPACT | JSON_REAL_PRECISION(17), &text);
    sft_json_free(json);
    *out = text.data;
    return text.status;
}

enum sft_status sft_args_describe(const struct sft_args *typed, const struct sft_args *args,
                                  struct sft_run_words *words)
{
    struct sft_json record = {0}, settings = {0}, measures = {0};
    enum sft_status status;
    sft_json_object(&record, NULL);
    add_command_line(typed, &record);
    sft_args_json(args, "options", &record);
    sft_args_origins_json(args, "given", &record);
    sft_json_end(&record);
    add_values(args, is_setting, NULL, &settings);
    add_values(args, is_measure, NULL, &measures);
    status = dump(&record, &words->record);
    if (status == SFT_OK) status = dump(&settings, &words->settings);
    if (status == SFT_OK) status = dump(&measures, &words->measures);
    sft_json_free(&settings);
    sft_json_free(&measures);
    return status;
}

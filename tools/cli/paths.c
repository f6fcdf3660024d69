/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/cli/paths.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "runtime/base/alloc.h"

/* Options that name a file to be written, or a folder. All others that take texts may name one to be read. */
static const char *const outputs[] = {"out", "dump-gradients"};

static bool is_output(const struct sft_option *option)
{
    for (size_t i = 0; i < sizeof(outputs) / sizeof(outputs[0]); i++)
        if (strcmp(option->name, outputs[i]) == 0) return true;
    return false;
}

/* Text i of an option; NULL behind the last, or for an option of another type. */
static const char *text_of(const struct sft_option *option, const void *values, int i)
{
    const void *field = (const char *)values + option->offset;
    const struct sft_texts *texts = field;
    const struct sft_sets *sets = field;
    if (option->type == SFT_OPTION_TEXT) return i == 0 ? *(const char *const *)field : NULL;
    if (option->type == SFT_OPTION_TEXTS) return i < texts->count ? texts->values[i] : NULL;
    if (option->type == SFT_OPTION_SETS) return i < sets->count ? sets->values[i].spec : NULL;
    return NULL;
}

/* ---- one output ---- */

struct output {
    const char *option, *path;
    struct stat info;
    char *real; /* without links; owned */
};

/* Whether a file of that name is data where it lies in a folder that is read. */
static bool is_data(const char *path)
{
    static const char *const endings[] = {".png", ".jpg", ".jpeg", ".bin"};
    const char *ending = strrchr(path, '.');
    for (size_t i = 0; ending && i < sizeof(endings) / sizeof(endings[0]); i++)
        if (strcasecmp(ending, endings[i]) == 0) return true;
    return false;
}

static bool lies_in(const struct output *output, const char *folder)
{
    char *real = realpath(folder, NULL);
    size_t length = real ? strlen(real) : 0;
    bool inside =
        real && output->real && strncmp(output->real, real, length) == 0 && output->real[length] == '/';
    free(real);
    return inside;
}

static bool would_replace(const struct output *output, const char *input)
{
    struct stat info;
    if (stat(input, &info) != 0) return false;
    if (S_ISDIR(info.st_mode)) return is_data(output->path) && lies_in(output, input);
    return info.st_dev == output->info.st_dev && info.st_ino == output->info.st_ino;
}

/* A text may be a path, or NAME=FORMAT:PATH#SPLIT[RANGE] or a part of that: every piece is tried that may be
 * the path, as a path may have these characters, too. */
static enum sft_status check_text(const struct output *output, const char *option, const char *text)
{
    char *copy = sft_strdup(text);
    bool clash = false;
    if (!copy) return SFT_MEMORY;
    for (char *from = copy; from && !clash; from = strpbrk(from, "=:") ? strpbrk(from, "=:") + 1 : NULL) {
        clash = would_replace(output, from);
        for (char *end = from; !clash && (end = strpbrk(end, "#[")); end++) {
            char kept = *end;
            *end = '\0';
            clash = would_replace(output, from);
            *end = kept;
        }
    }
    free(copy);
    if (!clash) return SFT_OK;
    return sft_fail(SFT_USAGE, "--%s %s would replace what %s%s %s reads; name another file", output->option,
                    output->path, *option ? "--" : "", *option ? option : "the operand", text);
}

static enum sft_status check_inputs(const struct sft_args *args, const struct output *output)
{
    for (const struct sft_option_group *group = args->command->groups; group->title; group++)
        for (const struct sft_option *option = group->options; option->name; option++) {
            const char *text;
            if (is_output(option)) continue;
            for (int i = 0; (text = text_of(option, args->values, i)); i++)
                SFT_TRY(check_text(output, option->name, text));
        }
    for (int i = 0; i < args->operand_count; i++) SFT_TRY(check_text(output, "", args->operands[i]));
    return SFT_OK;
}

static enum sft_status check_output(const struct sft_args *args, const char *option, const char *path)
{
    struct output output = {.option = option, .path = path};
    enum sft_status status;
    if (stat(path, &output.info) != 0 || !S_ISREG(output.info.st_mode)) return SFT_OK;
    output.real = realpath(path, NULL);
    status = check_inputs(args, &output);
    free(output.real);
    return status;
}

enum sft_status sft_paths_check(const struct sft_args *args)
{
    for (const struct sft_option_group *group = args->command->groups; group->title; group++)
        for (const struct sft_option *option = group->options; option->name; option++) {
            const char *path = is_output(option) ? text_of(option, args->values, 0) : NULL;
            if (path) SFT_TRY(check_output(args, option->name, path));
        }
    return SFT_OK;
}

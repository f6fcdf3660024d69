/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/cli/help.h"

#include <stdlib.h>
#include <string.h>

#include "runtime/base/alloc.h"

enum { WIDTH = 100, COLUMN = 28 };

const struct sft_help_row sft_help_exit_codes[] = {
    {"0", "done"},
    {"1", "failed while running"},
    {"2", "wrong usage"},
    {"3", "the asked-for device is not there or fails its check"},
    {"4", "input data or a checkpoint is missing or damaged"},
    {"5", "out of memory, and no smaller plan exists"},
    {"6", "could not write"},
    {"130, 143", "stopped by SIGINT or SIGTERM after saving"},
    {0},
};

const struct sft_help_row sft_help_environment[] = {
    {"SFT_VK_DEVICE", "as --device"},
    {"SFT_VK_THREADS", "as --threads"},
    {"SFT_VK_LOG", "as --log: error, warning, info or debug"},
    {"SFT_VK_CACHE_DIR", "folder for compiled pipelines; otherwise sft-vk below $XDG_CACHE_HOME or ~/.cache"},
    {"SFT_VK_DISABLE", "features not to use though a device has them: fp16,bf16,coopmat,subgroup"},
    {"SFT_VK_MAX_ALLOC", "largest single allocation on a device, as 512M"},
    {"SFT_VK_MAX_SUBMIT_MS", "longest that one submission may be expected to run"},
    {"SFT_VK_VALIDATE", "1 turns the Khronos validation layer on"},
    {"NO_COLOR", "when set, no colour"},
    {"VK_DRIVER_FILES", "and the other variables of the Vulkan loader are respected"},
    {0},
};

/* Prints `text` wrapped, starting at column `at`, continuing at column `indent`. */
static void wrap(FILE *out, const char *text, int at, int indent)
{
    while (*text) {
        int length = (int)strcspn(text, " \n");
        if (at > indent && at + length > WIDTH) {
            fprintf(out, "\n%*s", indent, "");
            at = indent;
        }
        fprintf(out, "%.*s", length, text);
        at += length;
        text += length;
        if (*text == '\n') {
            fprintf(out, "\n%*s", text[1] == '\n' || !text[1] ? 0 : indent, "");
            at = indent;
            text++;
        } else if (*text == ' ') {
            text++;
            if (*text && at + 1 + (int)strcspn(text, " \n") <= WIDTH) {
                fputc(' ', out);
                at++;
            } else if (*text) {
                fprintf(out, "\n%*s", indent, "");
                at = indent;
            }
        }
    }
    fputc('\n', out);
}

static void print_row(FILE *out, const char *name, const char *text)
{
    int at = fprintf(out, "  %s", name);
    if (at >= COLUMN - 1) {
        fprintf(out, "\n%*s", COLUMN, "");
        at = COLUMN;
    } else {
        at += fprintf(out, "%*s", COLUMN - at, "");
    }
    wrap(out, text, at, COLUMN);
}

static void print_rows(FILE *out, const char *title, const struct sft_help_row *rows)
{
    fprintf(out, "\n%s:\n", title);
    for (; rows->name; rows++) print_row(out, rows->name, rows->text);
}

/* "--name VALUE", choices in place of the value where they are few. */
static void option_head(const struct sft_option *option, char *head, size_t size)
{
    size_t length =
        (size_t)snprintf(head, size, "--%s%s%s", option->name, sft_option_takes_value(option) ? " " : "",
                         sft_option_takes_value(option) && !option->choices ? option->value : "");
    for (int i = 0; option->choices && option->choices[i] && length < size; i++)
        length += (size_t)snprintf(head + length, size - length, "%s%s", i ? "|" : "", option->choices[i]);
}

/* The sentence, then what is known besides: the default in `values`, the variable, repetition. */
static void option_text(const struct sft_option *option, const void *values, char *text, size_t size)
{
    char fallback[128];
    size_t length = (size_t)snprintf(text, size, "%s", option->help);
    if (option->required) length += (size_t)snprintf(text + length, size - length, " (required)");
    if (sft_option_print(option, values, fallback, sizeof(fallback)))
        length += (size_t)snprintf(text + length, size - length, " [%s]", fallback);
    if (sft_option_repeats(option))
        length += (size_t)snprintf(text + length, size - length, " (may be repeated)");
    if (option->environment) snprintf(text + length, size - length, " ($%s)", option->environment);
}

static void print_option(FILE *out, const struct sft_option *option, const void *values)
{
    char head[256], text[1024];
    option_head(option, head, sizeof(head));
    option_text(option, values, text, sizeof(text));
    print_row(out, head, text);
    for (int i = 0; option->list && option->list(i); i++) {
        fprintf(out, "%*s", COLUMN + 2, "");
        wrap(out, option->list(i), COLUMN + 2, COLUMN + 4);
    }
}

static void print_usage(FILE *out, const struct sft_command *command)
{
    fprintf(out, "usage: sft-vk %s", command->name);
    for (const struct sft_option_group *group = command->groups; group->title; group++)
        for (const struct sft_option *option = group->options; option->name; option++)
            if (option->required) fprintf(out, " --%s %s", option->name, option->value);
    if (command->operands) fprintf(out, " %s", command->operands);
    fprintf(out, " [options]\n\n%s.\n", command->summary);
}

/* What the operand may be. */
static void print_operands(FILE *out, const struct sft_command *command)
{
    if (!command->operand_list) return;
    fprintf(out, "\n%s is one of:\n", command->operands);
    for (int i = 0; command->operand_list(i); i++) {
        fputs("  ", out);
        wrap(out, command->operand_list(i), 2, 4);
    }
}

/* How a page shows options: what surrounds the title of a group, and a function for each row. */
struct page {
    const char *before, *after;
    void (*print)(FILE *out, const struct sft_option *option, const void *values);
};

static void print_options(FILE *out, const struct sft_command *command, const struct page *page)
{
    void *values = sft_calloc(1, command->values_size);
    if (!values) return;
    if (command->init) command->init(values);
    for (const struct sft_option_group *group = command->groups; group->title; group++) {
        fprintf(out, "%s%s%s", page->before, group->title, page->after);
        for (const struct sft_option *option = group->options; option->name; option++)
            page->print(out, option, values);
    }
    free(values);
}

void sft_help_command(const struct sft_command *command, FILE *out)
{
    print_usage(out, command);
    fputs("\nExamples:\n", out);
    for (const struct sft_example *example = command->examples; example->line; example++)
        fprintf(out, "  sft-vk %s\n      %s\n", example->line, example->what);
    if (command->about) {
        fputc('\n', out);
        wrap(out, command->about, 0, 0);
    }
    print_operands(out, command);
    print_options(out, command, &(struct page){"\n", ":\n", print_option});
}

void sft_help_program(FILE *out)
{
    fputs("usage: sft-vk COMMAND [options]\n\n"
          "Fine-tunes an image classifier with SAM on its normalisation layers only, so that it tells\n"
          "out-of-distribution images from its own, on any Vulkan GPU or the CPU.\n"
          "\nExamples:\n"
          "  sft-vk devices\n"
          "      what this machine can compute on\n"
          "  sft-vk finetune --weights model.safetensors --id 'cifar10:DIR#train' --out run\n"
          "      the main job: 50 steps; the new weights and a report lie in run/\n"
          "  sft-vk eval --weights run/model.safetensors --id 'cifar10:DIR#test' --ood svhn=svhn:test.mat "
          "--out scores\n"
          "      how well it tells SVHN from CIFAR-10\n"
          "\nCommands:\n",
          out);
    for (int i = 0; sft_commands[i]; i++) print_row(out, sft_commands[i]->name, sft_commands[i]->summary);
    fputs("\n`sft-vk COMMAND --help` has the options of a command; `sft-vk --version` the version.\n", out);
    print_rows(out, "Exit codes", sft_help_exit_codes);
    print_rows(out, "Environment", sft_help_environment);
}

void sft_help_completion(FILE *out)
{
    fputs("# bash completion for sft-vk, made by: sft-vk --completion\n"
          "_sft_vk()\n{\n"
          "    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} words=''\n"
          "    case ${COMP_WORDS[1]}:$before in\n",
          out);
    for (int i = 0; sft_commands[i]; i++)
        for (const struct sft_option_group *group = sft_commands[i]->groups; group->title; group++)
            for (const struct sft_option *option = group->options; option->name; option++) {
                if (!option->choices) continue;
                fprintf(out, "    %s:--%s) words='", sft_commands[i]->name, option->name);
                for (int c = 0; option->choices[c]; c++)
                    fprintf(out, "%s%s", c ? " " : "", option->choices[c]);
                fputs("' ;;\n", out);
            }
    for (int i = 0; sft_commands[i]; i++) {
        fprintf(out, "    %s:*) [[ $word != -* ]] || words='--help", sft_commands[i]->name);
        for (const struct sft_option_group *group = sft_commands[i]->groups; group->title; group++)
            for (const struct sft_option *option = group->options; option->name; option++)
                fprintf(out, " --%s", option->name);
        fputs("' ;;\n", out);
    }
    fputs("    *) words='--help --version", out);
    for (int i = 0; sft_commands[i]; i++) fprintf(out, " %s", sft_commands[i]->name);
    fputs("' ;;\n    esac\n"
          "    mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$word\")\n"
          "    [[ ${#COMPREPLY[@]} -gt 0 || $word == -* ]] || mapfile -t COMPREPLY < <(compgen -f -- "
          "\"$word\")\n"
          "}\n"
          "complete -o filenames -F _sft_vk sft-vk\n",
          out);
}

/* ---- the manual page ---- */

/* Text for roff: backslashes and hyphens escaped, a zero-width space before a leading dot or quote. */
static void roff(FILE *out, const char *text)
{
    bool start = true;
    for (; *text; start = *text == '\n', text++) {
        if (start && (*text == '.' || *text == '\'')) fputs("\\&", out);
        if (*text == '\\')
            fputs("\\e", out);
        else if (*text == '-')
            fputs("\\-", out);
        else
            fputc(*text, out);
    }
}

static void man_row(FILE *out, const char *name, const char *text)
{
    fputs(".TP\n.B ", out);
    roff(out, name);
    fputc('\n', out);
    roff(out, text);
    fputc('\n', out);
}

static void man_option(FILE *out, const struct sft_option *option, const void *values)
{
    char head[256], text[1024];
    option_head(option, head, sizeof(head));
    option_text(option, values, text, sizeof(text));
    man_row(out, head, text);
    for (int i = 0; option->list && option->list(i); i++) {
        fputs(".br\n", out);
        roff(out, option->list(i));
        fputc('\n', out);
    }
}

static void man_command(FILE *out, const struct sft_command *command)
{
    fprintf(out, ".SH \"SFT\\-VK %s\"\n", command->name);
    roff(out, command->summary);
    fputs(".\n", out);
    if (command->about) {
        fputs(".PP\n", out);
        roff(out, command->about);
        fputc('\n', out);
    }
    for (int i = 0; command->operand_list && command->operand_list(i); i++) {
        fputs(i ? ".br\n" : ".PP\n", out);
        roff(out, command->operand_list(i));
        fputc('\n', out);
    }
    for (const struct sft_example *example = command->examples; example->line; example++) {
        char line[512];
        snprintf(line, sizeof(line), "sft-vk %s", example->line);
        man_row(out, line, example->what);
    }
    print_options(out, command, &(struct page){".SS \"", "\"\n", man_option});
}

void sft_help_man(FILE *out)
{
    fputs(".TH SFT\\-VK 1 \"\" \"sft\\-vk " SFT_VERSION "\" \"User Commands\"\n"
          ".SH NAME\nsft\\-vk \\- fine\\-tune image classifiers for out\\-of\\-distribution detection\n"
          ".SH SYNOPSIS\n.B sft\\-vk\n.I COMMAND\n[options]\n"
          ".SH DESCRIPTION\nFine\\-tunes an image classifier with SAM on its normalisation layers only "
          "(SFT), so that it\n"
          "tells out\\-of\\-distribution images from its own, on any Vulkan GPU or the CPU.\n"
          ".SH COMMANDS\n",
          out);
    for (int i = 0; sft_commands[i]; i++) man_row(out, sft_commands[i]->name, sft_commands[i]->summary);
    for (int i = 0; sft_commands[i]; i++) man_command(out, sft_commands[i]);
    fputs(".SH EXIT STATUS\n", out);
    for (const struct sft_help_row *row = sft_help_exit_codes; row->name; row++)
        man_row(out, row->name, row->text);
    fputs(".SH ENVIRONMENT\n", out);
    for (const struct sft_help_row *row = sft_help_environment; row->name; row++)
        man_row(out, row->name, row->text);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Commands. Each is a file tools/cmd_NAME.c with a struct of values, a table of options, a function, and a
 * row in commands.def; main.c parses and calls, help.c prints help, man page and completion from the same
 * rows.
 */
#ifndef SFT_COMMAND_H
#define SFT_COMMAND_H

#include "tools/cli/option.h"

struct sft_args;

struct sft_example {
    const char *line; /* without "sft-vk " */
    const char *what;
};

struct sft_command {
    const char *name;
    const char *summary;                /* one line */
    const char *about;                  /* a paragraph or more for help; NULL: none */
    const char *operands;               /* how help shows what is no option: "FILE"; NULL: none are taken */
    const char *(*operand_list)(int i); /* lines of help about it; NULL behind the last. May be NULL */
    int min_operands, max_operands;
    const struct sft_example *examples;    /* up to one without a line */
    const struct sft_option_group *groups; /* up to one without a title */
    size_t values_size;         /* of the struct that the options fill; starts with struct sft_common */
    void (*init)(void *values); /* puts defaults into the zeroed struct; NULL: zeros are the defaults */
    enum sft_status (*run)(const struct sft_args *args);
};

#define SFT_COMMAND(name) extern const struct sft_command sft_command_##name;
#include "tools/cli/commands.def"
#undef SFT_COMMAND

/* All commands in the order of commands.def, NULL behind the last. */
extern const struct sft_command *const sft_commands[];
extern const char *const sft_command_names[];

#endif

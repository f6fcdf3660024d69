/* SPDX-License-Identifier: Apache-2.0 */
/* What is printed about the program, all of it from the command and option tables. */
#ifndef SFT_HELP_H
#define SFT_HELP_H

#include <stdio.h>

#include "tools/cli/command.h"

void sft_help_program(FILE *out);
void sft_help_command(const struct sft_command *command, FILE *out);

/* The manual page sft-vk(1) in roff. */
void sft_help_man(FILE *out);

/* A completion script for bash. */
void sft_help_completion(FILE *out);

/* Tables that help and manual share: rows up to one without a name. */
struct sft_help_row {
    const char *name, *text;
};
extern const struct sft_help_row sft_help_exit_codes[], sft_help_environment[];

#endif

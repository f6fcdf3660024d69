/* SPDX-License-Identifier: Apache-2.0 */
/* A command line, taken apart: values from flags, environment, --config file and defaults, the former over
 * the latter.
 */
#ifndef SFT_ARGS_H
#define SFT_ARGS_H

#include "tools/cli/command.h"

struct sft_args {
    const struct sft_command *command;
    void *values; /* the command's struct, filled */
    int argc;     /* the command line as given: borrowed */
    char **argv;
    const char **operands; /* what is no option */
    int operand_count;
    enum sft_option_origin *origins; /* by option, groups one after the other */
    char *config_text;               /* private: values may point into it */
};

/* Parses what follows the command's name. SFT_USAGE, or SFT_DATA for a --config file that cannot be read.
 * Release with sft_args_free() in any case. */
enum sft_status sft_args_parse(const struct sft_command *command, int argc, char **argv,
                               struct sft_args *args) SFT_MUST_CHECK;
void sft_args_free(struct sft_args *args);

/* Whether the option was given by anything but its default. */
bool sft_args_given(const struct sft_args *args, const char *name);

/* {"name": value} of all options; {"name": "flag"} of those given, by origin. New references, NULL without
 * memory. */
json_t *sft_args_json(const struct sft_args *args);
json_t *sft_args_origins_json(const struct sft_args *args);

#endif

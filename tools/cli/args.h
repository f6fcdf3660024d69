/* SPDX-License-Identifier: Apache-2.0 */
/* A command line, taken apart: values from flags, environment, --config file and defaults, the former over
 * the latter.
 */
#ifndef SFT_ARGS_H
#define SFT_ARGS_H

#include "tools/cli/command.h"
#include "tools/jobs/run_folder.h"

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

/* Parses what follows the command's name. `commands` (up to NULL) are those whose options a --config file may
 * name beside the command's own. SFT_USAGE, or SFT_DATA for a --config file that cannot be read. Release with
 * sft_args_free() in any case. */
enum sft_status sft_args_parse(const struct sft_command *command, const struct sft_command *const *commands,
                               int argc, char **argv, struct sft_args *args) SFT_MUST_CHECK;
void sft_args_free(struct sft_args *args);

/* Whether the option was given by anything but its default. */
bool sft_args_given(const struct sft_args *args, const char *name);

/* Add, under `key`, {"name": value} of all options; {"name": "flag"} of those given, by origin. */
void sft_args_json(const struct sft_args *args, const char *key, struct sft_json *json);
void sft_args_origins_json(const struct sft_args *args, const char *key, struct sft_json *json);

/* Describes a run of a job for its run.json: the command line of `typed`, the options of `args` and what of
 * them was given; as settings those that decide the trained model, as measures those that decide what is
 * measured of it. SFT_MEMORY. */
enum sft_status sft_args_describe(const struct sft_args *typed, const struct sft_args *args,
                                  struct sft_run_words *words) SFT_MUST_CHECK;

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/cli/command.h"

const struct sft_command *const sft_commands[] = {
#define SFT_COMMAND(name) &sft_command_##name,
#include "tools/cli/commands.def"
#undef SFT_COMMAND
    NULL,
};

const char *const sft_command_names[] = {
#define SFT_COMMAND(name) #name,
#include "tools/cli/commands.def"
#undef SFT_COMMAND
    NULL,
};

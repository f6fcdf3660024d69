/* SPDX-License-Identifier: Apache-2.0 */
/* Finds the command, parses its options, runs it, and turns its status into the exit code. */
#include <stdio.h>
#include <string.h>

#include "runtime/base/file.h"
#include "runtime/base/nearest.h"
#include "runtime/base/parallel.h"
#include "runtime/base/thread.h"
#include "tools/cli/args.h"
#include "tools/cli/common.h"
#include "tools/cli/help.h"
#include "tools/cli/interrupt.h"
#include "tools/cli/paths.h"
#include "tools/cli/score_options.h"
#include "tools/cli/terminal.h"

static const struct sft_command *find_command(const char *name)
{
    for (int i = 0; sft_commands[i]; i++)
        if (strcmp(sft_commands[i]->name, name) == 0) return sft_commands[i];
    return NULL;
}

static enum sft_status unknown_command(const char *name)
{
    const char *near = sft_nearest(name, sft_command_names);
    if (near) return sft_fail(SFT_USAGE, "there is no command \"%s\"; did you mean \"%s\"?", name, near);
    return sft_fail(SFT_USAGE, "there is no command \"%s\"; sft-vk --help lists them", name);
}

static bool asks_for_help(int argc, char **argv)
{
    for (int i = 0; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) return true;
    return false;
}

static enum sft_status run_command(const struct sft_command *command, int argc, char **argv)
{
    struct sft_args args;
    enum sft_status status;
    if (asks_for_help(argc, argv)) {
        sft_help_command(command, stdout);
        return SFT_OK;
    }
    status = sft_args_parse(command, sft_commands, argc, argv, &args);
    if (status == SFT_OK) {
        sft_common_start(args.values);
        status = sft_paths_check(&args);
    }
    if (status == SFT_OK) status = command->run(&args);
    sft_args_free(&args);
    return status;
}

static void print_version(FILE *out) { fputs("sft-vk " SFT_VERSION "\n", out); }

/* What may stand in the place of a command. */
static const struct {
    const char *word;
    void (*print)(FILE *out);
} pages[] = {
    {"--help", sft_help_program}, {"-h", sft_help_program}, {"help", sft_help_program},
    {"--version", print_version}, {"--man", sft_help_man},  {"--completion", sft_help_completion},
};

static enum sft_status dispatch(int argc, char **argv)
{
    const struct sft_command *command;
    if (argc < 2) {
        sft_help_program(stderr);
        return SFT_USAGE;
    }
    if (strcmp(argv[1], "help") == 0 && argc > 2) {
        if (!(command = find_command(argv[2]))) return unknown_command(argv[2]);
        sft_help_command(command, stdout);
        return SFT_OK;
    }
    for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++)
        if (strcmp(argv[1], pages[i].word) == 0) {
            pages[i].print(stdout);
            return SFT_OK;
        }
    if (argv[1][0] == '-')
        return sft_fail(SFT_USAGE, "the command comes first: sft-vk COMMAND %s ...; sft-vk --help lists them",
                        argv[1]);
    command = find_command(argv[1]);
    return command ? run_command(command, argc - 2, argv + 2) : unknown_command(argv[1]);
}

struct command_line {
    int argc;
    char **argv;
};

/* The exit code. */
static int run_program(void *context)
{
    const struct command_line *line = context;
    enum sft_status status, finished;
    sft_terminal_init(SFT_LOG_INFO, false, true);
    status = sft_score_options_init();
    if (status == SFT_OK) status = dispatch(line->argc, line->argv);
    if (status == SFT_OK) status = sft_files_whole();
    finished = sft_terminal_finish();
    sft_parallel_shutdown();
    if (status == SFT_INTERRUPTED) return 128 + sft_interrupt_signal();
    return (int)(status != SFT_OK ? status : finished);
}

int main(int argc, char **argv)
{
    struct command_line line = {argc, argv};
    sft_interrupt_install();
    return sft_thread_call(run_program, &line);
}

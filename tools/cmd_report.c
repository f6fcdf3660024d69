/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "tools/cli/common.h"
#include "tools/cli/terminal.h"
#include "tools/jobs/run_folder.h"

struct report {
    struct sft_common common;
};

static enum sft_status run(const struct sft_args *args)
{
    const struct report *options = args->values;
    const char *folder = args->operands[0];
    struct sft_json json = {0};
    char path[SFT_RUN_PATH];
    if (!*sft_run_file(folder, SFT_FILE_REPORT, path))
        return sft_fail(SFT_USAGE, "report: the name of the folder is too long");
    SFT_TRY(sft_run_report(folder));
    if (!options->common.json) {
        sft_print_line("%s", path);
        return SFT_OK;
    }
    sft_json_object(&json, NULL);
    sft_json_text(&json, "report", path);
    sft_json_end(&json);
    return sft_print_json(&json);
}

static void init(void *values) { sft_common_init(values); }

static const struct sft_option_group groups[] = {{"Options", sft_general_options}, {0}};

static const struct sft_example examples[] = {
    {"report runs/first", "makes runs/first/report.html from the run's other files"},
    {0},
};

const struct sft_command sft_command_report = {
    .name = "report",
    .summary = "Makes the HTML report again from a run folder",
    .about = "What is missing is left out. Where a file is there and cannot be read, the report goes without "
             "it and the "
             "exit code is 4.",
    .operands = "FOLDER",
    .min_operands = 1,
    .max_operands = 1,
    .examples = examples,
    .groups = groups,
    .values_size = sizeof(struct report),
    .init = init,
    .run = run,
};

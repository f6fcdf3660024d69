/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/jobs/convert.h"

#include <inttypes.h>
#include <stdio.h>

#include "nn/checkpoint/writer.h"
#include "nn/layouts/layouts.h"
#include "tools/cli/common.h"
#include "tools/cli/terminal.h"

struct convert {
    struct sft_common common;
    struct sft_convert_job job;
};

static enum sft_status print(const struct convert *options, const char *path,
                             const struct sft_converted *done)
{
    struct sft_json json = {0};
    if (!options->common.json) {
        sft_print_line("%s: %" PRId64 " tensors, %s", path, done->tensors, done->format);
        if (done->model) sft_print_line("model   %s", done->model);
        if (done->layout) sft_print_line("layout  %s", done->layout);
        if (done->left_out) sft_print_line("without %" PRId64 " that are no parameters", done->left_out);
        return SFT_OK;
    }
    sft_json_object(&json, NULL);
    sft_json_text(&json, "path", path);
    sft_json_text(&json, "format", done->format);
    sft_json_text(&json, "model", done->model);
    sft_json_text(&json, "layout", done->layout);
    sft_json_integer(&json, "tensors", done->tensors);
    sft_json_integer(&json, "left_out", done->left_out);
    sft_json_end(&json);
    return sft_print_json(&json);
}

static enum sft_status run(const struct sft_args *args)
{
    const struct convert *options = args->values;
    struct sft_convert_job job = options->job;
    struct sft_converted done;
    job.from = args->operands[0];
    job.to = args->operands[1];
    SFT_TRY(sft_convert(&job, &done));
    return print(options, job.to, &done);
}

static const char *writer_line(int i)
{
    static char line[256];
    const struct sft_checkpoint_writer *writer = sft_checkpoint_writer_at(i);
    if (!writer) return NULL;
    snprintf(line, sizeof(line), "%s: %s (%s)", writer->name, writer->about, writer->endings);
    return line;
}

static const char *layout_line(int i)
{
    static char line[256];
    const struct sft_layout *layout = sft_layout_at(i);
    if (!layout) return NULL;
    snprintf(line, sizeof(line), "%s: %s", layout->name, layout->about);
    return line;
}

#define FIELD(member) SFT_FIELD(struct convert, job.member)

static const struct sft_option options[] = {
    {"to", SFT_OPTION_TEXT, FIELD(format), .value = "FORMAT",
     .help = "what to write, when the ending of TO does not tell:", .list = writer_line},
    {"layout", SFT_OPTION_TEXT, FIELD(layout), .value = "NAME",
     .help = "rename the parameters, with the axes of that layout; otherwise all stays as it is:",
     .list = layout_line},
    {"model", SFT_OPTION_TEXT, FIELD(model), .value = "NAME",
     .help = "the file's architecture, when it does not tell:", .list = sft_model_list},
    {"overwrite", SFT_OPTION_FLAG, FIELD(overwrite), .help = "replace TO where it is there"},
    {0},
};

static const struct sft_option_group groups[] = {{"Options", options}, {"General", sft_general_options}, {0}};

static void init(void *values) { sft_common_init(values); }

static const struct sft_example examples[] = {
    {"convert BiT-S-R101x1-flat-finetune.pth.tar bit.safetensors", "the same tensors in another container"},
    {"convert --layout timm BiT-S-R50x1.npz bit.pth", "under the names of timm, for torch.load()"},
    {0},
};

const struct sft_command sft_command_convert = {
    .name = "convert",
    .summary = "Writes a checkpoint as safetensors, .npz or .pth, under its names or those of another layout",
    .about =
        "Numbers are not touched: the way back gives the same tensors, bit by bit. What the file's layout "
        "says of it, like the order of its classes, goes into the metadata.",
    .operands = "FROM TO",
    .min_operands = 2,
    .max_operands = 2,
    .examples = examples,
    .groups = groups,
    .values_size = sizeof(struct convert),
    .init = init,
    .run = run,
};

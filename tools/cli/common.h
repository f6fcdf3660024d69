/* SPDX-License-Identifier: Apache-2.0 */
/* Options that mean the same in every command that has them, and what follows from them. */
#ifndef SFT_COMMON_H
#define SFT_COMMON_H

#include "nn/positions.h"
#include "runtime/base/log.h"
#include "runtime/device.h"
#include "tools/cli/args.h"
#include "tools/jobs/scorers.h"

/* First member of every command's struct of values. */
struct sft_common {
    bool json, quiet, verbose, no_color;
    const char *config;
    enum sft_log_level log;
    const char *device;
    int precision;
    uint64_t memory;
    int64_t threads;
    union sft_knob_value knobs[SFT_MAX_KNOBS]; /* of commands that score: tools/cli/score_options.h */
};

/* --json, --quiet, --verbose, --log, --config, --no-color; --device, --precision, --memory, --threads. */
extern const struct sft_option sft_general_options[], sft_device_options[];

/* --skip-bad, whose field is given as SFT_FIELD gives it. */
#define SFT_SKIP_BAD_OPTION(...)                                                                             \
    {                                                                                                        \
        "skip-bad", SFT_OPTION_FLAG, __VA_ARGS__,                                                            \
            .incidental = true,                                                                              \
            .help = "leave pictures that cannot be read out, and say how many; otherwise one ends the "      \
                    "command before anything is computed"                                                    \
    }

/* The defaults of all but the knobs, for a command's init(). */
void sft_common_init(struct sft_common *common);

/* The help of options that take a data set: the formats, one a line. */
const char *sft_data_formats(int i);

/* The help of options that take the name of an architecture. The text is overwritten by the next call. */
const char *sft_model_list(int i);

/* Rows for the input of a struct sft_job_model, `member` of the command's struct `type`. */
#define SFT_CHANNEL_OPTIONS(type, member)                                                                    \
    {"mean",                                                                                                 \
     SFT_OPTION_CHANNELS,                                                                                    \
     SFT_FIELD(type, member.mean),                                                                           \
     .value = "R,G,B",                                                                                       \
     .min = -10,                                                                                             \
     .max = 10,                                                                                              \
     .incidental = true,                                                                                     \
     .help = "mean of each channel that the model was trained with, of values from 0 to 1; otherwise what "  \
             "the file says, or the architecture's own"},                                                    \
    {                                                                                                        \
        "std", SFT_OPTION_CHANNELS, SFT_FIELD(type, member.std),                                             \
            .value = "R,G,B", .min = 1e-6, .max = 10, .incidental = true,                                    \
            .help = "standard deviation of each channel, with --mean"                                        \
    }

/* Rows for the size of the images of a struct sft_job_model, `member` of the command's struct `type`. */
#define SFT_SIZE_OPTIONS(type, member)                                                                       \
    {"img-size",                                                                                             \
     SFT_OPTION_INT,                                                                                         \
     SFT_FIELD(type, member.image_size),                                                                     \
     .value = "PX",                                                                                          \
     .min = 0,                                                                                               \
     .max = 4096,                                                                                            \
     .incidental = true,                                                                                     \
     .help = "side of the images that the model sees; 0: what the file says, or the architecture's own"},    \
    {                                                                                                        \
        "pos-embed", SFT_OPTION_CHOICE, SFT_FIELD(type, member.pos_embed),                                   \
            .value = "WORD", .choices = sft_pos_embed_words, .incidental = true,                             \
            .help = "position embeddings of a transformer for another --img-size than its file's: "          \
                    "interpolated from those, or computed anew; the two are different networks"              \
    }

/* The order of classes of a struct sft_job_model's weights, `member` as above. */
#define SFT_CLASS_ORDER_OPTION(type, member)                                                                 \
    {                                                                                                        \
        "class-order", SFT_OPTION_TEXT, SFT_FIELD(type, member.class_order),                                 \
            .value = "WORD|FILE", .incidental = true,                                                        \
            .help = "how the weights number their classes: sorted, as class folders are; mos, as the "       \
                    "finetune files of MOS number ImageNet's; or a file with the name of a class a line, "   \
                    "in the order of the weights; otherwise what the file or its layout says"                \
    }

/* Rows for the framing of pictures: `member` as above. */
#define SFT_FRAMING_OPTIONS(type, member)                                                                    \
    {"resize",                                                                                               \
     SFT_OPTION_CHOICE,                                                                                      \
     SFT_FIELD(type, member.framing.resize),                                                                 \
     .choices = sft_resize_words,                                                                            \
     .incidental = true,                                                                                     \
     .help = "how a picture becomes the model's square: squashed into it, or its short side made as long; "  \
             "auto: what the file says, or the architecture's own"},                                         \
        {"crop",                                                                                             \
         SFT_OPTION_REAL,                                                                                    \
         SFT_FIELD(type, member.framing.crop),                                                               \
         .value = "FRACTION",                                                                                \
         .min = SFT_LEAST_CROP,                                                                              \
         .max = 1,                                                                                           \
         .incidental = true,                                                                                 \
         .help = "resize to the model's side divided by it, and cut the square out of the middle; "          \
                 "otherwise what the file says, or the architecture's own"},                                 \
    {                                                                                                        \
        "interpolation", SFT_OPTION_CHOICE, SFT_FIELD(type, member.framing.interpolation),                   \
            .choices = sft_filter_words, .incidental = true,                                                 \
            .help = "filter of the resizing, as Pillow has it"                                               \
    }

/* Sets log and terminal up. */
void sft_common_start(const struct sft_common *common);

/* Opens the device that was asked for, with the threads that were asked for. */
enum sft_status sft_common_open_device(const struct sft_common *common,
                                       struct sft_device **device) SFT_MUST_CHECK;

/* "1.5 GiB" into text[32]; returns text. */
const char *sft_bytes_str(uint64_t bytes, char *text);

#endif

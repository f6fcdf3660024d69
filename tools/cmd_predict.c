/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/jobs/predict.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/base/file.h"
#include "runtime/base/log.h"
#include "runtime/base/nearest.h"
#include "runtime/base/npy.h"
#include "runtime/base/words.h"
#include "tools/cli/score_options.h"
#include "tools/cli/terminal.h"
#include "tools/jobs/outputs.h"

struct predict {
    struct sft_common common;
    struct sft_predict_job job;
    const char *output, *out;
    bool overwrite;
};

/* ---- what is asked for ---- */

/* Outputs that are no score. */
static const char *const output_words[] = {"logits", "features", "verdicts", NULL};
SFT_ASSERT_WORDS(output_words, SFT_PREDICT_VERDICTS);

static enum sft_status unknown_output(const char *name)
{
    struct sft_guess guess = sft_guess_begin(name);
    for (int i = 0; output_words[i]; i++) sft_guess_consider(&guess, output_words[i]);
    for (int i = 0; i < sft_score_count(); i++) sft_guess_consider(&guess, sft_score_at(i)->name);
    return sft_fail(SFT_USAGE,
                    "--output: there is no \"%s\"%s%s; logits, features, verdicts or a score, see --help",
                    name, guess.name ? "; did you mean " : "", guess.name ? guess.name : "");
}

static enum sft_status find_output(const char *name, struct sft_predict_job *job)
{
    if (!name) name = output_words[job->calibration ? SFT_PREDICT_VERDICTS : SFT_PREDICT_LOGITS];
    for (int i = 0; output_words[i]; i++)
        if (sft_spells(name, strlen(name), output_words[i])) {
            job->output = (enum sft_predict_output)i;
            return SFT_OK;
        }
    job->output = SFT_PREDICT_SCORE;
    job->score = sft_score_find(name);
    return job->score ? SFT_OK : unknown_output(name);
}

static enum sft_status check_out(const struct predict *options, enum sft_predict_output output)
{
    if (output != SFT_PREDICT_VERDICTS && !options->out)
        return sft_fail(SFT_USAGE, "predict: needs --out Y.npy for the array");
    return options->out ? sft_output_check("--out", options->out, options->overwrite) : SFT_OK;
}

/* ---- verdicts ---- */

/* Takes a line of JSON for each verdict: prints it, or keeps it for the file, which is replaced when the last
 * one is there. */
struct sink {
    const char *path; /* NULL: stdout */
    struct sft_text lines;
};

static void add_judgement(const struct sft_verdict *verdict, struct sft_json *json)
{
    sft_json_text(json, "verdict", verdict->in_distribution ? "id" : "ood");
    sft_json_real(json, "score", verdict->score);
    sft_json_real(json, "threshold", verdict->threshold);
    sft_json_integer(json, "class", verdict->best.label);
    sft_json_real(json, "probability", verdict->best.probability);
    if (verdict->class_name) sft_json_text(json, "class_name", verdict->class_name);
}

static void add_verdict(const struct sft_verdict *verdict, struct sft_json *json)
{
    sft_json_object(json, NULL);
    if (verdict->image)
        sft_json_text(json, "image", verdict->image);
    else
        sft_json_integer(json, "image", verdict->number);
    if (verdict->error)
        sft_json_text(json, "error", verdict->error);
    else
        add_judgement(verdict, json);
    sft_json_end(json);
}

static enum sft_status print_line(const struct sft_text *line)
{
    if (line->status != SFT_OK) return line->status;
    if (fwrite(line->data, 1, line->length, stdout) == line->length && fflush(stdout) == 0) return SFT_OK;
    return sft_fail_printing("a verdict");
}

static enum sft_status take_verdict(void *context, const struct sft_verdict *verdict)
{
    struct sink *sink = context;
    struct sft_json json = {0};
    struct sft_text line = {0};
    enum sft_status status = SFT_OK;
    add_verdict(verdict, &json);
    sft_json_dump(&json, JSON_REAL_PRECISION(9), &line);
    sft_json_free(&json);
    sft_text_add(&line, "\n");
    sft_text_append(&sink->lines, &line);
    if (!sink->path) {
        status = print_line(&line);
        sft_text_free(&sink->lines);
    }
    sft_text_free(&line);
    return status == SFT_OK ? sink->lines.status : status;
}

/* ---- the result ---- */

static enum sft_status print_result(const struct predict *options, const char *path, const char *output,
                                    int64_t images)
{
    struct sft_json json = {0};
    if (!options->common.json) {
        sft_print_line("%s: %s of %" PRId64 " images", path, output, images);
        return SFT_OK;
    }
    sft_json_object(&json, NULL);
    sft_json_text(&json, "out", path);
    sft_json_text(&json, "output", output);
    sft_json_integer(&json, "images", images);
    sft_json_end(&json);
    return sft_print_json(&json);
}

static enum sft_status write_values(const char *path, const struct sft_predictions *predictions, bool scored)
{
    struct sft_shape shape = SFT_SHAPE(predictions->count, predictions->width);
    if (scored) shape.rank = 1;
    return sft_npy_write(path, &shape, predictions->values);
}

/* Older verdicts make room for whole ones only: where an image is without one, the others' go beside them. */
static const char *place_of(const struct predict *options, const struct sft_predictions *predictions,
                            char part[SFT_RUN_PATH])
{
    const bool whole = !predictions->vague && (!predictions->damaged || options->job.skip_bad);
    if (whole || access(options->out, F_OK) != 0) return options->out;
    if (snprintf(part, SFT_RUN_PATH, "%s.part", options->out) >= SFT_RUN_PATH) return options->out;
    sft_log(SFT_LOG_WARNING, "%s stays as it was, as images are without a verdict; those of the others: %s",
            options->out, part);
    return part;
}

/* Puts what was made into its file, if there is one. */
static enum sft_status write_result(const struct predict *options, const struct sft_predict_job *job,
                                    const struct sft_predictions *predictions, const struct sft_text *lines)
{
    const bool scored = job->output == SFT_PREDICT_SCORE;
    char part[SFT_RUN_PATH];
    const char *path = options->out;
    if (!path) return SFT_OK;
    if (job->output == SFT_PREDICT_VERDICTS) {
        path = place_of(options, predictions, part);
        SFT_TRY(sft_file_write(path, lines->data, lines->length));
    } else {
        SFT_TRY(write_values(path, predictions, scored));
    }
    return print_result(options, path, scored ? job->score->name : output_words[job->output],
                        predictions->count);
}

/* Images without a result, which the others did not have to wait for. */
static enum sft_status tell_missing(const struct predict *options, const struct sft_predictions *predictions)
{
    const int64_t damaged = predictions->damaged, vague = predictions->vague;
    if (vague)
        return sft_fail(SFT_FAILED,
                        "%" PRId64 " of %" PRId64 " images have no verdict, as their score is no number: the "
                        "weights may be damaged",
                        vague, predictions->count);
    if (damaged && !options->job.skip_bad)
        return sft_fail(SFT_DATA,
                        "%" PRId64 " of %" PRId64 " images could not be read, see \"error\" in their lines; "
                        "with --skip-bad that is no failure",
                        damaged, predictions->count);
    if (damaged)
        sft_log(SFT_LOG_WARNING, "%" PRId64 " of %" PRId64 " images could not be read", damaged,
                predictions->count);
    return SFT_OK;
}

/* ---- the command ---- */

static enum sft_status predict(const struct predict *options, struct sft_predict_job *job,
                               struct sft_predictions *predictions)
{
    const struct sft_watch watch = sft_terminal_watch();
    SFT_TRY(sft_common_open_device(&options->common, &job->model.device));
    return sft_predict_images(job, &watch, predictions);
}

static enum sft_status run(const struct sft_args *args)
{
    const struct predict *options = args->values;
    struct sft_predict_job job = options->job;
    struct sft_predictions predictions = {0};
    struct sink sink = {.path = options->out};
    enum sft_status status = find_output(options->output, &job);
    job.knobs = options->common.knobs;
    job.verdict = take_verdict;
    job.context = &sink;
    if (status == SFT_OK) status = check_out(options, job.output);
    if (status == SFT_OK) status = predict(options, &job, &predictions);
    if (status == SFT_OK) status = write_result(options, &job, &predictions, &sink.lines);
    if (status == SFT_OK) status = tell_missing(options, &predictions);
    free(predictions.values);
    sft_text_free(&sink.lines);
    sft_device_close(&job.model.device);
    return status;
}

#define OWN(member) SFT_FIELD(struct predict, member)
#define FIELD(member) OWN(job.member)

static const struct sft_option predict_options[] = {
    {"weights", SFT_OPTION_TEXT, FIELD(model.weights), .value = "FILE", .required = true,
     .help = "checkpoint of the classifier"},
    {"model", SFT_OPTION_TEXT, FIELD(model.variant), .value = "NAME",
     .help = "its architecture, when the file does not tell:", .list = sft_model_list},
    SFT_CLASS_ORDER_OPTION(struct predict, job.model),
    SFT_CHANNEL_OPTIONS(struct predict, job.model),
    SFT_SIZE_OPTIONS(struct predict, job.model),
    SFT_FRAMING_OPTIONS(struct predict, job.model),
    {"input", SFT_OPTION_TEXT, FIELD(input), .value = "X.npy",
     .help = "images as an array N,H,W,C: float32, already normalised, of the model's size; or uint8"},
    {"images", SFT_OPTION_TEXT, FIELD(images), .value = "SPEC",
     .help = "images as a data set:", .list = sft_data_formats},
    {"limit", SFT_OPTION_INT, FIELD(limit), .value = "N", .min = 0, .max = 1e15,
     .help = "only the first N images of a data set; 0: all"},
    {"skip-bad", SFT_OPTION_FLAG, FIELD(skip_bad), .incidental = true,
     .help =
         "pictures that cannot be read are no failure: numbers of theirs are NaN, and their verdict is an "
         "error; otherwise verdicts end with code 4, and an array is not begun"},
    {"output", SFT_OPTION_TEXT, OWN(output), .value = "NAME",
     .help = "logits (the default), features (the classifier's input), verdicts (the default with "
             "--calibration: a line of JSON an image), or a score:",
     .list = sft_score_list},
    {"calibration", SFT_OPTION_TEXT, FIELD(calibration), .value = "FILE",
     .help = "threshold and statistics from `sft-vk calibrate`, with the settings of its scores"},
    {"out", SFT_OPTION_TEXT, OWN(out), .value = "Y.npy",
     .help = "file for the result, float32; verdicts go to stdout otherwise"},
    {"overwrite", SFT_OPTION_FLAG, OWN(overwrite), .help = "take the place of such a file"},
    {"batch", SFT_OPTION_INT, FIELD(batch), .value = "N", .min = 1, .max = 65536, .help = "images at a time"},
    {0},
};

static const struct sft_option_group groups[] = {
    {"Options", predict_options},
    {"Settings of scores", sft_score_options},
    {"Device", sft_device_options},
    {"General", sft_general_options},
    {0},
};

static void init(void *values)
{
    struct predict *options = values;
    sft_common_init(&options->common);
    sft_score_options_defaults(&options->common);
    sft_predict_job_init(&options->job);
}

static const struct sft_example examples[] = {
    {"predict --weights W.safetensors --calibration energy.cal --images folder:photographs",
     "is each photograph one that the classifier was made for?"},
    {"predict --weights models/synthetic.safetensors --images 'synthetic#test' --output energy --out "
     "energy.npy",
     "a score for each image"},
    {"predict --weights W.safetensors --input X.npy --output features --out F.npy",
     "features of normalised images"},
    {0},
};

const struct sft_command sft_command_predict = {
    .name = "predict",
    .summary = "Logits, features or scores of images as an array; verdicts as they come",
    .examples = examples,
    .groups = groups,
    .values_size = sizeof(struct predict),
    .init = init,
    .run = run,
};

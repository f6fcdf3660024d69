/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/jobs/convert.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "nn/checkpoint/writer.h"
#include "nn/class_order.h"
#include "nn/header.h"
#include "nn/layouts/rename.h"
#include "nn/model.h"
#include "runtime/base/alloc.h"
#include "tools/jobs/outputs.h"

struct work {
    const struct sft_convert_job *job;
    struct sft_checkpoint *checkpoint;
    const struct sft_checkpoint_writer *writer;
    const struct sft_layout *to;    /* NULL: none was asked for */
    struct sft_model_config config; /* name NULL: the model is not known */
    char *groups;
    struct sft_parameters parameters; /* declared only */
    struct sft_match match;
    struct sft_stored_tensor *tensors; /* renamed; NULL: the file's own are written */
    char (*names)[SFT_MAX_NAME];
    struct sft_header header;
};

/* ---- what is asked for ---- */

/* "safetensors, npz, pth" */
static void list_writers(struct sft_text *text)
{
    const struct sft_checkpoint_writer *writer;
    for (int i = 0; (writer = sft_checkpoint_writer_at(i)); i++)
        sft_text_printf(text, "%s%s (%s)", i ? ", " : "", writer->name, writer->endings);
}

static enum sft_status find_writer(struct work *work)
{
    const struct sft_convert_job *job = work->job;
    struct sft_text list = {0};
    enum sft_status status;
    work->writer = job->format ? sft_checkpoint_writer_find(job->format) : sft_checkpoint_writer_of(job->to);
    if (work->writer) return SFT_OK;
    list_writers(&list);
    status = list.status;
    if (status == SFT_OK)
        status = job->format ? sft_fail(SFT_USAGE, "--to: no format is called \"%s\"; there are %s",
                                        job->format, list.data)
                             : sft_fail(SFT_USAGE, "%s: its ending is of no format; give --to one of %s",
                                        job->to, list.data);
    sft_text_free(&list);
    return status;
}

static enum sft_status find_layout(struct work *work)
{
    const struct sft_layout *layout;
    struct sft_text list = {0};
    enum sft_status status;
    if (!work->job->layout) return SFT_OK;
    work->to = sft_layout_find(work->job->layout);
    if (work->to) return SFT_OK;
    for (int i = 0; (layout = sft_layout_at(i)); i++)
        sft_text_printf(&list, "%s%s", i ? ", " : "", layout->name);
    status = list.status;
    if (status == SFT_OK)
        status = sft_fail(SFT_USAGE, "--layout: none is called \"%s\"; there are %s", work->job->layout,
                          list.data);
    sft_text_free(&list);
    return status;
}

static enum sft_status check_output(const struct sft_convert_job *job)
{
    struct stat from, to;
    if (stat(job->from, &from) == 0 && stat(job->to, &to) == 0 && from.st_dev == to.st_dev &&
        from.st_ino == to.st_ino)
        return sft_fail(SFT_USAGE, "convert: %s and %s are the same file; name another", job->from, job->to);
    return sft_output_check("convert", job->to, job->overwrite);
}

/* ---- what the file is of ---- */

/* A file of no model that is known is converted all the same, unless its names are to change. */
static enum sft_status find_model(struct work *work)
{
    struct sft_model_search search;
    const char *said = sft_checkpoint_metadata(work->checkpoint, "model");
    enum sft_status status = SFT_OK;
    work->config.name = work->job->model;
    if (!work->config.name && !work->to && !(said && sft_model_find(said))) {
        status = sft_model_search(work->checkpoint, &search);
        if (status == SFT_OK && search.n_fits == 1) work->config.name = search.fits[0]->name;
        sft_model_search_free(&search);
        if (status != SFT_OK || !work->config.name) return status;
    }
    return sft_model_guess(work->checkpoint, &work->config);
}

/* Also that the file is of the model at all. */
static enum sft_status declare(struct work *work)
{
    const struct sft_variant *variant = sft_model_find(work->config.name);
    struct sft_network network;
    int native;
    if (!variant) return sft_fail(SFT_USAGE, "--model: no model is named \"%s\"", work->config.name);
    native = sft_model_native_size(work->checkpoint, variant);
    network = (struct sft_network){
        .variant = variant,
        .gn_groups = work->config.gn_groups,
        .outputs = 2,
        .image_size = native ? native : variant->image_size,
    };
    SFT_TRY(sft_network_declare(&network, &work->parameters));
    SFT_TRY(sft_match_best(work->parameters.items, work->parameters.n, work->checkpoint, true, &work->match));
    if (sft_match_fits(&work->match) && work->match.extra == 0) return SFT_OK;
    return sft_match_refuse(&work->match);
}

static enum sft_status rename_all(struct work *work)
{
    SFT_TRY(declare(work));
    work->tensors = sft_calloc((size_t)work->match.n, sizeof(*work->tensors));
    work->names = sft_calloc((size_t)work->match.n, sizeof(*work->names));
    if (!work->tensors || !work->names) return SFT_MEMORY;
    sft_layout_rename(&work->match, work->to, work->tensors, work->names);
    return SFT_OK;
}

/* ---- metadata ---- */

static enum sft_status add_class_order(struct work *work)
{
    struct sft_class_names names = {0};
    enum sft_status status;
    int *rows = NULL;
    const bool mos = work->config.layout->class_order && strcmp(work->config.layout->class_order, "mos") == 0;
    if (!mos || work->config.classes != SFT_IMAGENET_CLASSES ||
        sft_checkpoint_metadata(work->checkpoint, "class_order") ||
        sft_checkpoint_metadata(work->checkpoint, "mos_groups"))
        return SFT_OK;
    SFT_TRY_OUT(sft_class_order_mos(&names));
    if (work->config.imagenet_groups) {
        work->groups = sft_class_order_mos_groups();
        if (!work->groups) status = SFT_MEMORY;
        if (status == SFT_OK) status = sft_header_text(&work->header, "mos_groups", work->groups);
        if (status == SFT_OK) status = sft_class_order_sort("mos", &names, &rows);
    } else {
        status = sft_header_text(&work->header, "class_order", "mos");
    }
    if (status == SFT_OK) status = sft_header_class_names(&work->header, &names);
out:
    free(rows);
    sft_class_names_free(&names);
    return status;
}

/* What the names said and the new names do not, or say otherwise. */
static enum sft_status add_layout(struct work *work)
{
    const struct sft_model_config *config = &work->config;
    const struct sft_variant *variant = sft_model_find(config->name);
    const float epsilon =
        config->standardize_epsilon > 0 ? config->standardize_epsilon : SFT_STANDARDIZE_EPSILON;
    const bool own = config->std[0] > 0;
    if (!work->to || work->to == config->layout) return SFT_OK;
    SFT_TRY(sft_header_text(&work->header, "model", variant->name));
    SFT_TRY(sft_header_number(&work->header, "ws_epsilon", epsilon));
    SFT_TRY(sft_header_channels(&work->header, "mean", own ? config->mean : variant->mean));
    SFT_TRY(sft_header_channels(&work->header, "std", own ? config->std : variant->std));
    return sft_header_framing(&work->header,
                              sft_framing_complete(sft_framing_over(config->framing, variant->framing)));
}

/* The source's metadata, and over it what is known without standing there. */
static enum sft_status make_header(struct work *work)
{
    const struct sft_checkpoint *checkpoint = work->checkpoint;
    if (work->config.layout) {
        SFT_TRY(add_layout(work));
        SFT_TRY(add_class_order(work));
        if (work->job->model) SFT_TRY(sft_header_text(&work->header, "model", work->config.name));
    }
    for (size_t i = 0; i < checkpoint->n_metadata; i++)
        if (!sft_header_has(&work->header, checkpoint->metadata[i].key))
            SFT_TRY(
                sft_header_text(&work->header, checkpoint->metadata[i].key, checkpoint->metadata[i].value));
    return SFT_OK;
}

/* ---- the job ---- */

static enum sft_status write_file(struct work *work, struct sft_converted *done)
{
    const struct sft_checkpoint *checkpoint = work->checkpoint;
    const struct sft_checkpoint_content content = {
        .tensors = work->tensors ? work->tensors : checkpoint->tensors,
        .n_tensors = work->tensors ? (size_t)work->match.n : checkpoint->n_tensors,
        .metadata = work->header.pairs,
        .n_metadata = work->header.n,
    };
    const struct sft_layout *layout = work->to ? work->to : work->config.layout;
    *done = (struct sft_converted){
        .format = work->writer->name,
        .layout = layout ? layout->name : NULL,
        .model = work->config.layout ? sft_model_find(work->config.name)->name : NULL,
        .tensors = (int64_t)content.n_tensors,
        .left_out = (int64_t)(checkpoint->n_tensors - content.n_tensors),
    };
    return work->writer->write(work->job->to, &content);
}

static enum sft_status do_work(struct work *work, struct sft_converted *done)
{
    SFT_TRY(find_writer(work));
    SFT_TRY(find_layout(work));
    SFT_TRY(check_output(work->job));
    SFT_TRY(sft_checkpoint_open(work->job->from, &work->checkpoint));
    SFT_TRY(find_model(work));
    if (work->to) SFT_TRY(rename_all(work));
    SFT_TRY(make_header(work));
    return write_file(work, done);
}

enum sft_status sft_convert(const struct sft_convert_job *job, struct sft_converted *done)
{
    struct work work = {.job = job};
    enum sft_status status = do_work(&work, done);
    sft_header_free(&work.header);
    free(work.groups);
    free(work.tensors);
    free(work.names);
    sft_match_free(&work.match);
    sft_parameters_free(&work.parameters);
    sft_checkpoint_close(&work.checkpoint);
    return status;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "ood/report/plots.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "ood/report/raster.h"
#include "runtime/base/alloc.h"
#include "runtime/base/file.h"
#include "runtime/base/log.h"
#include "runtime/base/parallel.h"
#include "runtime/base/path.h"

/* Pixels to the unit: 640 wide, sharp on a screen; for print there is the SVG. */
#define SCALE 2.0

/* Appends one component of a path. */
static void add_component(struct sft_text *path, const char *name)
{
    struct sft_text safe = {0};
    if (name[0] == '.') sft_text_add(&safe, "_");
    for (const char *c = name; *c; c++)
        sft_text_add_bytes(&safe, *c == '/' || *c == '\\' || iscntrl((unsigned char)*c) ? "_" : c, 1);
    if (path->status == SFT_OK) path->status = safe.status;
    sft_text_add_spelled(path, safe.data ? safe.data : "");
    sft_text_free(&safe);
}

enum sft_status sft_plots_add(struct sft_plots *plots, const char *folder, const char *stem,
                              struct sft_chart *chart)
{
    struct sft_plot_files *plot;
    struct sft_text name = {0};
    SFT_TRY(sft_grow(&plots->plot, &plots->capacity, plots->count + 1, sizeof(*plot)));
    if (folder) {
        add_component(&name, folder);
        sft_text_add(&name, "/");
    }
    add_component(&name, stem);
    if (name.status != SFT_OK) {
        sft_text_free(&name);
        return SFT_MEMORY;
    }
    plot = &plots->plot[plots->count++];
    plot->name = name.data;
    plot->csv = chart->data;
    chart->data = (struct sft_text){0};
    sft_chart_file(&plot->svg, chart);
    return plot->svg.status == SFT_OK ? plot->csv.status : plot->svg.status;
}

static enum sft_status write_file(const char *folder, const char *name, const char *extension,
                                  const struct sft_text *contents)
{
    char *path = sft_path_join(folder, "%s.%s", name, extension);
    enum sft_status status = path ? sft_file_write(path, contents->data, contents->length) : SFT_MEMORY;
    free(path);
    return status;
}

static enum sft_status write_plot(const char *folder, const struct sft_plot_files *plot)
{
    struct sft_text png = {0};
    enum sft_status status = write_file(folder, plot->name, "svg", &plot->svg);
    if (status == SFT_OK) status = write_file(folder, plot->name, "csv", &plot->csv);
    if (status == SFT_OK && sft_raster_available()) {
        status = sft_raster(&plot->svg, SCALE, &png);
        if (status == SFT_OK) status = write_file(folder, plot->name, "png", &png);
    }
    sft_text_free(&png);
    return status;
}

static enum sft_status make_folder_of(const char *folder, const char *name)
{
    const char *slash = strchr(name, '/');
    char *path = sft_path_join(folder, "%.*s", slash ? (int)(slash - name) : 0, name);
    enum sft_status status = path ? sft_make_folder(path) : SFT_MEMORY;
    free(path);
    return status;
}

/* What the tasks share; each has its own status. */
struct writing {
    const struct sft_plots *plots;
    const char *folder;
    enum sft_status *status;
};

static void write_task(void *context, int64_t task, int slot)
{
    const struct writing *writing = context;
    (void)slot;
    writing->status[task] = write_plot(writing->folder, &writing->plots->plot[task]);
}

enum sft_status sft_plots_write(const struct sft_plots *plots, const char *folder)
{
    struct writing writing = {plots, folder, NULL};
    enum sft_status status = SFT_OK;
    if (plots->count == 0) return SFT_OK;
    for (size_t i = 0; i < plots->count; i++) SFT_TRY(make_folder_of(folder, plots->plot[i].name));
    if (!sft_raster_available()) sft_log(SFT_LOG_INFO, "%s: no PNG files: built without librsvg", folder);
    writing.status = sft_calloc(plots->count, sizeof(*writing.status));
    if (!writing.status) return SFT_MEMORY;
    sft_parallel_for((int64_t)plots->count, write_task, &writing);
    for (size_t i = 0; status == SFT_OK && i < plots->count; i++) status = writing.status[i];
    free(writing.status);
    return status;
}

void sft_plots_free(struct sft_plots *plots)
{
    for (size_t i = 0; i < plots->count; i++) {
        free(plots->plot[i].name);
        sft_text_free(&plots->plot[i].svg);
        sft_text_free(&plots->plot[i].csv);
    }
    free(plots->plot);
    *plots = (struct sft_plots){0};
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "ood/report/plots.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ood/report/raster.h"
#include "ood/results/run_files.h"
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
    sft_text_add_spelled(path, sft_text_string(path, &safe));
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

/* ---- as files ---- */

static enum sft_status write_file(const char *folder, const char *name, const char *extension,
                                  const struct sft_text *contents)
{
    char *path = sft_path_join(folder, SFT_FOLDER_PLOTS "/%s.%s", name, extension);
    enum sft_status status = path ? sft_file_write(path, contents->data, contents->length) : SFT_MEMORY;
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
    const struct sft_plot_files *plot = &writing->plots->plot[task];
    enum sft_status status = write_file(writing->folder, plot->name, "svg", &plot->svg);
    (void)slot;
    if (status == SFT_OK) status = write_file(writing->folder, plot->name, "csv", &plot->csv);
    writing->status[task] = status;
}

static enum sft_status write_all(const struct sft_plots *plots, const char *folder)
{
    struct writing writing = {plots, folder, sft_calloc(plots->count, sizeof(*writing.status))};
    enum sft_status status = SFT_OK;
    if (!writing.status) return SFT_MEMORY;
    sft_parallel_for((int64_t)plots->count, write_task, &writing);
    for (size_t i = 0; status == SFT_OK && i < plots->count; i++) status = writing.status[i];
    free(writing.status);
    return status;
}

static enum sft_status make_folders(const struct sft_plots *plots, const char *folder)
{
    enum sft_status status = sft_make_folder_in(folder, SFT_FOLDER_PLOTS);
    for (size_t i = 0; status == SFT_OK && i < plots->count; i++) {
        const char *name = plots->plot[i].name, *slash = strchr(name, '/');
        char *below = slash ? sft_path_join(SFT_FOLDER_PLOTS, "%.*s", (int)(slash - name), name) : NULL;
        if (slash) status = below ? sft_make_folder_in(folder, below) : SFT_MEMORY;
        free(below);
    }
    return status;
}

/* ---- as pictures ----
 *
 * Child processes draw them, each with a share of the charts. The libraries beneath librsvg end their process
 * where they get no memory or no thread, and are not meant for several threads of one; a child keeps that
 * from a run, which may have hours behind it. */

static enum sft_status draw(const struct sft_plots *plots, const char *folder, size_t first, size_t step)
{
    enum sft_status status = SFT_OK;
    for (size_t i = first; status == SFT_OK && i < plots->count; i += step) {
        struct sft_text png = {0};
        status = sft_raster(&plots->plot[i].svg, SCALE, &png);
        if (status == SFT_OK) status = write_file(folder, plots->plot[i].name, "png", &png);
        sft_text_free(&png);
    }
    return status;
}

static pid_t start_child(const struct sft_plots *plots, const char *folder, size_t share, size_t shares)
{
    pid_t child = fork();
    if (child == 0) _exit((int)draw(plots, folder, share, shares));
    return child;
}

/* What the child says with its exit code; it has told why. */
static enum sft_status wait_for(pid_t child, const char *folder)
{
    int end = 0;
    pid_t ended = -1;
    while (child > 0 && (ended = waitpid(child, &end, 0)) < 0 && errno == EINTR) continue;
    if (ended < 0)
        return sft_fail(SFT_MEMORY, "%s/" SFT_FOLDER_PLOTS ": no process can be had to draw PNG files: %s",
                        folder, strerror(errno));
    if (WIFEXITED(end)) return (enum sft_status)WEXITSTATUS(end);
    return sft_fail(SFT_FAILED,
                    "%s/" SFT_FOLDER_PLOTS ": PNG files are missing, as librsvg ended with signal %d; "
                    "`sft-vk report %s` draws them",
                    folder, WTERMSIG(end), folder);
}

/* A share that no process was there for is drawn when those before it are done. */
static enum sft_status draw_all(const struct sft_plots *plots, const char *folder)
{
    pid_t child[SFT_MAX_THREADS];
    size_t threads = (size_t)sft_parallel_threads(), shares = plots->count < threads ? plots->count : threads;
    enum sft_status status = SFT_OK;
    for (size_t i = 0; i < shares; i++) child[i] = start_child(plots, folder, i, shares);
    for (size_t i = 0; i < shares; i++) {
        enum sft_status ended;
        if (child[i] < 0 && status != SFT_OK) continue;
        if (child[i] < 0) child[i] = start_child(plots, folder, i, shares);
        ended = wait_for(child[i], folder);
        if (status == SFT_OK) status = ended;
    }
    return status;
}

enum sft_status sft_plots_write(const struct sft_plots *plots, const char *folder)
{
    if (plots->count == 0) return SFT_OK;
    SFT_TRY(make_folders(plots, folder));
    SFT_TRY(write_all(plots, folder));
    if (sft_raster_available()) return draw_all(plots, folder);
    sft_log(SFT_LOG_INFO, "%s/" SFT_FOLDER_PLOTS ": no PNG files: built without librsvg", folder);
    return SFT_OK;
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

/* SPDX-License-Identifier: Apache-2.0 */
#include "ood/report/raster.h"

#include <librsvg/rsvg.h>

/* Fontconfig, which draws the text, keeps its tables until the process ends. LeakSanitizer calls
 * functions of these names to learn what is no leak of the program's own. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void) { return "leak:libfontconfig\n"; }

const char *__lsan_default_options(void);
const char *__lsan_default_options(void) { return "print_suppressions=0"; }

/* ThreadSanitizer lets no child of a process with threads start threads, as drawing text does, unless told.
 */
const char *__tsan_default_options(void);
const char *__tsan_default_options(void) { return "die_after_fork=0"; }

/* Pango looks for fonts on a thread of its own, and waits for it in ways that ThreadSanitizer does not see.
 */
const char *__tsan_default_suppressions(void);
const char *__tsan_default_suppressions(void)
{
    return "called_from_lib:libfontconfig.so\ncalled_from_lib:libglib-2.0.so\ncalled_from_lib:libpango-1.0."
           "so\n";
}

bool sft_raster_available(void) { return true; }

static cairo_status_t append(void *context, const unsigned char *bytes, unsigned int size)
{
    struct sft_text *png = context;
    sft_text_add_bytes(png, bytes, size);
    return png->status == SFT_OK ? CAIRO_STATUS_SUCCESS : CAIRO_STATUS_WRITE_ERROR;
}

static enum sft_status draw(RsvgHandle *handle, double scale, struct sft_text *png)
{
    enum sft_status status = SFT_OK;
    GError *error = NULL;
    gdouble width = 0, height = 0;
    cairo_surface_t *surface;
    cairo_t *cairo;
    cairo_status_t drawn;
    rsvg_handle_get_intrinsic_size_in_pixels(handle, &width, &height);
    surface = cairo_image_surface_create(CAIRO_FORMAT_RGB24, (int)(scale * width + 0.5),
                                         (int)(scale * height + 0.5));
    cairo = cairo_create(surface);
    cairo_scale(cairo, scale, scale);
    if (!rsvg_handle_render_document(handle, cairo, &(RsvgRectangle){0, 0, width, height}, &error))
        status = sft_fail(SFT_FAILED, "a plot as PNG: %s", error->message);
    g_clear_error(&error);
    drawn = status == SFT_OK ? cairo_surface_write_to_png_stream(surface, append, png) : CAIRO_STATUS_SUCCESS;
    if (drawn != CAIRO_STATUS_SUCCESS)
        status = sft_fail(SFT_FAILED, "a plot as PNG: %s", cairo_status_to_string(drawn));
    cairo_destroy(cairo);
    cairo_surface_destroy(surface);
    return status;
}

enum sft_status sft_raster(const struct sft_text *svg, double scale, struct sft_text *png)
{
    GError *error = NULL;
    RsvgHandle *handle = rsvg_handle_new_from_data((const guint8 *)svg->data, svg->length, &error);
    enum sft_status status;
    if (!handle) {
        status = sft_fail(SFT_FAILED, "a plot as PNG: %s", error->message);
        g_clear_error(&error);
        return status;
    }
    status = draw(handle, scale, png);
    g_object_unref(handle);
    return status == SFT_OK ? png->status : status;
}

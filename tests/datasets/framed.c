/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the loader makes of the pictures of a set, for comparison with others' programs and for timing it
 * alone:
 *
 *     framed SPEC SIDE RESIZE INTERPOLATION CROP [OUT]
 *
 * writes (n, SIDE, SIDE, 3) bytes to OUT, black where a picture cannot be read, and beside it, in OUT.txt, a
 * line a picture: width, height and SHA-256 of its decoded pixels, or "- " and why there are none. Without
 * OUT it only reads. Says on stderr how long the loader took.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "datasets/loader.h"
#include "runtime/base/clock.h"
#include "runtime/base/file.h"
#include "runtime/base/log.h"

static enum sft_status write_batch(const struct sft_batch *batch, int64_t values, FILE *out)
{
    int64_t n = (int64_t)batch->n_id * values;
    for (int64_t i = 0; out && i < n; i++) fputc((int)lroundf(batch->images[i]), out);
    return !out || !ferror(out) ? SFT_OK : sft_fail(SFT_WRITE, "the output did not arrive");
}

static enum sft_status frame_all(const struct sft_loader_params *params, FILE *out)
{
    struct sft_loader *loader;
    const struct sft_batch *batch;
    const double start = sft_now();
    enum sft_status status;
    int64_t n = 0;
    SFT_TRY(sft_loader_open(params, &loader));
    while ((status = sft_loader_next(loader, &batch)) == SFT_OK && batch) {
        n += batch->n_id;
        SFT_TRY_OUT(write_batch(batch, (int64_t)params->size * params->size * 3, out));
    }
    fprintf(stderr, "%" PRId64 " images in %.3f s: %.1f images/s\n", n, sft_now() - start,
            (double)n / (sft_now() - start));
out:
    sft_loader_close(&loader);
    return status;
}

static void tell_picture(const struct sft_dataset *dataset, int64_t i, struct sft_image *image, FILE *out)
{
    char why[512] = "", hex[65];
    int label;
    sft_log_catch(why, sizeof(why));
    if (sft_dataset_read(dataset, i, image, &label) == SFT_OK) {
        sft_sha256(image->rgb, (size_t)image->width * (size_t)image->height * 3, hex);
        fprintf(out, "%d %d %s\n", image->width, image->height, hex);
    } else {
        fprintf(out, "- %s\n", why);
    }
    sft_log_catch(NULL, 0);
}

static enum sft_status tell_pictures(const struct sft_dataset *dataset, const char *path)
{
    struct sft_image image = {0};
    char name[4096];
    FILE *out;
    snprintf(name, sizeof(name), "%s.txt", path);
    out = fopen(name, "w");
    if (!out) return sft_fail(SFT_WRITE, "%s: cannot be written", name);
    for (int64_t i = 0; i < sft_dataset_count(dataset); i++) tell_picture(dataset, i, &image, out);
    sft_image_free(&image);
    return fclose(out) == 0 ? SFT_OK : sft_fail(SFT_WRITE, "%s: did not arrive", name);
}

static enum sft_status run(char **arguments, const char *path)
{
    struct sft_dataset *dataset;
    struct sft_loader_params params;
    FILE *out = NULL;
    enum sft_status status;
    SFT_TRY(sft_dataset_open(arguments[0], &dataset));
    sft_loader_defaults(&params, atoi(arguments[1]));
    params.dataset = dataset;
    params.tolerant = true;
    for (int c = 0; c < 3; c++) {
        params.mean[c] = 0;
        params.std[c] = 1 / 255.0f;
    }
    SFT_TRY_OUT(sft_framing_read(arguments[2], arguments[3], arguments[4], "arguments", &params.framing));
    if (path) {
        out = fopen(path, "wb");
        if (!out) status = sft_fail(SFT_WRITE, "%s: cannot be written", path);
        SFT_TRY_OUT(status);
        SFT_TRY_OUT(tell_pictures(dataset, path));
    }
    status = frame_all(&params, out);
out:
    if (out) fclose(out);
    sft_dataset_close(&dataset);
    return status;
}

int main(int argc, char **argv)
{
    if (argc == 6 || argc == 7) return (int)run(argv + 1, argc == 7 ? argv[6] : NULL);
    fprintf(stderr, "usage: framed SPEC SIDE RESIZE INTERPOLATION CROP [OUT]\n");
    return SFT_USAGE;
}

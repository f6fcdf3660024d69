/* SPDX-License-Identifier: Apache-2.0 */
#include "nn/parameters.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nn/checkpoint/safetensors.h"
#include "nn/positions.h"
#include "runtime/base/alloc.h"
#include "runtime/base/divide.h"
#include "runtime/base/rng.h"

static bool has_kind(const struct sft_parameter *parameter, unsigned kinds)
{
    return kinds >> parameter->kind & 1;
}

enum sft_status sft_parameters_add(struct sft_parameters *parameters, const struct sft_parameter *parameter)
{
    struct sft_parameter *item;
    if (parameters->n >= SFT_MAX_PARAMETERS)
        return sft_fail(SFT_FAILED, "%s: a model has at most %d parameters", parameter->name,
                        SFT_MAX_PARAMETERS);
    SFT_TRY(sft_grow(&parameters->items, &parameters->room, (size_t)parameters->n + 1, sizeof(*item)));
    item = &parameters->items[parameters->n];
    *item = *parameter;
    item->count = sft_shape_count(&item->shape);
    item->file_name = NULL;
    item->name = sft_strdup(parameter->name);
    if (!item->name) return SFT_MEMORY;
    parameters->n++;
    return SFT_OK;
}

/* Places the parameters of `kinds` from `start` on; returns where they end. */
static int64_t lay_out(struct sft_parameters *parameters, unsigned kinds, int64_t start)
{
    for (int i = 0; i < parameters->n; i++) {
        struct sft_parameter *item = &parameters->items[i];
        if (!has_kind(item, kinds)) continue;
        item->offset = start;
        start += sft_round_up(item->count, SFT_PARAMETER_ALIGNMENT);
    }
    return start;
}

enum sft_status sft_parameters_allocate(struct sft_parameters *parameters, struct sft_device *device)
{
    parameters->norm_size = lay_out(parameters, SFT_KINDS_NORM, 0);
    parameters->weights_size =
        lay_out(parameters, SFT_KINDS_TRAINED & ~SFT_KINDS_NORM, parameters->norm_size);
    parameters->buffers_size = lay_out(parameters, 1u << SFT_BUFFER, 0);
    SFT_TRY(sft_tensor_create(device, "weights", SFT_F32, SFT_SHAPE(parameters->weights_size),
                              &parameters->weights));
    if (parameters->buffers_size > 0)
        SFT_TRY(sft_tensor_create(device, "buffers", SFT_F32, SFT_SHAPE(parameters->buffers_size),
                                  &parameters->buffers));
    return SFT_OK;
}

void sft_parameters_free(struct sft_parameters *parameters)
{
    for (int i = 0; i < parameters->n; i++) {
        free(parameters->items[i].name);
        free(parameters->items[i].file_name);
    }
    free(parameters->items);
    sft_tensor_destroy(&parameters->weights);
    sft_tensor_destroy(&parameters->buffers);
    memset(parameters, 0, sizeof(*parameters));
}

/* ---- host copies of both flat tensors ---- */

struct host {
    float *weights, *buffers;
};

static enum sft_status host_create(const struct sft_parameters *parameters, struct host *host)
{
    host->weights = sft_calloc((size_t)parameters->weights_size, sizeof(float));
    host->buffers = sft_calloc((size_t)parameters->buffers_size, sizeof(float));
    return host->weights && host->buffers ? SFT_OK : SFT_MEMORY;
}

static void host_free(struct host *host)
{
    free(host->weights);
    free(host->buffers);
}

static enum sft_status host_upload(const struct sft_parameters *parameters, const struct host *host)
{
    SFT_TRY(sft_tensor_upload(parameters->weights, 0, parameters->weights_size, host->weights));
    return parameters->buffers
               ? sft_tensor_upload(parameters->buffers, 0, parameters->buffers_size, host->buffers)
               : SFT_OK;
}

static enum sft_status host_download(const struct sft_parameters *parameters, const struct host *host)
{
    SFT_TRY(sft_tensor_download(parameters->weights, 0, parameters->weights_size, host->weights));
    return parameters->buffers
               ? sft_tensor_download(parameters->buffers, 0, parameters->buffers_size, host->buffers)
               : SFT_OK;
}

static float *flat_of(const struct host *host, const struct sft_parameter *parameter)
{
    return parameter->kind == SFT_BUFFER ? host->buffers : host->weights;
}

/* ---- initial values ---- */

static void fill_constant(const struct sft_parameter *parameter, struct sft_rng *rng, float *values)
{
    (void)rng;
    for (int64_t i = 0; i < parameter->count; i++) values[i] = 1.0f;
}

static void fill_normal(const struct sft_parameter *parameter, struct sft_rng *rng, float *values)
{
    for (int64_t i = 0; i < parameter->count; i++) values[i] = sft_rng_normal(rng);
}

static void fill_uniform(const struct sft_parameter *parameter, struct sft_rng *rng, float *values)
{
    for (int64_t i = 0; i < parameter->count; i++) values[i] = 2.0f * sft_rng_uniform(rng) - 1.0f;
}

static double dot(int64_t n, const float *a, const float *b)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++) sum += (double)a[i] * (double)b[i];
    return sum;
}

/* Gram and Schmidt over normal rows, each twice: once leaves the rounding of what it takes away. */
static void fill_orthogonal(const struct sft_parameter *parameter, struct sft_rng *rng, float *values)
{
    int64_t m = parameter->shape.dim[0], n = parameter->count / m;
    fill_normal(parameter, rng, values);
    for (int64_t i = 0; i < m; i++) {
        float *row = values + i * n;
        double length;
        for (int64_t k = 0; k < 2 * i; k++) {
            const float *other = values + k % i * n;
            double share = dot(n, row, other);
            for (int64_t j = 0; j < n; j++) row[j] -= (float)(share * (double)other[j]);
        }
        length = sqrt(dot(n, row, row));
        for (int64_t j = 0; j < n; j++) row[j] = (float)((double)row[j] / length);
    }
}

static void fill_sinusoid(const struct sft_parameter *parameter, struct sft_rng *rng, float *values)
{
    int64_t width = parameter->shape.dim[parameter->shape.rank - 1];
    (void)rng;
    sft_positions_sinusoid(parameter->count / width, width, values);
}

static void fill(const struct sft_parameter *parameter, struct sft_rng *rng, float *flat)
{
    static void (*const fills[])(const struct sft_parameter *, struct sft_rng *, float *) = {
        [SFT_INIT_CONSTANT] = fill_constant, [SFT_INIT_NORMAL] = fill_normal,
        [SFT_INIT_UNIFORM] = fill_uniform,   [SFT_INIT_ORTHOGONAL] = fill_orthogonal,
        [SFT_INIT_SINUSOID] = fill_sinusoid,
    };
    float scale = parameter->init.scale, *values = flat + parameter->offset;
    fills[parameter->init.distribution](parameter, rng, values);
    for (int64_t i = 0; i < parameter->count; i++) values[i] *= scale;
}

enum sft_status sft_parameters_init(struct sft_parameters *parameters, uint64_t seed)
{
    struct host host = {NULL, NULL};
    enum sft_status status;
    SFT_TRY_OUT(host_create(parameters, &host));
    for (int i = 0; i < parameters->n; i++) {
        struct sft_rng rng;
        sft_rng_init(&rng, seed, SFT_STREAM_INIT, (uint64_t)i);
        fill(&parameters->items[i], &rng, flat_of(&host, &parameters->items[i]));
    }
    SFT_TRY_OUT(host_upload(parameters, &host));
out:
    host_free(&host);
    return status;
}

/* ---- another shape ---- */

static void set_shape(struct sft_parameters *parameters, int number, struct sft_shape shape)
{
    struct sft_parameter *item = &parameters->items[number];
    item->shape = item->file_shape = shape;
    item->count = sft_shape_count(&shape);
    parameters->buffers_size = lay_out(parameters, 1u << SFT_BUFFER, 0);
}

/* The buffers at their new places, where `before` has the old ones of all parameters. */
static enum sft_status collect_buffers(const struct sft_parameters *parameters,
                                       const struct sft_parameter *before, int number, const float *values,
                                       float *buffers)
{
    for (int i = 0; i < parameters->n; i++) {
        const struct sft_parameter *item = &parameters->items[i];
        float *to = buffers + item->offset;
        if (item->kind != SFT_BUFFER) continue;
        if (i == number)
            memcpy(to, values, (size_t)item->count * sizeof(float));
        else
            SFT_TRY(sft_tensor_download(parameters->buffers, before[i].offset, item->count, to));
    }
    return SFT_OK;
}

enum sft_status sft_parameters_reshape(struct sft_parameters *parameters, int number, struct sft_shape shape,
                                       const float *values)
{
    struct sft_device *device = parameters->buffers->device;
    struct sft_parameter *before = sft_calloc((size_t)parameters->n, sizeof(*before));
    struct sft_tensor *moved = NULL;
    float *buffers = NULL;
    enum sft_status status = SFT_MEMORY;
    if (!before) goto out;
    memcpy(before, parameters->items, (size_t)parameters->n * sizeof(*before));
    set_shape(parameters, number, shape);
    buffers = sft_calloc((size_t)parameters->buffers_size, sizeof(*buffers));
    if (!buffers) goto out;
    SFT_TRY_OUT(collect_buffers(parameters, before, number, values, buffers));
    SFT_TRY_OUT(sft_tensor_create(device, "buffers", SFT_F32, SFT_SHAPE(parameters->buffers_size), &moved));
    SFT_TRY_OUT(sft_tensor_upload(moved, 0, parameters->buffers_size, buffers));
    sft_tensor_destroy(&parameters->buffers);
    parameters->buffers = moved;
    moved = NULL;
out:
    sft_tensor_destroy(&moved);
    free(buffers);
    free(before);
    return status;
}

/* ---- layouts ---- */

/* Calls for both directions: copies element (r,s,i,o) of the runtime from or to (o,i,r,s) of the file. */
static void convert_filters(const struct sft_shape *shape, float *runtime, float *file, bool to_file)
{
    int64_t taps = shape->dim[0] * shape->dim[1];
    int64_t in = shape->dim[2], out = shape->dim[3];
    for (int64_t t = 0; t < taps; t++)
        for (int64_t i = 0; i < in; i++)
            for (int64_t o = 0; o < out; o++) {
                float *here = &runtime[(t * in + i) * out + o], *there = &file[(o * in + i) * taps + t];
                if (to_file)
                    *there = *here;
                else
                    *here = *there;
            }
}

void sft_parameter_to_file(const struct sft_parameter *parameter, const float *flat, float *values)
{
    if (parameter->kind == SFT_CONV_WEIGHT)
        convert_filters(&parameter->shape, (float *)flat + parameter->offset, values, true);
    else
        memcpy(values, flat + parameter->offset, (size_t)parameter->count * sizeof(float));
}

void sft_parameter_from_file(const struct sft_parameter *parameter, const float *values, float *flat)
{
    if (parameter->kind == SFT_CONV_WEIGHT)
        convert_filters(&parameter->shape, flat + parameter->offset, (float *)values, false);
    else
        memcpy(flat + parameter->offset, values, (size_t)parameter->count * sizeof(float));
}

/* ---- files ---- */

/* A list of names for a message; cut with "..." where it gets too long to read. */
struct complaint {
    char text[1024];
    size_t used;
    int count;
};

static void complain(struct complaint *complaint, const char *name, const char *detail)
{
    size_t left = sizeof(complaint->text) - complaint->used;
    int wrote;
    if (complaint->count++ > 0 && left < 2 * SFT_MAX_NAME) {
        if (left > 8 && complaint->text[complaint->used - 1] != '.')
            complaint->used += (size_t)snprintf(complaint->text + complaint->used, left, ", ...");
        return;
    }
    wrote = snprintf(complaint->text + complaint->used, left, "%s%.100s%.100s",
                     complaint->count > 1 ? ", " : "", name, detail);
    complaint->used += (size_t)wrote < left ? (size_t)wrote : left - 1;
}

/* Finds the stored tensor of every parameter; says all that is missing, unexpected or wrongly shaped at
 * once. */
static enum sft_status match(const struct sft_parameters *parameters, const struct sft_checkpoint *checkpoint,
                             const struct sft_stored_tensor **stored)
{
    struct complaint missing = {.count = 0}, misshaped = {.count = 0}, extra = {.count = 0};
    bool *used = sft_calloc(checkpoint->n_tensors, sizeof(*used));
    if (!used) return SFT_MEMORY;
    for (int i = 0; i < parameters->n; i++) {
        const struct sft_parameter *item = &parameters->items[i];
        char has[SFT_SHAPE_TEXT], takes[SFT_SHAPE_TEXT], detail[2 * SFT_SHAPE_TEXT + 32];
        stored[i] = sft_checkpoint_find_parameter(checkpoint, item->name);
        if (!stored[i]) {
            complain(&missing, item->name, "");
            continue;
        }
        used[stored[i] - checkpoint->tensors] = true;
        if (sft_shape_equal(&stored[i]->shape, &item->file_shape)) continue;
        snprintf(detail, sizeof(detail), " (%s, the model has %s)", sft_shape_str(&stored[i]->shape, has),
                 sft_shape_str(&item->file_shape, takes));
        complain(&misshaped, item->name, detail);
    }
    for (size_t i = 0; i < checkpoint->n_tensors; i++)
        if (!used[i] && !sft_checkpoint_ignores(checkpoint->tensors[i].name))
            complain(&extra, checkpoint->tensors[i].name, "");
    free(used);
    if (missing.count + misshaped.count + extra.count == 0) return SFT_OK;
    return sft_fail(SFT_DATA,
                    "%s does not fit the model: %d missing%s%s; %d unexpected%s%s; %d of another shape%s%s; "
                    "choose the model that the file was made for",
                    checkpoint->path, missing.count, missing.count ? ": " : "", missing.text, extra.count,
                    extra.count ? ": " : "", extra.text, misshaped.count, misshaped.count ? ": " : "",
                    misshaped.text);
}

static enum sft_status check_finite(const struct sft_checkpoint *checkpoint,
                                    const struct sft_stored_tensor *stored, const float *values,
                                    int64_t count)
{
    for (int64_t i = 0; i < count; i++)
        if (!isfinite(values[i]))
            return sft_fail(
                SFT_DATA,
                "%s: tensor %s holds %s at element %lld; the file is damaged or its training diverged",
                checkpoint->path, stored->name, isnan(values[i]) ? "NaN" : "an infinity", (long long)i);
    return SFT_OK;
}

static int64_t largest(const struct sft_parameters *parameters)
{
    int64_t count = 0;
    for (int i = 0; i < parameters->n; i++)
        if (parameters->items[i].count > count) count = parameters->items[i].count;
    return count;
}

static enum sft_status keep_names(struct sft_parameters *parameters,
                                  const struct sft_stored_tensor *const *stored)
{
    for (int i = 0; i < parameters->n; i++) {
        struct sft_parameter *item = &parameters->items[i];
        free(item->file_name);
        item->file_name = NULL;
        if (strcmp(stored[i]->name, item->name) == 0) continue;
        item->file_name = sft_strdup(stored[i]->name);
        if (!item->file_name) return SFT_MEMORY;
    }
    return SFT_OK;
}

enum sft_status sft_parameters_load(struct sft_parameters *parameters,
                                    const struct sft_checkpoint *checkpoint)
{
    const struct sft_stored_tensor **stored = sft_calloc((size_t)parameters->n, sizeof(const void *));
    float *values = sft_calloc((size_t)largest(parameters), sizeof(*values));
    struct host host = {NULL, NULL};
    enum sft_status status = SFT_MEMORY;
    if (!stored || !values) goto out;
    SFT_TRY_OUT(host_create(parameters, &host));
    SFT_TRY_OUT(match(parameters, checkpoint, stored));
    for (int i = 0; i < parameters->n; i++) {
        const struct sft_parameter *item = &parameters->items[i];
        SFT_TRY_OUT(sft_stored_read(stored[i], values));
        SFT_TRY_OUT(check_finite(checkpoint, stored[i], values, item->count));
        sft_parameter_from_file(item, values, flat_of(&host, item));
    }
    SFT_TRY_OUT(keep_names(parameters, stored));
    SFT_TRY_OUT(host_upload(parameters, &host));
out:
    host_free(&host);
    free(values);
    free(stored);
    return status;
}

enum sft_status sft_parameters_save(const struct sft_parameters *parameters, const char *path,
                                    const struct sft_metadata *metadata, size_t n_metadata)
{
    struct sft_stored_tensor *tensors = sft_calloc((size_t)parameters->n, sizeof(*tensors));
    float *values =
        sft_calloc((size_t)(parameters->weights_size + parameters->buffers_size), sizeof(*values));
    float *next = values;
    struct host host = {NULL, NULL};
    enum sft_status status = SFT_MEMORY;
    if (!tensors || !values) goto out;
    SFT_TRY_OUT(host_create(parameters, &host));
    SFT_TRY_OUT(host_download(parameters, &host));
    for (int i = 0; i < parameters->n; i++) {
        const struct sft_parameter *item = &parameters->items[i];
        sft_parameter_to_file(item, flat_of(&host, item), next);
        tensors[i] = (struct sft_stored_tensor){.name = item->file_name ? item->file_name : item->name,
                                                .dtype = SFT_STORED_F32,
                                                .shape = item->file_shape,
                                                .data = next,
                                                .bytes = (size_t)item->count * sizeof(float)};
        next += item->count;
    }
    SFT_TRY_OUT(sft_safetensors_write(path, tensors, (size_t)parameters->n, metadata, n_metadata));
out:
    host_free(&host);
    free(values);
    free(tensors);
    return status;
}

/* ---- looking up ---- */

int sft_parameters_find(const struct sft_parameters *parameters, const char *name)
{
    for (int i = 0; i < parameters->n; i++)
        if (strcmp(parameters->items[i].name, name) == 0) return i;
    return -1;
}

int sft_parameters_select(const struct sft_parameters *parameters, unsigned kinds, int *numbers)
{
    int n = 0;
    for (int i = 0; i < parameters->n; i++) {
        if (!has_kind(&parameters->items[i], kinds)) continue;
        if (numbers) numbers[n] = i;
        n++;
    }
    return n;
}

int64_t sft_parameters_count(const struct sft_parameters *parameters, unsigned kinds)
{
    int64_t count = 0;
    for (int i = 0; i < parameters->n; i++)
        if (has_kind(&parameters->items[i], kinds)) count += parameters->items[i].count;
    return count;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "nn/parameters.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "nn/checkpoint/safetensors.h"
#include "nn/layouts/match.h"
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
    item->declared_shape = item->file_shape;
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
    free(parameters->rows);
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
    item->shape = item->file_shape = item->declared_shape = shape;
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

/* ---- files ---- */

/* Finds the stored tensor of every parameter; says all that is missing, unexpected or wrongly shaped at
 * once. */
static enum sft_status find_all(const struct sft_parameters *parameters,
                                const struct sft_checkpoint *checkpoint, struct sft_match *match)
{
    SFT_TRY(sft_match_best(parameters->items, parameters->n, checkpoint, false, match));
    return sft_match_fits(match) && match->extra == 0 ? SFT_OK : sft_match_refuse(match);
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

/* Where the values came from, so that they are written likewise. */
static enum sft_status keep_places(struct sft_parameters *parameters, const struct sft_match *match)
{
    for (int i = 0; i < parameters->n; i++) {
        const struct sft_stored_tensor *stored = match->stored[i];
        struct sft_parameter *item = &parameters->items[i];
        free(item->file_name);
        item->file_name = NULL;
        item->file_shape = stored->shape;
        item->out_last = match->layout->out_last;
        if (strcmp(stored->name, item->name) == 0) continue;
        item->file_name = sft_strdup(stored->name);
        if (!item->file_name) return SFT_MEMORY;
    }
    return SFT_OK;
}

static enum sft_status read_values(const struct sft_parameters *parameters, const struct sft_match *match,
                                   const struct host *host, float *values)
{
    for (int i = 0; i < parameters->n; i++) {
        struct sft_parameter item = parameters->items[i];
        item.out_last = match->layout->out_last;
        SFT_TRY(sft_stored_read(match->stored[i], values));
        SFT_TRY(check_finite(match->checkpoint, match->stored[i], values, item.count));
        sft_parameter_from_file(&item, values, flat_of(host, &item));
    }
    return SFT_OK;
}

enum sft_status sft_parameters_load(struct sft_parameters *parameters,
                                    const struct sft_checkpoint *checkpoint)
{
    float *values = sft_calloc((size_t)largest(parameters), sizeof(*values));
    struct sft_match match = {.stored = NULL};
    struct host host = {NULL, NULL};
    enum sft_status status = SFT_MEMORY;
    if (!values) goto out;
    SFT_TRY_OUT(host_create(parameters, &host));
    SFT_TRY_OUT(find_all(parameters, checkpoint, &match));
    SFT_TRY_OUT(read_values(parameters, &match, &host, values));
    SFT_TRY_OUT(keep_places(parameters, &match));
    SFT_TRY_OUT(host_upload(parameters, &host));
out:
    sft_match_free(&match);
    host_free(&host);
    free(values);
    return status;
}

void sft_parameters_order_classes(struct sft_parameters *parameters, int *rows)
{
    free(parameters->rows);
    parameters->rows = rows;
    for (int i = 0; i < parameters->n; i++)
        parameters->items[i].rows = has_kind(&parameters->items[i], SFT_KINDS_HEAD) ? rows : NULL;
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

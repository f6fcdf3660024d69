/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Weights and images by formula, the same as in tests/golden/make_models.py and its neighbours: element i of
 * a tensor is a 32-bit mix of i, started by the FNV-1a hash of the tensor's name. Golden files then need not
 * hold them.
 */
#ifndef SFT_TESTS_FORMULA_H
#define SFT_TESTS_FORMULA_H

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "nn/model.h"
#include "runtime/base/alloc.h"

static inline uint32_t formula_hash(const char *name)
{
    uint32_t value = 2166136261u;
    for (; *name; name++) value = (value ^ (unsigned char)*name) * 16777619u;
    return value;
}

/* In [-1, 1). */
static inline float formula_uniform(uint32_t start, int64_t i)
{
    uint32_t x = (uint32_t)i * 0x9E3779B9u + start;
    x = (x ^ x >> 16) * 0x85EBCA6Bu;
    x = (x ^ x >> 13) * 0xC2B2AE35u;
    x ^= x >> 16;
    return (float)(x >> 8) * 0x1p-23f - 1.0f;
}

static inline int formula_ends_with(const char *name, const char *suffix)
{
    size_t length = strlen(name), tail = strlen(suffix);
    return length >= tail && strcmp(name + length - tail, suffix) == 0;
}

/* Keys of a performer that are long have features beyond the range of float32. */
static inline double formula_tamed(const char *name)
{
    return formula_ends_with(name, ".kqv.weight") ? 0.2 : 1.0;
}

/* Standardised filters make large values of inputs near 1. */
static inline float formula_usual_variance(const char *name)
{
    return strncmp(name, "body", 4) == 0 || strncmp(name, "before_head", 11) == 0 ? 200.0f : 1.0f;
}

/* Element i of a parameter in its file's layout. */
static inline float formula_value(const struct sft_parameter *parameter, int64_t i)
{
    const struct sft_shape *shape = &parameter->file_shape;
    float u = formula_uniform(formula_hash(parameter->name), i);
    if (formula_ends_with(parameter->name, "running_var"))
        return formula_usual_variance(parameter->name) * (1.0f + 0.5f * u);
    if (shape->rank == 1 && formula_ends_with(parameter->name, "weight")) return 1.0f + 0.2f * u;
    if (shape->rank == 1) return 0.1f * u;
    if (shape->rank == 3) return 0.5f * u; /* class token, position embeddings */
    if (formula_ends_with(parameter->name, ".w")) return 1.2f * u;
    return (float)(formula_tamed(parameter->name) *
                   sqrt(6.0 / ((double)parameter->count / (double)shape->dim[0]))) *
           u;
}

/* How a case of models_conv.py differs from the formula: norms whose names end with `tamed` are scaled by
 * 0.2, filters by `filters`. */
struct formula_scales {
    const char *tamed; /* NULL: none */
    float filters;     /* 0: 1 */
};

static inline float formula_scale(const struct sft_parameter *parameter, struct formula_scales scales)
{
    const char *suffix = strrchr(parameter->name, '.');
    char layer[SFT_MAX_NAME] = "";
    if (suffix) memcpy(layer, parameter->name, (size_t)(suffix - parameter->name));
    if (scales.tamed && formula_ends_with(layer, scales.tamed)) return 0.2f;
    return scales.filters > 0 && parameter->file_shape.rank == 4 ? scales.filters : 1.0f;
}

/* Fills a model's parameters and buffers. */
static inline enum sft_status formula_fill_scaled(struct sft_parameters *parameters,
                                                  struct formula_scales scales)
{
    float *weights = sft_calloc((size_t)parameters->weights_size, sizeof(float));
    float *buffers = sft_calloc((size_t)parameters->buffers_size, sizeof(float));
    enum sft_status status = SFT_MEMORY;
    if (!weights || !buffers) goto out;
    for (int p = 0; p < parameters->n; p++) {
        const struct sft_parameter *item = &parameters->items[p];
        float *values = sft_calloc((size_t)item->count, sizeof(float));
        if (!values) goto out;
        for (int64_t i = 0; i < item->count; i++)
            values[i] = formula_scale(item, scales) * formula_value(item, i);
        sft_parameter_from_file(item, values, item->kind == SFT_BUFFER ? buffers : weights);
        free(values);
    }
    status = sft_tensor_upload(parameters->weights, 0, parameters->weights_size, weights);
    if (status == SFT_OK && parameters->buffers)
        status = sft_tensor_upload(parameters->buffers, 0, parameters->buffers_size, buffers);
out:
    free(weights);
    free(buffers);
    return status;
}

static inline enum sft_status formula_fill(struct sft_parameters *parameters)
{
    return formula_fill_scaled(parameters, (struct formula_scales){0});
}

/* n images of `side` pixels a side, (n,side,side,3). */
static inline void formula_images_of(const char *name, int64_t n, int64_t side, float *images)
{
    uint32_t start = formula_hash(name);
    for (int64_t i = 0; i < n * side * side * 3; i++) images[i] = formula_uniform(start, i);
}

static inline void formula_images(const char *name, int64_t n, float *images)
{
    formula_images_of(name, n, 32, images);
}

/* ID rows, then outliers. */
static inline void formula_labels(int n_id, int n_ood, int32_t *labels)
{
    for (int i = 0; i < n_id; i++) labels[i] = (3 * i + 1) % 10;
    for (int i = 0; i < n_ood; i++) labels[n_id + i] = -1;
}

#endif

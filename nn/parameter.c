/* SPDX-License-Identifier: Apache-2.0 */
/* Every layout of a file is a walk over (taps, in, out) in another order, so that one loop converts all. */
#include "nn/parameter.h"

/* A parameter as a block of taps x inputs x outputs, and how far apart the elements lie in both places. */
struct walk {
    int64_t taps, in, out;
    int64_t here_tap, here_in, here_out;
    int64_t there_tap, there_in, there_out;
    const int *rows;
};

static struct walk filters(const struct sft_shape *shape)
{
    const int64_t taps = shape->dim[0] * shape->dim[1], in = shape->dim[2], out = shape->dim[3];
    return (struct walk){
        .taps = taps,
        .in = in,
        .out = out,
        .here_tap = in * out,
        .here_in = out,
        .here_out = 1,
        .there_tap = 1,
        .there_in = taps,
        .there_out = in * taps,
    };
}

/* (out, in), or (out) as a matrix of one column. */
static struct walk matrix(const struct sft_shape *shape, int64_t count)
{
    const int64_t out = shape->rank ? shape->dim[0] : 1, in = out ? count / out : 0;
    return (struct walk){
        .taps = 1,
        .in = in,
        .out = out,
        .here_in = 1,
        .here_out = in,
        .there_in = 1,
        .there_out = in,
    };
}

static bool is_weight(const struct sft_parameter *parameter)
{
    return parameter->kind == SFT_CONV_WEIGHT || parameter->kind == SFT_LINEAR_WEIGHT ||
           parameter->kind == SFT_HEAD_WEIGHT;
}

static struct walk walk_of(const struct sft_parameter *parameter)
{
    struct walk walk = parameter->kind == SFT_CONV_WEIGHT ? filters(&parameter->shape)
                                                          : matrix(&parameter->shape, parameter->count);
    walk.rows = parameter->rows;
    if (!parameter->out_last || !is_weight(parameter)) return walk;
    walk.there_tap = walk.in * walk.out;
    walk.there_in = walk.out;
    walk.there_out = 1;
    return walk;
}

/* Copies one output's elements, output `o` of the file. */
static void copy_output(const struct walk *walk, int64_t o, float *runtime, float *file, bool to_file)
{
    float *here = runtime + (walk->rows ? walk->rows[o] : o) * walk->here_out;
    float *there = file + o * walk->there_out;
    for (int64_t t = 0; t < walk->taps; t++)
        for (int64_t i = 0; i < walk->in; i++) {
            float *a = &here[t * walk->here_tap + i * walk->here_in];
            float *b = &there[t * walk->there_tap + i * walk->there_in];
            if (to_file)
                *b = *a;
            else
                *a = *b;
        }
}

static void convert(const struct sft_parameter *parameter, float *runtime, float *file, bool to_file)
{
    const struct walk walk = walk_of(parameter);
    for (int64_t o = 0; o < walk.out; o++) copy_output(&walk, o, runtime, file, to_file);
}

void sft_parameter_to_file(const struct sft_parameter *parameter, const float *flat, float *values)
{
    convert(parameter, (float *)flat + parameter->offset, values, true);
}

void sft_parameter_from_file(const struct sft_parameter *parameter, const float *values, float *flat)
{
    convert(parameter, flat + parameter->offset, (float *)values, false);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Compiled once for each instruction set, with SFT_ISA (name of the table) and SFT_LANES (floats in a
 * vector). */
#include "runtime/cpu/winograd_kernel.h"

#include <stddef.h>

#include "runtime/cpu/vector.h"

enum { LANES = SFT_LANES, COLUMNS = 2 * SFT_LANES };

/* One of the transforms along one axis: reads in[0], in[step], ... and writes out[0], out[step], ... */
typedef void (*transform)(const vector *in, vector *out, int step_in, int step_out);

static inline void b_transposed(const vector *in, vector *out, int i, int o)
{
    out[0 * o] = in[0 * i] - in[2 * i];
    out[1 * o] = in[1 * i] + in[2 * i];
    out[2 * o] = in[2 * i] - in[1 * i];
    out[3 * o] = in[1 * i] - in[3 * i];
}

static inline void g_matrix(const vector *in, vector *out, int i, int o)
{
    vector sum = in[0 * i] + in[2 * i];
    out[0 * o] = in[0 * i];
    out[1 * o] = 0.5f * (sum + in[1 * i]);
    out[2 * o] = 0.5f * (sum - in[1 * i]);
    out[3 * o] = in[2 * i];
}

static inline void g_transposed(const vector *in, vector *out, int i, int o)
{
    vector half = 0.5f * (in[1 * i] + in[2 * i]);
    out[0 * o] = in[0 * i] + half;
    out[1 * o] = 0.5f * (in[1 * i] - in[2 * i]);
    out[2 * o] = half + in[3 * i];
}

static inline void a_transposed(const vector *in, vector *out, int i, int o)
{
    out[0 * o] = in[0 * i] + in[1 * i] + in[2 * i];
    out[1 * o] = in[1 * i] - in[2 * i] - in[3 * i];
}

static inline void a_matrix(const vector *in, vector *out, int i, int o)
{
    out[0 * o] = in[0 * i];
    out[1 * o] = in[0 * i] + in[1 * i];
    out[2 * o] = in[0 * i] - in[1 * i];
    out[3 * o] = -in[1 * i];
}

/* NaN stays NaN. */
static inline vector rectify(vector v)
{
    typedef int mask __attribute__((vector_size(SFT_LANES * 4)));
    const vector zero = {0};
    return (vector)((mask)v & ~(mask)(v < zero));
}

/* A transform along both axes of a square of `from` vectors to one of `to`. */
static inline __attribute__((always_inline)) void both(transform f, int from, int to, const vector *in,
                                                       vector *out)
{
    vector half[16];
#pragma GCC unroll 4
    for (int j = 0; j < from; j++) f(in + j, half + j, from, from);
#pragma GCC unroll 4
    for (int i = 0; i < to; i++) f(half + i * from, out + i * to, 1, 1);
}

static void input(const float *const *d, int64_t channels, float *v, int64_t stride)
{
    vector in[16], out[16];
    for (int64_t c = 0; c < channels; c += LANES) {
        for (int i = 0; i < 16; i++) in[i] = load(d[i] + c);
        both(b_transposed, 4, 4, in, out);
        for (int i = 0; i < 16; i++) store(v + i * stride + c, out[i]);
    }
}

static void filter(const float *g, int64_t tap_stride, float *u, int64_t stride)
{
    vector in[9], out[16];
    for (int c = 0; c < COLUMNS; c += LANES) {
        for (int i = 0; i < 9; i++) in[i] = load(g + i * tap_stride + c);
        both(g_matrix, 3, 4, in, out);
        for (int i = 0; i < 16; i++) store(u + i * stride + c, out[i]);
    }
}

static void filter_gradient(const float *u, int64_t stride, float *g, int64_t tap_stride)
{
    vector in[16], out[9];
    for (int c = 0; c < COLUMNS; c += LANES) {
        for (int i = 0; i < 16; i++) in[i] = load(u + i * stride + c);
        both(g_transposed, 4, 3, in, out);
        for (int i = 0; i < 9; i++) store(g + i * tap_stride + c, out[i]);
    }
}

static void output(const float *m, int64_t stride, const float *bias, int relu, float *const *y)
{
    const vector zero = {0};
    vector in[16], out[4];
    for (int c = 0; c < COLUMNS; c += LANES) {
        vector shift = bias ? load(bias + c) : zero;
        for (int i = 0; i < 16; i++) in[i] = load(m + i * stride + c);
        both(a_transposed, 4, 2, in, out);
        for (int i = 0; i < 4; i++) {
            if (!y[i]) continue;
            out[i] += shift;
            if (relu) out[i] = rectify(out[i]);
            store(y[i] + c, out[i]);
        }
    }
}

static void output_gradient(const float *const *dy, float *z, int64_t stride)
{
    vector in[4], out[16];
    for (int c = 0; c < COLUMNS; c += LANES) {
        for (int i = 0; i < 4; i++) in[i] = load(dy[i] + c);
        both(a_matrix, 2, 4, in, out);
        for (int i = 0; i < 16; i++) store(z + i * stride + c, out[i]);
    }
}

extern const struct sft_winograd_kernel SFT_PASTE(sft_winograd_kernel_, SFT_ISA);
const struct sft_winograd_kernel SFT_PASTE(sft_winograd_kernel_, SFT_ISA) = {
    .input = input,
    .filter = filter,
    .filter_gradient = filter_gradient,
    .output = output,
    .output_gradient = output_gradient,
};

/* SPDX-License-Identifier: Apache-2.0 */
/* Compiled once for each instruction set, with SFT_ISA (name of the table) and SFT_LANES (floats in a
 * vector). The last, short vector of a row goes through a copy on the stack. */
#include "runtime/cpu/row_kernel.h"

#include <math.h>
#include <string.h>

#include "runtime/cpu/vector.h"

enum { LANES = SFT_LANES };

typedef int32_t whole __attribute__((vector_size(SFT_LANES * 4)));

static inline vector splat(float x) { return x - (vector){0}; }

static inline vector choose(whole condition, vector yes, vector no)
{
    return (vector)((condition & (whole)yes) | (~condition & (whole)no));
}

static inline vector absolute(vector x) { return (vector)((whole)x & 0x7fffffff); }

static inline vector load_part(const float *x, int64_t n, float rest)
{
    float part[LANES];
    for (int i = 0; i < LANES; i++) part[i] = i < n ? x[i] : rest;
    return load(part);
}

static inline void store_part(float *y, int64_t n, vector v)
{
    float part[LANES];
    store(part, v);
    memcpy(y, part, (size_t)n * sizeof(float));
}

/* 2^n for -126 <= n <= 127. */
static inline vector power_of_two(whole n) { return (vector)((n + 127) << 23); }

/* x = n ln(2) + r with |r| <= ln(2)/2. */
struct reduced {
    whole n;
    vector r;
};

static inline struct reduced reduce(vector x)
{
    const float log2e = 1.44269504f, ln2_high = 0.693359375f, ln2_low = -2.12194440e-4f;
    const float rounder = 12582912.0f; /* 1.5 * 2^23: its last bit is worth 1 */
    vector shifted = x * log2e + rounder, n = shifted - rounder;
    return (struct reduced){(whole)shifted - 0x4b400000, (x - n * ln2_high) - n * ln2_low};
}

/* exp(r) by the polynomial of Cephes' expf. */
static inline vector exp_reduced(vector r)
{
    vector p = splat(1.9875691500e-4f);
    p = p * r + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    return p * (r * r) + r + 1.0f;
}

/* exp of any number. The power of two comes in two factors, so that results too large or too small become
 * what they should; comparisons keep NaN. */
static inline vector exponential(vector x)
{
    struct reduced e;
    whole half;
    x = choose(x > 89.0f, splat(89.0f), x);
    x = choose(x < -105.0f, splat(-105.0f), x);
    e = reduce(x);
    half = e.n >> 1;
    return exp_reduced(e.r) * power_of_two(half) * power_of_two(e.n - half);
}

/* exp of numbers that are 0 or less, or a little more; 0 where it is below 1.6e-38. */
static inline vector decay(vector x)
{
    struct reduced e = reduce(x);
    return choose(x < -87.0f, splat(0.0f), exp_reduced(e.r) * power_of_two(e.n));
}

/* The normal distribution function, from exp(-x^2/2) (Abramowitz and Stegun, 7.1.26: within 1e-7). */
static inline vector normal_cdf(vector x, vector bell)
{
    vector t = 1.0f / (0.23164189f * absolute(x) + 1.0f), tail;
    tail = t * 0.530702715f - 0.7265760135f;
    tail = tail * t + 0.7107068705f;
    tail = tail * t - 0.142248368f;
    tail = tail * t + 0.127414796f;
    tail *= t * bell;
    return choose(x < 0.0f, tail, 1.0f - tail);
}

static inline vector gelu_of(vector x) { return x * normal_cdf(x, decay(-0.5f * x * x)); }

/* d/dx x*Phi(x) = Phi(x) + x*phi(x). */
static inline vector gelu_slope(vector x)
{
    vector bell = decay(-0.5f * x * x);
    return normal_cdf(x, bell) + x * (0.39894228f * bell);
}

/* y = f(x) of all elements. */
#define SFT_ROW_MAP(name, f)                                                                                 \
    static void name(const float *x, float *y, int64_t n)                                                    \
    {                                                                                                        \
        int64_t i = 0;                                                                                       \
        for (; i + LANES <= n; i += LANES) store(y + i, f(load(x + i)));                                     \
        if (i < n) store_part(y + i, n - i, f(load_part(x + i, n - i, 0.0f)));                               \
    }

SFT_ROW_MAP(exp_row, exponential)
SFT_ROW_MAP(gelu_row, gelu_of)

static void gelu_grad_row(const float *dy, const float *x, float *dx, int64_t n)
{
    int64_t i = 0, left;
    for (; i + LANES <= n; i += LANES) store(dx + i, load(dy + i) * gelu_slope(load(x + i)));
    left = n - i;
    if (left > 0)
        store_part(dx + i, left, load_part(dy + i, left, 0.0f) * gelu_slope(load_part(x + i, left, 0.0f)));
}

/* Takes b where it is larger or NaN. */
static inline vector larger(vector a, vector b) { return choose((b > a) | (b != b), b, a); }

static float max_row(const float *x, int64_t n, float scale)
{
    vector top = splat(-INFINITY);
    float lane[LANES], result;
    int64_t i = 0;
    for (; i + LANES <= n; i += LANES) top = larger(top, scale * load(x + i));
    if (i < n) top = larger(top, scale * load_part(x + i, n - i, x[i]));
    store(lane, top);
    result = lane[0];
    for (int j = 1; j < LANES; j++) result = lane[j] > result || lane[j] != lane[j] ? lane[j] : result;
    return result;
}

static float lane_sum(vector v)
{
    float lane[LANES], sum = 0.0f;
    store(lane, v);
    for (int i = 0; i < LANES; i++) sum += lane[i];
    return sum;
}

static float exp_sum_row(const float *x, float *y, int64_t n, float scale, float top)
{
    vector sum = {0}, e;
    float rest = 0.0f;
    int64_t i = 0;
    for (; i + LANES <= n; i += LANES) {
        e = decay(scale * load(x + i) - top);
        store(y + i, e);
        sum += e;
    }
    if (i < n) {
        store_part(y + i, n - i, decay(scale * load_part(x + i, n - i, 0.0f) - top));
        for (; i < n; i++) rest += y[i];
    }
    return lane_sum(sum) + rest;
}

/* ---- layer norm ---- */

static float mean_of(const float *x, int64_t n)
{
    vector sum[4] = {{0}};
    float rest = 0.0f;
    int64_t i = 0;
    for (; i + 4 * LANES <= n; i += 4 * LANES)
        for (int j = 0; j < 4; j++) sum[j] += load(x + i + j * LANES);
    for (; i + LANES <= n; i += LANES) sum[0] += load(x + i);
    for (; i < n; i++) rest += x[i];
    return (lane_sum((sum[0] + sum[1]) + (sum[2] + sum[3])) + rest) / (float)n;
}

/* Mean and variance, both by way of the distances from a first mean, so that nothing cancels. */
static inline float variance_of(const float *x, int64_t n, float *mean)
{
    vector sum[2] = {{0}}, squares[2] = {{0}}, d;
    float first = mean_of(x, n), rest = 0.0f, rest_squares = 0.0f, off;
    int64_t i = 0;
    for (; i + 2 * LANES <= n; i += 2 * LANES)
        for (int j = 0; j < 2; j++) {
            d = load(x + i + j * LANES) - first;
            sum[j] += d;
            squares[j] += d * d;
        }
    for (; i < n; i++) {
        rest += x[i] - first;
        rest_squares += (x[i] - first) * (x[i] - first);
    }
    off = (lane_sum(sum[0] + sum[1]) + rest) / (float)n;
    *mean = first + off;
    return (lane_sum(squares[0] + squares[1]) + rest_squares) / (float)n - off * off;
}

static void layer_norm_row(const float *x, const float *gamma, const float *beta, float *y, int64_t n,
                           float epsilon, float floor, float *mean, float *rstd)
{
    float variance = variance_of(x, n, mean), m = *mean, r = 1.0f / sqrtf(variance + epsilon);
    int64_t i = 0;
    *rstd = r;
    for (; i + LANES <= n; i += LANES) {
        vector z = (load(x + i) - m) * r * load(gamma + i) + load(beta + i);
        store(y + i, choose(z < floor, splat(floor), z));
    }
    for (; i < n; i++) {
        float z = (x[i] - m) * r * gamma[i] + beta[i];
        y[i] = z < floor ? floor : z;
    }
}

static void layer_norm_grad_row(const float *x, const float *dy, const float *gamma, float *dx, int64_t n,
                                float mean, float rstd, float *dgamma, float *dbeta)
{
    vector sum = {0}, along = {0};
    float rest = 0.0f, rest_along = 0.0f, a, b;
    int64_t i = 0;
    for (; i + LANES <= n; i += LANES) {
        vector xh = (load(x + i) - mean) * rstd, d = load(dy + i), g = d * load(gamma + i);
        sum += g;
        along += g * xh;
        store(dgamma + i, load(dgamma + i) + d * xh);
        store(dbeta + i, load(dbeta + i) + d);
    }
    for (; i < n; i++) {
        float xh = (x[i] - mean) * rstd;
        rest += dy[i] * gamma[i];
        rest_along += dy[i] * gamma[i] * xh;
        dgamma[i] += dy[i] * xh;
        dbeta[i] += dy[i];
    }
    a = (lane_sum(sum) + rest) / (float)n;
    b = (lane_sum(along) + rest_along) / (float)n;
    for (i = 0; i + LANES <= n; i += LANES) {
        vector xh = (load(x + i) - mean) * rstd;
        store(dx + i, rstd * (load(dy + i) * load(gamma + i) - a - xh * b));
    }
    for (; i < n; i++) dx[i] = rstd * (dy[i] * gamma[i] - a - (x[i] - mean) * rstd * b);
}

/* ---- attention ---- */

static float dot_row(const float *x, const float *y, int64_t n)
{
    vector sum = {0};
    float rest = 0.0f;
    int64_t i = 0;
    for (; i + LANES <= n; i += LANES) sum += load(x + i) * load(y + i);
    for (; i < n; i++) rest += x[i] * y[i];
    return lane_sum(sum) + rest;
}

static void attention_grad_row(float *p, float *ds, int64_t n, float scale, float lse, float along)
{
    int64_t i = 0, left;
    vector e;
    for (; i + LANES <= n; i += LANES) {
        e = decay(scale * load(p + i) - lse);
        store(p + i, e);
        store(ds + i, scale * e * (load(ds + i) - along));
    }
    left = n - i;
    if (left <= 0) return;
    e = decay(scale * load_part(p + i, left, 0.0f) - lse);
    store_part(p + i, left, e);
    store_part(ds + i, left, scale * e * (load_part(ds + i, left, 0.0f) - along));
}

extern const struct sft_row_kernel SFT_PASTE(sft_row_kernel_, SFT_ISA);
const struct sft_row_kernel SFT_PASTE(sft_row_kernel_, SFT_ISA) = {
    .exp = exp_row,
    .gelu = gelu_row,
    .gelu_grad = gelu_grad_row,
    .max = max_row,
    .exp_sum = exp_sum_row,
    .layer_norm = layer_norm_row,
    .layer_norm_grad = layer_norm_grad_row,
    .dot = dot_row,
    .attention_grad = attention_grad_row,
};

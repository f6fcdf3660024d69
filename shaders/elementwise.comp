// SPDX-License-Identifier: Apache-2.0
// y = f(a, b), element by element. b repeats along the axes whose stride is 0; with VEC4 four neighbours at a
// time.
#version 460
#extension GL_GOOGLE_include_directive : require
#include "lib/types.glsl"
#include "lib/grid.glsl"
#include "lib/erf.glsl"
#include "abi/elementwise.h"

SFT_MAPS(SFT_NUMBER)
layout(constant_id = SFT_ELEMENTWISE_FUNCTION_ID) const uint FUNCTION = SFT_MAP_ADD;
layout(constant_id = SFT_ELEMENTWISE_VEC4_ID) const bool VEC4 = true;
layout(constant_id = SFT_ELEMENTWISE_AXES_ID) const uint AXES = 1; // of b; 0: b has a's shape
SFT_PUSH(SFT_ELEMENTWISE_OPERANDS, SFT_ELEMENTWISE_WORDS);

real normal_cdf(real x) { return 0.5 * (1.0 + erf(x * 0.70710678118654752)); }
real normal_pdf(real x) { return 0.39894228040143268 * exp(-0.5 * x * x); }

real function(real p, real q)
{
    switch (FUNCTION) {
    case SFT_MAP_FILL: return number;
    case SFT_MAP_SCALE: return p * number;
    case SFT_MAP_RELU: return max(p, 0.0);
    case SFT_MAP_GELU: return p * normal_cdf(p);
    case SFT_MAP_SIGN: return sign(p);
    case SFT_MAP_SQRT: return sqrt(p);
    case SFT_MAP_EXP: return exp(p);
    case SFT_MAP_ADD: return p + number * q;
    case SFT_MAP_MUL: return p * q;
    case SFT_MAP_DIV: return q == 0.0 ? 0.0 : p == q ? 1.0 : p / q; // drivers may divide by 2.5 ulp off
    case SFT_MAP_RELU_GRAD: return q > 0.0 ? p : 0.0;
    case SFT_MAP_GELU_GRAD: return p * (normal_cdf(q) + q * normal_pdf(q));
    default: return q * number; // SFT_MAP_REPEAT
    }
}

uint index_in_b(uint i)
{
    uint at = 0;
    if (AXES == 0) return i;
    at += i % size[0] * stride[0];
    i /= size[0];
    if (AXES > 1) {
        at += i % size[1] * stride[1];
        i /= size[1];
    }
    if (AXES > 2) {
        at += i % size[2] * stride[2];
        i /= size[2];
    }
    if (AXES > 3) {
        at += i % size[3] * stride[3];
        i /= size[3];
    }
    if (AXES > 4) at += i % size[4] * stride[4];
    return at;
}

void main()
{
    const bool reads_a = FUNCTION != SFT_MAP_FILL && FUNCTION != SFT_MAP_REPEAT;
    const bool reads_b = FUNCTION >= SFT_MAP_ADD;
    uint i = linear_invocation() * (VEC4 ? 4 : 1);
    if (i >= count) return;
    uint j = reads_b ? index_in_b(i) : 0;
    if (VEC4) {
        real4 p = reads_a ? real4(QUADS(a).at[i / 4]) : real4(0), q = real4(0);
        if (reads_b) q = AXES > 0 && stride[0] == 0 ? real4(real(b.at[j])) : real4(QUADS(b).at[j / 4]);
        QUADS(y).at[i / 4] = stored4(function(p.x, q.x), function(p.y, q.y),
                                     function(p.z, q.z), function(p.w, q.w));
    } else {
        y.at[i] = stored(function(reads_a ? real(a.at[i]) : 0.0, reads_b ? real(b.at[j]) : 0.0));
    }
}

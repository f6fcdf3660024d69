// SPDX-License-Identifier: Apache-2.0
// y = f(a, b), element by element. b repeats along the axes whose stride is 0; with VEC4 four neighbours at a time.
#version 460
#extension GL_GOOGLE_include_directive : require
#include "lib/types.glsl"
#include "lib/grid.glsl"
#include "lib/erf.glsl"
#include "abi/elementwise.h"

layout(constant_id = 1) const uint FUNCTION = SFT_MAP_ADD;
layout(constant_id = 2) const bool VEC4 = true;
layout(constant_id = 3) const uint AXES = 1; // of b as it is broadcast; 0: b has a's shape
layout(push_constant) uniform Push
{
    F32 a; F32 b; F32 y;
    uint count; // elements
    float number;
    uint size0; uint size1; uint size2; uint size3; uint size4;
    uint stride0; uint stride1; uint stride2; uint stride3; uint stride4; // of b; axis 0 is the last one
};

float normal_cdf(float x) { return 0.5 * (1.0 + erf(x * 0.70710678118654752)); }
float normal_pdf(float x) { return 0.39894228040143268 * exp(-0.5 * x * x); }

float function(float p, float q)
{
    switch (FUNCTION) {
    case SFT_MAP_FILL: return number;
    case SFT_MAP_SCALE: return p * number;
    case SFT_MAP_RELU: return max(p, 0.0);
    case SFT_MAP_GELU: return p * normal_cdf(p);
    case SFT_MAP_SIGN: return sign(p);
    case SFT_MAP_SQRT: return sqrt(p);
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
    at += (i % size0) * stride0, i /= size0;
    if (AXES > 1) at += (i % size1) * stride1, i /= size1;
    if (AXES > 2) at += (i % size2) * stride2, i /= size2;
    if (AXES > 3) at += (i % size3) * stride3, i /= size3;
    if (AXES > 4) at += (i % size4) * stride4;
    return at;
}

void main()
{
    const bool reads_a = FUNCTION != SFT_MAP_FILL && FUNCTION != SFT_MAP_REPEAT, reads_b = FUNCTION >= SFT_MAP_ADD;
    uint i = linear_invocation() * (VEC4 ? 4 : 1);
    if (i >= count) return;
    uint j = reads_b ? index_in_b(i) : 0;
    if (VEC4) {
        vec4 p = reads_a ? QUADS(a).at[i / 4] : vec4(0), q = vec4(0);
        if (reads_b) q = AXES > 0 && stride0 == 0 ? vec4(b.at[j]) : QUADS(b).at[j / 4];
        QUADS(y).at[i / 4] = vec4(function(p.x, q.x), function(p.y, q.y), function(p.z, q.z), function(p.w, q.w));
    } else {
        y.at[i] = function(reads_a ? a.at[i] : 0.0, reads_b ? b.at[j] : 0.0);
    }
}

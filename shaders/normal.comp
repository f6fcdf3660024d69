// SPDX-License-Identifier: Apache-2.0
// Normal numbers from Philox blocks by Box and Muller's transform; an invocation makes the four of one block.
// Logarithm and circle are written out, as in the CPU's kernel: those of drivers are allowed errors of 2^-11.
#version 460
#extension GL_GOOGLE_include_directive : require
#include "lib/types.glsl"
#include "lib/grid.glsl"
#include "lib/philox.glsl"
#include "abi/random.h"

SFT_PUSH(SFT_NORMAL_OPERANDS, SFT_NORMAL_WORDS);

real natural_log(real x)
{
    int e;
    real m = frexp(x, e);
    if (m < 0.70710678) {
        m *= 2.0;
        e--;
    }
    real s = (m - 1.0) / (m + 1.0), s2 = s * s;
    return real(e) * 0.69314718 +
           2.0 * s * (1.0 + s2 * (1.0 / 3.0 + s2 * (0.2 + s2 * (1.0 / 7.0 + s2 * (1.0 / 9.0)))));
}

real2 circle(uint n)
{
    uint quarter = (n + (1u << 21)) >> 22 & 3;
    real t = real(int((n + (1u << 21)) & 0x3fffff) - (1 << 21)) * (6.2831853 * 5.9604644775390625e-8);
    real t2 = t * t;
    real x = 1.0 - t2 * (0.5 - t2 * (1.0 / 24.0 - t2 * (1.0 / 720.0 - t2 * (1.0 / 40320.0))));
    real y = t * (1.0 - t2 * (1.0 / 6.0 - t2 * (1.0 / 120.0 - t2 * (1.0 / 5040.0 - t2 * (1.0 / 362880.0)))));
    real2 point = (quarter & 1) != 0 ? real2(y, x) : real2(x, y);
    return real2(quarter == 1 || quarter == 2 ? -point.x : point.x, quarter >= 2 ? -point.y : point.y);
}

real2 box_muller(uvec2 words)
{
    return sqrt(-2.0 * natural_log(real((words.x >> 8) + 1) * 5.9604644775390625e-8)) * circle(words.y >> 8);
}

void main()
{
    uint block = linear_invocation();
    if (block >= (count + 3) / 4) return;
    uvec4 words = philox(uvec4(block, stream, key.at[2], purpose), uvec2(key.at[0], key.at[1]));
    real4 four = real4(box_muller(words.xy), box_muller(words.zw));
    for (uint k = 0; k < 4 && block * 4 + k < count; k++) y.at[block * 4 + k] = stored(four[k]);
}

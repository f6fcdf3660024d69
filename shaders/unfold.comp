// SPDX-License-Identifier: Apache-2.0
// Patches of images as rows, or the adjoint, in which a pixel adds up what the patches that cover it have.
#version 460
#extension GL_GOOGLE_include_directive : require
#include "lib/types.glsl"
#include "lib/grid.glsl"
#include "abi/unfold.h"

layout(constant_id = SFT_UNFOLD_ADJOINT_ID) const bool ADJOINT = false;
SFT_PUSH(SFT_UNFOLD_OPERANDS, SFT_UNFOLD_WORDS);

real element(uint i)
{
    uint taps = kernel * kernel, tap = i % taps, c = i / taps % C, row = i / taps / C;
    uint h = row / Q % P * stride + tap / kernel, w = row % Q * stride + tap % kernel;
    if (h < pad || w < pad || h - pad >= H || w - pad >= W) return 0.0;
    return real(x.at[((row / Q / P * H + h - pad) * W + w - pad) * C + c]);
}

// The first patch that reaches coordinate a (padding counted): the least p with p*stride + kernel > a.
uint first_patch(uint a) { return a < kernel ? 0 : (a - kernel) / stride + 1; }

real pixel(uint i)
{
    uint c = i % C, w = i / C % W + pad, h = i / C / W % H + pad, n = i / C / W / H;
    uint last_p = min(h / stride, P - 1), last_q = min(w / stride, Q - 1);
    real sum = 0.0;
    for (uint p = first_patch(h); p <= last_p; p++)
        for (uint q = first_patch(w); q <= last_q; q++) {
            uint tap = (h - p * stride) * kernel + w - q * stride;
            sum += real(x.at[(((n * P + p) * Q + q) * C + c) * kernel * kernel + tap]);
        }
    return sum;
}

void main()
{
    uint i = linear_invocation();
    if (i >= count) return;
    y.at[i] = stored(ADJOINT ? pixel(i) : element(i));
}

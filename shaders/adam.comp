// SPDX-License-Identifier: Apache-2.0
// Adam (Kingma and Ba 2015); weight decay coupled into the gradient, or DECOUPLED as in AdamW.
#version 460
#extension GL_GOOGLE_include_directive : require
#include "lib/types.glsl"
#include "lib/grid.glsl"
#include "abi/hyper.h"

layout(constant_id = 1) const bool DECOUPLED = false;
layout(constant_id = 2) const bool DECAY = true;
layout(push_constant) uniform Push { F32 w; F32 m; F32 v; F32 g; F32 hyper; uint count; };

void main()
{
    uint i = linear_invocation();
    if (i >= count) return;
    float lr = hyper.at[SFT_AT_LR], decay = DECAY ? hyper.at[SFT_AT_WEIGHT_DECAY] : 0.0;
    float b1 = hyper.at[SFT_AT_BETA1], b2 = hyper.at[SFT_AT_BETA2];
    float weight = w.at[i], d = g.at[i];
    if (DECOUPLED)
        weight -= lr * decay * weight;
    else
        d += decay * weight;
    float first = b1 * m.at[i] + (1.0 - b1) * d, second = b2 * v.at[i] + (1.0 - b2) * d * d;
    m.at[i] = first;
    v.at[i] = second;
    w.at[i] = weight - lr * (first / hyper.at[SFT_AT_BIAS1]) /
                           (sqrt(second / hyper.at[SFT_AT_BIAS2]) + hyper.at[SFT_AT_EPSILON]);
}

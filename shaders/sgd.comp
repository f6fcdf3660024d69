// SPDX-License-Identifier: Apache-2.0
// SGD as in PyTorch: d = g + wd*w; v = mu*v + d; w -= lr*(nesterov ? d + mu*v : v).
#version 460
#extension GL_GOOGLE_include_directive : require
#include "lib/types.glsl"
#include "lib/grid.glsl"
#include "abi/hyper.h"

layout(constant_id = 1) const bool NESTEROV = false;
layout(constant_id = 2) const bool DECAY = true;
layout(push_constant) uniform Push { F32 w; F32 v; F32 g; F32 hyper; uint count; };

void main()
{
    uint i = linear_invocation();
    if (i >= count) return;
    float weight = w.at[i], mu = hyper.at[SFT_AT_MOMENTUM];
    float d = DECAY ? g.at[i] + hyper.at[SFT_AT_WEIGHT_DECAY] * weight : g.at[i];
    float velocity = mu * v.at[i] + d;
    v.at[i] = velocity;
    w.at[i] = weight - hyper.at[SFT_AT_LR] * (NESTEROV ? d + mu * velocity : velocity);
}

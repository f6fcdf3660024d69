// SPDX-License-Identifier: Apache-2.0
// SGD as in PyTorch: d = g + wd*w; v = mu*v + d; w -= lr*(nesterov ? d + mu*v : v).
#version 460
#extension GL_GOOGLE_include_directive : require
#include "lib/types.glsl"
#include "lib/grid.glsl"
#include "abi/optimizer.h"

layout(constant_id = SFT_SGD_NESTEROV_ID) const bool NESTEROV = false;
layout(constant_id = SFT_SGD_DECAY_ID) const bool DECAY = true;
SFT_PUSH(SFT_SGD_OPERANDS, SFT_OPTIMIZER_WORDS);
SFT_HYPERS(SFT_NUMBER)

void main()
{
    uint i = linear_invocation();
    if (i >= count) return;
    real weight = real(w.at[i]), mu = real(hyper.at[SFT_HYPER_MOMENTUM]);
    real d = DECAY ? real(g.at[i]) + real(hyper.at[SFT_HYPER_WEIGHT_DECAY]) * weight : real(g.at[i]);
    real velocity = mu * real(v.at[i]) + d;
    v.at[i] = stored(velocity);
    w.at[i] = stored(weight - real(hyper.at[SFT_HYPER_LR]) * (NESTEROV ? d + mu * velocity : velocity));
}

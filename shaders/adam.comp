// SPDX-License-Identifier: Apache-2.0
// Adam (Kingma and Ba 2015); weight decay coupled into the gradient, or DECOUPLED as in AdamW.
#version 460
#extension GL_GOOGLE_include_directive : require
#include "lib/types.glsl"
#include "lib/grid.glsl"
#include "abi/optimizer.h"

layout(constant_id = SFT_ADAM_DECOUPLED_ID) const bool DECOUPLED = false;
layout(constant_id = SFT_ADAM_DECAY_ID) const bool DECAY = true;
SFT_PUSH(SFT_ADAM_OPERANDS, SFT_OPTIMIZER_WORDS);
SFT_HYPERS(SFT_NUMBER)

void main()
{
    uint i = linear_invocation();
    if (i >= count) return;
    real lr = real(hyper.at[SFT_HYPER_LR]);
    real decay = DECAY ? real(hyper.at[SFT_HYPER_WEIGHT_DECAY]) : 0.0;
    real b1 = real(hyper.at[SFT_HYPER_BETA1]), b2 = real(hyper.at[SFT_HYPER_BETA2]);
    real weight = real(w.at[i]), d = real(g.at[i]);
    if (DECOUPLED)
        weight -= lr * decay * weight;
    else
        d += decay * weight;
    real first = b1 * real(m.at[i]) + (1.0 - b1) * d;
    real second = b2 * real(v.at[i]) + (1.0 - b2) * d * d;
    m.at[i] = stored(first);
    v.at[i] = stored(second);
    w.at[i] = stored(weight - lr * (first / real(hyper.at[SFT_HYPER_BIAS1])) /
                                  (sqrt(second / real(hyper.at[SFT_HYPER_BIAS2])) +
                                   real(hyper.at[SFT_HYPER_EPSILON])));
}

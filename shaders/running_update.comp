// SPDX-License-Identifier: Apache-2.0
// Batch norm's running statistics, in place; the variance with the unbiased batch variance.
#version 460
#extension GL_GOOGLE_include_directive : require
#include "lib/types.glsl"
#include "lib/grid.glsl"
#include "abi/norm.h"

SFT_PUSH(SFT_RUNNING_UPDATE_OPERANDS, SFT_RUNNING_UPDATE_WORDS);

void main()
{
    uint i = linear_invocation();
    if (i >= count) return;
    real m = real(running_mean.at[i]), v = real(running_variance.at[i]), r = real(rstd.at[i]);
    running_mean.at[i] = stored(m + momentum * (real(mean.at[i]) - m));
    running_variance.at[i] = stored(v + momentum * ((1.0 / (r * r) - epsilon) * correction - v));
}

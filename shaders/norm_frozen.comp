// SPDX-License-Identifier: Apache-2.0
// Statistics that are given: copies the mean, turns the variance into 1/sqrt(variance + epsilon).
#version 460
#extension GL_GOOGLE_include_directive : require
#include "lib/types.glsl"
#include "lib/grid.glsl"
#include "abi/norm.h"

SFT_PUSH(SFT_NORM_FROZEN_OPERANDS, SFT_NORM_FROZEN_WORDS);

void main()
{
    uint i = linear_invocation();
    if (i >= count) return;
    mean.at[i] = mean_in.at[i];
    rstd.at[i] = stored(1.0 / sqrt(real(variance.at[i]) + epsilon));
}

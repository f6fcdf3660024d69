// SPDX-License-Identifier: Apache-2.0
// Statistics that are given: copies the mean, turns the variance into 1/sqrt(variance + epsilon).
#version 460
#extension GL_GOOGLE_include_directive : require
#include "lib/types.glsl"
#include "lib/grid.glsl"

layout(push_constant) uniform Push { F32 mean_in; F32 variance; F32 mean; F32 rstd; uint count; float epsilon; };

void main()
{
    uint i = linear_invocation();
    if (i >= count) return;
    mean.at[i] = mean_in.at[i];
    rstd.at[i] = 1.0 / sqrt(variance.at[i] + epsilon);
}

// SPDX-License-Identifier: Apache-2.0
// Batch norm's running statistics, in place; the variance with the unbiased batch variance.
#version 460
#extension GL_GOOGLE_include_directive : require
#include "lib/types.glsl"
#include "lib/grid.glsl"

layout(push_constant) uniform Push
{
    F32 running_mean; F32 running_variance; F32 mean; F32 rstd;
    uint count;
    float momentum, epsilon;
    float correction; // n/(n - 1)
};

void main()
{
    uint i = linear_invocation();
    if (i >= count) return;
    float m = running_mean.at[i], v = running_variance.at[i], r = rstd.at[i];
    running_mean.at[i] = m + momentum * (mean.at[i] - m);
    running_variance.at[i] = v + momentum * ((1.0 / (r * r) - epsilon) * correction - v);
}

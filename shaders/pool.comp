// SPDX-License-Identifier: Apache-2.0
// Maximum (with the place where it was found) or average over windows; an invocation makes one output
// element.
#version 460
#extension GL_GOOGLE_include_directive : require
#include "lib/types.glsl"
#include "lib/grid.glsl"
#include "abi/pool.h"

layout(constant_id = SFT_POOL_AVERAGE_ID) const bool AVERAGE = false;
layout(constant_id = SFT_POOL_ZERO_PAD_ID) const bool ZERO_PAD = false; // padded zeros take part in a maximum
SFT_PUSH(SFT_POOL_OPERANDS, SFT_POOL_WORDS);

void main()
{
    uint i = linear_invocation();
    if (i >= count) return;
    uint c = i % C, q = i / C % Q, p = i / C / Q % P, n = i / C / Q / P;
    real sum = 0.0, best = 0.0;
    int where = -1;
    bool found = false;
    for (uint r = 0; r < R; r++) {
        for (uint s = 0; s < S; s++) {
            int h = int(p * stride_h + r) - int(pad_h), w = int(q * stride_w + s) - int(pad_w);
            bool inside = h >= 0 && h < int(H) && w >= 0 && w < int(W);
            if (!inside && (AVERAGE || !ZERO_PAD)) continue;
            real value = inside ? real(x.at[((n * H + h) * W + w) * C + c]) : 0.0;
            sum += value;
            if (found && !(value > best)) continue;
            found = true;
            best = value;
            where = inside ? h * int(W) + w : -1;
        }
    }
    if (AVERAGE) {
        y.at[i] = stored(sum / real(R * S));
    } else {
        y.at[i] = stored(best);
        index.at[i] = where;
    }
}

// SPDX-License-Identifier: Apache-2.0
// Gradient of pooling, gathered: an invocation adds up, for one input element, the windows that hold it.
#version 460
#extension GL_GOOGLE_include_directive : require
#include "lib/types.glsl"
#include "lib/grid.glsl"
#include "abi/pool.h"

layout(constant_id = SFT_POOL_AVERAGE_ID) const bool AVERAGE = false;
SFT_PUSH(SFT_POOL_GRAD_OPERANDS, SFT_POOL_WORDS);

// The first window that reaches coordinate a (padding counted): the least p with p*stride + size > a.
uint first_window(uint a, uint size, uint stride) { return a < size ? 0 : (a - size) / stride + 1; }

void main()
{
    uint i = linear_invocation();
    if (i >= count) return;
    uint c = i % C, w = i / C % W, h = i / C / W % H, n = i / C / W / H;
    uint last_p = min((h + pad_h) / stride_h, P - 1), last_q = min((w + pad_w) / stride_w, Q - 1);
    real sum = 0.0;
    for (uint p = first_window(h + pad_h, R, stride_h); p <= last_p; p++) {
        for (uint q = first_window(w + pad_w, S, stride_w); q <= last_q; q++) {
            uint at = ((n * P + p) * Q + q) * C + c;
            if (AVERAGE || index.at[at] == int(h * W + w)) sum += real(dy.at[at]);
        }
    }
    dx.at[i] = stored(AVERAGE ? sum / real(R * S) : sum);
}

// SPDX-License-Identifier: Apache-2.0
// y = x*mask/(1 - p); an invocation takes four elements, which lie in two Philox blocks where the elements of
// the parts before this one are no multiple of four.
#version 460
#extension GL_GOOGLE_include_directive : require
#include "lib/types.glsl"
#include "lib/grid.glsl"
#include "lib/philox.glsl"
#include "abi/random.h"

SFT_PUSH(SFT_DROPOUT_OPERANDS, SFT_DROPOUT_WORDS);

void main()
{
    uint block = linear_invocation();
    if (block >= (count + 3) / 4) return;
    uint before = key.at[3] * count;
    uvec4 words;
    for (uint k = 0; k < 4 && block * 4 + k < count; k++) {
        uint drawn = before + block * 4 + k;
        if (k == 0 || drawn % 4 == 0)
            words = philox(uvec4(drawn / 4, stream, key.at[2], purpose), uvec2(key.at[0], key.at[1]));
        bool kept = real(words[drawn % 4] >> 8) * 5.9604644775390625e-8 >= probability; // 2^-24
        y.at[block * 4 + k] = stored(kept ? real(x.at[block * 4 + k]) * factor : 0.0);
    }
}

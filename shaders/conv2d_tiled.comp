// SPDX-License-Identifier: Apache-2.0
// Convolution (TRANSPOSED_B false) and its gradient with respect to the input (true), on GPUs.
#version 460
#extension GL_GOOGLE_include_directive : require
#include "lib/types.glsl"
#include "lib/gemm_tiled.glsl"
#include "lib/conv2d.glsl"

// A step never reaches over a tap's last channel.
layout(constant_id = SFT_CONV2D_WHOLE_TAPS_ID) const bool WHOLE_TAPS = true;

uint group, end_k;
uint step_k;           // number of this step's first k
ivec2 step_tap;        // its tap, used with WHOLE_TAPS
uint step_channel;     // its channel, used with WHOLE_TAPS
ivec2 corner[A_LOADS]; // pixel of the source where the row of each quad of A meets tap 0
uint image[A_LOADS];   // image of that row

ivec2 tap_of(uint k)
{
    uint tap = k / depth, across = uint(max(pair(tap_count).y, 1));
    return ivec2(tap / across, tap % across);
}

// Element of the source that quad i meets at a tap, or -1.
int source_element(uint i, ivec2 tap, uint channel)
{
    ivec2 at = corner[i] + tap * pair(tap_delta), extent = pair(size);
    bool inside = all(greaterThanEqual(at, ivec2(0))) && all(lessThan(at, extent));
    return inside ? int(((image[i] * uint(extent.x) + uint(at.x)) * uint(extent.y) + uint(at.y)) * channels +
                        group * depth + channel)
                  : -1;
}

real4 fetch_a(uint i, uint row, uint k)
{
    real4 quad = real4(0.0);
    uint first = step_k + k;
    if (tile_row + row >= rows() || (!WHOLE_TAPS && first >= end_k)) return quad;
    if (VEC_A || WHOLE_TAPS) {
        uint channel = WHOLE_TAPS ? step_channel + k : first % depth;
        int at = source_element(i, WHOLE_TAPS ? step_tap : tap_of(first), channel);
        if (at < 0) return quad;
        if (VEC_A) return real4(QUADS(source).at[at / 4]);
        return real4(source.at[at], source.at[at + 1], source.at[at + 2], source.at[at + 3]);
    }
    [[unroll]] for (uint e = 0; e < 4; e++) {
        if (first + e >= end_k) continue;
        int at = source_element(i, tap_of(first + e), (first + e) % depth);
        if (at >= 0) quad[e] = real(source.at[at]);
    }
    return quad;
}

// Element of the weight at k and a column.
uint weight_element(uint k, uint column)
{
    ivec2 tap = WHOLE_TAPS ? step_tap : tap_of(k);
    uint channel = WHOLE_TAPS ? step_channel + (k - step_k) : k % depth;
    return tap_index(tap) * weight_tap + group * weight_group +
           (TRANSPOSED_B ? column * weight_stride + channel : channel * weight_stride + column);
}

real4 fetch_b(uint i, uint column, uint k)
{
    real4 quad = real4(0.0);
    uint n = tile_column + column, m = step_k + k;
    if (n >= columns || m >= end_k) return quad;
    if (VEC_B) return real4(QUADS(weight).at[weight_element(m, n) / 4]);
    [[unroll]] for (uint e = 0; e < 4; e++) {
        if (TRANSPOSED_B && m + e < end_k) quad[e] = real(weight.at[weight_element(m + e, n)]);
        if (!TRANSPOSED_B && n + e < columns) quad[e] = real(weight.at[weight_element(m, n + e)]);
    }
    return quad;
}

void next_step()
{
    step_k += STEP;
    step_channel += STEP;
    if (!WHOLE_TAPS || step_channel < depth) return;
    step_channel = 0;
    step_tap.y++;
    if (step_tap.y < pair(tap_count).y) return;
    step_tap.y = 0;
    step_tap.x++;
}

void main()
{
    uint split = gl_WorkGroupID.z % splits;
    locate_tile(columns);
    group = gl_WorkGroupID.z / splits;
    step_k = split * part;
    end_k = min(depth * uint(pair(tap_count).x) * uint(pair(tap_count).y), step_k + part);
    step_tap = tap_of(step_k);
    step_channel = step_k % depth;
    [[unroll]] for (uint i = 0; i < A_LOADS; i++) {
        uvec3 at = image_and_pixel(tile_row + quad_a(i).x);
        image[i] = at.x;
        corner[i] = pair(origin) + ivec2(at.yz) * pair(pixel_step);
    }
    multiply(step_k < end_k ? (end_k - step_k + STEP - 1) / STEP : 0);
    [[unroll]] for (uint i = 0; i < Y; i++) {
        uint row = tile_row + sum_row(i), column = group * columns + tile_column;
        uint at = split * out_elements() + out_element(image_and_pixel(row)) + column;
        if (row < rows() && tile_column < columns)
            store_row(i, d, at, bias, column, relu != 0, columns - tile_column);
    }
}

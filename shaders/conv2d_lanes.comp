// SPDX-License-Identifier: Apache-2.0
// Convolution, and its gradient with respect to the input, on drivers that run on a CPU.
#version 460
#extension GL_GOOGLE_include_directive : require
#include "lib/types.glsl"
#include "lib/gemm_lanes.glsl"
#include "lib/conv2d.glsl"

real4 load_source(uint at, uint left)
{
    if (VEC_A) return real4(QUADS(source).at[at / 4]);
    real4 a = real4(0.0);
    [[unroll]] for (uint i = 0; i < 4; i++) a[i] = i < left ? real(source.at[at + min(i, left - 1)]) : 0.0;
    return a;
}

void main()
{
    locate_tile(columns);
    uint group = gl_WorkGroupID.z, last = min(COLUMNS, columns - tile_column) - 1;
    uint row = tile_row + gl_LocalInvocationID.x;
    uvec3 at = image_and_pixel(min(row, rows() - 1));
    uint first = group * weight_group + tile_column; // of the weight's elements
    ivec2 taps = pair(tap_count), extent = pair(size);
    ivec2 start = pair(origin) + ivec2(at.yz) * pair(pixel_step);

    if (taps.x > 0 && taps.y > 0) {
        ivec2 tap = ivec2(0);
        do {
            tap.y = 0;
            do {
                ivec2 pixel = start + tap * pair(tap_delta);
                bool inside = all(greaterThanEqual(pixel, ivec2(0))) && all(lessThan(pixel, extent));
                uint line = at.x * uint(extent.x) + uint(pixel.x);
                uint from = (line * uint(extent.y) + uint(pixel.y)) * channels;
                from = (inside ? from : 0) + group * depth;
                uint k = 0, end = inside ? depth : 0, to = first + tap_index(tap) * weight_tap;
                do { // where all lanes are outside, this ends after one round
                    real4 a = load_source(from + k, depth - k);
                    if (!inside) a = real4(0.0);
                    multiply_add(a, weight, to + k * weight_stride, weight_stride, depth - k, last);
                    k += 4;
                } while (k < end);
                tap.y++;
            } while (tap.y < taps.y);
            tap.x++;
        } while (tap.x < taps.x);
    }
    uint column = group * columns + tile_column;
    if (row < rows()) store(d, out_element(at) + column, bias, column, relu != 0, last);
}

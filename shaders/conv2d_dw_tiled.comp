// SPDX-License-Identifier: Apache-2.0
// Gradient of a convolution with respect to its weight, on GPUs: the rows are the weight's taps and input
// channels, and the sum runs over the pixels of all output images, split into parts.
#version 460
#extension GL_GOOGLE_include_directive : require
#include "lib/types.glsl"
#include "lib/gemm_tiled.glsl"
#include "lib/conv2d_dw.glsl"

uint group, step_k, end_k;
uvec3 pixel[A_LOADS]; // image and pixel of dy that each quad of A belongs to
uvec3 tap[A_LOADS];   // tap and channel of the quad's first row

// x at a tap and channel, for quad i: the element, or -1 where there is none.
int x_element(uint i, uvec3 at)
{
    ivec2 extent = pair(size), corner = ivec2(pixel[i].yz) * pair(stride) - pair(pad);
    ivec2 where = corner + ivec2(at.xy) * pair(dilation);
    bool inside = all(greaterThanEqual(where, ivec2(0))) && all(lessThan(where, extent));
    return inside ? int(((pixel[i].x * uint(extent.x) + uint(where.x)) * uint(extent.y) + uint(where.y)) *
                            channels +
                        group * depth + at.z)
                  : -1;
}

real4 fetch_a(uint i, uint row, uint k)
{
    real4 quad = real4(0.0);
    uint first = tile_row + row;
    if (first >= rows() || step_k + k >= end_k) return quad;
    if (VEC_A) {
        int at = x_element(i, tap[i]);
        return at >= 0 ? real4(QUADS(x).at[at / 4]) : quad;
    }
    [[unroll]] for (uint e = 0; e < 4; e++) {
        int at = first + e < rows() ? x_element(i, row_and_channel(first + e)) : -1;
        if (at >= 0) quad[e] = real(x.at[at]);
    }
    return quad;
}

real4 fetch_b(uint i, uint column, uint k)
{
    real4 quad = real4(0.0);
    uint n = tile_column + column;
    uint at = (step_k + k) * out_channels + group * columns + n;
    if (n >= columns || step_k + k >= end_k) return quad;
    if (VEC_B) return real4(QUADS(dy).at[at / 4]);
    [[unroll]] for (uint e = 0; e < 4; e++)
        if (n + e < columns) quad[e] = real(dy.at[at + e]);
    return quad;
}

void next_step()
{
    uint across = uint(pair(grid).y), down = uint(pair(grid).x);
    step_k += STEP;
    [[unroll]] for (uint i = 0; i < A_LOADS; i++) {
        pixel[i].z += STEP;
        if (pixel[i].z >= across) { // no loops here: they would keep drivers from unrolling
            pixel[i].y += pixel[i].z / across;
            pixel[i].z %= across;
        }
        if (pixel[i].y >= down) {
            pixel[i].x += pixel[i].y / down;
            pixel[i].y %= down;
        }
    }
}

void main()
{
    uint split = gl_WorkGroupID.z % splits;
    locate_tile(columns);
    group = gl_WorkGroupID.z / splits;
    step_k = split * part;
    end_k = min(pixels(), step_k + part);
    [[unroll]] for (uint i = 0; i < A_LOADS; i++) {
        pixel[i] = image_and_pixel(step_k + quad_a(i).y);
        tap[i] = row_and_channel(tile_row + quad_a(i).x);
    }
    multiply(step_k < end_k ? (end_k - step_k + STEP - 1) / STEP : 0);
    [[unroll]] for (uint i = 0; i < Y; i++) {
        uint row = tile_row + sum_row(i), column = group * columns + tile_column;
        if (row < rows() && tile_column < columns)
            store_row(i, d, (split * rows() + row) * out_channels + column, ABSENT, 0, false,
                      columns - tile_column);
    }
}

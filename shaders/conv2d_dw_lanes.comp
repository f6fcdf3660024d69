// SPDX-License-Identifier: Apache-2.0
// Gradient of a convolution with respect to its weight, on drivers that run on a CPU: the rows are the
// weight's taps and input channels, and the sum runs over the pixels of all output images, split into parts.
#version 460
#extension GL_GOOGLE_include_directive : require
#include "lib/types.glsl"
#include "lib/gemm_lanes.glsl"
#include "lib/conv2d_dw.glsl"

// The four pixels of a step lie in one line.
layout(constant_id = SFT_CONV2D_DW_WHOLE_LINES_ID) const bool WHOLE_LINES = true;

void main()
{
    locate_tile(columns);
    uint group = gl_WorkGroupID.z / splits, split = gl_WorkGroupID.z % splits;
    uint last = min(COLUMNS, columns - tile_column) - 1, column = group * columns + tile_column;
    uint row = tile_row + gl_LocalInvocationID.x;
    uvec3 tap = row_and_channel(min(row, rows() - 1));
    ivec2 extent = pair(size), shift = ivec2(tap.xy) * pair(dilation) - pair(pad);
    uint channel = group * depth + tap.z, k = split * part, end = min(pixels(), k + part);
    uvec3 at = image_and_pixel(min(k, pixels() - 1));
    ivec2 corner = ivec2(at.yz) * pair(stride);

    if (k < end) {
        do {
            real4 a = real4(0.0);
            [[unroll]] for (uint i = 0; i < 4; i++) {
                ivec2 pixel = corner + shift;
                bool inside = all(greaterThanEqual(pixel, ivec2(0))) && all(lessThan(pixel, extent)) &&
                              (WHOLE_STEPS || k + i < end);
                uint line = at.x * uint(extent.x) + uint(pixel.x);
                uint from = (line * uint(extent.y) + uint(pixel.y)) * channels;
                real value = real(x.at[(inside ? from : 0) + channel]);
                a[i] = inside ? value : 0.0;
                at.z++;
                corner.y += pair(stride).y;
                if (!WHOLE_LINES || i == 3) next_line(at, corner);
            }
            multiply_add(a, dy, min(k, end - 1) * out_channels + column, out_channels, end - k, last);
            k += 4;
        } while (k < end);
    }
    uint to = (split * rows() + row) * out_channels + column;
    if (row < rows()) store(d, to, ABSENT, 0, false, last);
}

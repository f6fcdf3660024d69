// SPDX-License-Identifier: Apache-2.0
// Where the kernels of conv2d_dw find taps and pixels; shaders/abi/conv2d.h says what they are told.
#include "abi/conv2d.h"
#include "lib/pair.glsl"
SFT_PUSH(SFT_CONV2D_DW_OPERANDS, SFT_CONV2D_DW_WORDS);

uint rows() { return uint(pair(kernel).x) * uint(pair(kernel).y) * depth; }
uint pixels() { return images * uint(pair(grid).x) * uint(pair(grid).y); }

// Row of the product -> tap and channel.
uvec3 row_and_channel(uint row)
{
    uint tap = row / depth, across = uint(pair(kernel).y);
    return uvec3(tap / across, tap % across, row % depth);
}

uvec3 image_and_pixel(uint pixel)
{
    uint line = pixel / uint(pair(grid).y);
    return uvec3(line / uint(pair(grid).x), line % uint(pair(grid).x), pixel % uint(pair(grid).y));
}

// Wraps `at` (image, row, column) at the end of a line; `corner` is its pixel in x, before padding.
void next_line(inout uvec3 at, inout ivec2 corner)
{
    bool wraps = at.z >= uint(pair(grid).y);
    at.z = wraps ? 0 : at.z;
    corner.y = wraps ? 0 : corner.y;
    at.y += wraps ? 1 : 0;
    corner.x += wraps ? pair(stride).x : 0;
    wraps = at.y >= uint(pair(grid).x);
    at.y = wraps ? 0 : at.y;
    corner.x = wraps ? 0 : corner.x;
    at.x += wraps ? 1 : 0;
}

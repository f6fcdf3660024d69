// SPDX-License-Identifier: Apache-2.0
// What the kernels of conv2d_dw are told, by runtime/vulkan/ops/conv2d.c. Pairs are rows and columns in the halves of
// a word.
layout(push_constant) uniform Push
{
    F32 x; F32 dy; F32 d;
    uint images;
    uint grid;         // pixels of dy
    uint size;         // of x
    uint channels;     // of x
    uint depth;        // channels of x in a group
    uint columns;      // channels of dy in a group
    uint out_channels; // of dy
    uint stride;
    uint pad;
    uint dilation;
    uint kernel;
    uint splits;       // parts of the sum over pixels, one output each
    uint part;         // pixels of a part
};

ivec2 pair(uint word) { return ivec2(int(word << 16) >> 16, int(word) >> 16); }

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

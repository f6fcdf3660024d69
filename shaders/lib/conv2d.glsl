// SPDX-License-Identifier: Apache-2.0
// Where the convolution kernels find pixels, elements and taps; shaders/abi/conv2d.h says what they are told.
#include "abi/conv2d.h"
#include "lib/pair.glsl"
SFT_PUSH(SFT_CONV2D_OPERANDS, SFT_CONV2D_WORDS);

// Row of the product -> image and pixel of the grid. Images are the faster index, so that the rows of a tile
// are mostly the same pixel, and the taps that it does not meet are skipped together.
uvec3 image_and_pixel(uint row)
{
    uint pixel = row / images, across = uint(pair(grid).y);
    return uvec3(row % images, pixel / across, pixel % across);
}

uint rows() { return images * uint(pair(grid).x) * uint(pair(grid).y); }

// Element of d of the first channel.
uint out_element(uvec3 at)
{
    ivec2 pixel = pair(out_first) + pair(out_step) * ivec2(at.yz);
    uint line = at.x * uint(pair(out_size).x) + uint(pixel.x);
    return (line * uint(pair(out_size).y) + uint(pixel.y)) * out_channels;
}

uint out_elements() { return images * uint(pair(out_size).x) * uint(pair(out_size).y) * out_channels; }

// Number of the weight's tap.
uint tap_index(ivec2 tap)
{
    ivec2 at = pair(tap_first) + tap * pair(tap_step);
    return uint(at.x * pair(kernel).y + at.y);
}

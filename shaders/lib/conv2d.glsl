// SPDX-License-Identifier: Apache-2.0
// What the convolution kernels are told, by runtime/vulkan/ops/conv2d.c. Pairs are rows and columns in the signed
// halves of a word.
//
// The forward convolution and its gradient with respect to the input are one sum: with u the pixel in the dispatch's
// grid,
//     d[first + step*u] = sum over taps t of
//                         source[origin + pixel_step*u + tap_delta*t] * weight[tap_first + tap_step*t]
// where what lies outside the source counts as zero. The gradient splits its pixels into classes by their remainder
// modulo the stride, one dispatch each: the pixels of a class meet the same taps, and no others.
layout(push_constant) uniform Push
{
    F32 source; F32 weight; F32 bias; F32 d;
    uint images;
    uint grid;       // pixels of an image that this dispatch makes
    uint size;       // of a source image
    uint channels;   // of the source
    uint depth;      // channels summed in a group
    uint columns;    // channels made in a group
    uint out_size;
    uint out_channels;
    uint out_first;
    uint out_step;
    uint origin;
    uint pixel_step;
    uint tap_delta;
    uint tap_count;
    uint tap_first;
    uint tap_step;
    uint kernel;     // taps of the weight
    // Element of the weight: tap*weight_tap + group*weight_group + channel summed*weight_stride + column; the last
    // two change places in a transposed weight.
    uint weight_tap;
    uint weight_group;
    uint weight_stride;
    uint relu;
    uint splits;     // parts of the sum, each with its own output
    uint part;       // k of a part
};

ivec2 pair(uint word) { return ivec2(int(word << 16) >> 16, int(word) >> 16); }

// Row of the product -> image and pixel of the grid. Images are the faster index, so that the rows of a tile are mostly
// the same pixel, and the taps that it does not meet are skipped together.
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
    return ((at.x * uint(pair(out_size).x) + uint(pixel.x)) * uint(pair(out_size).y) + uint(pixel.y)) * out_channels;
}

uint out_elements() { return images * uint(pair(out_size).x) * uint(pair(out_size).y) * out_channels; }

// Number of the weight's tap.
uint tap_index(ivec2 tap)
{
    ivec2 at = pair(tap_first) + tap * pair(tap_step);
    return uint(at.x * pair(kernel).y + at.y);
}

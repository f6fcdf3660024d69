// SPDX-License-Identifier: Apache-2.0
// Group norm's sizes, the same in every one of its shaders: x is (N, pixels, channels), a group has `width` channels.
#define NORM_SIZES uint images, pixels, channels, width, parts, part_pixels
// `parts`: a reduction over pixels is cut into that many stretches of part_pixels pixels.

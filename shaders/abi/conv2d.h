/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the convolution kernels are told. A pair is rows and columns in the signed halves of a word.
 *
 * The forward convolution and its gradient with respect to the input are one sum: with u the pixel in the
 * dispatch's grid,
 *     d[out_first + out_step*u] = sum over taps t of
 *         source[origin + pixel_step*u + tap_delta*t] * weight[tap_first + tap_step*t]
 * where what lies outside the source counts as zero. The gradient splits its pixels into classes by their
 * remainder modulo the stride, one dispatch each: the pixels of a class meet the same taps, and no others.
 */
#define SFT_CONV2D_OPERANDS(OPERAND)                                                                         \
    OPERAND(Stored, source)                                                                                  \
    OPERAND(Stored, weight)                                                                                  \
    OPERAND(Stored, bias) /* may be absent */                                                                \
    OPERAND(Stored, d)

/* Element of the weight: tap*weight_tap + group*weight_group + channel summed*weight_stride + column. The
 * last two change places in a transposed weight. */
#define SFT_CONV2D_WORDS(WORD)                                                                               \
    WORD(uint, images)                                                                                       \
    WORD(uint, grid)         /* pair: pixels of an image that this dispatch makes */                         \
    WORD(uint, size)         /* pair: of a source image */                                                   \
    WORD(uint, channels)     /* of the source */                                                             \
    WORD(uint, depth)        /* channels summed in a group */                                                \
    WORD(uint, columns)      /* channels made in a group */                                                  \
    WORD(uint, out_size)     /* pair: of an image of d */                                                    \
    WORD(uint, out_channels) /* of d */                                                                      \
    WORD(uint, out_first)    /* pair */                                                                      \
    WORD(uint, out_step)     /* pair */                                                                      \
    WORD(uint, origin)       /* pair */                                                                      \
    WORD(uint, pixel_step)   /* pair */                                                                      \
    WORD(uint, tap_delta)    /* pair */                                                                      \
    WORD(uint, tap_count)    /* pair: taps that the pixels of this dispatch meet */                          \
    WORD(uint, tap_first)    /* pair */                                                                      \
    WORD(uint, tap_step)     /* pair */                                                                      \
    WORD(uint, kernel)       /* pair: taps of the weight */                                                  \
    WORD(uint, weight_tap)                                                                                   \
    WORD(uint, weight_group)                                                                                 \
    WORD(uint, weight_stride)                                                                                \
    WORD(uint, relu)                                                                                         \
    WORD(uint, splits) /* parts of the sum, each with its own output */                                      \
    WORD(uint, part)   /* k of a part */

#define SFT_CONV2D_WHOLE_TAPS_ID 10 /* conv2d_tiled.comp, after those of gemm_tiled.glsl */

/* The gradient with respect to the weight. */
#define SFT_CONV2D_DW_OPERANDS(OPERAND)                                                                      \
    OPERAND(Stored, x)                                                                                       \
    OPERAND(Stored, dy)                                                                                      \
    OPERAND(Stored, d)

#define SFT_CONV2D_DW_WORDS(WORD)                                                                            \
    WORD(uint, images)                                                                                       \
    WORD(uint, grid)         /* pair: pixels of an image of dy */                                            \
    WORD(uint, size)         /* pair: of an image of x */                                                    \
    WORD(uint, channels)     /* of x */                                                                      \
    WORD(uint, depth)        /* channels of x in a group */                                                  \
    WORD(uint, columns)      /* channels of dy in a group */                                                 \
    WORD(uint, out_channels) /* of dy */                                                                     \
    WORD(uint, stride)       /* pair */                                                                      \
    WORD(uint, pad)          /* pair */                                                                      \
    WORD(uint, dilation)     /* pair */                                                                      \
    WORD(uint, kernel)       /* pair */                                                                      \
    WORD(uint, splits)       /* parts of the sum over pixels, one output each */                             \
    WORD(uint, part)         /* pixels of a part */

#define SFT_CONV2D_DW_WHOLE_LINES_ID 7 /* conv2d_dw_lanes.comp, after those of gemm_lanes.glsl */

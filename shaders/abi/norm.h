/* SPDX-License-Identifier: Apache-2.0 */
/* What the kernels of group norm and of batch norm's running statistics are told. x is (images, pixels,
 * channels). */
#define SFT_NORM_WORDS(WORD)                                                                                 \
    WORD(uint, images)                                                                                       \
    WORD(uint, pixels)                                                                                       \
    WORD(uint, channels)                                                                                     \
    WORD(uint, width)       /* channels of a group */                                                        \
    WORD(uint, parts)       /* stretches of pixels into which a reduction over pixels is cut */              \
    WORD(uint, part_pixels) /* pixels of a stretch */                                                        \
    WORD(float, epsilon)    /* for the kernels that make rstd */

/* norm_parts.comp: statistics of each channel over each stretch. */
#define SFT_NORM_PARTS_OPERANDS(OPERAND)                                                                     \
    OPERAND(Stored, x)                                                                                       \
    OPERAND(Stored, parts_out)

/* norm_merge.comp: statistics of each group from those. */
#define SFT_NORM_MERGE_OPERANDS(OPERAND)                                                                     \
    OPERAND(Stored, parts_in)                                                                                \
    OPERAND(Stored, mean)                                                                                    \
    OPERAND(Stored, rstd)

/* norm_direct.comp: statistics of each group from x. */
#define SFT_NORM_DIRECT_OPERANDS(OPERAND)                                                                    \
    OPERAND(Stored, x)                                                                                       \
    OPERAND(Stored, mean)                                                                                    \
    OPERAND(Stored, rstd)

/* norm_frozen.comp: statistics that are given. */
#define SFT_NORM_FROZEN_OPERANDS(OPERAND)                                                                    \
    OPERAND(Stored, mean_in)                                                                                 \
    OPERAND(Stored, variance)                                                                                \
    OPERAND(Stored, mean)                                                                                    \
    OPERAND(Stored, rstd)

#define SFT_NORM_FROZEN_WORDS(WORD)                                                                          \
    WORD(uint, count) /* groups of all images */                                                             \
    WORD(float, epsilon)

#define SFT_NORM_APPLY_OPERANDS(OPERAND)                                                                     \
    OPERAND(Stored, x)                                                                                       \
    OPERAND(Stored, gamma)                                                                                   \
    OPERAND(Stored, beta)                                                                                    \
    OPERAND(Stored, mean)                                                                                    \
    OPERAND(Stored, rstd)                                                                                    \
    OPERAND(Stored, y)

#define SFT_NORM_APPLY_VEC4_ID 1
#define SFT_NORM_APPLY_RELU_ID 2

/* norm_sums.comp: sums of the gradient by image, stretch and channel. */
#define SFT_NORM_SUMS_OPERANDS(OPERAND)                                                                      \
    OPERAND(Stored, x)                                                                                       \
    OPERAND(Stored, dy)                                                                                      \
    OPERAND(Stored, gamma)                                                                                   \
    OPERAND(Stored, beta)                                                                                    \
    OPERAND(Stored, mean)                                                                                    \
    OPERAND(Stored, rstd)                                                                                    \
    OPERAND(Stored, sums)

#define SFT_NORM_SUMS_RELU_ID 1

/* norm_means.comp: means over each group from those sums. */
#define SFT_NORM_MEANS_OPERANDS(OPERAND)                                                                     \
    OPERAND(Stored, gamma)                                                                                   \
    OPERAND(Stored, sums)                                                                                    \
    OPERAND(Stored, means)

#define SFT_NORM_DX_OPERANDS(OPERAND)                                                                        \
    OPERAND(Stored, x)                                                                                       \
    OPERAND(Stored, dy)                                                                                      \
    OPERAND(Stored, gamma)                                                                                   \
    OPERAND(Stored, beta)                                                                                    \
    OPERAND(Stored, mean)                                                                                    \
    OPERAND(Stored, rstd)                                                                                    \
    OPERAND(Stored, means) /* absent where the statistics are given */                                       \
    OPERAND(Stored, dx)

#define SFT_NORM_DX_VEC4_ID 1
#define SFT_NORM_DX_RELU_ID 2
#define SFT_NORM_DX_FROZEN_ID 3

#define SFT_RUNNING_UPDATE_OPERANDS(OPERAND)                                                                 \
    OPERAND(Stored, running_mean)                                                                            \
    OPERAND(Stored, running_variance)                                                                        \
    OPERAND(Stored, mean)                                                                                    \
    OPERAND(Stored, rstd)

#define SFT_RUNNING_UPDATE_WORDS(WORD)                                                                       \
    WORD(uint, count) /* channels */                                                                         \
    WORD(float, momentum)                                                                                    \
    WORD(float, epsilon)                                                                                     \
    WORD(float, correction) /* n/(n - 1) for n values a channel */

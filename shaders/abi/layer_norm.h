/* SPDX-License-Identifier: Apache-2.0 */
/* What the kernels of layer norm's gradient are told: x and dy are `rows` rows of `width` elements. */
#define SFT_LAYER_NORM_DX_OPERANDS(OPERAND)                                                                  \
    OPERAND(Stored, x)                                                                                       \
    OPERAND(Stored, dy)                                                                                      \
    OPERAND(Stored, gamma)                                                                                   \
    OPERAND(Stored, mean)                                                                                    \
    OPERAND(Stored, rstd)                                                                                    \
    OPERAND(Stored, dx)

/* layer_norm_sums.comp: dgamma and dbeta of each part of the rows. */
#define SFT_LAYER_NORM_SUMS_OPERANDS(OPERAND)                                                                \
    OPERAND(Stored, x)                                                                                       \
    OPERAND(Stored, dy)                                                                                      \
    OPERAND(Stored, mean)                                                                                    \
    OPERAND(Stored, rstd)                                                                                    \
    OPERAND(Stored, dgamma)                                                                                  \
    OPERAND(Stored, dbeta)

#define SFT_LAYER_NORM_WORDS(WORD)                                                                           \
    WORD(uint, rows)                                                                                         \
    WORD(uint, width)                                                                                        \
    WORD(uint, parts)                                                                                        \
    WORD(uint, part_rows)

/* SPDX-License-Identifier: Apache-2.0 */
/* What standardize.comp and standardize_grad.comp are told: w is (rows, channels). */
#define SFT_STANDARDIZE_OPERANDS(OPERAND)                                                                    \
    OPERAND(Stored, w)                                                                                       \
    OPERAND(Stored, y)                                                                                       \
    OPERAND(Stored, rstd)

#define SFT_STANDARDIZE_WORDS(WORD)                                                                          \
    WORD(uint, rows)                                                                                         \
    WORD(uint, channels)                                                                                     \
    WORD(float, epsilon)

#define SFT_STANDARDIZE_GRAD_OPERANDS(OPERAND)                                                               \
    OPERAND(Stored, dy)                                                                                      \
    OPERAND(Stored, y)                                                                                       \
    OPERAND(Stored, rstd)                                                                                    \
    OPERAND(Stored, dw)

#define SFT_STANDARDIZE_GRAD_WORDS(WORD)                                                                     \
    WORD(uint, rows)                                                                                         \
    WORD(uint, channels)

/* SPDX-License-Identifier: Apache-2.0 */
/* What dropout.comp and normal.comp are told. `key` is seed low, seed high, step, part. */
#define SFT_DROPOUT_OPERANDS(OPERAND)                                                                        \
    OPERAND(Stored, x)                                                                                       \
    OPERAND(U32, key)                                                                                        \
    OPERAND(Stored, y)

#define SFT_DROPOUT_WORDS(WORD)                                                                              \
    WORD(uint, count) /* elements of y */                                                                    \
    WORD(uint, stream)                                                                                       \
    WORD(uint, purpose)                                                                                      \
    WORD(float, probability) /* of zero */                                                                   \
    WORD(float, factor)      /* of what is kept */

#define SFT_NORMAL_OPERANDS(OPERAND)                                                                         \
    OPERAND(U32, key)                                                                                        \
    OPERAND(Stored, y)

#define SFT_NORMAL_WORDS(WORD)                                                                               \
    WORD(uint, count) /* elements of y */                                                                    \
    WORD(uint, stream)                                                                                       \
    WORD(uint, purpose)

/* SPDX-License-Identifier: Apache-2.0 */
/* What remove_rank_one.comp is told: `count` matrices X of (rows, columns). */
#define SFT_REMOVE_RANK_ONE_OPERANDS(OPERAND)                                                                \
    OPERAND(Stored, x)                                                                                       \
    OPERAND(Stored, start) /* first right vectors; may be absent */                                          \
    OPERAND(Stored, y)                                                                                       \
    OPERAND(Stored, quality)                                                                                 \
    OPERAND(Coherent, vectors) /* a left and a right one for each matrix */

#define SFT_REMOVE_RANK_ONE_WORDS(WORD)                                                                      \
    WORD(uint, count)                                                                                        \
    WORD(uint, rows)                                                                                         \
    WORD(uint, columns)                                                                                      \
    WORD(uint, first)  /* round of this dispatch */                                                          \
    WORD(uint, last)   /* the round after its last one */                                                    \
    WORD(uint, finish) /* whether y is made */

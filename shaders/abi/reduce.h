/* SPDX-License-Identifier: Apache-2.0 */
/* What reduce.comp is told. Axis 0 is the innermost one; the last axis has what the sizes before it leave. */
#define SFT_REDUCE_OPERANDS(OPERAND)                                                                         \
    OPERAND(Stored, x)                                                                                       \
    OPERAND(Stored, y)

#define SFT_REDUCE_WORDS(WORD)                                                                               \
    WORD(float, number)                                                                                      \
    WORD(uint, kept)      /* sums */                                                                         \
    WORD(uint, rows)      /* terms of a sum */                                                               \
    WORD(uint, parts)     /* of a sum, one result each */                                                    \
    WORD(uint, part_rows) /* terms of a part */                                                              \
    WORD(uint, kept_size[2])                                                                                 \
    WORD(uint, kept_stride[3])                                                                               \
    WORD(uint, size[2]) /* of the reduced axes */                                                            \
    WORD(uint, stride[3])

#define SFT_REDUCE_SQUARE_ID 2
#define SFT_REDUCE_ROOT_ID 3
#define SFT_REDUCE_AXES_ID 4

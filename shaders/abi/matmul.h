/* SPDX-License-Identifier: Apache-2.0 */
/* What the kernels of matmul are told: D = A B + bias for each matrix of a batch. */
#define SFT_MATMUL_OPERANDS(OPERAND)                                                                         \
    OPERAND(Stored, a)                                                                                       \
    OPERAND(Stored, b)                                                                                       \
    OPERAND(Stored, bias) /* may be absent */                                                                \
    OPERAND(Stored, d)

#define SFT_MATMUL_WORDS(WORD)                                                                               \
    WORD(uint, rows)                                                                                         \
    WORD(uint, columns)                                                                                      \
    WORD(uint, depth)    /* length of the sum */                                                             \
    WORD(uint, a_row)    /* elements from one row of A to the next; 1 for a transposed A */                  \
    WORD(uint, a_k)      /* elements from one k to the next; 1 for a plain A */                              \
    WORD(uint, b_stride) /* elements between rows of B as it lies in memory */                               \
    WORD(uint, relu)                                                                                         \
    WORD(uint, splits) /* parts of the sum, one output each */                                               \
    WORD(uint, part)   /* k of a part */                                                                     \
    WORD(uint, batch)

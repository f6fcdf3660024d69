/* SPDX-License-Identifier: Apache-2.0 */
/* What the kernels along rows are told: softmax.comp, row_loss.comp and their gradients. */
#define SFT_SOFTMAX_OPERANDS(OPERAND)                                                                        \
    OPERAND(Stored, x)                                                                                       \
    OPERAND(Stored, y)

#define SFT_SOFTMAX_GRAD_OPERANDS(OPERAND)                                                                   \
    OPERAND(Stored, dy)                                                                                      \
    OPERAND(Stored, y)                                                                                       \
    OPERAND(Stored, dx)

#define SFT_SOFTMAX_WORDS(WORD)                                                                              \
    WORD(uint, rows)                                                                                         \
    WORD(uint, width) /* elements of a row */

#define SFT_ROW_LOSS_OPERANDS(OPERAND)                                                                       \
    OPERAND(Stored, logits)                                                                                  \
    OPERAND(I32, labels)                                                                                     \
    OPERAND(Stored, loss)

#define SFT_ROW_LOSS_GRAD_OPERANDS(OPERAND)                                                                  \
    OPERAND(Stored, logits)                                                                                  \
    OPERAND(I32, labels)                                                                                     \
    OPERAND(Stored, dloss)                                                                                   \
    OPERAND(Stored, dlogits)

#define SFT_ROW_LOSS_WORDS(WORD)                                                                             \
    WORD(uint, rows)                                                                                         \
    WORD(uint, width) /* classes */                                                                          \
    WORD(float, energy_weight)                                                                               \
    WORD(float, energy_in)                                                                                   \
    WORD(float, energy_out)

#define SFT_ROW_LOSS_DISTANCE_ID 2

/* enum sft_distance of runtime/ops.h. */
#define SFT_DISTANCES(NUMBER)                                                                                \
    NUMBER(SFT_DISTANCE_OE, 0)                                                                               \
    NUMBER(SFT_DISTANCE_KL_PU, 1)                                                                            \
    NUMBER(SFT_DISTANCE_L2, 2)                                                                               \
    NUMBER(SFT_DISTANCE_JS, 3)                                                                               \
    NUMBER(SFT_DISTANCE_ENERGY, 4)                                                                           \
    NUMBER(SFT_DISTANCE_LOGITNORM, 5)

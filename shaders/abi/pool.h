/* SPDX-License-Identifier: Apache-2.0 */
/* What pool.comp and pool_grad.comp are told: x is (N,H,W,C), y is (N,P,Q,C), a window is R by S. */
#define SFT_POOL_OPERANDS(OPERAND)                                                                           \
    OPERAND(Stored, x)                                                                                       \
    OPERAND(Stored, y)                                                                                       \
    OPERAND(I32, index) /* place of each maximum; absent for an average */

#define SFT_POOL_GRAD_OPERANDS(OPERAND)                                                                      \
    OPERAND(Stored, dy)                                                                                      \
    OPERAND(I32, index)                                                                                      \
    OPERAND(Stored, dx)

#define SFT_POOL_WORDS(WORD)                                                                                 \
    WORD(uint, count) /* elements to be made: of y or of dx */                                               \
    WORD(uint, H)                                                                                            \
    WORD(uint, W)                                                                                            \
    WORD(uint, P)                                                                                            \
    WORD(uint, Q)                                                                                            \
    WORD(uint, C)                                                                                            \
    WORD(uint, R)                                                                                            \
    WORD(uint, S)                                                                                            \
    WORD(uint, stride_h)                                                                                     \
    WORD(uint, stride_w)                                                                                     \
    WORD(uint, pad_h)                                                                                        \
    WORD(uint, pad_w)

#define SFT_POOL_AVERAGE_ID 1
#define SFT_POOL_ZERO_PAD_ID 2 /* pool.comp only */

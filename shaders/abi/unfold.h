/* SPDX-License-Identifier: Apache-2.0 */
/* What unfold.comp is told: an image is (H,W,C), its patches are P*Q rows of C*kernel*kernel elements. */
#define SFT_UNFOLD_OPERANDS(OPERAND)                                                                         \
    OPERAND(Stored, x)                                                                                       \
    OPERAND(Stored, y)

#define SFT_UNFOLD_WORDS(WORD)                                                                               \
    WORD(uint, count) /* elements of y */                                                                    \
    WORD(uint, H)                                                                                            \
    WORD(uint, W)                                                                                            \
    WORD(uint, C)                                                                                            \
    WORD(uint, P)                                                                                            \
    WORD(uint, Q)                                                                                            \
    WORD(uint, kernel)                                                                                       \
    WORD(uint, stride)                                                                                       \
    WORD(uint, pad)

#define SFT_UNFOLD_ADJOINT_ID 1 /* patches to images */

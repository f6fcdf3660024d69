/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the kernels of attention are told. A row of q, k and v has `pitch` elements, one of y and dy `width`,
 * one of the gradients 3*width, of which each operand points at its third; a head's are `depth` of them.
 */
#define SFT_ATTENTION_OPERANDS(OPERAND)                                                                      \
    OPERAND(Stored, q)                                                                                       \
    OPERAND(Stored, k)                                                                                       \
    OPERAND(Stored, v)                                                                                       \
    OPERAND(Stored, y)                                                                                       \
    OPERAND(Stored, lse)

/* attention_dq_*.comp leaves D = dy.y of each query and head, shaped like lse. */
#define SFT_ATTENTION_DQ_OPERANDS(OPERAND)                                                                   \
    OPERAND(Stored, q)                                                                                       \
    OPERAND(Stored, k)                                                                                       \
    OPERAND(Stored, v)                                                                                       \
    OPERAND(Stored, dy)                                                                                      \
    OPERAND(Stored, y)                                                                                       \
    OPERAND(Stored, lse)                                                                                     \
    OPERAND(Stored, along)                                                                                   \
    OPERAND(Stored, dq)

#define SFT_ATTENTION_DKV_OPERANDS(OPERAND)                                                                  \
    OPERAND(Stored, q)                                                                                       \
    OPERAND(Stored, k)                                                                                       \
    OPERAND(Stored, v)                                                                                       \
    OPERAND(Stored, dy)                                                                                      \
    OPERAND(Stored, lse)                                                                                     \
    OPERAND(Stored, along)                                                                                   \
    OPERAND(Stored, dk)                                                                                      \
    OPERAND(Stored, dv)

#define SFT_ATTENTION_WORDS(WORD)                                                                            \
    WORD(uint, tokens)                                                                                       \
    WORD(uint, heads)  /* of an image */                                                                     \
    WORD(uint, blocks) /* work-groups that there is work for */                                              \
    WORD(uint, pitch)                                                                                        \
    WORD(uint, width)                                                                                        \
    WORD(float, scale)

#define SFT_ATTENTION_DEPTH_ID 1
#define SFT_ATTENTION_VEC_ID 2 /* every row of a head is whole aligned quads */

/* In the kernels for GPUs a work-group is SFT_ATTENTION_ACROSS lanes wide; a lane has SFT_ATTENTION_EACH rows
 * of its block, and SFT_ATTENTION_TILE rows of the other side pass by at a time. */
#define SFT_ATTENTION_ACROSS 8
#define SFT_ATTENTION_EACH 4
#define SFT_ATTENTION_TILE 32

/* SPDX-License-Identifier: Apache-2.0 */
/* What copy.comp is told. Axis 0 is the innermost one; the last axis has what the sizes before it leave. */
#define SFT_COPY_OPERANDS(OPERAND)                                                                           \
    OPERAND(U32, from)                                                                                       \
    OPERAND(U32, to)

#define SFT_COPY_WORDS(WORD)                                                                                 \
    WORD(uint, count) /* elements, or quads */                                                               \
    WORD(uint, from_start)                                                                                   \
    WORD(uint, to_start)                                                                                     \
    WORD(uint, size[4])                                                                                      \
    WORD(uint, from_stride[5])                                                                               \
    WORD(uint, to_stride[5])

#define SFT_COPY_VEC4_ID 1
#define SFT_COPY_AXES_ID 2

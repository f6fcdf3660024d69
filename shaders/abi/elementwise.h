/* SPDX-License-Identifier: Apache-2.0 */
/* What elementwise.comp is told, and the functions that it has. */
#define SFT_ELEMENTWISE_OPERANDS(OPERAND)                                                                    \
    OPERAND(Stored, a)                                                                                       \
    OPERAND(Stored, b)                                                                                       \
    OPERAND(Stored, y)

/* Axis 0 is the last one. */
#define SFT_ELEMENTWISE_WORDS(WORD)                                                                          \
    WORD(uint, count) /* elements of y */                                                                    \
    WORD(float, number)                                                                                      \
    WORD(uint, size[5])   /* of b as it is broadcast */                                                      \
    WORD(uint, stride[5]) /* of b; 0 where it repeats */

#define SFT_ELEMENTWISE_FUNCTION_ID 1
#define SFT_ELEMENTWISE_VEC4_ID 2
#define SFT_ELEMENTWISE_AXES_ID 3

/* Those from SFT_MAP_ADD on have a second operand. */
#define SFT_MAPS(NUMBER)                                                                                     \
    NUMBER(SFT_MAP_FILL, 0)                                                                                  \
    NUMBER(SFT_MAP_SCALE, 1)                                                                                 \
    NUMBER(SFT_MAP_RELU, 2)                                                                                  \
    NUMBER(SFT_MAP_GELU, 3)                                                                                  \
    NUMBER(SFT_MAP_SIGN, 4)                                                                                  \
    NUMBER(SFT_MAP_SQRT, 5)                                                                                  \
    NUMBER(SFT_MAP_EXP, 6)                                                                                   \
    NUMBER(SFT_MAP_ADD, 7)                                                                                   \
    NUMBER(SFT_MAP_MUL, 8)                                                                                   \
    NUMBER(SFT_MAP_DIV, 9)                                                                                   \
    NUMBER(SFT_MAP_RELU_GRAD, 10)                                                                            \
    NUMBER(SFT_MAP_GELU_GRAD, 11)                                                                            \
    NUMBER(SFT_MAP_REPEAT, 12)

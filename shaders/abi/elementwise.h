/* SPDX-License-Identifier: Apache-2.0 */
/* What elementwise.comp can do; included by GLSL and C. Those from ADD on have a second operand. */
#define SFT_MAP_FILL 0
#define SFT_MAP_SCALE 1
#define SFT_MAP_RELU 2
#define SFT_MAP_GELU 3
#define SFT_MAP_SIGN 4
#define SFT_MAP_SQRT 5
#define SFT_MAP_ADD 6
#define SFT_MAP_MUL 7
#define SFT_MAP_DIV 8
#define SFT_MAP_RELU_GRAD 9
#define SFT_MAP_GELU_GRAD 10
#define SFT_MAP_REPEAT 11

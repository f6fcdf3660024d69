/* SPDX-License-Identifier: Apache-2.0 */
/* What the two families of matrix products have in common (shaders/lib/gemm_lanes.glsl and gemm_tiled.glsl),
 * and what gemm_reduce.comp is told. */

/* Specialisation constants of gemm_lanes.glsl. */
#define SFT_LANES_COLUMNS_ID 1
#define SFT_LANES_VEC_A_ID 2
#define SFT_LANES_VEC_B_ID 3
#define SFT_LANES_VEC_D_ID 4
#define SFT_LANES_WHOLE_COLUMNS_ID 5
#define SFT_LANES_WHOLE_STEPS_ID 6

/* Specialisation constants of gemm_tiled.glsl. */
#define SFT_TILED_ROWS_ID 1
#define SFT_TILED_COLUMNS_ID 2
#define SFT_TILED_Y_ID 3
#define SFT_TILED_X_ID 4
#define SFT_TILED_VEC_A_ID 5
#define SFT_TILED_VEC_B_ID 6
#define SFT_TILED_TRANSPOSED_A_ID 7
#define SFT_TILED_TRANSPOSED_B_ID 8
#define SFT_TILED_VEC_D_ID 9

#define SFT_TILE_STEP 8 /* k of a tile that lie in shared memory at once */
#define SFT_TILE_PAD 4  /* unused elements behind each row of shared memory, against bank conflicts */

#define SFT_GEMM_REDUCE_OPERANDS(OPERAND)                                                                    \
    OPERAND(Stored, parts)                                                                                   \
    OPERAND(Stored, bias) /* may be absent */                                                                \
    OPERAND(Stored, d)

#define SFT_GEMM_REDUCE_WORDS(WORD)                                                                          \
    WORD(uint, count)   /* elements of d */                                                                  \
    WORD(uint, columns) /* of d and the bias */                                                              \
    WORD(uint, splits)  /* parts of the sum */                                                               \
    WORD(uint, relu)

#define SFT_GEMM_REDUCE_VEC4_ID 1

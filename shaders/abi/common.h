/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What every kernel and the host agree on. Files of this folder are included by GLSL and by C.
 *
 * A kernel's push constants are two lists, written once: NAME_OPERANDS(OPERAND) has a line
 * OPERAND(type, name) for each buffer, and NAME_WORDS(WORD) a line WORD(type, name) for each 32-bit word.
 * Kernels of one family may share a list. SFT_PUSH of shaders/lib/types.glsl makes the push-constant block of
 * both; SFT_VK_OPERANDS and SFT_VK_WORDS of runtime/vulkan/recorder.h make the structs that an op fills. A
 * list that mirrors an enum has lines NUMBER(name, value).
 *
 * A name that ends in _ID is the number of a specialisation constant.
 */

/* Bytes of a tensor's element in memory, and of a number that a kernel computes with; the types are `stored`
 * and `real` of shaders/lib/types.glsl. */
#define SFT_STORED_BYTES 4
#define SFT_REAL_BYTES 4

#define SFT_GROUP_SIZE_ID 0 /* work-group's size in x, in every kernel */
#define SFT_TX_ID 1         /* columns of a work-group, in kernels that include lib/columns.glsl */

/* SPDX-License-Identifier: Apache-2.0 */
/* Whole numbers in the byte order of the files that are read here. */
#ifndef SFT_LITTLE_ENDIAN_H
#define SFT_LITTLE_ENDIAN_H

#include <stddef.h>
#include <stdint.h>

/* The number in the first `size` (at most 8) of the bytes, least significant byte first. */
static inline uint64_t sft_little_endian(const uint8_t *bytes, size_t size)
{
    uint64_t value = 0;
    for (size_t i = 0; i < size; i++) value |= (uint64_t)bytes[i] << (8 * i);
    return value;
}

/* Puts the number there again. */
static inline void sft_put_little_endian(uint64_t value, uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) bytes[i] = (uint8_t)(value >> (8 * i));
}

#endif

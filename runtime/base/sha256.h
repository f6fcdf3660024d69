/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_SHA256_H
#define SFT_SHA256_H

#include <stddef.h>

/* SHA-256 (FIPS 180-4) as 64 hexadecimal digits and a zero. */
void sft_sha256(const void *data, size_t size, char hex[65]);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Vectors of SFT_LANES floats for the files that are compiled once for each instruction set. */
#ifndef SFT_CPU_VECTOR_H
#define SFT_CPU_VECTOR_H

#define SFT_PASTE_(a, b) a##b
#define SFT_PASTE(a, b) SFT_PASTE_(a, b)
#define SFT_STRING_(a) #a
#define SFT_STRING(a) SFT_STRING_(a)

typedef float vector __attribute__((vector_size(SFT_LANES * 4), aligned(4), may_alias));

static inline vector load(const float *p) { return *(const vector *)p; }
static inline void store(float *p, vector v) { *(vector *)p = v; }

#endif

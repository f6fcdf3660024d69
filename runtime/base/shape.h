/* SPDX-License-Identifier: Apache-2.0 */
/* Shapes: sizes of a contiguous tensor, slowest dimension first (images N,H,W,C; tokens B,N,C; filters
 * R,S,I,O). */
#ifndef SFT_SHAPE_H
#define SFT_SHAPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SFT_MAX_RANK = 5 };

struct sft_shape {
    int rank;
    int64_t dim[SFT_MAX_RANK];
};

enum sft_dtype { SFT_F32, SFT_I32 };

/* SFT_SHAPE(n, h, w, c) is a struct sft_shape. */
#define SFT_SHAPE(...)                                                                                       \
    ((struct sft_shape){(int)(sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t)), {__VA_ARGS__}})

/* Elements; 1 for rank 0. */
int64_t sft_shape_count(const struct sft_shape *shape);
bool sft_shape_equal(const struct sft_shape *a, const struct sft_shape *b);

/* Whether the shape has a valid rank, sizes of at least one, and a count whose bytes fit into 63 bits. */
bool sft_shape_valid(const struct sft_shape *shape);

/* Aligns `small` to the right of `big` and fills with ones in front, as broadcasting does: true when each
 * size then equals big's or is 1. `padded` (rank of big) may be NULL. */
bool sft_shape_broadcasts(const struct sft_shape *small, const struct sft_shape *big,
                          struct sft_shape *padded);

/* "2x3x4" into `text` (SFT_SHAPE_TEXT bytes); returns `text`. */
enum { SFT_SHAPE_TEXT = 128 };
const char *sft_shape_str(const struct sft_shape *shape, char *text);

size_t sft_dtype_size(enum sft_dtype dtype); /* bytes of an element */

#endif

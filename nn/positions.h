/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Position embeddings: a vector for the class token, then one for each place of a square grid, row by row.
 * Their number tells the size of the images that a network was made for, and another size needs others.
 */
#ifndef SFT_NN_POSITIONS_H
#define SFT_NN_POSITIONS_H

#include <stdint.h>

/* How the vectors for another size of image are made. */
enum sft_pos_embed {
    SFT_POS_EMBED_INTERP,    /* the class token's as it is, the grid's by bicubic interpolation */
    SFT_POS_EMBED_RECOMPUTE, /* all by the formula */
};
extern const char *const sft_pos_embed_words[];

/* Side of the grid of so many vectors; 0 where they are no square and one more. */
int sft_positions_side(int64_t vectors);

/* Vaswani et al. 2017, section 3.5, over the flattened sequence: element j of vector p is the sine (j even)
 * or cosine (j odd) of p / 10000^(2*floor(j/2)/width). `values` (vectors, width). */
void sft_positions_sinusoid(int64_t vectors, int64_t width, float *values);

/* `in` (1 + from*from, width) -> `out` (1 + to*to, width): Keys' cubic with a = -0.75 at pixel centres, edges
 * repeated, no smoothing where the grid shrinks, as torch.nn.functional.interpolate(mode="bicubic") has it.
 */
void sft_positions_resample(int from, int to, int64_t width, const float *in, float *out);

#endif

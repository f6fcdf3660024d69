/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a picture becomes the square that a model sees: part of what a network was trained with, as the mean
 * and deviation of its input are. Models carry it (nn/), and what reads pictures follows it (datasets/).
 *
 * With S the side of the square and F = floor(S / crop):
 *     squash       the picture is resized to F x F, its aspect ratio is not kept;
 *     short side   its shorter side becomes F pixels, the longer one floor(F * longer / shorter);
 * then S x S pixels are cut out of the middle, at half of what is left over, rounded to the even neighbour.
 * That is Resize(F) or Resize((F, F)) and CenterCrop(S) of torchvision on a Pillow image, and what timm makes
 * of its crop_pct.
 */
#ifndef SFT_FRAMING_H
#define SFT_FRAMING_H

#include "runtime/base/status.h"

enum sft_resize_rule { SFT_RESIZE_AUTO, SFT_RESIZE_SQUASH, SFT_RESIZE_SHORT_SIDE };

enum sft_filter {
    SFT_FILTER_AUTO,
    SFT_FILTER_BILINEAR, /* triangle, support 1 */
    SFT_FILTER_BICUBIC,  /* Keys' kernel with a = -0.5, support 2 */
};

/* Their words, in the order of the enum and up to a NULL: "auto", "squash", ... */
extern const char *const sft_resize_words[], *const sft_filter_words[];

/* A member of 0 (AUTO) is not said. */
struct sft_framing {
    enum sft_resize_rule resize;
    enum sft_filter interpolation;
    double crop; /* share of the side that is kept, above 0 and up to 1 */
};

/* The least crop that is taken. */
#define SFT_LEAST_CROP 0.05

/* What `over` says, and for what it does not say, `under`. */
struct sft_framing sft_framing_over(struct sft_framing over, struct sft_framing under);

/* The framing with all that it does not say filled in: the whole picture, squashed, bilinear. */
struct sft_framing sft_framing_complete(struct sft_framing framing);

/* Reads the words and the number that a file says, each NULL where it says nothing; `where` is for messages.
 * SFT_DATA for what is none of them. */
enum sft_status sft_framing_read(const char *resize, const char *interpolation, const char *crop,
                                 const char *where, struct sft_framing *framing) SFT_MUST_CHECK;

/* The shortest number that reads back as this crop, into text[32]; returns text. */
const char *sft_crop_text(double crop, char *text);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/base/framing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/base/words.h"

const char *const sft_resize_words[] = {"auto", "squash", "short-side", NULL};
const char *const sft_filter_words[] = {"auto", "bilinear", "bicubic", NULL};
SFT_ASSERT_WORDS(sft_resize_words, SFT_RESIZE_SHORT_SIDE);
SFT_ASSERT_WORDS(sft_filter_words, SFT_FILTER_BICUBIC);

struct sft_framing sft_framing_over(struct sft_framing over, struct sft_framing under)
{
    return (struct sft_framing){
        .resize = over.resize ? over.resize : under.resize,
        .interpolation = over.interpolation ? over.interpolation : under.interpolation,
        .crop = over.crop > 0 ? over.crop : under.crop,
    };
}

struct sft_framing sft_framing_complete(struct sft_framing framing)
{
    return sft_framing_over(framing, (struct sft_framing){SFT_RESIZE_SQUASH, SFT_FILTER_BILINEAR, 1.0});
}

/* The place of the word behind "auto"; leaves *place alone where there is no text. */
static enum sft_status read_word(const char *key, const char *text, const char *const *words,
                                 const char *where, int *place)
{
    for (int i = 1; text && words[i]; i++)
        if (strcmp(words[i], text) == 0) {
            *place = i;
            return SFT_OK;
        }
    if (!text) return SFT_OK;
    return sft_fail(SFT_DATA, "%s: \"%s\" is \"%.40s\"; there is %s and %s", where, key, text, words[1],
                    words[2]);
}

static enum sft_status read_crop(const char *text, const char *where, double *crop)
{
    char *end;
    if (!text) return SFT_OK;
    *crop = strtod(text, &end);
    if (end != text && *end == '\0' && *crop >= SFT_LEAST_CROP && *crop <= 1) return SFT_OK;
    return sft_fail(SFT_DATA, "%s: \"crop\" is \"%.40s\", not a number from %g to 1", where, text,
                    SFT_LEAST_CROP);
}

enum sft_status sft_framing_read(const char *resize, const char *interpolation, const char *crop,
                                 const char *where, struct sft_framing *framing)
{
    int rule = SFT_RESIZE_AUTO, filter = SFT_FILTER_AUTO;
    *framing = (struct sft_framing){.crop = 0};
    SFT_TRY(read_word("resize", resize, sft_resize_words, where, &rule));
    SFT_TRY(read_word("interpolation", interpolation, sft_filter_words, where, &filter));
    framing->resize = (enum sft_resize_rule)rule;
    framing->interpolation = (enum sft_filter)filter;
    return read_crop(crop, where, &framing->crop);
}

const char *sft_crop_text(double crop, char *text)
{
    int digits = 1;
    do snprintf(text, 32, "%.*g", digits++, crop);
    while (strtod(text, NULL) != crop && digits <= 17);
    return text;
}

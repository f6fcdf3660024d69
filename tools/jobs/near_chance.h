/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether a model classifies labelled images no better than guessing would: then its classes are numbered
 * otherwise than those of the data, its input is normalised otherwise, or the weights are of other classes,
 * and fine-tuning would teach it wrong labels.
 *
 * Images are drawn at random, a batch at a time, until one of two binomial tests tells at the level 0.001:
 *     above    as many right answers would be rarer from guessing, with a probability of 1/C each;
 *     near     as few would be rarer from a model that is a tenth of the way from guessing to perfect,
 *              with 1/C + (1 - 1/C)/10.
 * Of 1000 classes 65 images without a right answer tell. Where neither does after SFT_NEAR_CHANCE_IMAGES or
 * all images of the set, it is not known.
 */
#ifndef SFT_NEAR_CHANCE_H
#define SFT_NEAR_CHANCE_H

#include "datasets/dataset.h"
#include "nn/model.h"
#include "runtime/base/json.h"
#include "tools/jobs/watch.h"

enum { SFT_NEAR_CHANCE_IMAGES = 1024 };

enum sft_chance { SFT_CHANCE_UNKNOWN, SFT_CHANCE_ABOVE, SFT_CHANCE_NEAR };

struct sft_near_chance {
    int64_t images, right;
    enum sft_chance verdict;
};

/* What the tests tell of `right` answers for `images` images of `classes` classes. */
enum sft_chance sft_chance_of(int64_t images, int64_t right, int classes);

/* Draws labelled images of `id`, whose labels are below the model's classes; pictures that cannot be read do
 * not count. SFT_INTERRUPTED where `watch`, which may be NULL, stops it. */
enum sft_status sft_near_chance_test(struct sft_model *model, const struct sft_dataset *id,
                                     const struct sft_watch *watch,
                                     struct sft_near_chance *found) SFT_MUST_CHECK;

/* Says what was found; SFT_DATA, with what may be wrong, where it is near chance and `force` is not set. */
enum sft_status sft_near_chance_judge(const struct sft_near_chance *found, const struct sft_model *model,
                                      const struct sft_dataset *id, bool force) SFT_MUST_CHECK;

/* Adds "accuracy_before": images, right, and a word for the verdict. */
void sft_near_chance_json(const struct sft_near_chance *found, struct sft_json *json);

#endif

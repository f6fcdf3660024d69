/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether the classes of a data set are those of a model.
 *
 * Labels are numbers. A folder's are the places of its class folders, so that a class too many or too few
 * gives all behind it the label of a neighbour; a list says its numbers itself. Names tell, where both sides
 * have them (nn/class_names.h).
 */
#ifndef SFT_CLASSES_H
#define SFT_CLASSES_H

#include "datasets/dataset.h"
#include "nn/model.h"

/* Where both sides have names, and the model has all of the set's, but in another order or among others, the
 * set is relabelled by name, and this is said: it then has the model's classes.
 * Else warns of names that are not the model's, with the first difference. With `labels_matter` (for training
 * and accuracy) SFT_DATA for more classes than the model has, and for fewer, but where they are mere numbers
 * or the model's first, or go by name. Nothing is read but the set's names. */
enum sft_status sft_classes_check(struct sft_dataset *set, const struct sft_model *model,
                                  bool labels_matter) SFT_MUST_CHECK;

/* Gives the model's classes the names of the set's, where they have none, and the set has a name for each
 * that is no mere number. */
enum sft_status sft_classes_name(struct sft_model *model, const struct sft_dataset *set) SFT_MUST_CHECK;

#endif

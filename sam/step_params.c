/* SPDX-License-Identifier: Apache-2.0 */
#include "sam/step_params.h"

#include <stddef.h>

#include "runtime/base/words.h"

const char *const sft_norm_scope_words[] = {"all", "no-final", "weight-only", "bias-only", "by-name", NULL};
const char *const sft_trained_words[] = {"all", "norm", "head", "last-block", NULL};
const char *const sft_first_loss_words[] = {"full", "id", "ood", NULL};
const char *const sft_sam_empty_words[] = {"error", "sgd", "all", NULL};

SFT_ASSERT_WORDS(sft_norm_scope_words, SFT_SCOPE_BY_NAME);
SFT_ASSERT_WORDS(sft_trained_words, SFT_TRAIN_LAST_BLOCK);
SFT_ASSERT_WORDS(sft_first_loss_words, SFT_FIRST_OOD);
SFT_ASSERT_WORDS(sft_sam_empty_words, SFT_EMPTY_ALL);

/* SPDX-License-Identifier: Apache-2.0 */
/* What is said about a model in a checkpoint's metadata: keys with texts, made from values. */
#ifndef SFT_NN_HEADER_H
#define SFT_NN_HEADER_H

#include "nn/checkpoint/stored.h"
#include "nn/class_names.h"
#include "runtime/base/framing.h"

/* Starts as {0}; release with sft_header_free(). */
struct sft_header {
    struct sft_metadata *pairs; /* (n) owned with their texts */
    size_t n;
    size_t room; /* private */
};

void sft_header_free(struct sft_header *header);
bool sft_header_has(const struct sft_header *header, const char *key);

/* Each appends a key that is not there yet. Numbers are the shortest that read back as themselves; channels
 * are "R,G,B"; a framing is resize, interpolation and crop; names are a JSON array under class_names. */
enum sft_status sft_header_text(struct sft_header *header, const char *key, const char *value) SFT_MUST_CHECK;
enum sft_status sft_header_integer(struct sft_header *header, const char *key, int value) SFT_MUST_CHECK;
enum sft_status sft_header_number(struct sft_header *header, const char *key, float value) SFT_MUST_CHECK;
enum sft_status sft_header_channels(struct sft_header *header, const char *key,
                                    const float values[3]) SFT_MUST_CHECK;
enum sft_status sft_header_framing(struct sft_header *header, struct sft_framing framing) SFT_MUST_CHECK;
enum sft_status sft_header_class_names(struct sft_header *header,
                                       const struct sft_class_names *names) SFT_MUST_CHECK;

#endif

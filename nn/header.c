/* SPDX-License-Identifier: Apache-2.0 */
#include "nn/header.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/base/alloc.h"

enum { NUMBER = 24 };

void sft_header_free(struct sft_header *header)
{
    for (size_t i = 0; i < header->n; i++) {
        free((char *)header->pairs[i].key);
        free((char *)header->pairs[i].value);
    }
    free(header->pairs);
    *header = (struct sft_header){0};
}

bool sft_header_has(const struct sft_header *header, const char *key)
{
    for (size_t i = 0; i < header->n; i++)
        if (strcmp(header->pairs[i].key, key) == 0) return true;
    return false;
}

enum sft_status sft_header_text(struct sft_header *header, const char *key, const char *value)
{
    struct sft_metadata pair;
    SFT_TRY(sft_grow(&header->pairs, &header->room, header->n + 1, sizeof(*header->pairs)));
    pair = (struct sft_metadata){sft_strdup(key), sft_strdup(value)};
    if (pair.key && pair.value) {
        header->pairs[header->n++] = pair;
        return SFT_OK;
    }
    free((char *)pair.key);
    free((char *)pair.value);
    return SFT_MEMORY;
}

enum sft_status sft_header_integer(struct sft_header *header, const char *key, int value)
{
    char text[NUMBER];
    snprintf(text, sizeof(text), "%d", value);
    return sft_header_text(header, key, text);
}

/* The shortest number that reads back as this one. */
static const char *shortest(float value, char text[NUMBER])
{
    int digits = 1;
    do snprintf(text, NUMBER, "%.*g", digits++, (double)value);
    while (strtof(text, NULL) != value && digits <= 9);
    return text;
}

enum sft_status sft_header_number(struct sft_header *header, const char *key, float value)
{
    char text[NUMBER];
    return sft_header_text(header, key, shortest(value, text));
}

enum sft_status sft_header_channels(struct sft_header *header, const char *key, const float values[3])
{
    char numbers[3][NUMBER], text[4 * NUMBER];
    for (int c = 0; c < 3; c++) shortest(values[c], numbers[c]);
    snprintf(text, sizeof(text), "%s,%s,%s", numbers[0], numbers[1], numbers[2]);
    return sft_header_text(header, key, text);
}

enum sft_status sft_header_framing(struct sft_header *header, struct sft_framing framing)
{
    char crop[32];
    SFT_TRY(sft_header_text(header, "resize", sft_resize_words[framing.resize]));
    SFT_TRY(sft_header_text(header, "interpolation", sft_filter_words[framing.interpolation]));
    return sft_header_text(header, "crop", sft_crop_text(framing.crop, crop));
}

enum sft_status sft_header_class_names(struct sft_header *header, const struct sft_class_names *names)
{
    struct sft_json json = {0};
    struct sft_text text = {0};
    enum sft_status status;
    sft_class_names_to_json(names, NULL, &json);
    sft_json_dump(&json, JSON_COMPACT, &text);
    sft_json_free(&json);
    status = text.status;
    if (status == SFT_OK) status = sft_header_text(header, "class_names", text.data);
    sft_text_free(&text);
    return status;
}

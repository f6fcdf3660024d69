/* SPDX-License-Identifier: Apache-2.0 */
#include "nn/checkpoint/metadata.h"

#include <stdlib.h>
#include <string.h>

#include "runtime/base/alloc.h"
#include "runtime/base/json.h"
#include "runtime/base/json_parse.h"

static enum sft_status take(struct sft_checkpoint *checkpoint, json_t *object)
{
    const char *key;
    json_t *value;
    checkpoint->metadata = sft_calloc(json_object_size(object), sizeof(*checkpoint->metadata));
    if (!checkpoint->metadata) return SFT_MEMORY;
    json_object_foreach(object, key, value)
    {
        char *text;
        struct sft_metadata *to = &checkpoint->metadata[checkpoint->n_metadata];
        if (!json_is_string(value))
            return sft_fail(SFT_DATA, "%s: metadata \"%.200s\" is no string", checkpoint->path, key);
        text = sft_json_bytes(value);
        to->key = sft_checkpoint_own_text(checkpoint, key, strlen(key));
        to->value = text ? sft_checkpoint_own_text(checkpoint, text, strlen(text)) : NULL;
        free(text);
        if (!to->key || !to->value) return SFT_MEMORY;
        checkpoint->n_metadata++;
    }
    return SFT_OK;
}

enum sft_status sft_metadata_read(struct sft_checkpoint *checkpoint, const struct sft_bytes *bytes)
{
    json_error_t error;
    json_t *object = sft_json_parse((const char *)bytes->data, bytes->size, JSON_REJECT_DUPLICATES, &error);
    enum sft_status status;
    if (!object && sft_json_lacks_memory(&error))
        return sft_fail(SFT_MEMORY, "%s: out of memory for the metadata", checkpoint->path);
    if (!json_is_object(object))
        status = sft_fail(SFT_DATA, "%s: its metadata are no JSON object", checkpoint->path);
    else
        status = take(checkpoint, object);
    json_decref(object);
    return status;
}

enum sft_status sft_metadata_text(const struct sft_metadata *metadata, size_t n, struct sft_text *text)
{
    struct sft_json json = {0};
    sft_json_object(&json, NULL);
    for (size_t i = 0; i < n; i++) sft_json_text(&json, metadata[i].key, metadata[i].value);
    sft_json_end(&json);
    sft_json_dump(&json, JSON_COMPACT | JSON_ENSURE_ASCII, text);
    sft_json_free(&json);
    return text->status;
}

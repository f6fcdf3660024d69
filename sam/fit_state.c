/* SPDX-License-Identifier: Apache-2.0 */
#include "sam/fit_state.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nn/checkpoint/safetensors.h"
#include "runtime/base/alloc.h"
#include "runtime/base/text.h"

/* The texts of a state: keys of the file's metadata. The hash covers those before it. */
enum { FORMAT, MODEL, STEP, IDENTITY, HISTORY, HASH, WORDS };
static const char *const keys[WORDS] = {
    [FORMAT] = "format",     [MODEL] = "model",     [STEP] = "step",
    [IDENTITY] = "identity", [HISTORY] = "history", [HASH] = "sha256",
};
static const char format[] = "sft-vk state 2";

enum { MAX_TENSORS = 2 + SFT_MAX_STATES };

/* The tensors of a state and their names, by which they are sorted, as in an open file. */
struct parts {
    int n;
    struct sft_tensor *tensors[MAX_TENSORS];
    const char *names[MAX_TENSORS];
};

static void add_part(struct parts *parts, const char *name, struct sft_tensor *tensor)
{
    parts->names[parts->n] = name;
    parts->tensors[parts->n++] = tensor;
}

static struct parts list_parts(const struct sft_model *model, const struct sft_step *step)
{
    static const char *const state_names[SFT_MAX_STATES] = {"state.0", "state.1", "state.2"};
    struct parts parts = {.n = 0};
    int n_states;
    struct sft_tensor *const *states = sft_step_states(step, &n_states);
    if (model->parameters.buffers) add_part(&parts, "buffers", model->parameters.buffers);
    for (int i = 0; i < n_states; i++) add_part(&parts, state_names[i], states[i]);
    add_part(&parts, "weights", model->parameters.weights);
    return parts;
}

/* ---- the hash ---- */

/* Of the texts before it and of the tensors, each with its name and size. */
static enum sft_status hash_state(const struct sft_stored_tensor *tensors, size_t n,
                                  const char *const texts[WORDS], char hex[65])
{
    struct sft_text text = {0};
    enum sft_status status;
    for (int i = 0; i < HASH; i++) {
        sft_sha256(texts[i], strlen(texts[i]), hex);
        sft_text_printf(&text, "%s %s\n", keys[i], hex);
    }
    for (size_t i = 0; i < n; i++) {
        sft_sha256(tensors[i].data, tensors[i].bytes, hex);
        sft_text_printf(&text, "%s %zu %s\n", tensors[i].name, tensors[i].bytes, hex);
    }
    status = text.status;
    if (status == SFT_OK) sft_sha256(text.data, text.length, hex);
    sft_text_free(&text);
    return status;
}

/* ---- saving ---- */

static enum sft_status take_tensor(struct sft_tensor *tensor, const char *name,
                                   struct sft_stored_tensor *stored)
{
    float *data;
    *stored = (struct sft_stored_tensor){
        .name = name,
        .dtype = SFT_STORED_F32,
        .shape = tensor->shape,
        .data = sft_tensor_address(tensor),
        .bytes = tensor->bytes,
    };
    if (stored->data) return SFT_OK;
    data = sft_calloc((size_t)sft_shape_count(&tensor->shape), sizeof(float));
    stored->data = data;
    if (!data) return SFT_MEMORY;
    return sft_tensor_download(tensor, 0, sft_shape_count(&tensor->shape), data);
}

static enum sft_status write_state(const char *path, const struct sft_stored_tensor *tensors, size_t n,
                                   const char *words[WORDS])
{
    struct sft_metadata metadata[WORDS];
    char hex[65];
    SFT_TRY(hash_state(tensors, n, words, hex));
    words[HASH] = hex;
    for (int i = 0; i < WORDS; i++) metadata[i] = (struct sft_metadata){keys[i], words[i]};
    return sft_safetensors_write(path, tensors, n, metadata, WORDS);
}

enum sft_status sft_fit_state_save(const char *path, struct sft_model *model, const struct sft_step *step,
                                   const struct sft_fit_note *note)
{
    const struct parts parts = list_parts(model, step);
    struct sft_stored_tensor tensors[MAX_TENSORS] = {{0}};
    char number[32];
    const char *texts[WORDS] = {
        [FORMAT] = format,
        [MODEL] = model->variant->name,
        [STEP] = number,
        [IDENTITY] = note->identity ? note->identity : "",
        [HISTORY] = note->history ? note->history : "",
    };
    enum sft_status status = SFT_OK;
    snprintf(number, sizeof(number), "%" PRId64, note->step);
    for (int i = 0; status == SFT_OK && i < parts.n; i++)
        status = take_tensor(parts.tensors[i], parts.names[i], &tensors[i]);
    if (status == SFT_OK) status = write_state(path, tensors, (size_t)parts.n, texts);
    for (int i = 0; i < parts.n; i++)
        if (tensors[i].data != sft_tensor_address(parts.tensors[i])) free((void *)tensors[i].data);
    return status;
}

/* ---- opening ---- */

static enum sft_status check_state(struct sft_fit_state *state)
{
    const struct sft_checkpoint *file = state->file;
    const char *words[WORDS];
    char hex[65], *end = NULL;
    for (int i = 0; i < WORDS; i++) words[i] = sft_checkpoint_metadata(file, keys[i]);
    if (!words[FORMAT] || strcmp(words[FORMAT], format) != 0)
        return sft_fail(SFT_DATA, "%s: not the state of a run of this version of sft-vk", file->path);
    for (int i = 0; i < WORDS; i++)
        if (!words[i]) return sft_fail(SFT_DATA, "%s: damaged: its header lacks \"%s\"", file->path, keys[i]);
    SFT_TRY(hash_state(file->tensors, file->n_tensors, words, hex));
    state->note = (struct sft_fit_note){
        .step = strtoll(words[STEP], &end, 10),
        .identity = words[IDENTITY],
        .history = words[HISTORY],
    };
    if (strcmp(hex, words[HASH]) == 0 && state->note.step >= 0 && end != words[STEP] && !*end) return SFT_OK;
    return sft_fail(SFT_DATA, "%s: damaged: its content is not what was written", file->path);
}

enum sft_status sft_fit_state_open(const char *path, struct sft_fit_state *state)
{
    *state = (struct sft_fit_state){.file = NULL};
    SFT_TRY(sft_checkpoint_open(path, &state->file));
    return check_state(state);
}

void sft_fit_state_close(struct sft_fit_state *state)
{
    sft_checkpoint_close(&state->file);
    *state = (struct sft_fit_state){.file = NULL};
}

/* ---- loading ---- */

static enum sft_status load_tensor(const struct sft_checkpoint *file, const char *name,
                                   struct sft_tensor *tensor)
{
    const struct sft_stored_tensor *stored = sft_checkpoint_find(file, name);
    enum sft_status status;
    float *data;
    if (!stored || sft_shape_count(&stored->shape) != sft_shape_count(&tensor->shape))
        return sft_fail(SFT_DATA, "%s: %s is missing or has another size", file->path, name);
    data = sft_calloc((size_t)sft_shape_count(&tensor->shape), sizeof(float));
    if (!data) return SFT_MEMORY;
    status = sft_stored_read(stored, data);
    if (status == SFT_OK) status = sft_tensor_upload(tensor, 0, sft_shape_count(&tensor->shape), data);
    free(data);
    return status;
}

enum sft_status sft_fit_state_load(const struct sft_fit_state *state, struct sft_model *model,
                                   struct sft_step *step)
{
    const struct sft_checkpoint *file = state->file;
    const struct parts parts = list_parts(model, step);
    const char *name = sft_checkpoint_metadata(file, keys[MODEL]);
    if (strcmp(name, model->variant->name) != 0)
        return sft_fail(SFT_DATA, "%s: belongs to a run of %s, not %s", file->path, name,
                        model->variant->name);
    for (int i = 0; i < parts.n; i++) SFT_TRY(load_tensor(file, parts.names[i], parts.tensors[i]));
    return SFT_OK;
}

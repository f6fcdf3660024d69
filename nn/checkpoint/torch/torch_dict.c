/* SPDX-License-Identifier: Apache-2.0 */
#include "nn/checkpoint/torch/torch_dict.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "runtime/base/alloc.h"
#include "runtime/base/log.h"
#include "runtime/base/text.h"

/* ---- which dictionary ---- */

/* What training programs call the weights, the averaged ones first, as those who trained them use those. */
static const char *const usual[] = {"state_dict_ema", "model_ema", "ema_state_dict",   "state_dict",
                                    "model",          "net",       "model_state_dict", "network",
                                    "weights",        "params"};
enum { USUAL = sizeof(usual) / sizeof(usual[0]) };

/* Dictionaries of tensors that were found. */
enum { MAX_FOUND = 32, MAX_KEY = 128 };
struct found {
    struct {
        char key[MAX_KEY]; /* "" for the file's own */
        uint32_t node;
        size_t tensors;
    } items[MAX_FOUND];
    int n;
};

static const struct sft_node *node_at(const struct sft_pickle *pickle, uint32_t node)
{
    return sft_node_at(pickle, node);
}

static uint32_t pairs_of(const struct sft_node *node)
{
    return node->kind == SFT_NODE_DICT ? node->n / 2 : 0;
}

/* How many tensors a dictionary holds under names. */
static size_t count_tensors(const struct sft_pickle *pickle, uint32_t node)
{
    const struct sft_node *dict = node_at(pickle, node);
    size_t count = 0;
    for (uint32_t i = 0; i < pairs_of(dict); i++)
        count += node_at(pickle, dict->is.items[2 * i])->kind == SFT_NODE_TEXT &&
                 node_at(pickle, dict->is.items[2 * i + 1])->kind == SFT_NODE_TENSOR;
    return count;
}

/* What a dictionary has under a key; of several the last, as Python has it. None (0) where there is nothing.
 */
static uint32_t value_of(const struct sft_pickle *pickle, uint32_t node, const char *key)
{
    const struct sft_node *dict = node_at(pickle, node);
    for (uint32_t i = pairs_of(dict); i-- > 0;)
        if (sft_node_is(pickle, dict->is.items[2 * i], key)) return dict->is.items[2 * i + 1];
    return 0;
}

static void add_found(struct found *found, const char *front, const struct sft_node *key, uint32_t node,
                      size_t tensors)
{
    if (tensors == 0 || found->n >= MAX_FOUND) return;
    snprintf(found->items[found->n].key, MAX_KEY, "%s%s%.*s", front, *front ? "/" : "",
             key ? (int)(key->is.text.size < 60 ? key->is.text.size : 60) : 0,
             key ? (const char *)key->is.text.bytes : "");
    found->items[found->n].node = node;
    found->items[found->n++].tensors = tensors;
}

/* The dictionaries of tensors that are values of this one. */
static void find_children(const struct sft_pickle *pickle, uint32_t node, const char *front,
                          struct found *found)
{
    const struct sft_node *dict = node_at(pickle, node);
    for (uint32_t i = 0; i < pairs_of(dict); i++) {
        const struct sft_node *key = node_at(pickle, dict->is.items[2 * i]);
        if (key->kind == SFT_NODE_TEXT)
            add_found(found, front, key, dict->is.items[2 * i + 1],
                      count_tensors(pickle, dict->is.items[2 * i + 1]));
    }
}

/* Those a floor below. */
static void find_grandchildren(const struct sft_pickle *pickle, uint32_t top, struct found *found)
{
    const struct sft_node *dict = node_at(pickle, top);
    for (uint32_t i = 0; i < pairs_of(dict); i++) {
        const struct sft_node *key = node_at(pickle, dict->is.items[2 * i]);
        char front[MAX_KEY];
        if (key->kind != SFT_NODE_TEXT) continue;
        snprintf(front, sizeof(front), "%.*s", (int)(key->is.text.size < 60 ? key->is.text.size : 60),
                 (const char *)key->is.text.bytes);
        find_children(pickle, dict->is.items[2 * i + 1], front, found);
    }
}

/* The dictionaries that may be meant, those nearest to the top. A tensor or two beside a dictionary of them
 * (the best accuracy) make no dictionary of weights of what holds both. */
static void find_all(const struct sft_pickle *pickle, uint32_t top, struct found *found)
{
    const size_t own = count_tensors(pickle, top);
    find_children(pickle, top, "", found);
    if (found->n == 0 || 2 * own > pairs_of(node_at(pickle, top))) add_found(found, "", NULL, top, own);
    if (found->n == 0) find_grandchildren(pickle, top, found);
}

static int find_usual(const struct found *found)
{
    for (int k = 0; k < USUAL; k++)
        for (int i = found->n - 1; i >= 0; i--)
            if (strcmp(found->items[i].key, usual[k]) == 0) return i;
    return found->n == 1 ? 0 : -1;
}

/* "a" (62 tensors), "b" (9 tensors): all but number `except`. */
static void list_found(struct sft_text *text, const struct found *found, int except)
{
    const char *comma = "";
    for (int i = 0; i < found->n; i++) {
        if (i == except) continue;
        sft_text_printf(text, "%s\"%s\" (%zu tensors)", comma, found->items[i].key, found->items[i].tensors);
        comma = ", ";
    }
}

static void tell_choice(const struct sft_checkpoint *checkpoint, const struct found *found, int chosen)
{
    struct sft_text others = {0};
    if (found->n < 2) return;
    list_found(&others, found, chosen);
    if (others.status == SFT_OK)
        sft_log(SFT_LOG_INFO,
                "%s: the weights are those of \"%s\" (%zu tensors); there are others: %s; %s#KEY takes those",
                checkpoint->path, found->items[chosen].key, found->items[chosen].tensors, others.data,
                checkpoint->path);
    sft_text_free(&others);
}

static enum sft_status ask(const struct sft_checkpoint *checkpoint, const struct found *found)
{
    struct sft_text text = {0};
    list_found(&text, found, -1);
    if (text.status == SFT_OK)
        sft_fail(SFT_DATA, "%s holds several dictionaries of tensors: %s; choose one of them: %s#KEY",
                 checkpoint->path, text.data, checkpoint->path);
    sft_text_free(&text);
    return SFT_DATA;
}

/* An object at the top, or where the weights should be. */
static uint32_t find_object(const struct sft_pickle *pickle, uint32_t top)
{
    if (node_at(pickle, top)->kind == SFT_NODE_OBJECT) return top;
    for (int k = 0; k < USUAL; k++) {
        const uint32_t value = value_of(pickle, top, usual[k]);
        if (node_at(pickle, value)->kind == SFT_NODE_OBJECT) return value;
    }
    return 0;
}

static enum sft_status no_tensors(const struct sft_checkpoint *checkpoint, const struct sft_pickle *pickle,
                                  uint32_t top)
{
    const uint32_t object = find_object(pickle, top);
    char name[SFT_GLOBAL_TEXT];
    if (object)
        return sft_fail(SFT_DATA,
                        "%s holds a whole model, an object of class %s, which only Python can make: save its "
                        "weights there with torch.save(model.state_dict(), \"W.pth\")",
                        checkpoint->path, sft_node_global(pickle, object, name));
    return sft_fail(SFT_DATA,
                    "%s holds no dictionary of tensors: save one with torch.save(model.state_dict(), "
                    "\"W.pth\")",
                    checkpoint->path);
}

/* The dictionary under "a" or "a/b". */
static enum sft_status find_wanted(const struct sft_checkpoint *checkpoint, const struct sft_pickle *pickle,
                                   uint32_t top, const struct found *found, uint32_t *dict)
{
    struct sft_text text = {0};
    const char *slash = strchr(checkpoint->wanted, '/');
    char front[MAX_KEY];
    snprintf(front, sizeof(front), "%.*s", slash ? (int)(slash - checkpoint->wanted) : MAX_KEY - 1,
             checkpoint->wanted);
    *dict = value_of(pickle, top, checkpoint->wanted);
    if (!*dict && slash) *dict = value_of(pickle, value_of(pickle, top, front), slash + 1);
    if (!*checkpoint->wanted) *dict = top;
    if (count_tensors(pickle, *dict)) return SFT_OK;
    list_found(&text, found, -1);
    sft_fail(SFT_DATA, "%s: nothing under \"%s\" is a dictionary of tensors; there %s %s", checkpoint->path,
             checkpoint->wanted, found->n == 1 ? "is" : "are", text.data ? text.data : "none");
    sft_text_free(&text);
    return SFT_DATA;
}

static enum sft_status choose(struct sft_checkpoint *checkpoint, const struct sft_pickle *pickle,
                              uint32_t top, uint32_t *dict)
{
    struct found found = {.n = 0};
    const char *key = checkpoint->wanted;
    int chosen;
    find_all(pickle, top, &found);
    if (key) {
        SFT_TRY(find_wanted(checkpoint, pickle, top, &found, dict));
    } else {
        if (found.n == 0) return no_tensors(checkpoint, pickle, top);
        chosen = find_usual(&found);
        if (chosen < 0) return ask(checkpoint, &found);
        tell_choice(checkpoint, &found, chosen);
        *dict = found.items[chosen].node;
        key = found.items[chosen].key;
    }
    checkpoint->key = sft_checkpoint_own_text(checkpoint, key, strlen(key));
    return checkpoint->key ? SFT_OK : SFT_MEMORY;
}

/* The keys at the top, of which files of a kind have the same; a few are enough to tell. */
static enum sft_status keep_keys(struct sft_checkpoint *checkpoint, const struct sft_pickle *pickle,
                                 uint32_t top)
{
    enum { MOST = 64 };
    const struct sft_node *dict = node_at(pickle, top);
    struct sft_text text = {0};
    for (uint32_t i = 0; i < pairs_of(dict) && i < MOST; i++) {
        const struct sft_node *key = node_at(pickle, dict->is.items[2 * i]);
        if (key->kind != SFT_NODE_TEXT || memchr(key->is.text.bytes, '\n', key->is.text.size)) continue;
        sft_text_add_bytes(&text, key->is.text.bytes, key->is.text.size);
        sft_text_add(&text, "\n");
    }
    if (text.status == SFT_OK && text.data) {
        checkpoint->keys = sft_checkpoint_own_text(checkpoint, text.data, text.length);
        if (!checkpoint->keys) text.status = SFT_MEMORY;
    }
    sft_text_free(&text);
    return text.status;
}

/* ---- its tensors ---- */

/* A view of more numbers than this is no tensor of its storage, but a way to ask for memory. */
enum { MOST_EXPANDED = 1 << 24 };

/* The last element that a tensor reaches; false where that is beyond all numbers. */
static bool last_element(const struct sft_pickle_tensor *tensor, int64_t *last)
{
    *last = tensor->offset;
    for (int i = 0; i < tensor->shape.rank; i++) {
        int64_t reach;
        if (__builtin_mul_overflow(tensor->shape.dim[i] - 1, tensor->stride[i], &reach) ||
            __builtin_add_overflow(*last, reach, last))
            return false;
    }
    return true;
}

/* Strides of sizes of one do not count. */
static bool is_packed(const struct sft_pickle_tensor *tensor)
{
    int64_t apart = 1;
    for (int i = tensor->shape.rank - 1; i >= 0; i--) {
        if (tensor->shape.dim[i] != 1 && tensor->stride[i] != apart) return false;
        apart *= tensor->shape.dim[i];
    }
    return true;
}

/* The bytes of the tensor's storage from its first element on, and how many elements of the tensor's type
 * they are. */
static enum sft_status find_storage(const struct sft_checkpoint *checkpoint, const char *name,
                                    const struct sft_pickle_tensor *from,
                                    const struct sft_torch_storages *storages, struct sft_bytes *bytes,
                                    int64_t *elements)
{
    const struct sft_pickle_storage *storage = &from->storage;
    const uint64_t size = storage->untyped ? 1 : sft_stored_dtype_size(storage->dtype);
    uint64_t claimed, begin;
    SFT_TRY(storages->find(storages, storage->key, bytes));
    if (__builtin_mul_overflow((uint64_t)storage->elements, size, &claimed) ||
        __builtin_mul_overflow((uint64_t)storage->begin, size, &begin) || begin > bytes->size ||
        claimed > bytes->size - begin)
        return sft_fail(SFT_DATA,
                        "%s: tensor %.200s: its storage %s claims %" PRId64
                        " elements, but has %zu bytes; the file is cut off or damaged",
                        checkpoint->path, name, storage->key, storage->elements, bytes->size);
    bytes->data += begin;
    bytes->size = (size_t)claimed;
    *elements = (int64_t)(claimed / sft_stored_dtype_size(from->dtype));
    return SFT_OK;
}

static enum sft_status check_range(const struct sft_checkpoint *checkpoint, const char *name,
                                   const struct sft_pickle_tensor *from, uint64_t count, int64_t elements)
{
    int64_t last;
    if (count == 0) return SFT_OK;
    if (!last_element(from, &last) || last >= elements)
        return sft_fail(SFT_DATA,
                        "%s: tensor %.200s reaches beyond its storage %s, which has %" PRId64
                        " elements; the file is damaged",
                        checkpoint->path, name, from->storage.key, elements);
    if (count > MOST_EXPANDED && count > (uint64_t)elements)
        return sft_fail(SFT_DATA,
                        "%s: tensor %.200s claims %" PRIu64 " numbers out of %" PRId64
                        " that are stored; the file is damaged",
                        checkpoint->path, name, count, elements);
    return SFT_OK;
}

static enum sft_status read_tensor(const struct sft_checkpoint *checkpoint,
                                   const struct sft_torch_storages *storages,
                                   const struct sft_pickle_tensor *from, struct sft_stored_tensor *tensor)
{
    const size_t size = sft_stored_dtype_size(from->dtype);
    struct sft_bytes bytes = {.data = (const uint8_t *)""};
    int64_t elements = 0;
    uint64_t count;
    if (from->problem)
        return sft_fail(SFT_DATA, "%s: tensor %.200s: %s", checkpoint->path, tensor->name, from->problem);
    tensor->dtype = from->dtype;
    tensor->shape = from->shape;
    tensor->data = bytes.data;
    if (size == 0) return SFT_OK; /* listed, and refused when somebody wants to read it */
    if (!sft_stored_count(&from->shape, size, &count))
        return sft_fail(SFT_DATA, "%s: tensor %.200s has no valid shape", checkpoint->path, tensor->name);
    SFT_TRY(find_storage(checkpoint, tensor->name, from, storages, &bytes, &elements));
    SFT_TRY(check_range(checkpoint, tensor->name, from, count, elements));
    if (count) tensor->data = bytes.data + (size_t)from->offset * size;
    tensor->bytes = (size_t)count * size;
    tensor->big_endian = storages->big_endian && size > 1;
    tensor->strided = count > 0 && !is_packed(from);
    memcpy(tensor->stride, from->stride, sizeof(tensor->stride));
    return SFT_OK;
}

static enum sft_status name_tensor(struct sft_checkpoint *checkpoint, const struct sft_node *key,
                                   struct sft_stored_tensor *tensor)
{
    if (memchr(key->is.text.bytes, '\0', key->is.text.size))
        return sft_fail(SFT_DATA, "%s: the name of a tensor has a zero in it", checkpoint->path);
    tensor->name = sft_checkpoint_own_text(checkpoint, key->is.text.bytes, key->is.text.size);
    return tensor->name ? SFT_OK : SFT_MEMORY;
}

static enum sft_status read_tensors(struct sft_checkpoint *checkpoint, const struct sft_pickle *pickle,
                                    uint32_t node, const struct sft_torch_storages *storages)
{
    const struct sft_node *dict = node_at(pickle, node);
    const size_t n = count_tensors(pickle, node);
    if (n > SFT_MAX_TENSORS)
        return sft_fail(SFT_DATA, "%s: more than %d tensors", checkpoint->path, SFT_MAX_TENSORS);
    checkpoint->tensors = sft_calloc(n, sizeof(*checkpoint->tensors));
    if (!checkpoint->tensors) return SFT_MEMORY;
    for (uint32_t i = 0; i < pairs_of(dict); i++) {
        const struct sft_node *key = node_at(pickle, dict->is.items[2 * i]);
        const struct sft_node *value = node_at(pickle, dict->is.items[2 * i + 1]);
        struct sft_stored_tensor *tensor = &checkpoint->tensors[checkpoint->n_tensors];
        if (key->kind != SFT_NODE_TEXT || value->kind != SFT_NODE_TENSOR) continue;
        SFT_TRY(name_tensor(checkpoint, key, tensor));
        SFT_TRY(read_tensor(checkpoint, storages, value->is.tensor, tensor));
        checkpoint->n_tensors++;
    }
    return SFT_OK;
}

/* ---- what else is in it ---- */

/* Modules and functions that no checkpoint needs, but those who want to do harm. */
static const char *const harmful[] = {"os.",
                                      "posix.",
                                      "nt.",
                                      "subprocess.",
                                      "sys.",
                                      "socket.",
                                      "shutil.",
                                      "runpy.",
                                      "importlib.",
                                      "builtins.eval",
                                      "builtins.exec",
                                      "builtins.compile",
                                      "pty.",
                                      "__builtin__.eval",
                                      "__builtin__.exec",
                                      "builtins.__import__",
                                      "webbrowser.",
                                      "commands."};

static bool is_harmful(const char *global)
{
    for (size_t i = 0; i < sizeof(harmful) / sizeof(harmful[0]); i++)
        if (strncmp(global, harmful[i], strlen(harmful[i])) == 0) return true;
    return false;
}

enum { TOLD = 5 };

/* Objects of other kinds are left aside, which is said; and it is a warning where Python would have run what
 * is none of a checkpoint's business. */
static void tell_ignored(const struct sft_checkpoint *checkpoint, const struct sft_pickle *pickle)
{
    struct sft_text names = {0};
    char name[SFT_GLOBAL_TEXT];
    for (size_t i = 0; i < pickle->n_ignored; i++) {
        sft_node_global(pickle, pickle->ignored[i], name);
        if (is_harmful(name))
            sft_log(SFT_LOG_WARNING,
                    "%s asks for %s to be called; that was not done and never is here, but Python would: "
                    "do not load this file with torch.load(weights_only=False)",
                    checkpoint->path, name);
        if (i < TOLD) sft_text_printf(&names, "%s%s", i ? ", " : "", name);
    }
    if (pickle->n_ignored > TOLD) sft_text_add(&names, ", ...");
    if (names.data && names.status == SFT_OK)
        sft_log(SFT_LOG_DEBUG, "%s: objects of other kinds are left aside: %s", checkpoint->path, names.data);
    sft_text_free(&names);
}

enum sft_status sft_torch_dict_read(struct sft_checkpoint *checkpoint, const struct sft_pickle *pickle,
                                    uint32_t top, const struct sft_torch_storages *storages)
{
    uint32_t dict;
    tell_ignored(checkpoint, pickle);
    SFT_TRY(choose(checkpoint, pickle, top, &dict));
    if (dict != top) SFT_TRY(keep_keys(checkpoint, pickle, top));
    return read_tensors(checkpoint, pickle, dict, storages);
}

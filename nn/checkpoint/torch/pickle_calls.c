/* SPDX-License-Identifier: Apache-2.0 */
#include "nn/checkpoint/torch/pickle_calls.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/base/alloc.h"

static enum sft_status broken(const struct sft_pickle *pickle, const char *what)
{
    return sft_fail(SFT_DATA, "%s: its pickle is damaged: %s", pickle->path, what);
}

static const struct sft_node *node_at(const struct sft_pickle *pickle, uint32_t node)
{
    return sft_node_at(pickle, node);
}

static bool is_global(const struct sft_pickle *pickle, uint32_t node, const char *module, const char *name)
{
    const struct sft_node *global = node_at(pickle, node);
    return global->kind == SFT_NODE_GLOBAL && sft_node_is(pickle, global->is.global.module, module) &&
           sft_node_is(pickle, global->is.global.name, name);
}

/* ---- types of elements ---- */

static const struct {
    const char *storage_class; /* torch.NAME, torch.cuda.NAME */
    const char *name;          /* torch.NAME */
    enum sft_stored_dtype dtype;
} types[] = {
    {"FloatStorage", "float32", SFT_STORED_F32},
    {"HalfStorage", "float16", SFT_STORED_F16},
    {"BFloat16Storage", "bfloat16", SFT_STORED_BF16},
    {"DoubleStorage", "float64", SFT_STORED_F64},
    {"LongStorage", "int64", SFT_STORED_I64},
    {"IntStorage", "int32", SFT_STORED_I32},
    {"ShortStorage", "int16", SFT_STORED_I16},
    {"CharStorage", "int8", SFT_STORED_I8},
    {"ByteStorage", "uint8", SFT_STORED_U8},
    {"BoolStorage", "bool", SFT_STORED_BOOL},
    {NULL, "uint64", SFT_STORED_U64},
    {NULL, "uint32", SFT_STORED_U32},
    {NULL, "uint16", SFT_STORED_U16},
};
enum { TYPES = sizeof(types) / sizeof(types[0]) };

const char *sft_pickle_storage_class(enum sft_stored_dtype dtype)
{
    for (int i = 0; i < TYPES; i++)
        if (types[i].dtype == dtype) return types[i].storage_class;
    return NULL;
}

/* By a global's name, which is that of a storage's class or of a type. */
static enum sft_stored_dtype dtype_of(const struct sft_pickle *pickle, uint32_t global)
{
    const struct sft_node *node = node_at(pickle, global);
    if (node->kind != SFT_NODE_GLOBAL) return SFT_STORED_OTHER;
    for (int i = 0; i < TYPES; i++)
        if ((types[i].storage_class && sft_node_is(pickle, node->is.global.name, types[i].storage_class)) ||
            sft_node_is(pickle, node->is.global.name, types[i].name))
            return types[i].dtype;
    return SFT_STORED_OTHER;
}

/* ---- storages ---- */

static bool read_int(const struct sft_pickle *pickle, uint32_t node, int64_t *value)
{
    if (node_at(pickle, node)->kind != SFT_NODE_INT) return false;
    *value = node_at(pickle, node)->is.number;
    return *value >= 0;
}

/* The key of a storage, which is a text or a number. */
static bool read_key(const struct sft_pickle *pickle, uint32_t node, char key[SFT_MAX_STORAGE_KEY])
{
    const struct sft_node *of = node_at(pickle, node);
    if (of->kind == SFT_NODE_INT) {
        snprintf(key, SFT_MAX_STORAGE_KEY, "%" PRId64, of->is.number);
        return true;
    }
    if (of->kind != SFT_NODE_TEXT || of->is.text.size >= SFT_MAX_STORAGE_KEY) return false;
    memcpy(key, of->is.text.bytes, of->is.text.size);
    key[of->is.text.size] = '\0';
    return strlen(key) == of->is.text.size;
}

/* Where it is a view of another (key, first element, elements), as old files have it. */
static bool read_view(const struct sft_pickle *pickle, uint32_t view, struct sft_pickle_storage *storage)
{
    return node_at(pickle, view)->kind != SFT_NODE_TUPLE ||
           (read_int(pickle, sft_node_item(pickle, view, 1), &storage->begin) &&
            read_int(pickle, sft_node_item(pickle, view, 2), &storage->elements));
}

static bool read_storage(const struct sft_pickle *pickle, uint32_t id, struct sft_pickle_storage *storage)
{
    const uint32_t class = sft_node_item(pickle, id, 1);
    storage->dtype = dtype_of(pickle, class);
    storage->untyped = node_at(pickle, class)->kind == SFT_NODE_GLOBAL &&
                       sft_node_is(pickle, node_at(pickle, class)->is.global.name, "UntypedStorage");
    return read_key(pickle, sft_node_item(pickle, id, 2), storage->key) &&
           read_int(pickle, sft_node_item(pickle, id, 4), &storage->elements) &&
           read_view(pickle, sft_node_item(pickle, id, 5), storage);
}

static enum sft_status make_storage(struct sft_pickle *pickle, uint32_t id, uint32_t *result)
{
    struct sft_pickle_storage storage = {.begin = 0}, *kept;
    if (!read_storage(pickle, id, &storage)) return broken(pickle, "a storage that is not described as such");
    SFT_TRY(sft_node_make(pickle, SFT_NODE_OTHER, result));
    kept = sft_calloc(1, sizeof(*kept));
    if (!kept) return SFT_MEMORY;
    *kept = storage;
    pickle->nodes[*result].kind = SFT_NODE_STORAGE;
    pickle->nodes[*result].is.storage = kept;
    return SFT_OK;
}

/* Beside storages, old files have ("module", class, file, source). */
enum sft_status sft_pickle_persistent(struct sft_pickle *pickle, uint32_t id, uint32_t *result)
{
    if (sft_node_is(pickle, sft_node_item(pickle, id, 0), "storage")) return make_storage(pickle, id, result);
    if (sft_node_is(pickle, sft_node_item(pickle, id, 0), "module")) {
        *result = sft_node_item(pickle, id, 1);
        return SFT_OK;
    }
    return sft_node_make(pickle, SFT_NODE_OTHER, result);
}

/* ---- tensors ---- */

/* False where they are no tuples of equally many sizes. */
static bool read_axes(const struct sft_pickle *pickle, uint32_t sizes, uint32_t strides,
                      struct sft_pickle_tensor *tensor)
{
    const struct sft_node *size = node_at(pickle, sizes), *stride = node_at(pickle, strides);
    if (size->kind != SFT_NODE_TUPLE || stride->kind != SFT_NODE_TUPLE || size->n != stride->n) return false;
    if (size->n > SFT_MAX_RANK) {
        tensor->problem = "it has more axes than are read";
        return true;
    }
    tensor->shape.rank = (int)size->n;
    for (uint32_t i = 0; i < size->n; i++)
        if (!read_int(pickle, size->is.items[i], &tensor->shape.dim[i]) ||
            !read_int(pickle, stride->is.items[i], &tensor->stride[i]))
            return false;
    return true;
}

static enum sft_status keep_tensor(struct sft_pickle *pickle, const struct sft_pickle_tensor *tensor,
                                   uint32_t *result)
{
    struct sft_pickle_tensor *kept;
    SFT_TRY(sft_node_make(pickle, SFT_NODE_OTHER, result));
    kept = sft_calloc(1, sizeof(*kept));
    if (!kept) return SFT_MEMORY;
    *kept = *tensor;
    pickle->nodes[*result].kind = SFT_NODE_TENSOR;
    pickle->nodes[*result].is.tensor = kept;
    return SFT_OK;
}

/* _rebuild_tensor(storage, offset, sizes, strides), and what newer ones have behind these. */
static enum sft_status rebuild(struct sft_pickle *pickle, uint32_t args, bool has_dtype, uint32_t *result)
{
    const struct sft_node *storage = node_at(pickle, sft_node_item(pickle, args, 0));
    struct sft_pickle_tensor tensor = {.problem = NULL};
    if (storage->kind != SFT_NODE_STORAGE) return sft_node_make(pickle, SFT_NODE_OTHER, result);
    tensor.storage = *storage->is.storage;
    tensor.dtype = tensor.storage.dtype;
    if (has_dtype) tensor.dtype = dtype_of(pickle, sft_node_item(pickle, args, 6));
    if (!read_int(pickle, sft_node_item(pickle, args, 1), &tensor.offset) ||
        !read_axes(pickle, sft_node_item(pickle, args, 2), sft_node_item(pickle, args, 3), &tensor))
        return broken(pickle, "a tensor that is not described as such");
    return keep_tensor(pickle, &tensor, result);
}

static enum sft_status rebuild_tensor(struct sft_pickle *pickle, uint32_t args, uint32_t *result)
{
    return rebuild(pickle, args, false, result);
}

static enum sft_status rebuild_tensor_v3(struct sft_pickle *pickle, uint32_t args, uint32_t *result)
{
    return rebuild(pickle, args, true, result);
}

/* What is given stands for the result: a parameter is its tensor, a torch.Size its tuple. */
static enum sft_status first_argument(struct sft_pickle *pickle, uint32_t args, uint32_t *result)
{
    *result = sft_node_item(pickle, args, 0);
    return SFT_OK;
}

/* (function, type, its arguments, state) */
static enum sft_status rebuild_from_type(struct sft_pickle *pickle, uint32_t args, uint32_t *result)
{
    const uint32_t function = sft_node_item(pickle, args, 0), of = sft_node_item(pickle, args, 2);
    if (is_global(pickle, function, "torch._utils", "_rebuild_tensor_v2"))
        return rebuild_tensor(pickle, of, result);
    if (is_global(pickle, function, "torch._utils", "_rebuild_tensor_v3"))
        return rebuild_tensor_v3(pickle, of, result);
    return sft_node_make(pickle, SFT_NODE_OTHER, result);
}

/* ---- containers ---- */

/* A dictionary; Python 2 gives it a list of pairs. */
static enum sft_status make_dict(struct sft_pickle *pickle, uint32_t args, uint32_t *result)
{
    const uint32_t pairs = sft_node_item(pickle, args, 0);
    SFT_TRY(sft_node_make(pickle, SFT_NODE_DICT, result));
    for (uint32_t i = 0; node_at(pickle, pairs)->kind == SFT_NODE_LIST && i < node_at(pickle, pairs)->n;
         i++) {
        const uint32_t pair = sft_node_item(pickle, pairs, i);
        const uint32_t items[2] = {sft_node_item(pickle, pair, 0), sft_node_item(pickle, pair, 1)};
        SFT_TRY(sft_node_append(pickle, *result, items, 2));
    }
    return SFT_OK;
}

/* ---- the table ---- */

static const struct {
    const char *module, *name;
    enum sft_status (*call)(struct sft_pickle *pickle, uint32_t args, uint32_t *result);
} functions[] = {
    {"torch._utils", "_rebuild_tensor", rebuild_tensor},
    {"torch._utils", "_rebuild_tensor_v2", rebuild_tensor},
    {"torch._utils", "_rebuild_tensor_v3", rebuild_tensor_v3},
    {"torch._utils", "_rebuild_parameter", first_argument},
    {"torch._utils", "_rebuild_parameter_with_state", first_argument},
    {"torch._tensor", "_rebuild_from_type_v2", rebuild_from_type},
    {"torch", "Size", first_argument},
    {"collections", "OrderedDict", make_dict},
    {"collections", "defaultdict", make_dict},
    {"builtins", "dict", make_dict},
    {"__builtin__", "dict", make_dict},
};
enum { FUNCTIONS = sizeof(functions) / sizeof(functions[0]) };

static bool same_text(const struct sft_node *a, const struct sft_node *b)
{
    return a->is.text.size == b->is.text.size &&
           memcmp(a->is.text.bytes, b->is.text.bytes, a->is.text.size) == 0;
}

static bool same_global(const struct sft_pickle *pickle, uint32_t a, uint32_t b)
{
    const struct sft_node *x = node_at(pickle, a), *y = node_at(pickle, b);
    return a == b || (same_text(node_at(pickle, x->is.global.module), node_at(pickle, y->is.global.module)) &&
                      same_text(node_at(pickle, x->is.global.name), node_at(pickle, y->is.global.name)));
}

/* So many names go into a message at most; the others are not told. */
enum { MOST_IGNORED = 64 };

static enum sft_status note_ignored(struct sft_pickle *pickle, uint32_t maker)
{
    for (size_t i = 0; i < pickle->n_ignored; i++)
        if (same_global(pickle, pickle->ignored[i], maker)) return SFT_OK;
    if (pickle->n_ignored >= MOST_IGNORED) return SFT_OK;
    SFT_TRY(
        sft_grow(&pickle->ignored, &pickle->room_ignored, pickle->n_ignored + 1, sizeof(*pickle->ignored)));
    pickle->ignored[pickle->n_ignored++] = maker;
    return SFT_OK;
}

enum sft_status sft_pickle_call(struct sft_pickle *pickle, uint32_t maker, uint32_t args, uint32_t *result)
{
    const bool named = node_at(pickle, maker)->kind == SFT_NODE_GLOBAL;
    for (int i = 0; named && i < FUNCTIONS; i++)
        if (is_global(pickle, maker, functions[i].module, functions[i].name))
            return functions[i].call(pickle, args, result);
    SFT_TRY(sft_node_make(pickle, SFT_NODE_OBJECT, result));
    pickle->nodes[*result].is.maker = named ? maker : 0;
    return named ? note_ignored(pickle, maker) : SFT_OK;
}

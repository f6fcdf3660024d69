/* SPDX-License-Identifier: Apache-2.0 */
/* What a pickle holds, once it was walked over (nn/checkpoint/torch/pickle.h): nodes, which are bounded in
 * number.
 */
#ifndef SFT_NN_CHECKPOINT_PICKLE_NODES_H
#define SFT_NN_CHECKPOINT_PICKLE_NODES_H

#include <stdbool.h>
#include <stdint.h>

#include "nn/checkpoint/stored.h"

enum sft_node_kind {
    SFT_NODE_OTHER, /* a value that means nothing here: None, a float, a set, a number beyond 64 bits */
    SFT_NODE_INT,   /* and True, False */
    SFT_NODE_TEXT,
    SFT_NODE_BYTES,
    SFT_NODE_TUPLE,
    SFT_NODE_LIST,
    SFT_NODE_DICT,
    SFT_NODE_GLOBAL, /* a function or a class by its name */
    SFT_NODE_OBJECT, /* what calling one would give */
    SFT_NODE_STORAGE,
    SFT_NODE_TENSOR
};

enum { SFT_MAX_STORAGE_KEY = 64 };

/* Elements of a tensor's storage, which the file has elsewhere, under `key`. */
struct sft_pickle_storage {
    enum sft_stored_dtype dtype;
    bool untyped; /* bytes, of which the tensor says what they are */
    char key[SFT_MAX_STORAGE_KEY];
    int64_t elements;
    int64_t begin; /* the first of them in the storage of that key */
};

struct sft_pickle_tensor {
    const char *problem; /* why it cannot be read; NULL mostly */
    struct sft_pickle_storage storage;
    enum sft_stored_dtype dtype;
    int64_t offset; /* elements */
    struct sft_shape shape;
    int64_t stride[SFT_MAX_RANK];
};

struct sft_node {
    enum sft_node_kind kind;
    uint32_t n, room; /* of items, which a dictionary has in pairs */
    union {
        int64_t number;
        uint32_t *items;
        struct {
            const uint8_t *bytes;
            size_t size;
        } text;
        struct {
            uint32_t module, name;
        } global;
        uint32_t maker; /* of an object: a global, or 0 */
        struct sft_pickle_storage *storage;
        struct sft_pickle_tensor *tensor;
    } is;
};

/* Nodes are known by their numbers; 0 is None. Starts as {.path = ...}. */
struct sft_pickle {
    const char *path; /* for messages; the caller's */
    struct sft_node *nodes;
    size_t n_nodes, room_nodes;
    size_t items;      /* private: of all nodes */
    uint32_t *ignored; /* globals whose call was ignored, each once */
    size_t n_ignored, room_ignored;
};

void sft_pickle_free(struct sft_pickle *pickle);

/* ---- asking ---- */

static inline const struct sft_node *sft_node_at(const struct sft_pickle *pickle, uint32_t node)
{
    return &pickle->nodes[node];
}

/* Item i of a tuple or a list; None (0) where there is none, or it is neither. */
uint32_t sft_node_item(const struct sft_pickle *pickle, uint32_t node, uint32_t i);

/* Whether a node is this text. */
bool sft_node_is(const struct sft_pickle *pickle, uint32_t node, const char *text);

/* "module.name" of a global, or of the maker of an object, into `text`; "" for another node. */
enum { SFT_GLOBAL_TEXT = 160 };
const char *sft_node_global(const struct sft_pickle *pickle, uint32_t node, char *text);

/* ---- making ---- */

/* A new node, which is not on the stack. SFT_DATA where there are too many. */
enum sft_status sft_node_make(struct sft_pickle *pickle, enum sft_node_kind kind,
                              uint32_t *node) SFT_MUST_CHECK;
enum sft_status sft_node_append(struct sft_pickle *pickle, uint32_t node, const uint32_t *items,
                                size_t n) SFT_MUST_CHECK;

/* The failure of a pickle that has more than `most` of something. */
enum sft_status sft_pickle_too_much(const char *path, int most, const char *what);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#include "nn/checkpoint/torch/pickle_nodes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/base/alloc.h"

/* What no training file comes near: a state dict takes some 30 nodes a tensor. */
enum { MAX_NODES = 1 << 22, MAX_ITEMS = 1 << 24 };

enum sft_status sft_pickle_too_much(const char *path, int most, const char *what)
{
    return sft_fail(SFT_DATA, "%s: its pickle has more than %d %s, as no training file has", path, most,
                    what);
}

enum sft_status sft_node_make(struct sft_pickle *pickle, enum sft_node_kind kind, uint32_t *node)
{
    *node = 0;
    if (pickle->n_nodes >= MAX_NODES) return sft_pickle_too_much(pickle->path, MAX_NODES, "objects");
    SFT_TRY(sft_grow(&pickle->nodes, &pickle->room_nodes, pickle->n_nodes + 1, sizeof(*pickle->nodes)));
    pickle->nodes[pickle->n_nodes].kind = kind;
    *node = (uint32_t)pickle->n_nodes++;
    return SFT_OK;
}

enum sft_status sft_node_append(struct sft_pickle *pickle, uint32_t node, const uint32_t *items, size_t n)
{
    struct sft_node *to = &pickle->nodes[node];
    size_t room = to->room;
    if (pickle->items + n > MAX_ITEMS) return sft_pickle_too_much(pickle->path, MAX_ITEMS, "items");
    if (n == 0) return SFT_OK;
    SFT_TRY(sft_grow(&to->is.items, &room, to->n + n, sizeof(*items)));
    memcpy(to->is.items + to->n, items, n * sizeof(*items));
    pickle->items += n;
    to->room = (uint32_t)room;
    to->n += (uint32_t)n;
    return SFT_OK;
}

uint32_t sft_node_item(const struct sft_pickle *pickle, uint32_t node, uint32_t i)
{
    const struct sft_node *of = &pickle->nodes[node];
    if ((of->kind != SFT_NODE_TUPLE && of->kind != SFT_NODE_LIST) || i >= of->n) return 0;
    return of->is.items[i];
}

bool sft_node_is(const struct sft_pickle *pickle, uint32_t node, const char *text)
{
    const struct sft_node *of = &pickle->nodes[node];
    const size_t length = strlen(text);
    return of->kind == SFT_NODE_TEXT && of->is.text.size == length &&
           memcmp(of->is.text.bytes, text, length) == 0;
}

const char *sft_node_global(const struct sft_pickle *pickle, uint32_t node, char *text)
{
    const struct sft_node *of = &pickle->nodes[node], *module, *name;
    text[0] = '\0';
    if (of->kind == SFT_NODE_OBJECT) of = &pickle->nodes[of->is.maker];
    if (of->kind != SFT_NODE_GLOBAL) return text;
    module = &pickle->nodes[of->is.global.module];
    name = &pickle->nodes[of->is.global.name];
    snprintf(text, SFT_GLOBAL_TEXT, "%.*s.%.*s", (int)(module->is.text.size < 70 ? module->is.text.size : 70),
             (const char *)module->is.text.bytes, (int)(name->is.text.size < 70 ? name->is.text.size : 70),
             (const char *)name->is.text.bytes);
    return text;
}

static bool has_items(enum sft_node_kind kind) { return kind >= SFT_NODE_TUPLE && kind <= SFT_NODE_DICT; }

void sft_pickle_free(struct sft_pickle *pickle)
{
    for (size_t i = 0; i < pickle->n_nodes; i++) {
        struct sft_node *node = &pickle->nodes[i];
        if (has_items(node->kind)) free(node->is.items);
        if (node->kind == SFT_NODE_STORAGE) free(node->is.storage);
        if (node->kind == SFT_NODE_TENSOR) free(node->is.tensor);
    }
    free(pickle->nodes);
    free(pickle->ignored);
    *pickle = (struct sft_pickle){.path = pickle->path};
}

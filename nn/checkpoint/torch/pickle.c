/* SPDX-License-Identifier: Apache-2.0 */
/* Opcodes and their meaning: Lib/pickletools.py of Python. Those of protocol 0, which are text, are not read.
 */
#include "nn/checkpoint/torch/pickle.h"

#include <stdlib.h>
#include <string.h>

#include "nn/checkpoint/torch/pickle_calls.h"
#include "runtime/base/alloc.h"
#include "runtime/base/little_endian.h"

enum { MAX_STACK = 1 << 22, MAX_MEMO = 1 << 22 };

struct numbers {
    uint32_t *items;
    size_t n, room;
};

struct machine {
    struct sft_pickle *pickle;
    const uint8_t *bytes;
    size_t size, at, opcode_at;
    struct numbers stack, marks, memo; /* memo: node + 1; 0 is nothing */
    size_t memoized;                   /* for MEMOIZE: the next number */
    bool stopped;
};

/* What stands behind an opcode. */
struct argument {
    uint64_t number;
    const uint8_t *bytes;
    size_t size;
};

static enum sft_status broken(const struct machine *machine, const char *what)
{
    return sft_fail(SFT_DATA, "%s: its pickle is damaged at byte %zu: %s", machine->pickle->path,
                    machine->opcode_at, what);
}

/* ---- the stack ---- */

static enum sft_status add(struct machine *machine, struct numbers *to, uint32_t number, int most,
                           const char *what)
{
    if (to->n >= (size_t)most) return sft_pickle_too_much(machine->pickle->path, most, what);
    SFT_TRY(sft_grow(&to->items, &to->room, to->n + 1, sizeof(*to->items)));
    to->items[to->n++] = number;
    return SFT_OK;
}

static enum sft_status push(struct machine *machine, uint32_t node)
{
    return add(machine, &machine->stack, node, MAX_STACK, "values on its stack");
}

/* Makes a node and pushes it; `made` may be NULL. */
static enum sft_status push_new(struct machine *machine, enum sft_node_kind kind, struct sft_node **made)
{
    uint32_t node;
    SFT_TRY(sft_node_make(machine->pickle, kind, &node));
    if (made) *made = &machine->pickle->nodes[node];
    return push(machine, node);
}

/* Where the values begin that may be taken: above the last mark. */
static size_t fence(const struct machine *machine)
{
    return machine->marks.n ? machine->marks.items[machine->marks.n - 1] : 0;
}

static enum sft_status need(const struct machine *machine, size_t n)
{
    if (machine->stack.n - fence(machine) >= n) return SFT_OK;
    return broken(machine, "it takes more from its stack than is there");
}

static uint32_t top(const struct machine *machine) { return machine->stack.items[machine->stack.n - 1]; }
static uint32_t take(struct machine *machine) { return machine->stack.items[--machine->stack.n]; }

/* The values above the last mark, which is taken off with them; they stay valid until the next push. */
static enum sft_status take_marked(struct machine *machine, const uint32_t **items, size_t *n)
{
    *items = NULL;
    *n = 0;
    if (machine->marks.n == 0) return broken(machine, "it ends a list that was not begun");
    *n = machine->stack.n - fence(machine);
    machine->stack.n = fence(machine);
    *items = machine->stack.items + machine->stack.n;
    machine->marks.n--;
    return SFT_OK;
}

/* Pushes a new node of these items, which may be what take_marked() gave. */
static enum sft_status push_items(struct machine *machine, enum sft_node_kind kind, const uint32_t *items,
                                  size_t n)
{
    uint32_t node;
    SFT_TRY(sft_node_make(machine->pickle, kind, &node));
    SFT_TRY(sft_node_append(machine->pickle, node, items, n));
    return push(machine, node);
}

/* ---- opcodes ---- */

static enum sft_status op_nothing(struct machine *machine, const struct argument *argument)
{
    (void)machine;
    (void)argument;
    return SFT_OK;
}

static enum sft_status op_protocol(struct machine *machine, const struct argument *argument)
{
    if (argument->number >= 2 && argument->number <= 5) return SFT_OK;
    return broken(machine, "a protocol that is not read; 2 to 5 are");
}

static enum sft_status op_stop(struct machine *machine, const struct argument *argument)
{
    (void)argument;
    machine->stopped = true;
    return need(machine, 1);
}

static enum sft_status op_mark(struct machine *machine, const struct argument *argument)
{
    (void)argument;
    return add(machine, &machine->marks, (uint32_t)machine->stack.n, MAX_STACK, "marks on its stack");
}

/* Of a mark, too, where it is on top. */
static enum sft_status op_pop(struct machine *machine, const struct argument *argument)
{
    (void)argument;
    if (machine->marks.n && fence(machine) == machine->stack.n) {
        machine->marks.n--;
        return SFT_OK;
    }
    SFT_TRY(need(machine, 1));
    take(machine);
    return SFT_OK;
}

static enum sft_status op_pop_marked(struct machine *machine, const struct argument *argument)
{
    const uint32_t *items;
    size_t n;
    (void)argument;
    return take_marked(machine, &items, &n);
}

static enum sft_status op_duplicate(struct machine *machine, const struct argument *argument)
{
    (void)argument;
    SFT_TRY(need(machine, 1));
    return push(machine, top(machine));
}

static enum sft_status op_none(struct machine *machine, const struct argument *argument)
{
    (void)argument;
    return push(machine, 0);
}

static enum sft_status op_other(struct machine *machine, const struct argument *argument)
{
    (void)argument;
    return push_new(machine, SFT_NODE_OTHER, NULL);
}

static enum sft_status push_number(struct machine *machine, int64_t number)
{
    struct sft_node *node;
    SFT_TRY(push_new(machine, SFT_NODE_INT, &node));
    node->is.number = number;
    return SFT_OK;
}

static enum sft_status op_number(struct machine *machine, const struct argument *argument)
{
    return push_number(machine, (int64_t)argument->number);
}

static enum sft_status op_int32(struct machine *machine, const struct argument *argument)
{
    return push_number(machine, (int32_t)(uint32_t)argument->number);
}

static enum sft_status op_true(struct machine *machine, const struct argument *argument)
{
    (void)argument;
    return push_number(machine, 1);
}

static enum sft_status op_false(struct machine *machine, const struct argument *argument)
{
    (void)argument;
    return push_number(machine, 0);
}

/* Little-endian, in two's complement. */
static enum sft_status op_long(struct machine *machine, const struct argument *argument)
{
    uint64_t number = 0;
    if (argument->size > 8) return push_new(machine, SFT_NODE_OTHER, NULL);
    if (argument->size > 0) {
        const size_t spare = 64 - 8 * argument->size;
        number = sft_little_endian(argument->bytes, argument->size) << spare;
        return push_number(machine, (int64_t)number >> spare);
    }
    return push_number(machine, 0);
}

static enum sft_status push_text(struct machine *machine, enum sft_node_kind kind, const uint8_t *bytes,
                                 size_t size)
{
    struct sft_node *node;
    SFT_TRY(push_new(machine, kind, &node));
    node->is.text.bytes = bytes;
    node->is.text.size = size;
    return SFT_OK;
}

static enum sft_status op_text(struct machine *machine, const struct argument *argument)
{
    return push_text(machine, SFT_NODE_TEXT, argument->bytes, argument->size);
}

static enum sft_status op_bytes(struct machine *machine, const struct argument *argument)
{
    return push_text(machine, SFT_NODE_BYTES, argument->bytes, argument->size);
}

static enum sft_status op_empty_tuple(struct machine *machine, const struct argument *argument)
{
    (void)argument;
    return push_new(machine, SFT_NODE_TUPLE, NULL);
}

static enum sft_status op_empty_list(struct machine *machine, const struct argument *argument)
{
    (void)argument;
    return push_new(machine, SFT_NODE_LIST, NULL);
}

static enum sft_status op_empty_dict(struct machine *machine, const struct argument *argument)
{
    (void)argument;
    return push_new(machine, SFT_NODE_DICT, NULL);
}

static enum sft_status push_marked(struct machine *machine, enum sft_node_kind kind)
{
    const uint32_t *items;
    size_t n;
    SFT_TRY(take_marked(machine, &items, &n));
    if (kind == SFT_NODE_DICT && n % 2) return broken(machine, "a dictionary has a key without a value");
    return push_items(machine, kind, items, n);
}

static enum sft_status op_tuple(struct machine *machine, const struct argument *argument)
{
    (void)argument;
    return push_marked(machine, SFT_NODE_TUPLE);
}

static enum sft_status op_list(struct machine *machine, const struct argument *argument)
{
    (void)argument;
    return push_marked(machine, SFT_NODE_LIST);
}

static enum sft_status op_dict(struct machine *machine, const struct argument *argument)
{
    (void)argument;
    return push_marked(machine, SFT_NODE_DICT);
}

static enum sft_status op_frozen_set(struct machine *machine, const struct argument *argument)
{
    SFT_TRY(op_pop_marked(machine, argument));
    return push_new(machine, SFT_NODE_OTHER, NULL);
}

static enum sft_status push_short_tuple(struct machine *machine, size_t n)
{
    SFT_TRY(need(machine, n));
    machine->stack.n -= n;
    return push_items(machine, SFT_NODE_TUPLE, machine->stack.items + machine->stack.n, n);
}

static enum sft_status op_tuple1(struct machine *machine, const struct argument *argument)
{
    (void)argument;
    return push_short_tuple(machine, 1);
}

static enum sft_status op_tuple2(struct machine *machine, const struct argument *argument)
{
    (void)argument;
    return push_short_tuple(machine, 2);
}

static enum sft_status op_tuple3(struct machine *machine, const struct argument *argument)
{
    (void)argument;
    return push_short_tuple(machine, 3);
}

/* Puts items into what is on top of the stack: a container of that kind, or something whose content means
 * nothing. */
static enum sft_status fill(struct machine *machine, enum sft_node_kind kind, const uint32_t *items, size_t n)
{
    const enum sft_node_kind filled = machine->pickle->nodes[top(machine)].kind;
    if (filled == kind) return sft_node_append(machine->pickle, top(machine), items, n);
    if (filled == SFT_NODE_OTHER || filled == SFT_NODE_OBJECT) return SFT_OK;
    return broken(machine, "items are put into what holds none");
}

static enum sft_status op_append(struct machine *machine, const struct argument *argument)
{
    uint32_t item;
    (void)argument;
    SFT_TRY(need(machine, 2));
    item = take(machine);
    return fill(machine, SFT_NODE_LIST, &item, 1);
}

static enum sft_status op_set_item(struct machine *machine, const struct argument *argument)
{
    (void)argument;
    SFT_TRY(need(machine, 3));
    machine->stack.n -= 2;
    return fill(machine, SFT_NODE_DICT, machine->stack.items + machine->stack.n, 2);
}

static enum sft_status fill_marked(struct machine *machine, enum sft_node_kind kind)
{
    const uint32_t *items;
    size_t n;
    SFT_TRY(take_marked(machine, &items, &n));
    SFT_TRY(need(machine, 1));
    if (kind == SFT_NODE_DICT && n % 2) return broken(machine, "a dictionary has a key without a value");
    return fill(machine, kind, items, n);
}

static enum sft_status op_appends(struct machine *machine, const struct argument *argument)
{
    (void)argument;
    return fill_marked(machine, SFT_NODE_LIST);
}

static enum sft_status op_set_items(struct machine *machine, const struct argument *argument)
{
    (void)argument;
    return fill_marked(machine, SFT_NODE_DICT);
}

static enum sft_status op_add_items(struct machine *machine, const struct argument *argument)
{
    (void)argument;
    return fill_marked(machine, SFT_NODE_OTHER); /* a set */
}

/* ---- the memo ---- */

static enum sft_status memoize(struct machine *machine, uint64_t number)
{
    struct numbers *memo = &machine->memo;
    SFT_TRY(need(machine, 1));
    if (number >= MAX_MEMO) return sft_pickle_too_much(machine->pickle->path, MAX_MEMO, "places in its memo");
    SFT_TRY(sft_grow(&memo->items, &memo->room, (size_t)number + 1, sizeof(*memo->items)));
    if (number >= memo->n) memo->n = (size_t)number + 1;
    memo->items[number] = top(machine) + 1;
    machine->memoized++;
    return SFT_OK;
}

static enum sft_status op_put(struct machine *machine, const struct argument *argument)
{
    return memoize(machine, argument->number);
}

static enum sft_status op_memoize(struct machine *machine, const struct argument *argument)
{
    (void)argument;
    return memoize(machine, machine->memoized);
}

static enum sft_status op_get(struct machine *machine, const struct argument *argument)
{
    const struct numbers *memo = &machine->memo;
    if (argument->number >= memo->n || memo->items[argument->number] == 0)
        return broken(machine, "it asks its memo for what was not put there");
    return push(machine, memo->items[argument->number] - 1);
}

/* ---- what would be called ---- */

static enum sft_status make_global(struct machine *machine, uint32_t module, uint32_t name)
{
    const struct sft_node *nodes = machine->pickle->nodes;
    struct sft_node *node;
    if (nodes[module].kind != SFT_NODE_TEXT || nodes[name].kind != SFT_NODE_TEXT)
        return broken(machine, "a function whose name is no text");
    SFT_TRY(push_new(machine, SFT_NODE_GLOBAL, &node));
    node->is.global.module = module;
    node->is.global.name = name;
    return SFT_OK;
}

static enum sft_status op_stack_global(struct machine *machine, const struct argument *argument)
{
    uint32_t name;
    (void)argument;
    SFT_TRY(need(machine, 2));
    name = take(machine);
    return make_global(machine, take(machine), name);
}

/* "module\nname\n" */
static enum sft_status op_global(struct machine *machine, const struct argument *argument)
{
    const uint8_t *end = memchr(argument->bytes, '\n', argument->size);
    const size_t module = (size_t)(end - argument->bytes);
    SFT_TRY(push_text(machine, SFT_NODE_TEXT, argument->bytes, module));
    SFT_TRY(push_text(machine, SFT_NODE_TEXT, end + 1, argument->size - module - 1));
    return op_stack_global(machine, argument);
}

static enum sft_status call(struct machine *machine, uint32_t maker, uint32_t args)
{
    uint32_t result;
    if (machine->pickle->nodes[args].kind != SFT_NODE_TUPLE)
        return broken(machine, "a function is given no tuple");
    SFT_TRY(sft_pickle_call(machine->pickle, maker, args, &result));
    return push(machine, result);
}

/* Also NEWOBJ, which makes an object of a class. */
static enum sft_status op_call(struct machine *machine, const struct argument *argument)
{
    uint32_t args;
    (void)argument;
    SFT_TRY(need(machine, 2));
    args = take(machine);
    return call(machine, take(machine), args);
}

/* With keyword arguments, which no function has that is known. */
static enum sft_status op_call_keywords(struct machine *machine, const struct argument *argument)
{
    SFT_TRY(need(machine, 3));
    take(machine);
    return op_call(machine, argument);
}

/* A mark, a class and its arguments. */
static enum sft_status op_object(struct machine *machine, const struct argument *argument)
{
    const uint32_t *items;
    uint32_t maker;
    size_t n;
    (void)argument;
    SFT_TRY(take_marked(machine, &items, &n));
    if (n == 0) return broken(machine, "an object of no class");
    maker = items[0];
    SFT_TRY(push_items(machine, SFT_NODE_TUPLE, items + 1, n - 1));
    return call(machine, maker, take(machine));
}

/* A mark and arguments; the class is named here. */
static enum sft_status op_instance(struct machine *machine, const struct argument *argument)
{
    uint32_t args;
    SFT_TRY(push_marked(machine, SFT_NODE_TUPLE));
    args = take(machine);
    SFT_TRY(op_global(machine, argument));
    return call(machine, take(machine), args);
}

static enum sft_status op_persistent(struct machine *machine, const struct argument *argument)
{
    uint32_t result;
    (void)argument;
    SFT_TRY(need(machine, 1));
    SFT_TRY(sft_pickle_persistent(machine->pickle, take(machine), &result));
    return push(machine, result);
}

/* The state of an object, or the attributes of a dictionary: nothing that matters here. */
static enum sft_status op_build(struct machine *machine, const struct argument *argument)
{
    (void)argument;
    SFT_TRY(need(machine, 2));
    take(machine);
    return SFT_OK;
}

/* ---- following ---- */

/* What an opcode is followed by: so many bytes of a number, bytes with a length of so many bytes before them,
 * or lines. */
enum operand { NOTHING, NUMBER, BYTES, LINES };

static const struct opcode {
    enum sft_status (*run)(struct machine *machine, const struct argument *argument);
    enum operand operand;
    int size;
} opcodes[256] = {
    ['('] = {op_mark, NOTHING, 0},
    ['.'] = {op_stop, NOTHING, 0},
    ['0'] = {op_pop, NOTHING, 0},
    ['1'] = {op_pop_marked, NOTHING, 0},
    ['2'] = {op_duplicate, NOTHING, 0},
    ['B'] = {op_bytes, BYTES, 4},
    ['C'] = {op_bytes, BYTES, 1},
    ['G'] = {op_other, NUMBER, 8},
    ['J'] = {op_int32, NUMBER, 4},
    ['K'] = {op_number, NUMBER, 1},
    ['M'] = {op_number, NUMBER, 2},
    ['N'] = {op_none, NOTHING, 0},
    ['Q'] = {op_persistent, NOTHING, 0},
    ['R'] = {op_call, NOTHING, 0},
    ['T'] = {op_text, BYTES, 4},
    ['U'] = {op_text, BYTES, 1},
    ['X'] = {op_text, BYTES, 4},
    ['a'] = {op_append, NOTHING, 0},
    ['b'] = {op_build, NOTHING, 0},
    ['c'] = {op_global, LINES, 2},
    ['d'] = {op_dict, NOTHING, 0},
    ['}'] = {op_empty_dict, NOTHING, 0},
    ['e'] = {op_appends, NOTHING, 0},
    ['h'] = {op_get, NUMBER, 1},
    ['i'] = {op_instance, LINES, 2},
    ['j'] = {op_get, NUMBER, 4},
    ['l'] = {op_list, NOTHING, 0},
    [']'] = {op_empty_list, NOTHING, 0},
    ['o'] = {op_object, NOTHING, 0},
    ['q'] = {op_put, NUMBER, 1},
    ['r'] = {op_put, NUMBER, 4},
    ['s'] = {op_set_item, NOTHING, 0},
    ['t'] = {op_tuple, NOTHING, 0},
    [')'] = {op_empty_tuple, NOTHING, 0},
    ['u'] = {op_set_items, NOTHING, 0},
    [0x80] = {op_protocol, NUMBER, 1},
    [0x81] = {op_call, NOTHING, 0},
    [0x82] = {op_other, NUMBER, 1},
    [0x83] = {op_other, NUMBER, 2},
    [0x84] = {op_other, NUMBER, 4},
    [0x85] = {op_tuple1, NOTHING, 0},
    [0x86] = {op_tuple2, NOTHING, 0},
    [0x87] = {op_tuple3, NOTHING, 0},
    [0x88] = {op_true, NOTHING, 0},
    [0x89] = {op_false, NOTHING, 0},
    [0x8a] = {op_long, BYTES, 1},
    [0x8b] = {op_long, BYTES, 4},
    [0x8c] = {op_text, BYTES, 1},
    [0x8d] = {op_text, BYTES, 8},
    [0x8e] = {op_bytes, BYTES, 8},
    [0x8f] = {op_other, NOTHING, 0},
    [0x90] = {op_add_items, NOTHING, 0},
    [0x91] = {op_frozen_set, NOTHING, 0},
    [0x92] = {op_call_keywords, NOTHING, 0},
    [0x93] = {op_stack_global, NOTHING, 0},
    [0x94] = {op_memoize, NOTHING, 0},
    [0x95] = {op_nothing, NUMBER, 8},
    [0x96] = {op_bytes, BYTES, 8},
    [0x97] = {op_other, NOTHING, 0},
    [0x98] = {op_nothing, NOTHING, 0},
};

/* So many lines; their last end is no part of them. */
static bool read_lines(struct machine *machine, int lines, struct argument *argument)
{
    const uint8_t *at = machine->bytes + machine->at, *end = machine->bytes + machine->size;
    argument->bytes = at;
    for (int i = 0; i < lines; i++) {
        at = at < end ? memchr(at, '\n', (size_t)(end - at)) : NULL;
        if (!at) return false;
        at++;
    }
    argument->size = (size_t)(at - 1 - argument->bytes);
    machine->at = (size_t)(at - machine->bytes);
    return true;
}

/* False where the bytes end before the operand does. */
static bool read_operand(struct machine *machine, const struct opcode *opcode, struct argument *argument)
{
    const size_t size = (size_t)opcode->size;
    if (opcode->operand == LINES) return read_lines(machine, opcode->size, argument);
    if (machine->size - machine->at < size) return false;
    argument->number = sft_little_endian(machine->bytes + machine->at, size);
    machine->at += size;
    if (opcode->operand != BYTES) return true;
    if (argument->number > machine->size - machine->at) return false;
    argument->bytes = machine->bytes + machine->at;
    argument->size = (size_t)argument->number;
    machine->at += argument->size;
    return true;
}

static enum sft_status step(struct machine *machine)
{
    const struct opcode *opcode;
    struct argument argument = {0};
    machine->opcode_at = machine->at;
    if (machine->at >= machine->size) return broken(machine, "it ends before its end; the file is cut off");
    opcode = &opcodes[machine->bytes[machine->at++]];
    if (!opcode->run) return broken(machine, "no opcode of protocol 2 to 5");
    if (!read_operand(machine, opcode, &argument))
        return broken(machine, "it claims more bytes than are there");
    return opcode->run(machine, &argument);
}

enum sft_status sft_pickle_walk(struct sft_pickle *pickle, const struct sft_bytes *bytes, size_t *at,
                                uint32_t *top_node)
{
    struct machine machine = {.pickle = pickle, .bytes = bytes->data, .size = bytes->size, .at = *at};
    enum sft_status status = SFT_OK;
    if (pickle->n_nodes == 0) { /* None is number 0 */
        SFT_TRY(sft_grow(&pickle->nodes, &pickle->room_nodes, 64, sizeof(*pickle->nodes)));
        pickle->n_nodes = 1;
    }
    SFT_TRY_OUT(sft_grow(&machine.stack.items, &machine.stack.room, 64, sizeof(*machine.stack.items)));
    while (!machine.stopped) SFT_TRY_OUT(step(&machine));
    *top_node = top(&machine);
    *at = machine.at;
out:
    free(machine.stack.items);
    free(machine.marks.items);
    free(machine.memo.items);
    return status;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Trades time for memory (gradient checkpointing, Chen et al. 2016): values that a forward pass would keep
 * for its gradient are dropped and computed again when the gradient needs them, until the arena fits.
 *
 * A phase is a forward pass and the gradient behind it; a step of SAM has two. A forward pass is cut where a
 * single value goes on, as between residual units, into about n segments that keep as many bytes. A segment
 * has two moves: to drop what costs little more than its own traffic to compute again from what is kept
 * anyway (norms, activations, standardised filters), and to drop everything but the value at its end. Moves
 * are made in the order of seconds for each byte, as many as are needed; the n that costs the fewest seconds
 * is taken, for each phase by itself.
 */
#include <stdlib.h>
#include <string.h>

#include "runtime/aliasing.h"
#include "runtime/base/alloc.h"
#include "runtime/cost.h"
#include "runtime/op.h"
#include "runtime/passes/again.h"
#include "runtime/passes/pass.h"

/* Nodes begin .. turn-1 go forward, turn .. end-1 are the gradient. */
struct phase {
    size_t begin, turn, end;
};

enum move_kind { CHEAP, WHOLE };

struct move {
    enum move_kind kind;
    int segment;
    double bytes, seconds; /* no longer kept; to compute them again */
};

/* What is known of a value that a forward pass makes. */
struct fact {
    bool free;      /* may be dropped */
    bool kept;      /* the gradient reads it */
    bool cheap;     /* costs little to compute again from what is kept anyway */
    int readers;    /* nodes of its forward pass */
    int32_t last;   /* the last of them, or its maker */
    int segment;    /* that it is made in */
    bool boundary;  /* the value at the end of a segment */
    double seconds; /* of its maker */
};

struct search {
    const struct sft_graph *graph;
    const struct sft_pass_limits *limits;
    struct fact *facts;       /* by value: roots alone */
    size_t *writes, n_writes; /* nodes that write outside */
    int *crossing;            /* by node: values that are made before it and read by it or later */
    int64_t *crossing_sum;    /* the sum of their numbers: the value, where it is one */
    bool *drop, *best;        /* by value */
    size_t *live;             /* by node of a rewritten graph */
    size_t live_room;
    struct move *moves;
    size_t n_moves, moves_room;
};

/* ---- phases ---- */

static bool next_phase(const struct sft_graph *graph, struct phase *phase)
{
    size_t k = phase->begin = phase->end;
    while (k < graph->n_nodes && !graph->nodes[k].gradient) k++;
    phase->turn = k;
    while (k < graph->n_nodes && graph->nodes[k].gradient) k++;
    phase->end = k;
    return phase->turn < phase->end;
}

/* ---- facts ---- */

static bool writes_outside(const struct sft_graph *graph, const struct sft_node *node)
{
    if (node->op->mutates) return true;
    for (int i = 0; i < node->n_out; i++)
        if (!node->op->view && graph->values[sft_graph_root(graph, node->out[i], NULL)].outside) return true;
    return false;
}

static bool writes_over(const struct sft_graph *graph, const struct sft_node *writer, sft_value value)
{
    for (int i = 0; i < writer->n_in; i++)
        if ((writer->op->mutates >> i & 1) && sft_values_overlap(graph, writer->in[i], value)) return true;
    for (int i = 0; i < writer->n_out; i++)
        if (sft_values_overlap(graph, writer->out[i], value)) return true;
    return false;
}

/* Whether what node k reads outside is still there at the end of the phase. */
static bool reads_what_stays(const struct search *search, size_t k, const struct phase *phase)
{
    const struct sft_graph *graph = search->graph;
    const struct sft_node *node = &graph->nodes[k];
    for (int i = 0; i < node->n_in; i++) {
        if (node->in[i] == SFT_NONE) continue;
        if (!graph->values[sft_graph_root(graph, node->in[i], NULL)].outside) continue;
        for (size_t w = 0; w < search->n_writes; w++)
            if (search->writes[w] > k && search->writes[w] < phase->end &&
                writes_over(graph, &graph->nodes[search->writes[w]], node->in[i]))
                return false;
    }
    return true;
}

static void note_reader(struct search *search, const struct phase *phase, size_t k, sft_value value)
{
    sft_value root = sft_graph_root(search->graph, value, NULL);
    struct fact *fact = &search->facts[root];
    int32_t maker = search->graph->values[root].node;
    if (maker < (int32_t)phase->begin || maker >= (int32_t)phase->turn) return;
    if (k >= phase->turn) {
        fact->kept |= !search->graph->nodes[k].op->view;
        return;
    }
    fact->readers += !search->graph->nodes[k].op->view;
    fact->last = (int32_t)k;
}

/* What many nodes read (perturbed parameters) or what is small is not worth it. */
static bool is_worth_it(const struct search *search, sft_value value, size_t largest)
{
    enum { COMMON = 16, SMALL = 1024 };
    return search->facts[value].readers <= COMMON && sft_graph_bytes(search->graph, value) > largest / SMALL;
}

static size_t largest_value(const struct sft_graph *graph, const struct phase *phase)
{
    size_t largest = 0;
    for (size_t k = phase->begin; k < phase->turn; k++)
        for (int i = 0; i < graph->nodes[k].n_out; i++) {
            size_t bytes = sft_graph_bytes(graph, graph->nodes[k].out[i]);
            if (bytes > largest) largest = bytes;
        }
    return largest;
}

/* Little more than the time to read and write it, from tensors and from what the gradient keeps anyway. */
static bool is_cheap(const struct search *search, size_t k, sft_value value)
{
    const double traffic = 4e-10; /* seconds a byte */
    const struct sft_graph *graph = search->graph;
    const struct sft_node *node = &graph->nodes[k];
    if (search->facts[value].seconds > traffic * (double)sft_graph_bytes(graph, value) + 2e-5) return false;
    for (int i = 0; i < node->n_in; i++) {
        sft_value root = node->in[i] == SFT_NONE ? SFT_NONE : sft_graph_root(graph, node->in[i], NULL);
        if (root == SFT_NONE || graph->values[root].outside) continue;
        if (search->facts[root].free && (!search->facts[root].kept || search->facts[root].cheap))
            return false;
    }
    return true;
}

static void find_facts(struct search *search, const struct phase *phase)
{
    const struct sft_graph *graph = search->graph;
    size_t largest = largest_value(graph, phase);
    for (size_t k = phase->begin; k < phase->end; k++)
        for (int i = 0; i < graph->nodes[k].n_in; i++)
            if (graph->nodes[k].in[i] != SFT_NONE) note_reader(search, phase, k, graph->nodes[k].in[i]);
    for (size_t k = phase->begin; k < phase->turn; k++) {
        const struct sft_node *node = &graph->nodes[k];
        bool can = !node->op->view && !writes_outside(graph, node) && reads_what_stays(search, k, phase);
        for (int i = 0; i < node->n_out; i++) {
            struct fact *fact = &search->facts[node->out[i]];
            if (node->op->view) continue;
            if (fact->last < (int32_t)k) fact->last = (int32_t)k;
            fact->seconds = sft_node_seconds(graph, node);
            fact->free = can && is_worth_it(search, node->out[i], largest);
            fact->cheap = fact->free && fact->kept && is_cheap(search, k, node->out[i]);
        }
    }
}

/* ---- segments ---- */

static void count_crossings(struct search *search, const struct phase *phase)
{
    const struct sft_graph *graph = search->graph;
    size_t n = graph->n_nodes + 2;
    memset(search->crossing, 0, n * sizeof(*search->crossing));
    memset(search->crossing_sum, 0, n * sizeof(*search->crossing_sum));
    for (size_t v = 0; v < graph->n_values; v++) {
        const struct fact *fact = &search->facts[v];
        if (!fact->free || graph->values[v].node < (int32_t)phase->begin) continue;
        if (graph->values[v].node >= (int32_t)phase->turn) continue;
        search->crossing[graph->values[v].node + 1]++;
        search->crossing_sum[graph->values[v].node + 1] += (int64_t)v;
        search->crossing[fact->last + 1]--;
        search->crossing_sum[fact->last + 1] -= (int64_t)v;
    }
    for (size_t k = 1; k < n; k++) {
        search->crossing[k] += search->crossing[k - 1];
        search->crossing_sum[k] += search->crossing_sum[k - 1];
    }
}

static double kept_bytes(const struct search *search, size_t k)
{
    const struct sft_node *node = &search->graph->nodes[k];
    double bytes = 0;
    for (int i = 0; i < node->n_out; i++)
        if (search->facts[node->out[i]].free && search->facts[node->out[i]].kept)
            bytes += (double)sft_graph_bytes(search->graph, node->out[i]);
    return bytes;
}

/* Cuts the phase into about `wanted` segments; returns how many they are. */
static int cut(struct search *search, const struct phase *phase, int wanted)
{
    const struct sft_graph *graph = search->graph;
    double whole = 0, sum = 0;
    int segment = 0;
    for (size_t k = phase->begin; k < phase->turn; k++) whole += kept_bytes(search, k);
    for (size_t k = phase->begin; k < phase->turn; k++) {
        if (sum >= whole / wanted && k > phase->begin && search->crossing[k] == 1) {
            search->facts[search->crossing_sum[k]].boundary = true;
            segment++;
            sum = 0;
        }
        sum += kept_bytes(search, k);
        for (int i = 0; i < graph->nodes[k].n_out; i++) {
            search->facts[graph->nodes[k].out[i]].segment = segment;
            search->facts[graph->nodes[k].out[i]].boundary = false;
        }
    }
    return segment + 1;
}

/* ---- moves ---- */

static bool is_dropped_by(const struct search *search, sft_value value, enum move_kind kind)
{
    const struct fact *fact = &search->facts[value];
    return fact->free && !fact->boundary && (kind == WHOLE || fact->cheap);
}

static bool is_in(const struct search *search, const struct phase *phase, sft_value value)
{
    int32_t maker = search->graph->values[value].node;
    return maker >= (int32_t)phase->begin && maker < (int32_t)phase->turn &&
           search->graph->values[value].base == SFT_NONE;
}

/* A node's seconds count for its first output that is dropped. */
static bool counts_seconds(const struct search *search, sft_value value, enum move_kind kind)
{
    const struct sft_node *node = &search->graph->nodes[search->graph->values[value].node];
    for (int i = 0; i < node->n_out && node->out[i] != value; i++)
        if (is_dropped_by(search, node->out[i], kind)) return false;
    return true;
}

static int by_price(const void *a, const void *b)
{
    const struct move *x = a, *y = b;
    double p = x->seconds * y->bytes, q = y->seconds * x->bytes;
    if (p != q) return p < q ? -1 : 1;
    if (x->kind != y->kind) return x->kind < y->kind ? -1 : 1;
    return x->segment - y->segment;
}

static enum sft_status list_moves(struct search *search, const struct phase *phase, int segments)
{
    const struct sft_graph *graph = search->graph;
    size_t kept = 0;
    SFT_TRY(sft_grow(&search->moves, &search->moves_room, 2 * (size_t)segments, sizeof(*search->moves)));
    search->n_moves = 2 * (size_t)segments;
    for (int s = 0; s < segments; s++)
        for (int kind = CHEAP; kind <= WHOLE; kind++)
            search->moves[2 * s + kind] = (struct move){(enum move_kind)kind, s, 0, 0};
    for (size_t i = 0; i < graph->n_values; i++) {
        sft_value v = (sft_value)i;
        const struct fact *fact = &search->facts[v];
        if (!is_in(search, phase, v) || !is_dropped_by(search, v, WHOLE)) continue;
        struct move *move = &search->moves[2 * fact->segment + (fact->cheap ? CHEAP : WHOLE)];
        if (fact->kept) move->bytes += (double)sft_graph_bytes(graph, v);
        if (counts_seconds(search, v, WHOLE)) move->seconds += fact->seconds;
    }
    for (size_t i = 0; i < search->n_moves; i++)
        if (search->moves[i].bytes > 0) search->moves[kept++] = search->moves[i];
    search->n_moves = kept;
    if (kept) qsort(search->moves, kept, sizeof(*search->moves), by_price);
    return SFT_OK;
}

static void drop_by(struct search *search, const struct phase *phase, size_t n_moves)
{
    for (size_t i = 0; i < search->graph->n_values; i++) {
        sft_value v = (sft_value)i;
        if (!is_in(search, phase, v)) continue;
        search->drop[v] = false;
        for (size_t m = 0; m < n_moves; m++)
            if (search->moves[m].segment == search->facts[v].segment)
                search->drop[v] |= is_dropped_by(search, v, search->moves[m].kind);
    }
}

/* ---- trying ---- */

struct outcome {
    size_t peak;    /* most bytes alive in the phase */
    double seconds; /* to compute again */
};

static enum sft_status measure(struct search *search, const struct phase *phase, const struct sft_graph *made,
                               const size_t *places, struct outcome *outcome)
{
    SFT_TRY(sft_grow(&search->live, &search->live_room, made->n_nodes, sizeof(*search->live)));
    SFT_TRY(sft_plan_live(made, search->limits->scratch, search->live));
    *outcome = (struct outcome){0, 0};
    for (size_t k = 0; k < made->n_nodes; k++) {
        if (places[k] < phase->begin || places[k] >= phase->end) continue;
        if (search->live[k] > outcome->peak) outcome->peak = search->live[k];
        if (made->nodes[k].again) outcome->seconds += sft_node_seconds(made, &made->nodes[k]);
    }
    return SFT_OK;
}

/* With the first n moves made. */
static enum sft_status try(struct search *search, const struct phase *phase, size_t n_moves,
                           struct outcome *outcome)
{
    struct sft_graph *made;
    size_t *places;
    enum sft_status status;
    drop_by(search, phase, n_moves);
    SFT_TRY(sft_compute_again(search->graph, search->drop, &made, &places));
    status = measure(search, phase, made, places, outcome);
    sft_graph_destroy(&made);
    free(places);
    return status;
}

static bool is_better(const struct search *search, const struct outcome *a, const struct outcome *b)
{
    size_t most = search->limits->arena;
    if (a->peak > most || b->peak > most) return a->peak < b->peak;
    return a->seconds < b->seconds;
}

static enum sft_status try_and_keep(struct search *search, const struct phase *phase, size_t n_moves,
                                    struct outcome *outcome, struct outcome *best)
{
    SFT_TRY(try(search, phase, n_moves, outcome));
    if (!is_better(search, outcome, best)) return SFT_OK;
    *best = *outcome;
    memcpy(search->best, search->drop, search->graph->n_values * sizeof(*search->best));
    return SFT_OK;
}

/* The fewest moves that fit, by halving. */
static enum sft_status try_segments(struct search *search, const struct phase *phase, int wanted,
                                    struct outcome *best)
{
    size_t low = 0, high;
    struct outcome outcome;
    SFT_TRY(list_moves(search, phase, cut(search, phase, wanted)));
    high = search->n_moves;
    SFT_TRY(try_and_keep(search, phase, high, &outcome, best));
    while (outcome.peak <= search->limits->arena && high - low > 1) {
        size_t middle = low + (high - low) / 2;
        struct outcome tried;
        SFT_TRY(try_and_keep(search, phase, middle, &tried, best));
        *(tried.peak <= search->limits->arena ? &high : &low) = middle;
    }
    return SFT_OK;
}

static enum sft_status search_phase(struct search *search, const struct phase *phase)
{
    static const int segments[] = {1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64};
    struct outcome best;
    SFT_TRY(try(search, phase, 0, &best));
    if (best.peak <= search->limits->arena) return SFT_OK;
    find_facts(search, phase);
    count_crossings(search, phase);
    memcpy(search->best, search->drop, search->graph->n_values * sizeof(*search->best));
    for (size_t i = 0; i < sizeof(segments) / sizeof(segments[0]); i++)
        SFT_TRY(try_segments(search, phase, segments[i], &best));
    memcpy(search->drop, search->best, search->graph->n_values * sizeof(*search->drop));
    return SFT_OK;
}

/* ---- the pass ---- */

static enum sft_status begin(struct search *search)
{
    const struct sft_graph *graph = search->graph;
    search->facts = sft_calloc(graph->n_values, sizeof(*search->facts));
    search->drop = sft_calloc(graph->n_values, sizeof(*search->drop));
    search->best = sft_calloc(graph->n_values, sizeof(*search->best));
    search->writes = sft_calloc(graph->n_nodes, sizeof(*search->writes));
    search->crossing = sft_calloc(graph->n_nodes + 2, sizeof(*search->crossing));
    search->crossing_sum = sft_calloc(graph->n_nodes + 2, sizeof(*search->crossing_sum));
    if (!search->facts || !search->drop || !search->best || !search->writes || !search->crossing ||
        !search->crossing_sum)
        return SFT_MEMORY;
    for (size_t k = 0; k < graph->n_nodes; k++)
        if (writes_outside(graph, &graph->nodes[k])) search->writes[search->n_writes++] = k;
    return SFT_OK;
}

static void end(struct search *search)
{
    free(search->facts);
    free(search->drop);
    free(search->best);
    free(search->writes);
    free(search->crossing);
    free(search->crossing_sum);
    free(search->live);
    free(search->moves);
}

static enum sft_status replace(struct sft_graph *graph, const bool *drop)
{
    struct sft_graph *made, old;
    SFT_TRY(sft_compute_again(graph, drop, &made, NULL));
    old = *graph;
    *graph = *made;
    *made = old;
    sft_graph_destroy(&made);
    return SFT_OK;
}

enum sft_status sft_pass_recompute(struct sft_graph *graph, const struct sft_pass_limits *limits)
{
    struct search search = {.graph = graph, .limits = limits};
    struct phase phase = {0, 0, 0};
    enum sft_status status;
    if (limits->arena == 0) return SFT_OK;
    SFT_TRY_OUT(begin(&search));
    while (next_phase(graph, &phase)) SFT_TRY_OUT(search_phase(&search, &phase));
    status = replace(graph, search.drop);
out:
    end(&search);
    return status;
}

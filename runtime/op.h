/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The op table: what an operation is, declared once.
 *
 * An op is a row in runtime/ops/ops.def and a `const struct sft_op` in runtime/ops/. Graph, autodiff, plan,
 * both backends, the tests, the gradient checks and the benchmark read this struct and nothing else, so an op
 * without a kernel, a gradient decision or a reference cannot hide. Kernels are found by name: sft_cpu_NAME
 * in runtime/cpu, sft_vk_NAME in runtime/vulkan.
 */
#ifndef SFT_OP_H
#define SFT_OP_H

#include "runtime/graph.h"

struct sft_autodiff;
struct sft_vk_recorder;

struct sft_cost {
    double flops; /* one multiply-add counts 2 */
    double bytes; /* least traffic: each input read once, each output written once */
};

/* One node with its memory, as a CPU kernel sees it. Absent optional inputs and unused outputs are NULL. */
struct sft_call {
    const struct sft_graph *graph;
    const struct sft_node *node;
    void *in[SFT_MAX_INPUTS];
    void *out[SFT_MAX_OUTPUTS];
    void *scratch; /* sft_op.scratch bytes, 64-byte aligned, contents undefined */
};

enum sft_backend_kind { SFT_CPU, SFT_VULKAN };

struct sft_op {
    const char *name;
    int min_in, max_in; /* inputs from min_in on are optional */
    int n_out;
    size_t params_size;

    /* Checks inputs and parameters and gives the outputs' shapes (and types, which start as SFT_F32). Pure. A
     * misfit is described with sft_fail. */
    enum sft_status (*infer)(const struct sft_graph *graph, const struct sft_node *node,
                             struct sft_shape *out, enum sft_dtype *dtype);

    /* Appends the gradient nodes (runtime/autodiff.h). `node` is a copy that stays valid while the graph
     * grows. NULL only with the reason in `no_grad`. */
    void (*grad)(struct sft_autodiff *autodiff, const struct sft_node *node);
    const char *no_grad;

    void (*cost)(const struct sft_graph *graph, const struct sft_node *node,
                 struct sft_cost *cost); /* NULL: bytes only */

    /* Bytes of scratch memory that a backend's kernel needs; NULL for none. They may depend on shapes and
     * parameters only: a plan is the same on every device of a backend. */
    size_t (*cpu_scratch)(const struct sft_graph *graph, const struct sft_node *node);
    size_t (*vulkan_scratch)(const struct sft_graph *graph, const struct sft_node *node);

    unsigned in_place; /* bit i: output 0 may take the memory of input i, which has output 0's shape */
    unsigned mutates;  /* bit i: input i, an outside value, is updated in place */
    bool view;         /* output 0 lies in input 0's memory; nothing runs */

    enum sft_status (*cpu)(const struct sft_call *call);
    enum sft_status (*vulkan)(struct sft_vk_recorder *recorder, const struct sft_graph *graph,
                              const struct sft_node *node);
};

/* Every op, in the order of ops.def. */
extern const struct sft_op *const sft_ops[];
extern const int sft_op_count;
const struct sft_op *sft_op_find(const char *name); /* NULL when there is none */

/* Bytes and FLOPs of a node (by the op's own rule, or bytes of inputs and outputs). */
struct sft_cost sft_node_cost(const struct sft_graph *graph, const struct sft_node *node);

/* The op's parameter struct of a node. */
#define SFT_NODE_PARAMS(type, node) ((const type *)(const void *)(node)->params)

static inline const struct sft_shape *sft_in_shape(const struct sft_graph *graph, const struct sft_node *node,
                                                   int i)
{
    return sft_graph_shape(graph, node->in[i]);
}

static inline const struct sft_shape *sft_out_shape(const struct sft_graph *graph,
                                                    const struct sft_node *node, int i)
{
    return sft_graph_shape(graph, node->out[i]);
}

static inline int64_t sft_in_count(const struct sft_graph *graph, const struct sft_node *node, int i)
{
    return sft_shape_count(sft_graph_shape(graph, node->in[i]));
}

static inline int64_t sft_out_count(const struct sft_graph *graph, const struct sft_node *node, int i)
{
    return sft_shape_count(sft_graph_shape(graph, node->out[i]));
}

#define SFT_OP(name) extern const struct sft_op sft_op_##name;
#include "runtime/ops/ops.def"
#undef SFT_OP

/* The gradient of a gradient op. */
#define SFT_NO_SECOND_DERIVATIVE .no_grad = "second derivatives are not needed"

/* An op declares its kernels with SFT_KERNELS(name), and with SFT_CPU_SCRATCH(name) or
 * SFT_VULKAN_SCRATCH(name) the functions sft_cpu_NAME_scratch and sft_vk_NAME_scratch, which lie beside the
 * kernels. */
#define SFT_OP(name)                                                                                         \
    enum sft_status sft_cpu_##name(const struct sft_call *call);                                             \
    size_t sft_cpu_##name##_scratch(const struct sft_graph *graph, const struct sft_node *node);
#include "runtime/ops/ops.def"
#undef SFT_OP
#define SFT_CPU_SCRATCH(name) .cpu_scratch = sft_cpu_##name##_scratch

#ifdef SFT_HAVE_VULKAN
#define SFT_OP(name)                                                                                         \
    enum sft_status sft_vk_##name(struct sft_vk_recorder *recorder, const struct sft_graph *graph,           \
                                  const struct sft_node *node);
#include "runtime/ops/ops.def"
#undef SFT_OP
#define SFT_OP(name)                                                                                         \
    size_t sft_vk_##name##_scratch(const struct sft_graph *graph, const struct sft_node *node);
#include "runtime/ops/ops.def"
#undef SFT_OP
#define SFT_KERNELS(name) .cpu = sft_cpu_##name, .vulkan = sft_vk_##name
#define SFT_VULKAN_SCRATCH(name) .vulkan_scratch = sft_vk_##name##_scratch
#else
#define SFT_KERNELS(name) .cpu = sft_cpu_##name
#define SFT_VULKAN_SCRATCH(name) .vulkan_scratch = NULL
#endif

#endif

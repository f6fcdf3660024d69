/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Programs: a graph made ready for one device: rewritten by the passes (runtime/passes.h), planned, its arena
 * allocated, its kernels recorded. Running it is asynchronous.
 */
#ifndef SFT_PROGRAM_H
#define SFT_PROGRAM_H

#include "runtime/plan.h"

struct sft_device;
struct sft_program;
struct sft_tensor;

/* A program before anything is allocated: the nodes after the passes, and where their values lie. Owned. */
struct sft_planned {
    struct sft_graph *graph;
    struct sft_plan *plan;
};

/* Plans `graph`, whose outside values need be bound only for the program. With `most` above 0 the passes
 * trade time for memory until the arena takes no more than that many bytes, as far as they can: what it takes
 * is planned->plan->arena. SFT_USAGE for values that must not share memory (runtime/aliasing.h). Release with
 * sft_planned_free(). */
enum sft_status sft_program_plan(const struct sft_device *device, const struct sft_graph *graph, size_t most,
                                 struct sft_planned *planned) SFT_MUST_CHECK;
/* Seconds that a program of `graph` may take on an ordinary machine (runtime/cost.h) when nothing is computed
 * again. */
enum sft_status sft_program_estimate(const struct sft_device *device, const struct sft_graph *graph,
                                     double *seconds) SFT_MUST_CHECK;
void sft_planned_free(struct sft_planned *planned);

/* Memory for the temporary values of programs that never run at the same time; SFT_MEMORY when it does not
 * fit. Release with sft_tensor_destroy(). */
enum sft_status sft_arena_create(struct sft_device *device, size_t bytes,
                                 struct sft_tensor **arena) SFT_MUST_CHECK;

/* Makes the program that was planned; `planned` is empty afterwards. Every outside value must be bound to a
 * tensor of `device`, which has to outlive the program. `arena` holds at least planned->plan->arena bytes and
 * is borrowed; NULL: the program has one of its own. */
enum sft_status sft_program_make(struct sft_device *device, struct sft_planned *planned,
                                 struct sft_tensor *arena, struct sft_program **program) SFT_MUST_CHECK;

/* Plans and makes `graph`, which may be destroyed afterwards, with an arena of its own. */
enum sft_status sft_program_create(struct sft_device *device, const struct sft_graph *graph,
                                   struct sft_program **program) SFT_MUST_CHECK;
void sft_program_destroy(struct sft_program **program);
enum sft_status sft_program_run(struct sft_program *program) SFT_MUST_CHECK;
size_t sft_program_arena(const struct sft_program *program); /* bytes */

/* Counts the seconds that each node takes. Profiling costs a wait after each node. */
enum sft_status sft_program_profile(struct sft_program *program, bool on) SFT_MUST_CHECK;

/* The graph that runs, after the passes; borrowed. */
const struct sft_graph *sft_program_graph(const struct sft_program *program);

/* Seconds by node of that graph, summed over the profiled runs; NULL before sft_program_profile(). */
const double *sft_program_seconds(const struct sft_program *program);

#endif

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

/* Makes `graph` ready. Every outside value must be bound to a tensor of `device`. The graph may be destroyed
 * afterwards, the tensors not. SFT_USAGE for values that must not share memory (runtime/aliasing.h),
 * SFT_MEMORY when the arena does not fit. */
enum sft_status sft_program_create(struct sft_device *device, const struct sft_graph *graph,
                                   struct sft_program **program) SFT_MUST_CHECK;
void sft_program_destroy(struct sft_program **program);
enum sft_status sft_program_run(struct sft_program *program) SFT_MUST_CHECK;
size_t sft_program_arena(const struct sft_program *program); /* bytes */

/* What a program of `graph` would run, without making one: the nodes after the passes and where their values
 * lie. Destroy both. */
enum sft_status sft_program_plan(const struct sft_device *device, const struct sft_graph *graph,
                                 struct sft_graph **planned, struct sft_plan **plan) SFT_MUST_CHECK;

/* Counts the seconds that each node takes. Profiling costs a wait after each node. */
enum sft_status sft_program_profile(struct sft_program *program, bool on) SFT_MUST_CHECK;

/* The graph that runs, after the passes; borrowed. */
const struct sft_graph *sft_program_graph(const struct sft_program *program);

/* Seconds by node of that graph, summed over the profiled runs; NULL before sft_program_profile(). */
const double *sft_program_seconds(const struct sft_program *program);

#endif

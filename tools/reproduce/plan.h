/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What has to be trained and evaluated for some tables, each thing once: rows that share a model, a
 * fine-tuning or an evaluation share it here too, across tables and, through the folder of runs, across
 * commands.
 */
#ifndef SFT_REPRODUCE_PLAN_H
#define SFT_REPRODUCE_PLAN_H

#include <jansson.h>

#include "tools/reproduce/state.h"

struct sft_plan_item {
    struct sft_state state;
    uint64_t scores; /* a bit for each row of the table of scores */
    json_t *metrics; /* as results.json; NULL before it is run, or when it failed; owned */
};

struct sft_plan {
    struct sft_plan_item *items;
    size_t count, capacity;
};

/* Adds what is not there yet. A NULL score asks for the weights only. */
enum sft_status sft_plan_add(struct sft_plan *plan, struct sft_state state,
                             const struct sft_score *score) SFT_MUST_CHECK;

/* Does it all, in an order in which trainings are shared; says before what is to be done and how long it may
 * take. A training that diverges is told and leaves its metrics NULL. */
enum sft_status sft_plan_run(struct sft_plan *plan, struct sft_lab *lab) SFT_MUST_CHECK;

/* The metrics of a state, NULL where there are none; borrowed. */
json_t *sft_plan_metrics(const struct sft_plan *plan, struct sft_state state);

void sft_plan_free(struct sft_plan *plan);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/jobs/step_plan.h"

static double mib(uint64_t bytes) { return (double)bytes / 1048576.0; }

void sft_step_plan_text(const struct sft_step_plan *plan, struct sft_text *text)
{
    if (plan->slices > 1)
        sft_text_printf(text, "%d micro-batches of %d image%s", plan->slices, plan->rows,
                        plan->rows == 1 ? "" : "s");
    else
        sft_text_printf(text, "undivided");
    sft_text_printf(text, ", %.0f MiB of weights, %.0f MiB of gradients and state, %.0f MiB of images, ",
                    mib(plan->model), mib(plan->state), mib(plan->batch));
    sft_text_printf(text, "%.0f MiB of temporary values", mib(plan->arena));
    if (plan->again)
        sft_text_printf(text, "; %d operations are done again to save memory, which is %.1f %% of %.1f GFLOP",
                        plan->again, 100 * plan->flops_again / plan->flops, 1e-9 * plan->flops);
}

void sft_step_plan_json(struct sft_json *json, const char *key, const struct sft_step_plan *plan)
{
    sft_json_object(json, key);
    sft_json_integer(json, "micro_batches", plan->slices);
    sft_json_integer(json, "images_each", plan->rows);
    sft_json_integer(json, "arena_bytes", (int64_t)plan->arena);
    sft_json_integer(json, "arena_least_bytes", (int64_t)plan->arena_least);
    sft_json_integer(json, "model_bytes", (int64_t)plan->model);
    sft_json_integer(json, "state_bytes", (int64_t)plan->state);
    sft_json_integer(json, "image_bytes", (int64_t)plan->batch);
    sft_json_integer(json, "operations_again", plan->again);
    sft_json_real(json, "flops", plan->flops);
    sft_json_real(json, "flops_again", plan->flops_again);
    sft_json_end(json);
}

enum sft_status sft_training_plan(struct sft_training *training, int slices)
{
    struct sft_fit_params params = training->job.params;
    struct sft_model *model = training->model;
    const int side = model->image_size;
    struct sft_loader_params loader;
    struct sft_step *step = NULL;
    enum sft_status status;
    if (params.schedule.steps < 1) return SFT_OK;
    params.step.traced = training->trace != NULL;
    params.step.slices = slices;
    params.loader = sft_training_loader(training);
    model->image_size = params.loader.size;
    status = sft_fit_plan(model, &params, &loader, &step);
    model->image_size = side;
    SFT_TRY(status);
    training->plan = *sft_step_get_plan(step);
    training->job.params.step.slices = training->plan.slices;
    sft_step_destroy(&step);
    return SFT_OK;
}

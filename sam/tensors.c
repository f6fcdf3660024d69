/* SPDX-License-Identifier: Apache-2.0 */
#include "sam/tensors.h"

#include <stdlib.h>

#include "runtime/base/alloc.h"
#include "sam/sets.h"

static bool has_memory(const struct sft_step *step)
{
    return sft_step_has_between(step) || step->how.vector == SFT_VECTOR_NEW || sft_step_chooses(step);
}

enum sft_status sft_step_describe_tensors(struct sft_step *step)
{
    struct sft_device *device = step->model->parameters.weights->device;
    bool fisher = step->how.selection == SFT_SELECT_FISHER, up = sft_step_has_ascent(step);
    int64_t n = step->rows, side = step->model->image_size;
    int64_t labels = sft_step_labels_an_image(step);
    struct sft_shape flat = SFT_SHAPE(step->model->parameters.weights_size);
    struct sft_shape perturbed = SFT_SHAPE(step->extent),
                     first = sft_step_first_is_whole(step) ? flat : perturbed;
    const struct {
        const char *name;
        enum sft_dtype dtype;
        struct sft_shape shape;
        bool wanted;
    } rows[SFT_SLOTS] = {
        [SFT_SLOT_IMAGES] = {"images", SFT_F32, SFT_SHAPE(n, side, side, 3), true},
        [SFT_SLOT_LABELS] = {"labels", SFT_I32, SFT_SHAPE(labels * n), true},
        [SFT_SLOT_ROW_WEIGHTS] = {"row weights", SFT_F32, SFT_SHAPE(n), true},
        [SFT_SLOT_FIRST_WEIGHTS] = {"row weights of the ascent", SFT_F32, SFT_SHAPE(n), true},
        [SFT_SLOT_HYPER] = {"hyper-parameters", SFT_F32, SFT_SHAPE(SFT_HYPER_COUNT), true},
        [SFT_SLOT_KEY] = {"key of random numbers", SFT_I32, SFT_SHAPE(4), true},
        [SFT_SLOT_ROWS] = {"row losses", SFT_F32, SFT_SHAPE(n), true},
        [SFT_SLOT_SECOND_ROWS] = {"row losses elsewhere", SFT_F32, SFT_SHAPE(n),
                                  sft_step_is_ranked(step) || step->params.traced},
        [SFT_SLOT_NORMS] = {"norms", SFT_F32, SFT_SHAPE(2), true},
        [SFT_SLOT_KEPT] = {"perturbed tensors", SFT_F32, SFT_SHAPE(step->model->parameters.n),
                           sft_step_is_ranked(step)},
        [SFT_SLOT_ONE_IMAGE] = {"an image", SFT_F32, SFT_SHAPE(1, side, side, 3), fisher},
        [SFT_SLOT_ONE_LABEL] = {"a label", SFT_I32, SFT_SHAPE(labels), fisher},
        [SFT_SLOT_GRADIENT] = {"gradient", SFT_F32, flat, true},
        [SFT_SLOT_PART] = {"gradient of a part", SFT_F32, flat, sft_step_has_parts(step)},
        [SFT_SLOT_ASCENT] = {"ascent gradient", SFT_F32, first, up},
        [SFT_SLOT_MIXED] = {"mixed gradient", SFT_F32, flat, sft_step_has_between(step)},
        [SFT_SLOT_SET] = {"perturbed set", SFT_F32, perturbed, sft_step_cuts(step)},
        [SFT_SLOT_SCALE] = {"scale of the perturbation", SFT_F32, perturbed,
                            up && sft_step_is_adaptive(step)},
        [SFT_SLOT_CHOSEN] = {"perturbed elements", SFT_F32, perturbed, sft_step_is_ranked(step)},
        [SFT_SLOT_SCORE] = {"squared gradients", SFT_F32, first, fisher},
        [SFT_SLOT_MOVED] = {"perturbed weights", SFT_F32, perturbed,
                            up && (sft_step_is_ranked(step) || sft_step_is_sliced(step))},
        [SFT_SLOT_VELOCITY] = {"optimiser state", SFT_F32, flat, true},
        [SFT_SLOT_SECOND_MOMENT] = {"second moment", SFT_F32, flat, step->how.descent == SFT_DESCENT_ADAM},
        [SFT_SLOT_MEMORY] = {"optimiser memory", SFT_F32, flat, has_memory(step)},
    };
    for (int i = 0; i < SFT_SLOTS; i++) {
        if (!rows[i].wanted) continue;
        SFT_TRY(sft_tensor_describe(device, rows[i].name, rows[i].dtype, rows[i].shape, &step->tensors[i]));
        if (i >= SFT_SLOT_VELOCITY) step->states[step->n_states++] = step->tensors[i];
    }
    return SFT_OK;
}

static enum sft_status create_buffers(struct sft_step *step)
{
    size_t n = (size_t)(step->params.n_id + step->params.n_ood);
    step->row_buffer = sft_calloc(n, sizeof(float));
    step->second_buffer = sft_calloc(n, sizeof(float));
    step->weight_buffer = sft_calloc(n, sizeof(float));
    step->first_buffer = sft_calloc(n, sizeof(float));
    step->label_buffer = sft_calloc(n, sizeof(int32_t));
    step->target_buffer = sft_calloc(n * (size_t)sft_step_labels_an_image(step), sizeof(int32_t));
    return step->row_buffer && step->second_buffer && step->weight_buffer && step->first_buffer &&
                   step->label_buffer && step->target_buffer
               ? SFT_OK
               : SFT_MEMORY;
}

/* The tensors that hold what never changes: where the perturbed set is, and ones where T is never anything
 * else. */
static enum sft_status fill_constants(struct sft_step *step)
{
    static const enum sft_slot slots[] = {SFT_SLOT_SET, SFT_SLOT_SCALE};
    const struct sft_parameters *parameters = &step->model->parameters;
    float *values;
    enum sft_status status = SFT_OK;
    if (!step->tensors[SFT_SLOT_SET] && !step->tensors[SFT_SLOT_SCALE]) return SFT_OK;
    values = sft_calloc((size_t)step->extent, sizeof(*values));
    if (!values) return SFT_MEMORY;
    for (int i = 0; i < parameters->n; i++) {
        const struct sft_parameter *item = &parameters->items[i];
        if (sft_step_perturbs(step, i))
            for (int64_t k = 0; k < item->count; k++) values[item->offset + k] = 1.0f;
    }
    for (int i = 0; i < 2; i++)
        if (step->tensors[slots[i]])
            SFT_TRY_OUT(sft_tensor_upload(step->tensors[slots[i]], 0, step->extent, values));
out:
    free(values);
    return status;
}

enum sft_status sft_step_allocate_tensors(struct sft_step *step)
{
    for (int i = 0; i < SFT_SLOTS; i++)
        if (step->tensors[i]) SFT_TRY(sft_tensor_allocate(step->tensors[i]));
    SFT_TRY(create_buffers(step));
    return fill_constants(step);
}

void sft_step_free_tensors(struct sft_step *step)
{
    float **buffers[] = {&step->row_buffer, &step->second_buffer, &step->weight_buffer, &step->first_buffer};
    for (int i = 0; i < SFT_SLOTS; i++) sft_tensor_destroy(&step->tensors[i]);
    step->n_states = 0;
    for (size_t i = 0; i < sizeof(buffers) / sizeof(buffers[0]); i++) {
        free(*buffers[i]);
        *buffers[i] = NULL;
    }
    free(step->label_buffer);
    free(step->target_buffer);
    step->label_buffer = step->target_buffer = NULL;
}

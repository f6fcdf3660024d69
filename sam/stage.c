/* SPDX-License-Identifier: Apache-2.0 */
#include "sam/stage.h"

#include "runtime/ops.h"

sft_value sft_stage_slot(struct sft_stage *stage, enum sft_slot slot)
{
    if (stage->slots[slot] == SFT_NONE)
        stage->slots[slot] = sft_graph_tensor(stage->graph, stage->step->tensors[slot]);
    return stage->slots[slot];
}

sft_value sft_stage_part(struct sft_stage *stage, sft_value flat, int64_t first, int64_t last)
{
    return sft_view(stage->graph, flat, first, SFT_SHAPE(last - first));
}

sft_value sft_stage_parameter(struct sft_stage *stage, sft_value flat, int i)
{
    const struct sft_parameter *item = &stage->step->model->parameters.items[i];
    return sft_stage_part(stage, flat, item->offset, item->offset + item->count);
}

sft_value sft_stage_hyper(struct sft_stage *stage, enum sft_hyper which)
{
    return sft_stage_part(stage, sft_stage_slot(stage, SFT_SLOT_HYPER), which, which + 1);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "runtime/op.h"
#include "runtime/ops.h"

const struct sft_op *const sft_ops[SFT_OP_COUNT] = {
#define SFT_OP(name) [SFT_ID_##name] = &sft_op_##name,
#include "runtime/ops.def"
#undef SFT_OP
};

const struct sft_op *sft_op_find(const char *name)
{
    for (int i = 0; i < SFT_OP_COUNT; i++)
        if (strcmp(sft_ops[i]->name, name) == 0) return sft_ops[i];
    return NULL;
}

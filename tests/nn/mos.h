/* SPDX-License-Identifier: Apache-2.0 */
/* tests/golden/mos.json: logits of a grouped classifier, and what PyTorch makes of them
 * (tests/golden/mos.py). */
#ifndef SFT_TESTS_MOS_H
#define SFT_TESTS_MOS_H

#include "nn/groups.h"
#include "tests/nn/golden.h"

enum { MOS_ROWS = 24, MOS_CLASSES = 10, MOS_GROUPS = 4, MOS_OUTPUTS = MOS_CLASSES + MOS_GROUPS };
static const char mos_text[] = "4,0,7;2;9,1,3,8;6,5";

struct mos {
    json_t *golden;
    struct sft_groups *groups;
    float logits[MOS_ROWS * MOS_OUTPUTS];
    int32_t labels[MOS_ROWS];
};

static inline void mos_open(struct mos *mos)
{
    mos->golden = golden_open(SFT_TEST_DATA "/golden/mos.json");
    assert_int_equal(sft_groups_create(mos_text, MOS_CLASSES, "test", &mos->groups), SFT_OK);
    for (size_t i = 0; i < MOS_ROWS; i++) {
        const json_t *row = json_array_get(json_object_get(mos->golden, "logits"), i);
        assert_int_equal(json_array_size(row), MOS_OUTPUTS);
        for (size_t k = 0; k < MOS_OUTPUTS; k++)
            mos->logits[i * MOS_OUTPUTS + k] = (float)golden_number(row, k);
        mos->labels[i] = (int32_t)golden_number(json_object_get(mos->golden, "labels"), i);
    }
}

static inline void mos_close(struct mos *mos)
{
    sft_groups_destroy(&mos->groups);
    json_decref(mos->golden);
}

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Helpers of the float64 references. Those are naive on purpose: written from the definitions in
 * runtime/ops.h. */
#ifndef SFT_TESTS_REF_H
#define SFT_TESTS_REF_H

#include <math.h>
#include <string.h>

#include "tests/support/test_op.h"

#define REF_PARAMS(type, call) ((const type *)(call)->params)

static inline int64_t ref_count(const struct sft_shape *shape)
{
    int64_t count = 1;
    for (int i = 0; i < shape->rank; i++) count *= shape->dim[i];
    return count;
}

/* Splits element `i` of `shape` into its coordinates. */
static inline void ref_split(const struct sft_shape *shape, int64_t i, int64_t *at)
{
    for (int axis = shape->rank - 1; axis >= 0; axis--) {
        at[axis] = i % shape->dim[axis];
        i /= shape->dim[axis];
    }
}

static inline int64_t ref_join(const struct sft_shape *shape, const int64_t *at)
{
    int64_t i = 0;
    for (int axis = 0; axis < shape->rank; axis++) i = i * shape->dim[axis] + at[axis];
    return i;
}

/* The element of `small`, which broadcasts to `big`, that belongs to element `i` of `big`. */
static inline int64_t ref_broadcast(const struct sft_shape *small, const struct sft_shape *big, int64_t i)
{
    int64_t at[SFT_MAX_RANK], own[SFT_MAX_RANK];
    ref_split(big, i, at);
    for (int axis = 0; axis < small->rank; axis++)
        own[axis] = small->dim[axis] == 1 ? 0 : at[axis + big->rank - small->rank];
    return ref_join(small, own);
}

/* Stops the running test when the shape rule gave something else than the definition does. */
void ref_expect_shape(const struct sft_shape *got, const char *op, struct sft_shape want);

#endif

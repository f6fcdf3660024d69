/* SPDX-License-Identifier: Apache-2.0 */
/* A graph on the device under test, run once. */
#ifndef SFT_TESTS_GRAPH_H
#define SFT_TESTS_GRAPH_H

#include "runtime/program.h"
#include "runtime/tensor.h"
#include "tests/support/group.h"

/* `data` may be NULL. */
static inline struct sft_tensor *test_tensor(enum sft_dtype dtype, struct sft_shape shape, const void *data)
{
    struct sft_tensor *tensor;
    assert_int_equal(sft_tensor_create(test_device(), "test", dtype, shape, &tensor), SFT_OK);
    if (data) assert_int_equal(sft_tensor_upload(tensor, 0, sft_shape_count(&shape), data), SFT_OK);
    return tensor;
}

/* Has `value` written to a new tensor. */
static inline struct sft_tensor *test_keep(struct sft_graph *graph, sft_value value)
{
    struct sft_tensor *tensor = test_tensor(SFT_F32, *sft_graph_shape(graph, value), NULL);
    sft_graph_place(graph, value, sft_graph_tensor(graph, tensor), 0);
    return tensor;
}

static inline void test_run(struct sft_graph *graph)
{
    struct sft_program *program;
    assert_int_equal(sft_graph_status(graph), SFT_OK);
    assert_int_equal(sft_program_create(test_device(), graph, &program), SFT_OK);
    assert_int_equal(sft_program_run(program), SFT_OK);
    assert_int_equal(sft_device_wait(test_device()), SFT_OK);
    sft_program_destroy(&program);
}

#endif

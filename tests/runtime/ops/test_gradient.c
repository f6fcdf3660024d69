/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every differentiable op: the gradient that autodiff builds, run on the device, against central differences
 * of the float64 reference. The loss is sum(weight * output 0). Small inputs are checked element by element,
 * all along random directions.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/autodiff.h"
#include "runtime/base/rng.h"
#include "tests/ref/ref.h"
#include "tests/support/harness.h"

enum { DIRECTIONS = 6, ALL_ELEMENTS = 64 };
static const double STEP = 1e-6, TOLERANCE = 2e-5; /* the latter relative to the gradient's size */

struct check {
    struct test_data data;
    double *weight; /* of the loss, by element of output 0 */
    sft_value in[SFT_MAX_INPUTS], out[SFT_MAX_OUTPUTS];
};

static double loss(struct check *check)
{
    double sum = 0.0;
    check->data.test->op->ref(&check->data.ref);
    for (int64_t i = 0; i < ref_count(&check->data.ref.out_shape[0]); i++)
        sum += check->weight[i] * check->data.ref.out[0][i];
    return sum;
}

/* (loss(x + STEP*direction) - loss(x - STEP*direction)) / (2*STEP) */
static double slope(struct check *check, int input, const double *direction)
{
    double *x = check->data.ref.in[input], above, below;
    int64_t count = ref_count(&check->data.ref.in_shape[input]);
    double *kept = malloc((size_t)count * sizeof(*kept));
    assert_non_null(kept);
    memcpy(kept, x, (size_t)count * sizeof(*kept));
    for (int64_t i = 0; i < count; i++) x[i] = kept[i] + STEP * direction[i];
    above = loss(check);
    for (int64_t i = 0; i < count; i++) x[i] = kept[i] - STEP * direction[i];
    below = loss(check);
    memcpy(x, kept, (size_t)count * sizeof(*kept));
    free(kept);
    return (above - below) / (2.0 * STEP);
}

static bool is_wanted(const struct test_data *data, int input)
{
    return data->bits[input] && data->in_type[input] == SFT_F32 && !(data->test->op->constant >> input & 1);
}

static void compare(struct check *check, int input, const float *gradient, const double *direction,
                    double size, const char *what, int number)
{
    double along = 0.0, want = slope(check, input, direction);
    for (int64_t i = 0; i < ref_count(&check->data.ref.in_shape[input]); i++)
        along += (double)gradient[i] * direction[i];
    if (!(fabs(along - want) <= TOLERANCE * (size + fabs(want)) + 1e-8))
        test_fail(check->data.test, "gradient of input %d, %s %d: got %.9g, want %.9g", input, what, number,
                  along, want);
}

static void check_gradient(struct check *check, int input, const float *gradient)
{
    int64_t count = ref_count(&check->data.ref.in_shape[input]);
    double *direction = test_alloc((size_t)count, sizeof(*direction)), size = 0.0;
    struct sft_rng rng;
    for (int64_t i = 0; i < count; i++) size += (double)gradient[i] * (double)gradient[i];
    size = sqrt(size);
    for (int64_t i = 0; count <= ALL_ELEMENTS && i < count; i++) {
        direction[i] = 1.0;
        compare(check, input, gradient, direction, size, "element", (int)i);
        direction[i] = 0.0;
    }
    sft_rng_init(&rng, check->data.test->seed, SFT_STREAM_TEST, 2);
    for (int d = 0; d < DIRECTIONS; d++) {
        for (int64_t i = 0; i < count; i++) direction[i] = (double)sft_rng_normal(&rng);
        compare(check, input, gradient, direction, size, "direction", d);
    }
}

/* Tensors for the inputs and, as the last one made, for the loss's weights. */
static sft_value build_loss(struct check *check, struct sft_graph *graph)
{
    const struct test_name *test = check->data.test;
    struct sft_tensor *weight;
    struct sft_shape shape;
    struct sft_rng rng;
    float *numbers;
    for (int i = 0; i < SFT_MAX_INPUTS; i++) {
        struct sft_tensor *tensor;
        check->in[i] = SFT_NONE;
        if (!check->data.bits[i]) continue;
        tensor = test_tensor("input", check->data.in_type[i], check->data.ref.in_shape[i]);
        assert_int_equal(sft_tensor_upload(tensor, 0, ref_count(&tensor->shape), check->data.bits[i]),
                         SFT_OK);
        check->in[i] = sft_graph_tensor(graph, tensor);
    }
    test->op->build(graph, check->in, test->test_case->params, check->out);
    assert_int_equal(sft_graph_status(graph), SFT_OK);
    shape = *sft_graph_shape(graph, check->out[0]);
    check->weight = test_alloc((size_t)ref_count(&shape), sizeof(double));
    numbers = test_alloc((size_t)ref_count(&shape), sizeof(float));
    sft_rng_init(&rng, test->seed, SFT_STREAM_TEST, 1);
    for (int64_t i = 0; i < ref_count(&shape); i++)
        check->weight[i] = (double)(numbers[i] = sft_rng_normal(&rng));
    weight = test_tensor("weight", SFT_F32, shape);
    assert_int_equal(sft_tensor_upload(weight, 0, ref_count(&shape), numbers), SFT_OK);
    return sft_sum_to(graph, sft_mul(graph, check->out[0], sft_graph_tensor(graph, weight)), SFT_SHAPE(1),
                      1.0f);
}

/* What takes part and has no gradient is refused when it is asked for, not left out. */
static void expect_refusals(const struct check *check, const struct sft_graph *graph, sft_value last)
{
    for (int i = 0; i < SFT_MAX_INPUTS; i++) {
        struct sft_graph *copy;
        enum sft_status status;
        sft_value grad;
        if (!(check->data.test->op->constant >> i & 1) || !check->data.bits[i]) continue;
        assert_int_equal(sft_graph_copy(graph, &copy), SFT_OK);
        test_catch_log();
        status = sft_autodiff(copy, last, &check->in[i], 1, &grad);
        test_release_log();
        sft_graph_destroy(&copy);
        if (status != SFT_USAGE) test_fail(check->data.test, "input %d: no gradient, and no refusal", i);
        test_expect_last("gives no gradient with respect to its input");
    }
}

static void gradient(void **state)
{
    struct check check = {{0}, NULL, {0}, {0}};
    struct sft_graph *graph = test_graph();
    struct sft_tensor *results[SFT_MAX_INPUTS] = {NULL};
    sft_value wanted[SFT_MAX_INPUTS], grads[SFT_MAX_INPUTS], last;
    test_make_data(*state, &check.data);
    last = build_loss(&check, graph);
    expect_refusals(&check, graph, last);
    for (int i = 0; i < SFT_MAX_INPUTS; i++)
        wanted[i] = check.data.test->op->constant >> i & 1 ? SFT_NONE : check.in[i];
    assert_int_equal(sft_autodiff(graph, last, wanted, SFT_MAX_INPUTS, grads), SFT_OK);
    for (int i = 0; i < SFT_MAX_INPUTS; i++) {
        if (!is_wanted(&check.data, i)) {
            assert_int_equal(grads[i], SFT_NONE);
            continue;
        }
        if (grads[i] == SFT_NONE) test_fail(check.data.test, "input %d got no gradient", i);
        assert_true(sft_shape_equal(sft_graph_shape(graph, grads[i]), &check.data.ref.in_shape[i]));
        results[i] = test_tensor("gradient", SFT_F32, check.data.ref.in_shape[i]);
        sft_graph_place(graph, grads[i], sft_graph_tensor(graph, results[i]), 0);
    }
    assert_int_equal(sft_program_run(test_program(graph)), SFT_OK);
    test_run_ref(&check.data, graph, check.out);
    for (int i = 0; i < SFT_MAX_INPUTS; i++) {
        float *numbers;
        if (!results[i]) continue;
        numbers = test_alloc((size_t)ref_count(&results[i]->shape), sizeof(float));
        assert_int_equal(sft_tensor_download(results[i], 0, ref_count(&results[i]->shape), numbers), SFT_OK);
        check_gradient(&check, i, numbers);
    }
}

static bool has_gradient(const struct test_op *op, const struct test_case *test_case)
{
    return op->op->grad && !test_case->forward_only;
}

int main(int argc, char **argv) { return test_run_cases("ops/gradient", argc, argv, gradient, has_gradient); }

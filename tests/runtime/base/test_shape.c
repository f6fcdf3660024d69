/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "runtime/base/alloc.h"
#include "runtime/base/log.h"
#include "runtime/base/shape.h"
#include "tests/support/fixture.h"

static void counts(void **state)
{
    (void)state;
    assert_int_equal(sft_shape_count(&(struct sft_shape){0}), 1);
    assert_int_equal(sft_shape_count(&SFT_SHAPE(1)), 1);
    assert_int_equal(sft_shape_count(&SFT_SHAPE(2, 3, 5, 7, 11)), 2310);
    assert_true(sft_shape_count(&SFT_SHAPE((int64_t)1 << 32, 4)) == (int64_t)1 << 34);
}

static void equality(void **state)
{
    (void)state;
    assert_true(sft_shape_equal(&SFT_SHAPE(2, 3), &SFT_SHAPE(2, 3)));
    assert_false(sft_shape_equal(&SFT_SHAPE(2, 3), &SFT_SHAPE(3, 2)));
    assert_false(sft_shape_equal(&SFT_SHAPE(2, 3), &SFT_SHAPE(2, 3, 1)));
    assert_true(sft_shape_equal(&(struct sft_shape){0}, &(struct sft_shape){0}));
    assert_true(sft_shape_equal(&(struct sft_shape){1, {4, 9}},
                                &(struct sft_shape){1, {4, 8}})); /* beyond the rank */
}

static void validity(void **state)
{
    (void)state;
    assert_true(sft_shape_valid(&(struct sft_shape){0}));
    assert_true(sft_shape_valid(&SFT_SHAPE(1, 1, 1, 1, 1)));
    assert_false(sft_shape_valid(&SFT_SHAPE(3, 0)));
    assert_false(sft_shape_valid(&SFT_SHAPE(-1)));
    assert_false(sft_shape_valid(&(struct sft_shape){-1, {0}}));
    assert_false(sft_shape_valid(&(struct sft_shape){6, {1, 1, 1, 1, 1}}));
    assert_false(sft_shape_valid(&SFT_SHAPE((int64_t)1 << 40, (int64_t)1 << 40)));
    assert_false(sft_shape_valid(&SFT_SHAPE(INT64_MAX)));
}

static void broadcasts(void **state)
{
    struct sft_shape padded;
    (void)state;
    assert_true(sft_shape_broadcasts(&SFT_SHAPE(3), &SFT_SHAPE(2, 5, 3), &padded));
    assert_true(sft_shape_equal(&padded, &SFT_SHAPE(1, 1, 3)));
    assert_true(sft_shape_broadcasts(&SFT_SHAPE(2, 1, 3), &SFT_SHAPE(2, 5, 3), &padded));
    assert_true(sft_shape_equal(&padded, &SFT_SHAPE(2, 1, 3)));
    assert_true(sft_shape_broadcasts(&(struct sft_shape){0}, &SFT_SHAPE(4), NULL));
    assert_false(sft_shape_broadcasts(&SFT_SHAPE(2), &SFT_SHAPE(2, 3), NULL));
    assert_false(sft_shape_broadcasts(&SFT_SHAPE(1, 3), &SFT_SHAPE(3), NULL));
    assert_false(sft_shape_broadcasts(&SFT_SHAPE(3), &SFT_SHAPE(1), NULL));
}

static void text(void **state)
{
    char out[SFT_SHAPE_TEXT];
    (void)state;
    assert_string_equal(sft_shape_str(&SFT_SHAPE(64, 32, 32, 3), out), "64x32x32x3");
    assert_string_equal(sft_shape_str(&(struct sft_shape){0}, out), "scalar");
    sft_shape_str(&SFT_SHAPE(INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX), out);
    assert_true(strlen(out) < sizeof(out));
}

static void allocation(void **state)
{
    size_t room = 0;
    int *numbers = NULL;
    (void)state;
    for (size_t i = 0; i < 1000; i++) {
        assert_int_equal(sft_grow(&numbers, &room, i + 1, sizeof(*numbers)), SFT_OK);
        assert_int_equal(numbers[i], 0);
        numbers[i] = (int)i;
    }
    for (int i = 0; i < 1000; i++) assert_int_equal(numbers[i], i);
    test_catch_log();
    assert_int_equal(sft_grow(&numbers, &room, SIZE_MAX / 2, sizeof(*numbers)), SFT_MEMORY);
    assert_int_equal(numbers[999], 999); /* the old array stays */
    assert_null(sft_calloc(SIZE_MAX / 2, 8));
    assert_null(sft_calloc_aligned(SIZE_MAX / 2, 8));
    test_release_log();
    assert_int_equal(test_log_lines(), 3);
    free(numbers);
    numbers = sft_calloc_aligned(5, sizeof(*numbers));
    assert_int_equal((uintptr_t)numbers % 64, 0);
    free(numbers);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts),     cmocka_unit_test(equality), cmocka_unit_test(validity),
        cmocka_unit_test(broadcasts), cmocka_unit_test(text),     cmocka_unit_test(allocation),
    };
    return cmocka_run_group_tests_name("runtime/base/shape", tests, NULL, NULL);
}

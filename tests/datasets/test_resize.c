/* SPDX-License-Identifier: Apache-2.0 */
/* Resizing against Pillow (hashes made by tests/golden/datasets.py). */
#include "tests/datasets/support.h"

#include "datasets/resize.h"

static void make_noise(struct sft_image *image, int width, int height)
{
    assert_int_equal(sft_image_reserve(image, width, height, "noise"), SFT_OK);
    fill_bytes(image->rgb, (size_t)width * (size_t)height * 3, (uint32_t)width * 65537u + (uint32_t)height);
}

static void equals_pillow(void **state)
{
    FILE *file = fopen(GOLDEN("resize.txt"), "r");
    struct sft_image in = {0}, out = {0};
    int width, height, to_width, to_height, cases = 0;
    char name[16], expected[65], hex[65];
    (void)state;
    assert_non_null(file);
    while (fscanf(file, "%d %d %d %d %15s %64s", &width, &height, &to_width, &to_height, name, expected) ==
           6) {
        enum sft_filter filter = strcmp(name, "bicubic") == 0 ? SFT_FILTER_BICUBIC : SFT_FILTER_BILINEAR;
        make_noise(&in, width, height);
        assert_int_equal(sft_resize(&in, to_width, to_height, filter, &out), SFT_OK);
        assert_int_equal(out.width, to_width);
        assert_int_equal(out.height, to_height);
        sft_sha256(out.rgb, (size_t)to_width * (size_t)to_height * 3, hex);
        if (strcmp(hex, expected) != 0)
            fail_msg("%s %dx%d to %dx%d differs from Pillow's pixels", name, width, height, to_width,
                     to_height);
        cases++;
    }
    fclose(file);
    sft_image_free(&in);
    sft_image_free(&out);
    assert_int_equal(cases, 22);
}

/* Independent of Pillow: a bilinear enlargement by two of a ramp has the values that one works out by
 * hand. */
static void enlarges_a_ramp(void **state)
{
    static const uint8_t expected[8] = {0, 25, 75, 125, 175, 214, 241, 255};
    struct sft_image in = {0}, out = {0};
    (void)state;
    assert_int_equal(sft_image_reserve(&in, 4, 1, "ramp"), SFT_OK);
    for (int i = 0; i < 12; i++) in.rgb[i] = (uint8_t)(i / 3 == 3 ? 255 : i / 3 * 100);
    assert_int_equal(sft_resize(&in, 8, 1, SFT_FILTER_BILINEAR, &out), SFT_OK);
    for (int x = 0; x < 8; x++) assert_int_equal(out.rgb[3 * x + 1], expected[x]);
    sft_image_free(&in);
    sft_image_free(&out);
}

static void refuses_no_size(void **state)
{
    struct sft_image in = {0}, out = {0};
    (void)state;
    test_catch_log();
    make_noise(&in, 2, 2);
    assert_int_equal(sft_resize(&in, 0, 5, SFT_FILTER_BILINEAR, &out), SFT_DATA);
    test_release_log();
    sft_image_free(&in);
    sft_image_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equals_pillow),
        cmocka_unit_test(enlarges_a_ramp),
        cmocka_unit_test(refuses_no_size),
    };
    return cmocka_run_group_tests_name("datasets/resize", tests, NULL, NULL);
}

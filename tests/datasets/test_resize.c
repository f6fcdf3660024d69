/* SPDX-License-Identifier: Apache-2.0 */
/* Resizing against Pillow, framing against torchvision and timm (hashes made by tests/golden/datasets.py and
 * framing.py). */
#include "tests/datasets/support.h"

#include "datasets/resize.h"
#include "datasets/transform.h"

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

static void frames_like_torchvision(void **state)
{
    FILE *file = fopen(GOLDEN("framing.txt"), "r");
    struct sft_transform_scratch scratch = {.decoded = {0}};
    char resize[16], interpolation[16], crop[16], expected[65], hex[65];
    int width, height, side, cases = 0;
    (void)state;
    assert_non_null(file);
    while (fscanf(file, "%d %d %d %15s %15s %15s %64s", &width, &height, &side, resize, interpolation, crop,
                  expected) == 7) {
        const size_t bytes = (size_t)side * (size_t)side * 3;
        uint8_t *square = malloc(bytes);
        struct sft_framing framing;
        assert_non_null(square);
        make_noise(&scratch.decoded, width, height);
        assert_int_equal(sft_framing_read(resize, interpolation, crop, "golden", &framing), SFT_OK);
        assert_int_equal(sft_transform(&scratch, side, &framing, SFT_AUGMENT_NONE, 0, 0, square), SFT_OK);
        sft_sha256(square, bytes, hex);
        if (strcmp(hex, expected) != 0)
            fail_msg("%dx%d to %d, %s, %s, crop %s: not torchvision's pixels", width, height, side, resize,
                     interpolation, crop);
        free(square);
        cases++;
    }
    fclose(file);
    sft_transform_scratch_free(&scratch);
    assert_int_equal(cases, 252);
}

/* A line of a million pixels has a short side of 1, and would be 224 million pixels long. */
static void frames_a_line(void **state)
{
    struct sft_framing framing = {SFT_RESIZE_SHORT_SIDE, SFT_FILTER_BILINEAR, 1};
    struct sft_transform_scratch scratch = {.decoded = {0}};
    static uint8_t square[224 * 224 * 3];
    (void)state;
    make_noise(&scratch.decoded, 1000000, 1);
    assert_int_equal(sft_transform(&scratch, 224, &framing, SFT_AUGMENT_NONE, 0, 0, square), SFT_OK);
    for (int i = 0; i < 3; i++) /* as far to the left as to the right of the middle */
        assert_in_range(square[112 * 3 + i] + square[111 * 3 + i],
                        scratch.decoded.rgb[499999 * 3 + i] + scratch.decoded.rgb[500000 * 3 + i] - 2,
                        scratch.decoded.rgb[499999 * 3 + i] + scratch.decoded.rgb[500000 * 3 + i] + 2);
    assert_memory_equal(square, square + 223 * 224 * 3, 224 * 3);
    sft_transform_scratch_free(&scratch);
}

static void reads_what_files_say(void **state)
{
    static const char *const wrong[] = {"0", "1.01", "nan", "0.9x", ""};
    struct sft_framing framing;
    char text[32];
    (void)state;
    assert_int_equal(sft_framing_read(NULL, NULL, NULL, "f", &framing), SFT_OK);
    assert_true(framing.resize == SFT_RESIZE_AUTO && framing.interpolation == SFT_FILTER_AUTO);
    framing = sft_framing_over(framing, (struct sft_framing){.resize = SFT_RESIZE_SHORT_SIDE, .crop = 0.9});
    framing = sft_framing_complete(framing);
    assert_true(framing.resize == SFT_RESIZE_SHORT_SIDE && framing.interpolation == SFT_FILTER_BILINEAR);
    assert_string_equal(sft_crop_text(framing.crop, text), "0.9");
    test_catch_log();
    assert_int_equal(sft_framing_read("auto", NULL, NULL, "f", &framing), SFT_DATA);
    test_expect_log("f: \"resize\" is \"auto\"; there is squash and short-side");
    test_catch_log();
    assert_int_equal(sft_framing_read(NULL, "lanczos", NULL, "f", &framing), SFT_DATA);
    test_expect_log("f: \"interpolation\" is \"lanczos\"; there is bilinear and bicubic");
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        test_catch_log();
        assert_int_equal(sft_framing_read(NULL, NULL, wrong[i], "f", &framing), SFT_DATA);
        test_expect_log("f: \"crop\" is ");
    }
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
        cmocka_unit_test(equals_pillow),   cmocka_unit_test(frames_like_torchvision),
        cmocka_unit_test(frames_a_line),   cmocka_unit_test(reads_what_files_say),
        cmocka_unit_test(enlarges_a_ramp), cmocka_unit_test(refuses_no_size),
    };
    return cmocka_run_group_tests_name("datasets/resize", tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* PNG and JPEG against Pillow's pixels (made by tests/golden/datasets.py), and pictures that are damaged. */
#include "tests/datasets/support.h"

static const char *const pictures[] = {
    "rgb.png",
    "rgba.png",
    "grey.png",
    "grey_alpha.png",
    "one_bit.png",
    "palette.png",
    "444.jpg",
    "420.jpg",
    "422.jpg",
    "grey.jpg",
    "palette_transparent.png",
    "cmyk.jpg",
    "progressive.jpg",
    "rgb_transparent.png",
};
enum { PICTURES = sizeof(pictures) / sizeof(pictures[0]) };

static void open_golden(const char *name, const char *suffix, struct sft_bytes *bytes)
{
    char path[512];
    snprintf(path, sizeof(path), "%s%s%s", GOLDEN(""), name, suffix);
    assert_int_equal(sft_file_open(path, bytes), SFT_OK);
}

static void equals_pillow(void **state)
{
    struct sft_image image = {0};
    (void)state;
    for (int i = 0; i < PICTURES; i++) {
        struct sft_bytes file, expected;
        int32_t size[2];
        open_golden(pictures[i], "", &file);
        open_golden(pictures[i], ".rgb", &expected);
        memcpy(size, expected.data, sizeof(size));
        assert_int_equal(sft_image_decode(file.data, file.size, pictures[i], &image), SFT_OK);
        assert_int_equal(image.width, size[0]);
        assert_int_equal(image.height, size[1]);
        assert_int_equal(expected.size, 8 + 3 * size[0] * size[1]);
        if (memcmp(image.rgb, expected.data + 8, expected.size - 8) != 0)
            fail_msg("%s differs from Pillow's pixels", pictures[i]);
        sft_file_close(&file);
        sft_file_close(&expected);
    }
    sft_image_free(&image);
}

/* Every picture, cut off at every byte, is an error that names it: never a grey rest. The last bytes of a
 * JPEG are its end marker, those of a PNG its end chunk: without them nothing can tell that the picture was
 * whole. */
static void refuses_cut_off(void **state)
{
    struct sft_image image = {0};
    (void)state;
    for (int i = 0; i < PICTURES; i++) {
        struct sft_bytes file;
        open_golden(pictures[i], "", &file);
        for (size_t size = 0; size < file.size; size++) {
            test_catch_log();
            if (sft_image_decode(file.data, size, pictures[i], &image) != SFT_DATA)
                fail_msg("%s cut off at byte %zu of %zu was taken", pictures[i], size, file.size);
            test_expect_log(pictures[i]);
        }
        sft_file_close(&file);
    }
    sft_image_free(&image);
}

static void refuses_damage(void **state)
{
    struct sft_image image = {0};
    struct sft_bytes file;
    uint8_t bytes[4096];
    (void)state;
    open_golden("rgb.png", "", &file);
    memcpy(bytes, file.data, file.size);
    bytes[file.size / 2] ^= 0x10;
    test_catch_log();
    assert_int_equal(sft_image_decode(bytes, file.size, "broken.png", &image), SFT_DATA);
    test_expect_log("broken.png: damaged PNG: ");
    sft_file_close(&file);
    test_catch_log();
    assert_int_equal(sft_image_decode((const uint8_t *)"RIFF....WEBP", 12, "a.jpg", &image), SFT_DATA);
    test_expect_log("a.jpg: a WebP picture; only PNG and JPEG are read");
    test_catch_log();
    assert_int_equal(sft_image_decode((const uint8_t *)"hello", 5, "a.jpg", &image), SFT_DATA);
    test_expect_log("a.jpg: no PNG or JPEG picture");
    sft_image_free(&image);
}

/* Heads that ask for gigabytes are refused before anything is allocated. */
static void refuses_huge(void **state)
{
    static const uint8_t png[] =
        "\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x75\x30\0\0\x75\x30\x08\x02\0\0\0\xed\x42\x8e\x3a";
    static const uint8_t jpeg[] =
        "\xff\xd8\xff\xc0\0\x11\x08\xff\xff\xff\xff\x03\x01\x22\0\x02\x11\x01\x03\x11\x01\xff\xd9";
    struct sft_image image = {0};
    (void)state;
    assert_int_equal(sft_image_decode(png, sizeof(png) - 1, "huge.png", &image), SFT_DATA);
    test_catch_log();
    assert_int_equal(sft_image_decode(jpeg, sizeof(jpeg) - 1, "huge.jpg", &image), SFT_DATA);
    test_expect_log("huge.jpg");
    test_catch_log();
    assert_int_equal(sft_image_reserve(&image, 30000, 30000, "huge"), SFT_DATA);
    test_expect_log("huge: 30000 x 30000 pixels");
    assert_null(image.rgb);
    sft_image_free(&image);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equals_pillow),
        cmocka_unit_test(refuses_cut_off),
        cmocka_unit_test(refuses_damage),
        cmocka_unit_test(refuses_huge),
    };
    return cmocka_run_group_tests_name("datasets/decode", tests, test_setup_folder, test_remove_folder);
}

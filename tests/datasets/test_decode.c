/* SPDX-License-Identifier: Apache-2.0 */
/* Pictures against Pillow's pixels (made by tests/golden/datasets.py and pictures.py), and pictures that are
 * damaged. */
#include <zlib.h>

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
    "rgb_deep.png",
    "rgba_deep.png",
    "ycck.jpg",
    "no_adobe.jpg",
    "no_ycc.jpg",
    "restarts.jpg",
    "lossy.webp",
    "lossless.webp",
    "lossy_alpha.webp",
    "lossless_alpha.webp",
    "animated.webp",
    "one_bit.bmp",
    "palette.bmp",
    "rgb.bmp",
    "rgba.bmp",
    "one_bit.pbm",
    "grey.pgm",
    "rgb.ppm",
    "deep.ppm",
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

static bool is_png(const char *name) { return strcmp(name + strlen(name) - 4, ".png") == 0; }

/* The decoded picture must be the one that Pillow made of the file `name`. */
static void assert_pixels(const char *name, const struct sft_image *image)
{
    struct sft_bytes expected;
    open_golden(name, ".rgb", &expected);
    assert_int_equal(expected.size, 8 + 3 * (size_t)image->width * (size_t)image->height);
    if (memcmp(image->rgb, expected.data + 8, expected.size - 8) != 0)
        fail_msg("%s differs from Pillow's pixels", name);
    sft_file_close(&expected);
}

/* Every picture, cut off at every byte, is an error that names it: never a grey rest. Only a PNG may lack its
 * end where all pixels are there, as for Pillow; without a JPEG's end marker nothing can tell that. */
static void refuses_cut_off(void **state)
{
    struct sft_image image = {0};
    (void)state;
    for (int i = 0; i < PICTURES; i++) {
        struct sft_bytes file;
        size_t taken = 0;
        open_golden(pictures[i], "", &file);
        for (size_t size = 0; size < file.size; size++) {
            enum sft_status status;
            test_catch_log();
            status = sft_image_decode(file.data, size, pictures[i], &image);
            taken += status == SFT_OK;
            if (status == SFT_OK)
                assert_pixels(pictures[i], &image);
            else
                test_expect_log(pictures[i]);
        }
        assert_true(is_png(pictures[i]) ? taken >= 12 && taken < 32 : taken == 0);
        sft_file_close(&file);
    }
    sft_image_free(&image);
}

/* ---- what costs no pixel ---- */

/* A file of which parts are changed. */
struct draft {
    uint8_t bytes[8192];
    size_t size;
};

static void draft_of(const char *name, struct draft *draft)
{
    struct sft_bytes file;
    open_golden(name, "", &file);
    assert_true(file.size + 1024 < sizeof(draft->bytes));
    memcpy(draft->bytes, file.data, file.size);
    draft->size = file.size;
    sft_file_close(&file);
}

static void insert(struct draft *draft, size_t at, const void *data, size_t size)
{
    memmove(draft->bytes + at + size, draft->bytes + at, draft->size - at);
    memcpy(draft->bytes + at, data, size);
    draft->size += size;
}

static void put_u32(uint8_t *to, uint32_t value)
{
    for (int i = 0; i < 4; i++) to[i] = (uint8_t)(value >> (24 - 8 * i));
}

/* A PNG chunk, its checksum right or wrong; returns its size. */
static size_t make_chunk(const char *type, const void *data, size_t size, bool right, uint8_t *out)
{
    put_u32(out, (uint32_t)size);
    memcpy(out + 4, type, 4);
    memcpy(out + 8, data, size);
    put_u32(out + 8 + size, (uint32_t)crc32(0, out + 4, (uInt)size + 4) ^ !right);
    return size + 12;
}

enum { PNG_HEAD = 33, PNG_END = 12 }; /* up to the end of IHDR; IEND */

static void assert_taken(const struct draft *draft, const char *name)
{
    struct sft_image image = {0};
    test_catch_log();
    if (sft_image_decode(draft->bytes, draft->size, name, &image) != SFT_OK) fail_msg("%s", test_log());
    assert_pixels(name, &image);
    sft_image_free(&image);
}

static void assert_damaged(const struct draft *draft, const char *part)
{
    struct sft_image image = {0};
    test_catch_log();
    assert_int_equal(sft_image_decode(draft->bytes, draft->size, "x", &image), SFT_DATA);
    test_expect_log(part);
    sft_image_free(&image);
}

static void takes_sloppy_png(void **state)
{
    static const struct {
        const char *type, *data;
        size_t size;
        bool right, behind;
    } chunks[] = {
        {"iCCP", "no profile", 10, true, false},
        {"tEXt", "k\0text", 6, false, false},
        {"zTXt", "k\0\0not packed", 13, true, false},
        {"tIME", "\xff\xff\xff\xff\xff\xff\xff", 7, true, true},
        {"tRNS", "far too much of it", 18, true, false},
        {"PLTE", "ab", 2, true, false},
        {"IDAT", "more", 4, true, true},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(chunks) / sizeof(chunks[0]); i++) {
        struct draft draft;
        uint8_t chunk[64];
        size_t size = make_chunk(chunks[i].type, chunks[i].data, chunks[i].size, chunks[i].right, chunk);
        draft_of("rgb.png", &draft);
        insert(&draft, chunks[i].behind ? draft.size - PNG_END : PNG_HEAD, chunk, size);
        assert_taken(&draft, "rgb.png");
        if (!chunks[i].behind) continue;
        draft.size -= PNG_END; /* no end chunk */
        assert_taken(&draft, "rgb.png");
        draft.size -= 6; /* cut off within the chunk behind the pixels */
        if (strcmp(chunks[i].type, "IDAT") != 0) assert_damaged(&draft, "damaged PNG: it is cut off");
    }
}

/* A PNG of that size with 16 bits of grey, all of them `value`. */
static void draft_grey_16(struct draft *draft, uint32_t width, uint32_t height, uint16_t value)
{
    uint8_t rows[8192] = {0}, packed[4096], head[13] = {0};
    uLongf size = sizeof(packed);
    size_t row = 1 + 2 * (size_t)width;
    assert_true(row * height <= sizeof(rows));
    for (size_t y = 0; y < height; y++)
        for (size_t x = 0; x < width; x++) {
            rows[y * row + 1 + 2 * x] = (uint8_t)(value >> 8);
            rows[y * row + 2 + 2 * x] = (uint8_t)value;
        }
    assert_int_equal(compress(packed, &size, rows, row * height), Z_OK);
    put_u32(head, width);
    put_u32(head + 4, height);
    head[8] = 16;
    memcpy(draft->bytes, "\x89PNG\r\n\x1a\n", 8);
    draft->size = 8;
    draft->size += make_chunk("IHDR", head, sizeof(head), true, draft->bytes + draft->size);
    draft->size += make_chunk("IDAT", packed, size, true, draft->bytes + draft->size);
    draft->size += make_chunk("IEND", "", 0, true, draft->bytes + draft->size);
}

/* Of 16 bits the high ones count; Pillow makes white of nearly all. Pictures of a pixel, or of a row. */
static void takes_16_bits_and_odd_sizes(void **state)
{
    static const uint32_t sizes[][2] = {{1, 1}, {3000, 1}, {1, 2000}, {5, 4}};
    (void)state;
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        struct draft draft;
        struct sft_image image = {0};
        draft_grey_16(&draft, sizes[i][0], sizes[i][1], 0x4be3);
        assert_int_equal(sft_image_decode(draft.bytes, draft.size, "x", &image), SFT_OK);
        assert_int_equal(image.width, sizes[i][0]);
        assert_int_equal(image.height, sizes[i][1]);
        for (size_t p = 0; p < (size_t)3 * sizes[i][0] * sizes[i][1]; p++)
            assert_int_equal(image.rgb[p], 0x4b);
        sft_image_free(&image);
    }
}

/* A wrong checksum of a chunk of pixels is no damage where that of the packed data is right. */
static void takes_wrong_sum(void **state)
{
    struct draft draft;
    (void)state;
    draft_of("rgb.png", &draft);
    draft.bytes[draft.size - PNG_END - 1] ^= 1;
    assert_taken(&draft, "rgb.png");
    draft.bytes[draft.size - PNG_END - 5] ^= 1; /* and that one is wrong, too */
    assert_damaged(&draft, "damaged PNG");
    draft_of("rgb.png", &draft);
    draft.bytes[PNG_HEAD - 1] ^= 1;
    assert_damaged(&draft, "its head has a wrong checksum");
}

/* Every bit of the packed pixels turned: the pixels are right, or it is damaged. */
static void tells_turned_bits(void **state)
{
    struct draft draft;
    size_t refused = 0;
    (void)state;
    draft_of("rgb.png", &draft);
    for (size_t at = PNG_HEAD + 8; at < draft.size - PNG_END - 4; at++) {
        struct sft_image image = {0};
        draft.bytes[at] ^= 0x10;
        test_catch_log();
        if (sft_image_decode(draft.bytes, draft.size, "x", &image) == SFT_OK)
            assert_pixels("rgb.png", &image);
        else
            refused++;
        draft.bytes[at] ^= 0x10;
        sft_image_free(&image);
    }
    assert_true(refused > 400);
}

static void takes_sloppy_jpeg(void **state)
{
    static const uint8_t adobe[16] = {0xff, 0xee, 0, 14, 'A', 'd', 'o', 'b', 'e', 0, 100, 0, 0, 0, 0, 7};
    struct draft draft;
    (void)state;
    draft_of("420.jpg", &draft);
    assert_memory_equal(draft.bytes + 6, "JFIF", 5);
    draft.bytes[11] = 2; /* major revision */
    assert_taken(&draft, "420.jpg");
    draft.bytes[11] = 0;
    assert_taken(&draft, "420.jpg");
    insert(&draft, 20, "\0\0junk", 6); /* between two markers */
    assert_taken(&draft, "420.jpg");
    draft_of("420.jpg", &draft);
    insert(&draft, 20, adobe, sizeof(adobe)); /* an unknown transform */
    assert_taken(&draft, "420.jpg");
    insert(&draft, draft.size, "behind the end", 14);
    assert_taken(&draft, "420.jpg");
}

/* Junk between markers does not excuse damage of the pixels behind it. */
static void tells_damage_behind_junk(void **state)
{
    struct draft draft;
    (void)state;
    draft_of("420.jpg", &draft);
    insert(&draft, 20, "\0\0junk", 6);
    memset(draft.bytes + draft.size - 60, 0xff, 40);
    insert(&draft, draft.size - 2, "junk", 4);
    assert_damaged(&draft, "damaged JPEG");
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
    assert_int_equal(sft_image_decode((const uint8_t *)"GIF89a......", 12, "a.jpg", &image), SFT_DATA);
    test_expect_log("a.jpg: a GIF picture; only PNG, JPEG, WebP, BMP and PNM are read");
    test_catch_log();
    assert_int_equal(sft_image_decode((const uint8_t *)"hello", 5, "a.jpg", &image), SFT_DATA);
    test_expect_log("a.jpg: no picture that is read (PNG, JPEG, WebP, BMP and PNM)");
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
        cmocka_unit_test(equals_pillow),     cmocka_unit_test(refuses_cut_off),
        cmocka_unit_test(takes_sloppy_png),  cmocka_unit_test(takes_16_bits_and_odd_sizes),
        cmocka_unit_test(takes_wrong_sum),   cmocka_unit_test(tells_turned_bits),
        cmocka_unit_test(takes_sloppy_jpeg), cmocka_unit_test(tells_damage_behind_junk),
        cmocka_unit_test(refuses_damage),    cmocka_unit_test(refuses_huge),
    };
    return cmocka_run_group_tests_name("datasets/decode", tests, test_setup_folder, test_remove_folder);
}

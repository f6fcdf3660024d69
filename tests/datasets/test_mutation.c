/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Small valid files of every format that is one file, changed at random a few thousand times (always the same
 * way). Each must be read or refused with a message; the sanitizer builds of this test look for the rest.
 */
#include "datasets/format.h"
#include "runtime/base/rng.h"
#include "tests/datasets/feed.h"
#include "tests/datasets/packing.h"

enum { ROUNDS = 400, ROOM = 40000 };

static const struct {
    const char *format; /* NULL: a picture for the decoder */
    const char *file;   /* of the golden folder, or, beginning with '/', made below */
} seeds[] = {
    {NULL, "rgb.png"},          {NULL, "palette_transparent.png"},
    {NULL, "grey_alpha.png"},   {NULL, "420.jpg"},
    {NULL, "cmyk.jpg"},         {NULL, "progressive.jpg"},
    {NULL, "lossy_alpha.webp"}, {NULL, "lossless.webp"},
    {NULL, "animated.webp"},    {NULL, "palette.bmp"},
    {NULL, "rgba.bmp"},         {NULL, "deep.ppm"},
    {"npy", "uint8.npy"},       {"npy", "float.npy"},
    {"svhn", "svhn.mat"},       {"svhn", "svhn_plain.mat"},
    {"tar", "/t.tar"},          {"tar", "/t.tgz"},
    {"cifar-bin", "/b.bin"},    {"cifar-bin", "/b.bin.xz"},
    {"cifar-bin", "/b.bin.gz"}, {"list", "/l.txt"},
    {"cifar10", "/c.tar.gz"},   {"image", "rgb.png"},
};
enum { SEEDS = sizeof(seeds) / sizeof(seeds[0]) };

static int set_up(void **state)
{
    struct sft_bytes png;
    struct packed_member members[2];
    uint8_t *records = make_records(3, 1);
    char text[512];
    if (test_setup_folder(state) != 0 || sft_file_open(GOLDEN("rgb.png"), &png) != SFT_OK) return -1;
    members[0] = (struct packed_member){"a/1.png", png.data, png.size};
    members[1] = (struct packed_member){"b/2.png", png.data, png.size};
    put_tar("t.tar", false, members, 2);
    put_tar("t.tgz", true, members, 2);
    members[0] = (struct packed_member){"cifar-10-batches-bin/test_batch.bin", records, 3 * RECORD};
    put_tar("c.tar.gz", true, members, 1); /* without its training batches: always refused */
    test_put("b.bin", records, 3 * RECORD);
    put_xz("b.bin.xz", records, 3 * RECORD);
    put_gzip("b.bin.gz", records, 3 * RECORD);
    snprintf(text, sizeof(text), "%s 1\n%s 0\n", GOLDEN("rgb.png"), GOLDEN("grey.jpg"));
    test_put("l.txt", text, strlen(text));
    sft_file_close(&png);
    free(records);
    return 0;
}

static size_t load(int seed, uint8_t *bytes)
{
    char path[512];
    struct sft_bytes file;
    size_t size;
    snprintf(path, sizeof(path), "%s%s", seeds[seed].file[0] == '/' ? test_folder() : GOLDEN(""),
             seeds[seed].file);
    assert_int_equal(sft_file_open(path, &file), SFT_OK);
    size = file.size;
    assert_true(size > 0 && size <= ROOM / 2);
    memcpy(bytes, file.data, size);
    sft_file_close(&file);
    return size;
}

/* One change; returns the new size. */
static size_t mutate(struct sft_rng *rng, uint8_t *bytes, size_t size)
{
    static const uint8_t odd[] = {0, 1, 0x7f, 0x80, 0xff};
    size_t at = size ? sft_rng_below(rng, (uint32_t)size) : 0, length = 1 + sft_rng_below(rng, 16);
    if (size == 0) return 0;
    if (length > size - at) length = size - at;
    switch (sft_rng_below(rng, 7)) {
    case 0:
        bytes[at] ^= (uint8_t)(1u << sft_rng_below(rng, 8));
        return size;
    case 1:
        bytes[at] = (uint8_t)sft_rng_u32(rng);
        return size;
    case 2:
        bytes[at] = odd[sft_rng_below(rng, sizeof(odd))];
        return size;
    case 3:
        memset(bytes + at, odd[sft_rng_below(rng, sizeof(odd))], length);
        return size;
    case 4:
        return at; /* cut off */
    case 5:
        memmove(bytes + at, bytes + at + length, size - at - length);
        return size - length;
    default:
        break;
    }
    if (size + length > ROOM) return size;
    memmove(bytes + at + length, bytes + at, size - at);
    return size + length;
}

static int feed(int seed, const uint8_t *bytes, size_t size)
{
    test_catch_log();
    return seeds[seed].format ? feed_format(seeds[seed].format, bytes, size) : feed_decoder(bytes, size);
}

static void survives_changes(void **state)
{
    static uint8_t bytes[ROOM];
    int refused = 0;
    (void)state;
    for (int seed = 0; seed < SEEDS; seed++) {
        size_t size = load(seed, bytes);
        if (strcmp(seeds[seed].file, "/c.tar.gz") != 0 && !feed(seed, bytes, size))
            fail_msg("%s itself was refused: %s", seeds[seed].file, test_log());
        for (int round = 0; round < ROUNDS; round++) {
            struct sft_rng rng;
            sft_rng_init(&rng, 1, SFT_STREAM_TEST, (uint64_t)(seed * ROUNDS + round));
            size = load(seed, bytes);
            for (uint32_t left = 1 + sft_rng_below(&rng, 4); left > 0; left--)
                size = mutate(&rng, bytes, size);
            if (feed(seed, bytes, size)) continue;
            refused++;
            if (!test_log()[0]) fail_msg("%s, round %d: refused without a message", seeds[seed].file, round);
        }
    }
    assert_true(refused > SEEDS * ROUNDS / 4);
}

static bool has_seed(const char *format)
{
    for (int seed = 0; seed < SEEDS; seed++)
        if (seeds[seed].format && strcmp(seeds[seed].format, format) == 0) return true;
    return false;
}

static void every_format_of_one_file_has_a_seed(void **state)
{
    static const struct sft_format *const formats[] = {
#define SFT_FORMAT(name) &sft_format_##name,
#include "datasets/formats/formats.def"
#undef SFT_FORMAT
    };
    (void)state;
    for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
        if (formats[i] == &sft_format_folder || formats[i] == &sft_format_synthetic) continue;
        if (!has_seed(formats[i]->name))
            fail_msg("%s: no row of seeds[] is of this format", formats[i]->name);
    }
}

/* Specs are input, too. */
static void survives_specs(void **state)
{
    static const char letters[] = "cifar10:folder/#train[0:9]tmp.-";
    (void)state;
    for (int round = 0; round < 3000; round++) {
        struct sft_dataset *dataset;
        struct sft_rng rng;
        char spec[24];
        uint32_t length;
        sft_rng_init(&rng, 2, SFT_STREAM_TEST, (uint64_t)round);
        length = sft_rng_below(&rng, sizeof(spec));
        for (uint32_t i = 0; i < length; i++) spec[i] = letters[sft_rng_below(&rng, sizeof(letters) - 1)];
        spec[length] = '\0';
        if (strstr(spec, "..") || spec[0] == '.' || spec[0] == '/') continue; /* not the whole disk */
        test_catch_log();
        if (sft_dataset_open(spec, &dataset) != SFT_OK && !test_log()[0])
            fail_msg("\"%s\": no message", spec);
        sft_dataset_close(&dataset);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(survives_changes),
        cmocka_unit_test(every_format_of_one_file_has_a_seed),
        cmocka_unit_test(survives_specs),
    };
    return cmocka_run_group_tests_name("datasets/mutation", tests, set_up, test_remove_folder);
}

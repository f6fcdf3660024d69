/* SPDX-License-Identifier: Apache-2.0 */
/* Every data set format: what it reads, and what it says about files that are not as they should be. */
#include "tests/datasets/packing.h"

static struct sft_image image;
static int label;

static void read_ok(const struct sft_dataset *dataset, int64_t i)
{
    test_catch_log();
    if (sft_dataset_read(dataset, i, &image, &label) != SFT_OK) fail_msg("%s", test_log());
}

/* ---- CIFAR ---- */

/* Image i must be record i of make_records(.., mark). */
static void assert_record(const struct sft_dataset *dataset, int64_t i, int record, uint8_t mark)
{
    uint8_t *records = make_records(record + 1, mark), *expected = records + (size_t)record * RECORD;
    read_ok(dataset, i);
    assert_int_equal(label, expected[0]);
    assert_int_equal(image.width, 32);
    assert_int_equal(image.height, 32);
    for (int p = 0; p < 1024; p++)
        for (int c = 0; c < 3; c++) assert_int_equal(image.rgb[3 * p + c], expected[1 + 1024 * c + p]);
    free(records);
}

static void check_cifar10(const char *spec)
{
    struct sft_dataset *dataset = open_or_fail(spec);
    assert_int_equal(sft_dataset_count(dataset), 50);
    assert_int_equal(sft_dataset_classes(dataset), 10);
    assert_string_equal(sft_dataset_class_name(dataset, 6), "frog");
    assert_string_equal(sft_dataset_class_name(dataset, 10), "?");
    assert_record(dataset, 0, 0, 1);
    assert_record(dataset, 9, 9, 1);
    assert_record(dataset, 10, 0, 2);
    assert_record(dataset, 49, 9, 5);
    sft_dataset_close(&dataset);
}

static void cifar10_in_all_packings(void **state)
{
    uint8_t *batch[6];
    struct packed_member members[7] = {{"cifar-10-batches-bin/readme.html", "hi", 2}};
    static const char *const names[6] = {"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin",
                                         "data_batch_4.bin", "data_batch_5.bin", "test_batch.bin"};
    char full[6][64], hex[4][65];
    static const char *const specs[4] = {"plain", "mixed", "nested", "cifar-10-binary.tar.gz"};
    (void)state;
    for (int i = 0; i < 6; i++) {
        char name[64];
        batch[i] = make_records(10, (uint8_t)(i + 1));
        snprintf(name, sizeof(name), "plain/%s", names[i]);
        test_put(name, batch[i], 10 * RECORD);
        snprintf(name, sizeof(name), "nested/cifar-10-batches-bin/%s", names[i]);
        test_put(name, batch[i], 10 * RECORD);
        snprintf(name, sizeof(name), "mixed/%s%s", names[i], i % 2 ? ".gz" : ".xz");
        test_put("mixed/readme", "", 0);
        if (i % 2)
            put_gzip(name, batch[i], 10 * RECORD);
        else
            put_xz(name, batch[i], 10 * RECORD);
        snprintf(full[i], sizeof(full[i]), "cifar-10-batches-bin/%s", names[i]);
        members[6 - i] = (struct packed_member){full[i], batch[i], 10 * RECORD}; /* not in order */
    }
    put_tar("cifar-10-binary.tar.gz", true, members, 7);
    for (int i = 0; i < 4; i++) {
        struct sft_dataset *dataset;
        check_cifar10(spec_of("cifar10:", specs[i], "#train"));
        check_cifar10(spec_of("cifar10:", specs[i], ""));
        check_cifar10(spec_of("", specs[i], "")); /* found by looking */
        dataset = open_or_fail(spec_of("cifar10:", specs[i], "#test"));
        assert_int_equal(sft_dataset_count(dataset), 10);
        assert_record(dataset, 3, 3, 6);
        sft_dataset_hash(dataset, hex[i]);
        assert_string_equal(hex[i], hex[0]); /* whatever it is packed with */
        sft_dataset_close(&dataset);
    }
    test_put("outer/cifar-10-binary.tar.gz", "", 0);
    put_tar("outer/cifar-10-binary.tar.gz", true, members, 7);
    check_cifar10(spec_of("cifar10:", "outer", ""));
    for (int i = 0; i < 6; i++) free(batch[i]);
}

static void cifar10_refuses(void **state)
{
    struct packed_member member = {"cifar-10-batches-bin/test_batch.bin", "x", 1};
    (void)state;
    put_records("partial/data_batch_1.bin", 3, 1);
    put_records("partial/data_batch_4.bin.xz", 3, 1);
    assert_refused(spec_of("cifar10:", "partial", ""), SFT_DATA,
                   "missing data_batch_2.bin, data_batch_3.bin, data_batch_5.bin");
    assert_refused(spec_of("cifar10:", "partial", "#test"), SFT_DATA, "missing test_batch.bin");
    assert_refused(spec_of("cifar10:", "partial", "#val"), SFT_USAGE, "unknown split #val");
    test_put("partial/test_batch.bin", "x", 1);
    assert_refused(spec_of("cifar10:", "partial", "#test"), SFT_DATA,
                   "test_batch.bin: 1 bytes is no multiple of 3073");
    test_put("partial/test_batch.bin", "", 0);
    assert_refused(spec_of("cifar10:", "partial", "#test"), SFT_DATA, "test_batch.bin: no records");
    put_tar("bad.tar.gz", true, &member, 1);
    assert_refused(spec_of("cifar10:", "bad.tar.gz", "#test"), SFT_DATA, "1 bytes is no multiple of 3073");
    assert_refused(spec_of("cifar10:", "bad.tar.gz", "#train"), SFT_DATA, "missing data_batch_1.bin");
    test_put("bad.tar.gz", "\x1f\x8b nonsense", 11);
    assert_refused(spec_of("cifar10:", "bad.tar.gz", "#test"), SFT_DATA, "bad.tar.gz");
    assert_refused(spec_of("cifar10:", "nowhere", ""), SFT_DATA, "nowhere: No such file");
}

static void cifar_bin_reads_and_refuses(void **state)
{
    struct sft_dataset *dataset;
    uint8_t *records = make_records(20, 9);
    (void)state;
    test_put("a.bin", records, 20 * RECORD);
    dataset = open_or_fail(test_path("a.bin"));
    assert_int_equal(sft_dataset_count(dataset), 20);
    assert_record(dataset, 17, 17, 9);
    assert_int_equal(sft_dataset_read(dataset, 20, &image, &label), SFT_USAGE);
    assert_int_equal(sft_dataset_read(dataset, -1, &image, &label), SFT_USAGE);
    sft_dataset_close(&dataset);
    test_put("cut.bin", records, 20 * RECORD - 100);
    assert_refused(test_path("cut.bin"), SFT_DATA, "cut.bin: 61360 bytes is no multiple of 3073");
    records[7 * RECORD] = 10;
    test_put("label.bin", records, 20 * RECORD);
    assert_refused(test_path("label.bin"), SFT_DATA, "label.bin: record 7 has label 10; labels are 0 to 9");
    assert_refused(spec_of("cifar-bin:", "a.bin", "#train"), SFT_USAGE, "has no splits");
    free(records);
}

/* Cuts a packed file off, and turns bits in its middle. */
static void damaged_packings(void **state)
{
    static const char *const names[2] = {"packed.bin.xz", "packed.bin.gz"};
    uint8_t *records = make_records(20, 9);
    (void)state;
    put_xz(names[0], records, 20 * RECORD);
    put_gzip(names[1], records, 20 * RECORD);
    for (int i = 0; i < 2; i++) {
        struct sft_bytes file;
        uint8_t *copy;
        struct sft_dataset *dataset = open_or_fail(test_path(names[i]));
        assert_record(dataset, 11, 11, 9);
        sft_dataset_close(&dataset);
        assert_int_equal(sft_file_open(test_path(names[i]), &file), SFT_OK);
        copy = malloc(file.size);
        assert_non_null(copy);
        memcpy(copy, file.data, file.size);
        test_put(i ? "cut.bin.gz" : "cut.bin.xz", copy, file.size * 2 / 3);
        assert_refused(test_path(i ? "cut.bin.gz" : "cut.bin.xz"), SFT_DATA, "it is cut off");
        memset(copy + file.size / 2, 0x5a, 16);
        test_put(i ? "turned.bin.gz" : "turned.bin.xz", copy, file.size);
        assert_refused(test_path(i ? "turned.bin.gz" : "turned.bin.xz"), SFT_DATA,
                       i ? "damaged gzip" : "damaged xz");
        sft_file_close(&file);
        free(copy);
    }
    free(records);
}

/* ---- specs and parts ---- */

static void parts_and_hashes(void **state)
{
    static const int64_t some[3] = {4, 4, 1};
    struct sft_dataset *dataset, *again;
    char a[65], b[65];
    (void)state;
    put_records("p.bin", 30, 3);
    dataset = open_or_fail(spec_of("cifar-bin:", "p.bin", "[10:25]"));
    assert_int_equal(sft_dataset_count(dataset), 15);
    assert_record(dataset, 2, 12, 3);
    assert_int_equal(sft_dataset_select(dataset, some, 3), SFT_OK);
    assert_int_equal(sft_dataset_count(dataset), 3);
    assert_record(dataset, 0, 14, 3);
    assert_record(dataset, 2, 11, 3);
    sft_dataset_limit(dataset, 2);
    assert_int_equal(sft_dataset_count(dataset), 2);
    assert_int_equal(sft_dataset_select(dataset, some, 3), SFT_USAGE);
    assert_int_equal(sft_dataset_select(dataset, some, 0), SFT_USAGE);
    sft_dataset_hash(dataset, a);
    sft_dataset_close(&dataset);
    dataset = open_or_fail(spec_of("", "p.bin", "[:12]"));
    again = open_or_fail(test_path("p.bin"));
    sft_dataset_hash(again, b);
    assert_string_not_equal(a, b);
    sft_dataset_limit(again, 12);
    sft_dataset_hash(dataset, a);
    sft_dataset_hash(again, b);
    assert_string_equal(a, b);
    sft_dataset_limit(again, 100);
    assert_int_equal(sft_dataset_count(again), 12);
    assert_string_equal(sft_dataset_spec(again), test_path("p.bin"));
    sft_dataset_close(&dataset);
    sft_dataset_close(&again);
    put_records("q.bin", 12, 4); /* other pixels */
    dataset = open_or_fail(test_path("q.bin"));
    sft_dataset_hash(dataset, b);
    assert_string_not_equal(a, b);
    sft_dataset_close(&dataset);
}

static void refuses_specs(void **state)
{
    (void)state;
    put_records("p.bin", 30, 3);
    test_put("unknown.xyz", "what is this", 12);
    assert_refused("cifer10:/tmp", SFT_USAGE, "unknown data set format \"cifer10\"; known: cifar10, ");
    assert_refused("/nowhere/at/all", SFT_DATA, "/nowhere/at/all: No such file");
    assert_refused("", SFT_USAGE, "no path");
    assert_refused("folder:", SFT_USAGE, "no path");
    assert_refused(test_path("unknown.xyz"), SFT_USAGE, "cannot tell the data set format");
    assert_refused(spec_of("", "p.bin", "[5:31]"), SFT_USAGE, "[5:31] is no part of its 30 images");
    assert_refused(spec_of("", "p.bin", "[7:7]"), SFT_USAGE, "is no part");
    assert_refused(spec_of("", "p.bin", "[-3:]"), SFT_USAGE, "\"-3\" is no image number");
    assert_refused(spec_of("", "p.bin", "[1:99999999999999999999]"), SFT_USAGE, "is no image number");
    assert_refused("synthetic:nope", SFT_USAGE, "synthetic:nope: no such set");
    assert_refused("synthetic#val", SFT_USAGE, "unknown split #val");
}

/* ---- folders, lists, tars ---- */

static void folder_reads_like_imagefolder(void **state)
{
    static const char *const files[] = {"tree/b/2.png", "tree/b/10.jpg", "tree/a/x.PNG", "tree/b/sub/0.png",
                                        "tree/c/1.png"};
    /* classes and files in byte order; a class's own files before those of its folders */
    static const int labels[5] = {0, 1, 1, 1, 2};
    static const int is_jpeg[5] = {0, 1, 0, 0, 0};
    struct sft_dataset *dataset;
    (void)state;
    for (int i = 0; i < 5; i++) test_put_copy(files[i], i == 1 ? GOLDEN("grey.jpg") : GOLDEN("rgb.png"));
    test_put("tree/b/notes.txt", "no picture", 10);
    test_put("tree/b/.hidden.png", "no picture", 10);
    dataset = open_or_fail(test_path("tree"));
    assert_int_equal(sft_dataset_count(dataset), 5);
    assert_int_equal(sft_dataset_classes(dataset), 3);
    assert_string_equal(sft_dataset_class_name(dataset, 1), "b");
    for (int twice = 0; twice < 2; twice++) /* from the file, then from memory */
        for (int i = 0; i < 5; i++) {
            read_ok(dataset, i);
            assert_int_equal(label, labels[i]);
            assert_int_equal(image.rgb[0] == image.rgb[1] && image.rgb[1] == image.rgb[2], is_jpeg[i]);
        }
    sft_dataset_close(&dataset);
    dataset = open_or_fail(spec_of("folder:", "tree", "#b"));
    assert_int_equal(sft_dataset_count(dataset), 3);
    assert_int_equal(sft_dataset_classes(dataset), 0);
    read_ok(dataset, 0);
    assert_int_equal(label, -1);
    sft_dataset_close(&dataset);
    assert_refused(spec_of("folder:", "tree", "#test"), SFT_USAGE, "unknown split #test");
}

static void folder_refuses(void **state)
{
    struct sft_dataset *dataset;
    (void)state;
    test_put("empty/readme.txt", "x", 1);
    test_put("file.png", "x", 1);
    assert_refused(spec_of("folder:", "empty", ""), SFT_DATA, "empty: no pictures in this folder");
    assert_refused(spec_of("folder:", "file.png", ""), SFT_DATA, "not a folder");
    test_put_copy("bad/a.png", GOLDEN("rgb.png"));
    test_put("bad/b.png", "", 0);
    test_put("bad/c.bmp", "BM......", 8);
    dataset = open_or_fail(test_path("bad"));
    read_ok(dataset, 0);
    test_catch_log();
    assert_int_equal(sft_dataset_read(dataset, 1, &image, &label), SFT_DATA);
    test_expect_log("bad/b.png: the file is empty");
    assert_int_equal(sft_dataset_read(dataset, 2, &image, &label), SFT_DATA);
    test_expect_log("bad/c.bmp: a BMP picture; only PNG and JPEG are read");
    sft_dataset_close(&dataset);
    test_put_copy("loop/a.png", GOLDEN("rgb.png"));
    assert_int_equal(symlink(".", test_path("loop/again")), 0);
    assert_refused(test_path("loop"), SFT_DATA, "is there a link that leads back?");
}

static void put_text(const char *name, const char *text) { test_put(name, text, strlen(text)); }

static void list_reads_and_refuses(void **state)
{
    struct sft_dataset *dataset;
    (void)state;
    test_put_copy("lists/with blank.png", GOLDEN("rgb.png"));
    test_put_copy("lists/b.jpg", GOLDEN("420.jpg"));
    put_text("lists/good.txt", "# a comment\nb.jpg 4\r\n\n  with blank.png\t0  \n./b.jpg 2");
    dataset = open_or_fail(test_path("lists/good.txt"));
    assert_int_equal(sft_dataset_count(dataset), 3);
    assert_int_equal(sft_dataset_classes(dataset), 5);
    assert_string_equal(sft_dataset_class_name(dataset, 3), "3");
    read_ok(dataset, 1);
    assert_int_equal(label, 0);
    read_ok(dataset, 2);
    assert_int_equal(label, 2);
    sft_dataset_close(&dataset);
    put_text("lists/bare.txt", "b.jpg\nwith blank.png\n");
    dataset = open_or_fail(spec_of("list:", "lists/bare.txt", ""));
    assert_int_equal(sft_dataset_classes(dataset), 0);
    sft_dataset_close(&dataset);
    put_text("lists/missing.txt", "b.jpg 1\ngone.png 2\nwith blank.png 1\nlost.png 3\n");
    assert_refused(test_path("lists/missing.txt"), SFT_DATA, "2 of its pictures are not there");
    test_expect_log("line 2: gone.png");
    test_expect_log("line 4: lost.png");
    put_text("lists/mixed.txt", "b.jpg 1\nwith blank.png\n");
    assert_refused(test_path("lists/mixed.txt"), SFT_DATA, "1 of its 2 lines have no label");
    put_text("lists/negative.txt", "b.jpg -1\n");
    assert_refused(test_path("lists/negative.txt"), SFT_DATA, "line 1: label -1 is out of range");
    put_text("lists/empty.txt", "\n\n");
    assert_refused(test_path("lists/empty.txt"), SFT_DATA, "no pictures in this list");
    test_put("lists/binary.txt", "b.jpg\0 1", 8);
    assert_refused(test_path("lists/binary.txt"), SFT_DATA, "a list is a text file");
}

static void tar_reads_and_refuses(void **state)
{
    struct sft_bytes png, jpeg;
    struct packed_member members[4];
    (void)state;
    assert_int_equal(sft_file_open(GOLDEN("rgb.png"), &png), SFT_OK);
    assert_int_equal(sft_file_open(GOLDEN("grey.jpg"), &jpeg), SFT_OK);
    members[0] = (struct packed_member){"./set/dog/2.png", png.data, png.size};
    members[1] = (struct packed_member){"./set/readme.txt", "x", 1};
    members[2] = (struct packed_member){"./set/cat/7.jpg", jpeg.data, jpeg.size};
    members[3] = (struct packed_member){"./set/dog/1.png", png.data, png.size};
    put_tar("t.tar", false, members, 4);
    put_tar("t.tgz", true, members, 4);
    for (int packed = 0; packed < 2; packed++) {
        struct sft_dataset *dataset = open_or_fail(test_path(packed ? "t.tgz" : "t.tar"));
        assert_int_equal(sft_dataset_count(dataset), 3);
        assert_int_equal(sft_dataset_classes(dataset), 2);
        assert_string_equal(sft_dataset_class_name(dataset, 0), "cat");
        for (int i = 0; i < 3; i++) {
            read_ok(dataset, i);
            assert_int_equal(label, i > 0);
            assert_int_equal(image.rgb[0] == image.rgb[1], i == 0);
        }
        sft_dataset_close(&dataset);
    }
    put_tar("nothing.tar", false, members + 1, 1);
    assert_refused(test_path("nothing.tar"), SFT_DATA, "nothing.tar: no pictures in this tar");
    put_tar("no_member.tar", false, members, 0);
    assert_refused(test_path("no_member.tar"), SFT_DATA, "no_member.tar");
    test_put("zero.tar", "", 0);
    assert_refused(test_path("zero.tar"), SFT_DATA, "zero.tar");
    members[0].data = jpeg.data;
    members[0].size = 40;
    put_tar("bad.tar", false, members, 1);
    {
        struct sft_dataset *dataset = open_or_fail(test_path("bad.tar"));
        test_catch_log();
        assert_int_equal(sft_dataset_read(dataset, 0, &image, &label), SFT_DATA);
        test_expect_log("bad.tar: set/dog/2.png: damaged JPEG");
        sft_dataset_close(&dataset);
    }
    sft_file_close(&png);
    sft_file_close(&jpeg);
}

/* ---- arrays ---- */

/* Pixel (x, y) channel c of image i in the arrays of datasets.py. */
static uint8_t drawn(int i, int y, int x, int c)
{
    static uint8_t bytes[3 * 32 * 32 * 3];
    fill_bytes(bytes, sizeof(bytes), 7);
    return bytes[((i * 32 + y) * 32 + x) * 3 + c];
}

static void npy_reads_and_refuses(void **state)
{
    static const char *const files[2] = {GOLDEN("uint8.npy"), GOLDEN("float.npy")};
    struct sft_bytes file;
    uint8_t bytes[1024];
    (void)state;
    for (int f = 0; f < 2; f++) {
        struct sft_dataset *dataset = open_or_fail(files[f]);
        assert_int_equal(sft_dataset_count(dataset), 3);
        assert_int_equal(sft_dataset_classes(dataset), 0);
        read_ok(dataset, 2);
        assert_int_equal(label, -1);
        assert_int_equal(image.width, 4);
        assert_int_equal(image.height, 5);
        for (int k = 0; k < 60; k++) assert_int_equal(image.rgb[k], drawn(2, k / 12, k / 3 % 4, k % 3));
        sft_dataset_close(&dataset);
    }
    assert_int_equal(sft_file_open(GOLDEN("uint8.npy"), &file), SFT_OK);
    memcpy(bytes, file.data, file.size);
    test_put("cut.npy", bytes, file.size - 1);
    assert_refused(test_path("cut.npy"), SFT_DATA, "but 179 bytes follow");
    test_put("head.npy", bytes, 40);
    assert_refused(test_path("head.npy"), SFT_DATA, "the header is longer than the file");
    memcpy(strstr((char *)bytes + 10, "(3, 5, 4, 3)"), "(9, 5, 4, 3)", 12);
    test_put("lying.npy", bytes, file.size);
    assert_refused(test_path("lying.npy"), SFT_DATA, "the header tells of (9, 5, 4, 3)");
    memcpy(strstr((char *)bytes + 10, "(9, 5, 4, 3)"), "(3, 5, 12,) ", 12);
    test_put("flat.npy", bytes, file.size);
    assert_refused(test_path("flat.npy"), SFT_DATA, "images are (N, H, W, 3)");
    memcpy(bytes, file.data, file.size);
    memcpy(strstr((char *)bytes + 10, "|u1"), "<i8", 3);
    test_put("type.npy", bytes, file.size);
    assert_refused(test_path("type.npy"), SFT_DATA, "values of type '<i8'");
    memcpy(bytes, file.data, file.size);
    memcpy(strstr((char *)bytes + 10, "False"), "True ", 5);
    test_put("order.npy", bytes, file.size);
    assert_refused(test_path("order.npy"), SFT_DATA, "not in C order");
    sft_file_close(&file);
}

static void svhn_reads_and_refuses(void **state)
{
    static const char *const files[2] = {GOLDEN("svhn.mat"), GOLDEN("svhn_plain.mat")};
    static const int labels[3] = {0, 1, 9};
    char hex[2][65];
    struct sft_bytes file;
    uint8_t *copy;
    (void)state;
    for (int f = 0; f < 2; f++) {
        struct sft_dataset *dataset = open_or_fail(files[f]);
        assert_int_equal(sft_dataset_count(dataset), 3);
        assert_int_equal(sft_dataset_classes(dataset), 10);
        for (int i = 0; i < 3; i++) {
            read_ok(dataset, i);
            assert_int_equal(label, labels[i]);
            for (int k = 0; k < 3072; k++)
                assert_int_equal(image.rgb[k], drawn(i, k / 96, k / 3 % 32, k % 3));
        }
        sft_dataset_hash(dataset, hex[f]);
        sft_dataset_close(&dataset);
    }
    assert_string_equal(hex[0], hex[1]);
    assert_int_equal(sft_file_open(files[0], &file), SFT_OK);
    test_put("cut.mat", file.data, file.size / 2);
    assert_refused(test_path("cut.mat"), SFT_DATA, "damaged MAT file: it is cut off");
    copy = malloc(file.size);
    assert_non_null(copy);
    memcpy(copy, file.data, file.size);
    memset(copy + 300, 0, 64);
    test_put("turned.mat", copy, file.size);
    assert_refused(test_path("turned.mat"), SFT_DATA, "damaged MAT file");
    sft_file_close(&file);
    assert_int_equal(sft_file_open(files[1], &file), SFT_OK);
    free(copy);
    copy = malloc(file.size);
    assert_non_null(copy);
    memcpy(copy, file.data, file.size);
    {
        double wrong = 11;
        memcpy(copy + file.size - 8, &wrong, 8);
    }
    test_put("label.mat", copy, file.size);
    assert_refused(test_path("label.mat"), SFT_DATA, "image 2 has label 11; labels are 1 to 10");
    test_put("header.mat", copy, 128);
    assert_refused(test_path("header.mat"), SFT_DATA, "no arrays X and y");
    test_put("short.mat", "MATLAB 5.0", 10);
    assert_refused(test_path("short.mat"), SFT_DATA, "no little-endian MAT file");
    free(copy);
    sft_file_close(&file);
}

/* ---- built in ---- */

static void synthetic_is_fixed_and_varied(void **state)
{
    static const char *const names[] = {"synthetic#train",      "synthetic#test",    "synthetic:shapes",
                                        "synthetic:letters",    "synthetic:stripes", "synthetic:noise",
                                        "synthetic:noise#train"};
    char hex[7][65];
    (void)state;
    for (int n = 0; n < 7; n++) {
        struct sft_dataset *dataset = open_or_fail(names[n]), *again = open_or_fail(names[n]);
        struct sft_image other = {0};
        assert_true(sft_dataset_count(dataset) >= (n == 0 || n == 6 ? 5000 : 1000));
        assert_int_equal(sft_dataset_classes(dataset), n < 2 ? 10 : 0);
        for (int i = 20; i >= 0; i--) {
            int other_label;
            read_ok(dataset, i);
            assert_int_equal(label, n < 2 ? i % 10 : -1);
            assert_int_equal(sft_dataset_read(again, i, &other, &other_label), SFT_OK);
            assert_memory_equal(image.rgb, other.rgb, 3072);
            assert_int_equal(sft_dataset_read(again, i + 40, &other, &other_label), SFT_OK);
            assert_memory_not_equal(image.rgb, other.rgb, 3072);
        }
        sft_dataset_hash(dataset, hex[n]);
        for (int m = 0; m < n; m++) assert_string_not_equal(hex[m], hex[n]);
        sft_image_free(&other);
        sft_dataset_close(&dataset);
        sft_dataset_close(&again);
    }
}

/* ---- the packs of the project's data folder, where there is one ---- */

static void real_packs(void **state)
{
    static const struct {
        const char *name;
        int64_t count;
        int classes;
    } packs[] = {
        {"mnist_m/test.bin.xz", 3000, 10}, {"textures/test.bin.xz", 720, 10},
        {"cifar10#test", 10000, 10},       {"highres/imagenette_val.tar", 600, 10},
        {"highres/textures.tar", 480, 6},
    };
    const char *root = SFT_TEST_DATA "/../../shared/data";
    (void)state;
    if (access(root, R_OK) != 0) skip();
    for (size_t p = 0; p < sizeof(packs) / sizeof(packs[0]); p++) {
        struct sft_dataset *dataset;
        char spec[512];
        snprintf(spec, sizeof(spec), "%s/%s", root, packs[p].name);
        dataset = open_or_fail(spec);
        assert_int_equal(sft_dataset_count(dataset), packs[p].count);
        assert_int_equal(sft_dataset_classes(dataset), packs[p].classes);
        read_ok(dataset, packs[p].count - 1);
        read_ok(dataset, 0);
        if (p == 2) assert_int_equal(label, 3); /* CIFAR-10's test set begins with a cat */
        sft_dataset_close(&dataset);
    }
}

static int tear_down(void **state)
{
    sft_image_free(&image);
    return test_remove_folder(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cifar10_in_all_packings),
        cmocka_unit_test(cifar10_refuses),
        cmocka_unit_test(cifar_bin_reads_and_refuses),
        cmocka_unit_test(damaged_packings),
        cmocka_unit_test(parts_and_hashes),
        cmocka_unit_test(refuses_specs),
        cmocka_unit_test(folder_reads_like_imagefolder),
        cmocka_unit_test(folder_refuses),
        cmocka_unit_test(list_reads_and_refuses),
        cmocka_unit_test(tar_reads_and_refuses),
        cmocka_unit_test(npy_reads_and_refuses),
        cmocka_unit_test(svhn_reads_and_refuses),
        cmocka_unit_test(synthetic_is_fixed_and_varied),
        cmocka_unit_test(real_packs),
    };
    return cmocka_run_group_tests_name("datasets/formats", tests, test_setup_folder, tear_down);
}

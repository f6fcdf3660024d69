/* SPDX-License-Identifier: Apache-2.0 */
/* Every data set format: what it reads, and what it says about files that are not as they should be. */
#include <math.h>

#include "runtime/base/text.h"
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
        assert_int_equal(sft_dataset_hash(dataset, hex[i]), SFT_OK);
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

static void other_cifars_are_named(void **state)
{
    uint8_t *records = make_records(3, 1);
    (void)state;
    test_put("py/data_batch_1", "\x80\2}q", 4);
    test_put("py/batches.meta", "\x80\2}q", 4);
    assert_refused(test_path("py"), SFT_DATA, "this is the Python version of CIFAR-10; the binary version");
    assert_refused(spec_of("cifar10:", "py", "#test"), SFT_DATA, "this is the Python version of CIFAR-10");
    test_put("above/cifar-100-binary/train.bin", "x", 1);
    assert_refused(test_path("above"), SFT_DATA, "this is CIFAR-100");
    test_put("above/cifar-100-binary/fine_label_names.txt", "x", 1);
    assert_refused(test_path("above/cifar-100-binary"), SFT_DATA, "this is CIFAR-100");
    test_put("hundred.bin", records, (size_t)2 * (RECORD + 1));
    assert_refused(test_path("hundred.bin"), SFT_DATA, "records of 3074 bytes are CIFAR-100's");
    free(records);
}

/* What a host, a clone or a packer has put in the place of the data. */
static void stand_ins_are_named(void **state)
{
    static const char pointer[] = "version https://git-lfs.github.com/spec/v1\noid sha256:12\nsize 9\n";
    static const char *const formats[] = {"npy:", "tar:", "svhn:", "cifar-bin:", "list:", "image:", ""};
    struct sft_dataset *dataset;
    (void)state;
    for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
        test_put("pointer", pointer, sizeof(pointer) - 1);
        assert_refused(spec_of(formats[i], "pointer", ""), SFT_DATA, "pointer is a Git LFS pointer");
        test_put("page", "<!DOCTYPE html>", 15);
        assert_refused(spec_of(formats[i], "page", ""), SFT_DATA, "page is a web page (HTML)");
    }
    test_put("set/0.png", pointer, sizeof(pointer) - 1);
    test_put("set/1.png", "\0\0\0\0\0\0\0\0", 8);
    dataset = open_or_fail(test_path("set"));
    test_catch_log();
    assert_int_equal(sft_dataset_read(dataset, 0, &image, &label), SFT_DATA);
    test_expect_log("set/0.png: no picture that is read; it is a Git LFS pointer");
    assert_int_equal(sft_dataset_read(dataset, 1, &image, &label), SFT_DATA);
    test_expect_log("it is nothing but zeros at its beginning");
    sft_dataset_close(&dataset);
    test_put("a.zip", "PK\3\4", 4);
    assert_refused(test_path("a.zip"), SFT_DATA, "a.zip: a zip archive; unpack it");
    test_put("a.7z", "7z\xbc\xaf\x27\x1c", 6);
    assert_refused(test_path("a.7z"), SFT_DATA, "a.7z: a 7z archive; unpack it");
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

/* pigz, bgzip and cat put packed pieces behind one another, and tapes zeros behind all. */
static void packed_in_pieces(void **state)
{
    enum { PIECE = 2 * RECORD, ROOM = 4 * RECORD };
    static const char *const names[] = {"pieces.bin.gz", "pieces.bin.xz", "zeros.bin.gz"};
    uint8_t *records = make_records(4, 9), *packed = calloc(2, ROOM);
    (void)state;
    assert_non_null(packed);
    for (int i = 0; i < 3; i++) {
        size_t used = 0;
        struct sft_dataset *dataset;
        for (int piece = 0; piece < 2; piece++) {
            struct sft_bytes file;
            (i == 1 ? put_xz : put_gzip)("piece", records + (size_t)piece * PIECE, PIECE);
            assert_int_equal(sft_file_open(test_path("piece"), &file), SFT_OK);
            assert_true(file.size < ROOM - 512);
            memcpy(packed + used, file.data, file.size);
            used += file.size;
            sft_file_close(&file);
        }
        memset(packed + used, 0, 512);
        test_put(names[i], packed, used + (i == 2 ? 512 : 0));
        dataset = open_or_fail(test_path(names[i]));
        assert_int_equal(sft_dataset_count(dataset), 4);
        assert_record(dataset, 3, 3, 9);
        sft_dataset_close(&dataset);
    }
    free(packed);
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
    assert_int_equal(sft_dataset_hash(dataset, a), SFT_OK);
    sft_dataset_close(&dataset);
    dataset = open_or_fail(spec_of("", "p.bin", "[:12]"));
    again = open_or_fail(test_path("p.bin"));
    assert_int_equal(sft_dataset_hash(again, b), SFT_OK);
    assert_string_not_equal(a, b);
    sft_dataset_limit(again, 12);
    assert_int_equal(sft_dataset_hash(dataset, a), SFT_OK);
    assert_int_equal(sft_dataset_hash(again, b), SFT_OK);
    assert_string_equal(a, b);
    sft_dataset_limit(again, 100);
    assert_int_equal(sft_dataset_count(again), 12);
    assert_string_equal(sft_dataset_spec(again), test_path("p.bin"));
    sft_dataset_close(&dataset);
    sft_dataset_close(&again);
    put_records("q.bin", 12, 4); /* other pixels */
    dataset = open_or_fail(test_path("q.bin"));
    assert_int_equal(sft_dataset_hash(dataset, b), SFT_OK);
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
    test_put("bad/c.jpg", "GIF89a..", 8);
    dataset = open_or_fail(test_path("bad"));
    read_ok(dataset, 0);
    test_catch_log();
    assert_int_equal(sft_dataset_read(dataset, 1, &image, &label), SFT_DATA);
    test_expect_log("bad/b.png: the file is empty");
    assert_int_equal(sft_dataset_read(dataset, 2, &image, &label), SFT_DATA);
    test_expect_log("bad/c.jpg: a GIF picture; only PNG, JPEG, WebP, BMP and PNM are read");
    sft_dataset_close(&dataset);
}

/* Links between folders that lead ever deeper are an error in the end. */
static void folder_refuses_mazes(void **state)
{
    char name[32], target[32];
    (void)state;
    for (int i = 0; i < 26; i++) {
        snprintf(name, sizeof(name), "maze/%d/a.png", i);
        test_put_copy(name, GOLDEN("rgb.png"));
        snprintf(name, sizeof(name), "maze/%d/next", i);
        snprintf(target, sizeof(target), "../%d", i + 1);
        assert_int_equal(symlink(target, test_path(name)), 0);
    }
    assert_refused(spec_of("folder:", "maze/0", ""), SFT_DATA, "more than 24 deep");
}

static void one_picture_is_a_set(void **state)
{
    struct sft_dataset *dataset;
    char text[8];
    (void)state;
    test_put_copy("one/photo", GOLDEN("grey.jpg"));
    for (int named = 0; named < 2; named++) {
        dataset = open_or_fail(spec_of(named ? "image:" : "", "one/photo", ""));
        assert_int_equal(sft_dataset_count(dataset), 1);
        assert_int_equal(sft_dataset_classes(dataset), 0);
        read_ok(dataset, 0);
        assert_int_equal(label, -1);
        assert_string_equal(sft_dataset_image_name(dataset, 0, text, sizeof(text)), test_path("one/photo"));
        sft_dataset_close(&dataset);
    }
    test_put("one/photo.gif", "GIF89a......", 12);
    dataset = open_or_fail(test_path("one/photo.gif"));
    test_catch_log();
    assert_int_equal(sft_dataset_read(dataset, 0, &image, &label), SFT_DATA);
    test_expect_log("photo.gif: a GIF picture; only PNG, JPEG, WebP, BMP and PNM are read, convert it");
    sft_dataset_close(&dataset);
    assert_refused(spec_of("image:", "one", ""), SFT_DATA, "one: not a regular file");
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
    put_text("lists/large.txt", "b.jpg 1000001\n");
    assert_refused(test_path("lists/large.txt"), SFT_DATA, "line 1: label 1000001 is out of range");
    put_text("lists/empty.txt", "\n\n");
    assert_refused(test_path("lists/empty.txt"), SFT_DATA, "no pictures in this list");
    test_put("lists/binary.txt", "b.jpg\0 1", 8);
    assert_refused(test_path("lists/binary.txt"), SFT_DATA, "so it is no text file");
}

static void assert_list(const char *name, int64_t count, int classes)
{
    struct sft_dataset *dataset = open_or_fail(spec_of("list:", name, ""));
    assert_int_equal(sft_dataset_count(dataset), count);
    assert_int_equal(sft_dataset_classes(dataset), classes);
    read_ok(dataset, 0);
    sft_dataset_close(&dataset);
}

/* Lists as people hand them out. */
static void lists_of_others(void **state)
{
    char folder[512];
    (void)state;
    test_put_copy("data/images_classic/p/0.png", GOLDEN("rgb.png"));
    test_put_copy("data/images_classic/p/1.webp", GOLDEN("rgb.png"));
    test_put("data/images_classic/p/2.heic", "....ftypheic", 12);
    put_text("data/benchmark_imglist/cifar10/ood.txt", "p/0.png -1\np/1.webp -1\np/2.heic -1\n");
    assert_list("data/benchmark_imglist/cifar10/ood.txt", 2, 0);           /* of OpenOOD */
    put_text("data/mark.txt", "\xef\xbb\xbfimages_classic/p/0.png 3\r\n"); /* of Windows' editor */
    assert_list("data/mark.txt", 1, 4);
    put_text("data/lists/here.txt", "images_classic/p/0.png 1\n"); /* of find(1) */
    assert_non_null(getcwd(folder, sizeof(folder)));
    assert_int_equal(chdir(test_path("data")), 0);
    assert_list("data/lists/here.txt", 1, 2);
    assert_int_equal(chdir(folder), 0);
    test_put("data/wide.txt",
             "\xff\xfe"
             "a\0",
             4);
    assert_refused(test_path("data/wide.txt"), SFT_DATA, "text in UTF-16; save it as UTF-8");
    put_text("data/back.txt", "images_classic\\p\\0.png 1\n");
    assert_refused(test_path("data/back.txt"), SFT_DATA, "paths are written with /");
    put_text("data/comma.txt", "images_classic/p/0.png,1\n");
    assert_refused(test_path("data/comma.txt"), SFT_DATA, "a label stands behind a blank");
    put_text("data/quoted.txt", "\"images_classic/p/0.png\" 1\n");
    assert_refused(test_path("data/quoted.txt"), SFT_DATA, "paths stand without quotation marks");
    put_text("data/words.txt", "images_classic/p/0.png\tcat\n");
    assert_refused(test_path("data/words.txt"), SFT_DATA, "a label is a whole number");
    put_text("data/turned.txt", "1 images_classic/p/0.png\n");
    assert_refused(test_path("data/turned.txt"), SFT_DATA, "a line is a path, a blank and a label");
    put_text("data/mac.txt", "images_classic/p/0.png 1\rimages_classic/p/0.png 1\r");
    assert_refused(test_path("data/mac.txt"), SFT_DATA, "lines end with a line feed");
    put_text("data/web.txt", "https://host/0.png 1\n");
    assert_refused(test_path("data/web.txt"), SFT_DATA, "files are read, and no addresses");
    put_text("data/part.txt", "images_classic/p/0.png 1\nimages_classic/p/9.png 1\n");
    assert_refused(test_path("data/part.txt"), SFT_DATA,
                   "1 of its pictures are not there (paths are relative to");
    test_expect_log("line 2: images_classic/p/9.png");
}

/* 9000 lines of a few files, as the files of a list of a million are looked for: by what their folders list.
 */
static void put_long_list(const char *name, const char *last)
{
    static const char *const files[] = {"0.png", "deep/1.png", "deep/../0.png", "deep/link.png", "./0.png"};
    struct sft_text text = {0};
    for (int i = 0; i < 9000; i++) sft_text_printf(&text, "%s %d\n", files[i % 5], i % 3);
    sft_text_printf(&text, "%s", last);
    assert_int_equal(text.status, SFT_OK);
    put_text(name, text.data);
    sft_text_free(&text);
}

static void long_lists(void **state)
{
    char last[600];
    (void)state;
    test_put_copy("long/0.png", GOLDEN("rgb.png"));
    test_put_copy("long/deep/1.png", GOLDEN("rgb.png"));
    assert_int_equal(symlink("../0.png", test_path("long/deep/link.png")), 0);
    assert_int_equal(symlink("nowhere.png", test_path("long/deep/broken.png")), 0);
    snprintf(last, sizeof(last), "%s 3\n", test_path("long/0.png"));
    put_long_list("long/list.txt", last);
    assert_list("long/list.txt", 9001, 4);
    put_long_list("long/elsewhere/list.txt", ""); /* relative to the folder above */
    assert_list("long/elsewhere/list.txt", 9000, 3);
    put_long_list("long/missing.txt", "deep/2.png 1\ndeep/broken.png 1\ndeep 0\nno/0.png 1\n");
    assert_refused(spec_of("list:", "long/missing.txt", ""), SFT_DATA, "4 of its pictures are not there");
    assert_refused(spec_of("list:", "long/missing.txt", ""), SFT_DATA, "line 9002: deep/broken.png");
}

/* A JPEG whose EXIF data say that it lies on its side: its pixels are those that are stored, and it is said
 * once however often it is read. */
static void turned_pictures_are_told(void **state)
{
    static const uint8_t exif[] =
        "\xff\xe1\x00\x22"
        "Exif\0\0MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0";
    struct sft_dataset *dataset;
    struct sft_bytes file;
    uint8_t turned[8192];
    uint8_t *upright;
    (void)state;
    assert_int_equal(sft_file_open(GOLDEN("420.jpg"), &file), SFT_OK);
    memcpy(turned, file.data, 2);
    memcpy(turned + 2, exif, 36);
    memcpy(turned + 38, file.data + 2, file.size - 2);
    test_put("phone/a.jpg", turned, file.size + 36);
    turned[31] = 1; /* upright */
    test_put("phone/b.jpg", turned, file.size + 36);
    test_put_copy("phone/c.jpg", GOLDEN("420.jpg"));
    dataset = open_or_fail(test_path("phone"));
    read_ok(dataset, 2);
    upright = malloc(33 * 21 * 3);
    assert_non_null(upright);
    memcpy(upright, image.rgb, 33 * 21 * 3);
    for (int64_t i = 0; i < 6; i++) {
        read_ok(dataset, i % 3);
        assert_memory_equal(image.rgb, upright, 33 * 21 * 3);
    }
    assert_int_equal(sft_dataset_turned(dataset), 1);
    test_catch_log();
    sft_dataset_close(&dataset);
    test_expect_log("phone: 1 of the pictures that were read say in their EXIF data");
    free(upright);
    sft_file_close(&file);
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

/* An .npy file of version 1: its shape as NumPy writes it, and float32 values that are all the same. */
static void put_npy(const char *name, const char *shape, int count, float value)
{
    uint8_t bytes[4096] = "\x93NUMPY\1\0\166\0";
    assert_true(128 + 4 * (size_t)count <= sizeof(bytes));
    memset(bytes + 10, ' ', 118);
    bytes[10 + snprintf((char *)bytes + 10, 118, "{'descr': '<f4', 'fortran_order': False, 'shape': %s, }",
                        shape)] = ' ';
    bytes[127] = '\n';
    for (int i = 0; i < count; i++) memcpy(bytes + 128 + 4 * i, &value, 4);
    test_put(name, bytes, 128 + 4 * (size_t)count);
}

static void npy_helps(void **state)
{
    static const struct {
        float value;
        int pixel; /* -1: refused */
        const char *message;
    } values[] = {{1.0000001f, 255, ""},       {-1e-7f, 0, ""},
                  {1.001f, 255, ""},           {1.01f, -1, "element 0 is 1.00999"},
                  {-0.01f, -1, "is -0.00999"}, {255.0f, -1, "so divide by 255"},
                  {NAN, -1, "is nan"}};
    (void)state;
    put_npy("nchw.npy", "(2, 3, 4, 5)", 120, 0);
    assert_refused(test_path("nchw.npy"), SFT_DATA,
                   "looks like (N, C, H, W): save array.transpose(0, 2, 3, 1)");
    put_npy("rgba.npy", "(2, 5, 4, 4)", 160, 0);
    assert_refused(test_path("rgba.npy"), SFT_DATA, "array[..., :3]");
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        struct sft_dataset *dataset;
        put_npy("hair.npy", "(1, 2, 2, 3)", 12, values[i].value);
        dataset = open_or_fail(test_path("hair.npy"));
        assert_int_equal(sft_dataset_read(dataset, 0, &image, &label),
                         values[i].pixel < 0 ? SFT_DATA : SFT_OK);
        if (values[i].pixel < 0)
            test_expect_log(values[i].message);
        else
            assert_int_equal(image.rgb[11], values[i].pixel);
        sft_dataset_close(&dataset);
    }
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
        assert_int_equal(sft_dataset_hash(dataset, hex[f]), SFT_OK);
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

static void put_word(uint8_t *at, uint32_t value) { memcpy(at, &value, sizeof(value)); }

/* One image as MATLAB saves it, with labels of 32 bits; also what version 7.3 begins with. */
static void svhn_of_matlab(void **state)
{
    enum { X = 128, VALUES = X + 64, Y = VALUES + 3072, END = Y + 64 };
    uint8_t bytes[END] = "MATLAB 5.0 MAT-file";
    struct sft_dataset *dataset;
    (void)state;
    memcpy(bytes + 124, "\0\1IM", 4);
    for (int y = 0; y < 2; y++) {
        uint8_t *at = bytes + (y ? Y : X);
        put_word(at, 14); /* a matrix */
        put_word(at + 4, y ? 56 : 56 + 3072);
        put_word(at + 8, 6); /* its flags */
        put_word(at + 12, 8);
        put_word(at + 16, y ? 12 : 9);
        put_word(at + 24, 5); /* its dimensions: of y 1 x 1 */
        put_word(at + 28, y ? 8 : 12);
        put_word(at + 32, y ? 1 : 32);
        put_word(at + 36, y ? 1 : 32);
        if (!y) put_word(at + 40, 3);
        put_word(at + (y ? 40 : 48), 1 | 1 << 16); /* its name */
        at[y ? 44 : 52] = y ? 'y' : 'X';
        put_word(at + (y ? 48 : 56), y ? 5 | 4 << 16 : 2); /* its values */
        put_word(at + (y ? 52 : 60), y ? 10 : 3072);
    }
    put_word(bytes + Y + 4, 48);
    fill_bytes(bytes + VALUES, 3072, 5);
    test_put("one.mat", bytes, Y + 56);
    dataset = open_or_fail(test_path("one.mat"));
    assert_int_equal(sft_dataset_count(dataset), 1);
    read_ok(dataset, 0);
    assert_int_equal(label, 0);
    assert_int_equal(image.rgb[3], bytes[VALUES + 32]); /* columns first */
    sft_dataset_close(&dataset);
    memcpy(bytes, "MATLAB 7.3", 10);
    test_put("later.mat", bytes, sizeof(bytes));
    assert_refused(test_path("later.mat"), SFT_DATA, "a MAT file of version 7.3; save it again with -v7");
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
        assert_int_equal(sft_dataset_hash(dataset, hex[n]), SFT_OK);
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
        cmocka_unit_test(other_cifars_are_named),
        cmocka_unit_test(stand_ins_are_named),
        cmocka_unit_test(damaged_packings),
        cmocka_unit_test(packed_in_pieces),
        cmocka_unit_test(parts_and_hashes),
        cmocka_unit_test(refuses_specs),
        cmocka_unit_test(folder_reads_like_imagefolder),
        cmocka_unit_test(folder_refuses),
        cmocka_unit_test(folder_refuses_mazes),
        cmocka_unit_test(one_picture_is_a_set),
        cmocka_unit_test(list_reads_and_refuses),
        cmocka_unit_test(lists_of_others),
        cmocka_unit_test(long_lists),
        cmocka_unit_test(turned_pictures_are_told),
        cmocka_unit_test(tar_reads_and_refuses),
        cmocka_unit_test(npy_reads_and_refuses),
        cmocka_unit_test(npy_helps),
        cmocka_unit_test(svhn_reads_and_refuses),
        cmocka_unit_test(svhn_of_matlab),
        cmocka_unit_test(synthetic_is_fixed_and_varied),
        cmocka_unit_test(real_packs),
    };
    return cmocka_run_group_tests_name("datasets/formats", tests, test_setup_folder, tear_down);
}

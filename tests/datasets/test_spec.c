/* SPDX-License-Identifier: Apache-2.0 */
/* What a SPEC names: names with # and [ in them, and the splits of the set that a SPEC names. */
#include "tests/datasets/packing.h"

enum { TEST_RECORDS = 4, TRAIN_RECORDS = 3 };

static void assert_count(const char *spec, int64_t count)
{
    struct sft_dataset *dataset = open_or_fail(spec);
    assert_int_equal(sft_dataset_count(dataset), count);
    sft_dataset_close(&dataset);
}

static void put_pictures(const char *folder, int n)
{
    for (int i = 0; i < n; i++) {
        char name[128];
        snprintf(name, sizeof(name), "%s/%d.png", folder, i);
        test_put_copy(name, GOLDEN("rgb.png"));
    }
}

static void put_cifar10(const char *folder, bool test)
{
    char name[128];
    for (int i = 1; i <= 5; i++) {
        snprintf(name, sizeof(name), "%s/data_batch_%d.bin", folder, i);
        put_records(name, TRAIN_RECORDS, (uint8_t)i);
    }
    snprintf(name, sizeof(name), "%s/test_batch.bin", folder);
    if (test) put_records(name, TEST_RECORDS, 6);
}

/* The split must be there, have so many images, and be named so. */
static void assert_split(const char *spec, const char *split, int64_t count, const char *named)
{
    struct sft_dataset *dataset;
    test_catch_log();
    if (sft_dataset_open_split(spec, split, &dataset) != SFT_OK) fail_msg("%s: %s", spec, test_log());
    assert_non_null(dataset);
    assert_int_equal(sft_dataset_count(dataset), count);
    assert_string_equal(sft_dataset_spec(dataset), named);
    assert_string_equal(sft_dataset_split(dataset), split);
    sft_dataset_close(&dataset);
}

static void assert_no_split(const char *spec, const char *split)
{
    struct sft_dataset *dataset;
    test_catch_log();
    assert_int_equal(sft_dataset_open_split(spec, split, &dataset), SFT_OK);
    assert_null(dataset);
    assert_string_equal(test_log(), "");
}

static void assert_split_refused(const char *spec, const char *split, enum sft_status status,
                                 const char *part)
{
    struct sft_dataset *dataset;
    test_catch_log();
    assert_int_equal(sft_dataset_open_split(spec, split, &dataset), status);
    assert_null(dataset);
    test_expect_log(part);
}

static void names_that_exist_are_names(void **state)
{
    struct sft_bytes png;
    struct packed_member member = {"set/0.png", NULL, 0};
    (void)state;
    put_pictures("pets#2", 2);
    put_pictures("pets", 5);
    put_pictures("pets/2", 1);
    put_pictures("part[0:1]", 2);
    test_put_copy("0.png", GOLDEN("rgb.png"));
    test_put("list#3.txt", "0.png 0\n", 8);
    assert_int_equal(sft_file_open(GOLDEN("rgb.png"), &png), SFT_OK);
    member.data = png.data;
    member.size = png.size;
    put_tar("photos#1.tar", false, &member, 1);
    sft_file_close(&png);
    assert_count(spec_of("folder:", "pets#2", ""), 2);
    assert_count(spec_of("", "pets#2", ""), 2);
    assert_count(spec_of("", "pets#2", "[1:]"), 1);
    assert_count(spec_of("folder:", "part[0:1]", ""), 2);
    assert_count(spec_of("folder:", "part[0:1]", "[:1]"), 1);
    assert_count(spec_of("tar:", "photos#1.tar", ""), 1);
    assert_count(spec_of("", "photos#1.tar", ""), 1);
    assert_count(spec_of("list:", "list#3.txt", ""), 1);
}

/* Where no file has the name as it is written, # and [ mean what they always do. */
static void other_names_are_cut(void **state)
{
    (void)state;
    put_pictures("birds/train", 3);
    put_pictures("birds#1/train", 4);
    assert_count(spec_of("folder:", "birds", "#train"), 3);
    assert_count(spec_of("folder:", "birds", "#train[1:]"), 2);
    assert_count(spec_of("folder:", "birds#1", "#train[:2]"), 2);
    assert_count(spec_of("folder:", "birds#1/train", ""), 4);
    assert_refused(spec_of("folder:", "birds", "#1#val"), SFT_USAGE, "unknown split #val");
}

static void a_spec_knows_its_split(void **state)
{
    struct sft_dataset *dataset = open_or_fail("synthetic#test[0:64]");
    (void)state;
    assert_string_equal(sft_dataset_split(dataset), "test");
    sft_dataset_close(&dataset);
    dataset = open_or_fail("synthetic[0:64]");
    assert_string_equal(sft_dataset_split(dataset), "");
    sft_dataset_close(&dataset);
}

static void splits_are_opened(void **state)
{
    char named[512];
    (void)state;
    put_cifar10("whole", true);
    snprintf(named, sizeof(named), "cifar10:%s#test", test_path("whole"));
    assert_split(spec_of("cifar10:", "whole", ""), "test", TEST_RECORDS, named);
    assert_split(spec_of("cifar10:", "whole", "[0:2]"), "test", TEST_RECORDS, named);
    assert_split(spec_of("cifar10:", "whole", "#train"), "test", TEST_RECORDS, named);
    assert_split(spec_of("cifar10:", "whole", "#train[0:2]"), "test", TEST_RECORDS, named);
    snprintf(named, sizeof(named), "%s#test", test_path("whole"));
    assert_split(spec_of("", "whole", "[0:2]"), "test", TEST_RECORDS, named);
    put_pictures("tree#1/train", 1);
    put_pictures("tree#1/test", 2);
    snprintf(named, sizeof(named), "folder:%s#test", test_path("tree#1"));
    assert_split(spec_of("folder:", "tree#1", ""), "test", 2, named);
    assert_split(spec_of("folder:", "tree#1", "#train[0:1]"), "test", 2, named);
    assert_split("synthetic[0:64]", "test", 2000, "synthetic#test");
    assert_split("synthetic:letters", "train", 10000, "synthetic:letters#train");
}

static void absent_splits_are_no_failure(void **state)
{
    struct packed_member members[5];
    static const char *const names[5] = {"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin",
                                         "data_batch_4.bin", "data_batch_5.bin"};
    uint8_t *records = make_records(2, 1);
    (void)state;
    put_cifar10("train_only", false);
    for (int i = 0; i < 5; i++) members[i] = (struct packed_member){names[i], records, 2 * RECORD};
    put_tar("train_only.tar.gz", true, members, 5);
    put_records("a.bin", 2, 1);
    put_pictures("flat", 2);
    assert_no_split(spec_of("cifar10:", "train_only", "#train[0:2]"), "test");
    assert_no_split(spec_of("cifar10:", "train_only", ""), "validation");
    assert_no_split(spec_of("cifar10:", "train_only.tar.gz", ""), "test");
    assert_no_split(spec_of("cifar-bin:", "a.bin", "[0:1]"), "test");
    assert_no_split(spec_of("folder:", "flat", ""), "test");
    assert_no_split(GOLDEN("uint8.npy"), "test");
    assert_no_split(GOLDEN("svhn.mat"), "test");
    assert_no_split("synthetic", "validation");
    free(records);
}

static void damaged_splits_are_failures(void **state)
{
    (void)state;
    put_cifar10("damaged", false);
    test_put("damaged/test_batch.bin", "x", 1);
    put_records("some/data_batch_1.bin", 2, 1);
    put_pictures("hollow", 2);
    test_put("hollow/test/notes.txt", "none", 4);
    assert_split_refused(spec_of("cifar10:", "damaged", ""), "test", SFT_DATA, "no multiple of 3073");
    assert_split_refused(spec_of("cifar10:", "some", "#test"), "train", SFT_DATA, "missing data_batch_2.bin");
    assert_split_refused(spec_of("folder:", "hollow", ""), "test", SFT_DATA, "no pictures in this folder");
    assert_split_refused(spec_of("folder:", "nowhere", ""), "test", SFT_DATA, "nowhere: No such file");
    assert_split_refused("synthetic:nope", "test", SFT_USAGE, "no such set");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_that_exist_are_names),   cmocka_unit_test(other_names_are_cut),
        cmocka_unit_test(a_spec_knows_its_split),       cmocka_unit_test(splits_are_opened),
        cmocka_unit_test(absent_splits_are_no_failure), cmocka_unit_test(damaged_splits_are_failures),
    };
    return cmocka_run_group_tests_name("datasets/spec", tests, test_setup_folder, test_remove_folder);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The hash of a data set of files: what changes it, and what does not. */
#include "datasets/contents.h"

#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "datasets/dataset.h"
#include "tests/datasets/packing.h"
#include "tests/support/fixture.h"

static void put_text(const char *name, const char *text) { test_put(name, text, strlen(text)); }

static void put_set(const char *folder, const char *last)
{
    char name[64];
    const char *const names[] = {"ant/1.png", "ant/2.png", "cat/3.png"};
    const char *const texts[] = {"one", "two", last};
    for (int i = 0; i < 3; i++) {
        snprintf(name, sizeof(name), "%s/%s", folder, names[i]);
        put_text(name, texts[i]);
    }
}

/* The hash of SPEC, whose path is in the test's folder, in one of four buffers in turn. */
static const char *hash_of(const char *name, const char *part)
{
    static char hex[4][65];
    static int next;
    struct sft_dataset *dataset;
    char spec[512], *out = hex[next++ % 4];
    snprintf(spec, sizeof(spec), "%s%s", test_path(name), part);
    assert_int_equal(sft_dataset_open(spec, &dataset), SFT_OK);
    assert_int_equal(sft_dataset_hash(dataset, out), SFT_OK);
    sft_dataset_close(&dataset);
    return out;
}

static void content_counts_and_names_do_not(void **state)
{
    const struct packed_member members[] = {
        {"./ant/1.png", (const uint8_t *)"one", 3},
        {"./ant/2.png", (const uint8_t *)"two", 3},
        {"./cat/3.png", (const uint8_t *)"six", 3},
    };
    char hash[65];
    (void)state;
    put_set("a", "six");
    snprintf(hash, sizeof(hash), "%s", hash_of("a", ""));
    put_set("elsewhere/b", "six");
    assert_string_equal(hash_of("elsewhere/b", ""), hash);
    put_text("c/ant/10.png", "one");
    put_text("c/ant/20.png", "two");
    put_text("c/cat/x.png", "six");
    assert_string_equal(hash_of("c", ""), hash);
    put_tar("a.tar", false, members, 3);
    assert_string_equal(hash_of("a.tar", ""), hash);

    put_set("d", "ten"); /* the same size */
    assert_string_not_equal(hash_of("d", ""), hash);
    assert_string_equal(hash_of("d", "[:2]"), hash_of("a", "[:2]"));
    put_set("e", "six");
    put_text("e/bee/readme.png", "six"); /* another class, which moves the label of the next */
    assert_string_not_equal(hash_of("e", ""), hash);
    put_text("f/ant/1.png", "one");
    put_text("f/bat/2.png", "two");
    put_text("f/bat/3.png", "six");
    assert_string_not_equal(hash_of("f", ""), hash);
}

static void the_spelling_of_a_list_does_not_count(void **state)
{
    char text[1024];
    const char *hash;
    (void)state;
    put_set("a", "six");
    put_text("near.txt", "a/ant/1.png 0\na/cat/3.png 1\n");
    snprintf(text, sizeof(text), "%s 0\n%s 1\n", test_path("a/ant/1.png"), test_path("a/cat/3.png"));
    put_text("far.txt", text);
    put_text("other.txt", "a/ant/1.png 1\na/cat/3.png 0\n");
    hash = hash_of("near.txt", "");
    assert_string_equal(hash_of("far.txt", ""), hash);
    assert_string_not_equal(hash_of("other.txt", ""), hash);
}

static void a_file_that_is_gone_is_an_error(void **state)
{
    struct sft_dataset *dataset;
    char hex[65];
    (void)state;
    put_set("gone", "six");
    assert_int_equal(sft_dataset_open(test_path("gone"), &dataset), SFT_OK);
    unlink(test_path("gone/ant/2.png"));
    assert_int_equal(sft_dataset_hash(dataset, hex), SFT_DATA);
    test_expect_log("2.png");
    put_text("gone/ant/2.png", "two");
    assert_int_equal(sft_dataset_hash(dataset, hex), SFT_OK);
    sft_dataset_close(&dataset);
}

/* ---- large sets, of files that are not there ---- */

enum { FILES = 3000 };

struct fake {
    atomic_int reads, measured;
    bool sizes;      /* the listing knows them */
    int64_t many;    /* files of a set that are too many to be asked for sizes; 0: more than there are */
    int64_t changed; /* number of a picture with another content */
};

static enum sft_status fake_content(const void *state, int64_t i, struct sft_bytes *bytes)
{
    struct fake *fake = (struct fake *)state;
    atomic_fetch_add(&fake->reads, 1);
    *bytes = (struct sft_bytes){.data = (const uint8_t *)(i == fake->changed ? "b" : "a"), .size = 1};
    return SFT_OK;
}

static enum sft_status fake_measure(const void *state, int64_t i, size_t *size)
{
    struct fake *fake = (struct fake *)state;
    atomic_fetch_add(&fake->measured, 1);
    *size = i == 7 ? 11 : 10;
    return SFT_OK;
}

static const char *hash_fake(struct fake *fake, uint64_t limit, size_t size_of_7, char hex[65])
{
    static const struct sft_format format = {
        .name = "fake", .content = fake_content, .measure = fake_measure};
    static struct sft_listed items[FILES];
    const struct sft_listing listing = {.items = items, .count = FILES};
    const struct sft_source source = {.state = fake, .count = FILES, .listing = &listing};
    const struct sft_contents contents = {
        &format, &source, NULL, 0, FILES, limit, fake->many ? fake->many : FILES};
    for (int i = 0; i < FILES; i++) items[i].size = !fake->sizes ? SFT_SIZE_UNKNOWN : i == 7 ? size_of_7 : 10;
    assert_int_equal(sft_contents_hash(&contents, hex), SFT_OK);
    return hex;
}

static void of_a_large_set_some_files_are_read(void **state)
{
    struct fake fake = {.changed = -1, .sizes = true};
    char whole[65], part[65], other[65];
    (void)state;
    hash_fake(&fake, 30000, 10, whole);
    assert_int_equal(fake.reads, FILES);
    fake.reads = 0;
    hash_fake(&fake, 7000, 10, part);
    assert_int_equal(fake.reads, FILES / 5);
    assert_string_not_equal(hash_fake(&fake, 7000, 11, other), part);
    fake.changed = 10;
    assert_string_not_equal(hash_fake(&fake, 7000, 10, other), part);
    fake.changed = 11;
    assert_string_not_equal(hash_fake(&fake, 30000, 10, other), whole);
}

/* Sizes that the listing does not know are asked for, and count the same. */
static void sizes_are_measured(void **state)
{
    struct fake known = {.changed = -1, .sizes = true}, unknown = {.changed = -1};
    char hash[65], measured[65];
    (void)state;
    hash_fake(&known, 7000, 11, hash);
    assert_int_equal(known.measured, 0);
    assert_string_equal(hash_fake(&unknown, 7000, 11, measured), hash);
    assert_in_range(unknown.measured, FILES, 2 * FILES);
}

/* Of a million files only some are opened, and none is asked for its size. */
static void of_very_many_files_a_sample_counts(void **state)
{
    struct fake fake = {.changed = -1, .many = FILES - 1};
    char hash[65], other[65];
    (void)state;
    hash_fake(&fake, 30000, 10, hash);
    assert_int_equal(fake.reads, FILES / 2);
    assert_int_equal(fake.measured, 0);
    fake.changed = 10;
    assert_string_not_equal(hash_fake(&fake, 30000, 10, other), hash);
    fake.changed = 11;
    assert_string_equal(hash_fake(&fake, 30000, 10, other), hash);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(content_counts_and_names_do_not),
        cmocka_unit_test(the_spelling_of_a_list_does_not_count),
        cmocka_unit_test(a_file_that_is_gone_is_an_error),
        cmocka_unit_test(of_a_large_set_some_files_are_read),
        cmocka_unit_test(sizes_are_measured),
        cmocka_unit_test(of_very_many_files_a_sample_counts),
    };
    return cmocka_run_group_tests(tests, test_setup_folder, test_remove_folder);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Reading all pictures of a set beforehand: which are damaged, in order, at any number of threads. */
#include "tests/datasets/support.h"

#include "datasets/check.h"
#include "runtime/base/parallel.h"

enum { IMAGES = 600 };

static bool is_bad(int i) { return i == 0 || i == 255 || i == 256 || i == IMAGES - 1; }

/* Pictures p/000.png, ... */
static int set_up(void **state)
{
    if (test_setup_folder(state) != 0) return -1;
    for (int i = 0; i < IMAGES; i++) {
        char name[32];
        snprintf(name, sizeof(name), "p/%03d.png", i);
        if (is_bad(i))
            test_put(name, "nonsense", 8);
        else
            test_put_copy(name, GOLDEN("grey.png"));
    }
    return 0;
}

static void note_progress(void *context, int64_t done, int64_t count)
{
    assert_int_equal(count, IMAGES);
    *(int64_t *)context = done;
}

static void lists_bad_pictures(void **state)
{
    struct sft_dataset *set = open_or_fail(test_path("p"));
    (void)state;
    for (int threads = 1; threads <= 3; threads += 2) {
        struct sft_bad_pictures bad = {0};
        int64_t done = 0;
        const struct sft_check check = {.dataset = set, .progress = note_progress, .context = &done};
        size_t n = 0;
        assert_int_equal(sft_parallel_set_threads(threads), SFT_OK);
        test_catch_log();
        assert_int_equal(sft_check_pictures(&check, &bad), SFT_OK);
        assert_string_equal(test_log(), "");
        assert_int_equal(done, IMAGES);
        for (int i = 0; i < IMAGES; i++) {
            char name[32];
            if (!is_bad(i)) continue;
            snprintf(name, sizeof(name), "p/%03d.png: ", i);
            assert_int_equal(bad.items[n].image, i);
            assert_non_null(strstr(bad.items[n++].why, name));
        }
        assert_int_equal(bad.n, n);
        sft_bad_pictures_free(&bad);
    }
    assert_int_equal(sft_parallel_set_threads(0), SFT_OK);
    sft_dataset_close(&set);
}

static void reads_what_is_wanted(void **state)
{
    struct sft_dataset *set = open_or_fail(test_path("p"));
    bool wanted[IMAGES] = {[1] = true, [256] = true};
    const struct sft_check check = {.dataset = set, .wanted = wanted};
    struct sft_bad_pictures bad = {0};
    (void)state;
    assert_int_equal(sft_check_pictures(&check, &bad), SFT_OK);
    assert_int_equal(bad.n, 1);
    assert_int_equal(bad.items[0].image, 256);
    sft_bad_pictures_free(&bad);
    sft_dataset_close(&set);
}

static void leaves_bad_pictures_out(void **state)
{
    struct sft_dataset *set = open_or_fail(test_path("p"));
    const struct sft_check check = {.dataset = set};
    struct sft_bad_pictures bad = {0};
    char text[64];
    (void)state;
    assert_int_equal(sft_check_pictures(&check, &bad), SFT_OK);
    assert_int_equal(sft_leave_out(set, &bad), SFT_OK);
    assert_int_equal(sft_dataset_count(set), IMAGES - 4);
    assert_non_null(strstr(sft_dataset_image_name(set, 0, text, sizeof(text)), "001.png"));
    sft_bad_pictures_free(&bad);
    assert_int_equal(sft_check_pictures(&check, &bad), SFT_OK);
    assert_int_equal(bad.n, 0);
    sft_dataset_close(&set);

    set = open_or_fail(test_path("p"));
    sft_dataset_limit(set, 1);
    assert_int_equal(sft_check_pictures(&(struct sft_check){.dataset = set}, &bad), SFT_OK);
    test_catch_log();
    assert_int_equal(sft_leave_out(set, &bad), SFT_DATA);
    test_expect_log("none of its pictures can be read");
    sft_bad_pictures_free(&bad);
    sft_dataset_close(&set);
}

static void stops(void **state)
{
    struct sft_dataset *set = open_or_fail(test_path("p"));
    const volatile sig_atomic_t stop = 1;
    const struct sft_check check = {.dataset = set, .stop = &stop};
    struct sft_bad_pictures bad = {0};
    (void)state;
    assert_int_equal(sft_check_pictures(&check, &bad), SFT_INTERRUPTED);
    sft_bad_pictures_free(&bad);
    sft_dataset_close(&set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_bad_pictures),
        cmocka_unit_test(reads_what_is_wanted),
        cmocka_unit_test(leaves_bad_pictures_out),
        cmocka_unit_test(stops),
    };
    return cmocka_run_group_tests_name("datasets/check", tests, set_up, test_remove_folder);
}

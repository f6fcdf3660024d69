/* SPDX-License-Identifier: Apache-2.0 */
/* Batches: what is in them, and that they depend neither on threads nor on where a run was taken up. */
#include "tests/datasets/support.h"

#include <math.h>

#include "datasets/loader.h"
#include "datasets/resize.h"

enum { IMAGES = 40 };

static struct sft_dataset *dataset, *others;

static int set_up(void **state)
{
    if (test_setup_folder(state) != 0) return -1;
    put_records("id.bin", IMAGES, 200);
    put_records("other.bin", 7, 77);
    dataset = open_or_fail(test_path("id.bin"));
    others = open_or_fail(test_path("other.bin"));
    return 0;
}

static int tear_down(void **state)
{
    sft_dataset_close(&dataset);
    sft_dataset_close(&others);
    return test_remove_folder(state);
}

static struct sft_loader_params params_for(int64_t batch, int64_t steps)
{
    struct sft_loader_params params;
    sft_loader_defaults(&params, 32);
    params.dataset = dataset;
    params.batch = batch;
    params.steps = steps;
    params.shuffle = steps > 0;
    params.workers = 1;
    return params;
}

static struct sft_loader *open_loader(const struct sft_loader_params *params)
{
    struct sft_loader *loader;
    test_catch_log();
    if (sft_loader_open(params, &loader) != SFT_OK) fail_msg("%s", test_log());
    return loader;
}

/* Leaves the log alone: the threads may be writing to it. */
static const struct sft_batch *next_batch(struct sft_loader *loader)
{
    const struct sft_batch *batch;
    if (sft_loader_next(loader, &batch) != SFT_OK) fail_msg("%s", test_log());
    return batch;
}

/* 8-bit value behind a normalised one, mean and std 0.5. */
static int byte_of(float x) { return (int)lrintf((x * 0.5f + 0.5f) * 255.0f); }

/* Which record image j of the batch is (support.h), its first pixel being unchanged. */
static int record_of(const struct sft_batch *batch, int j)
{
    const float *image = batch->images + (size_t)j * 32 * 32 * 3;
    return byte_of(image[0]) + 256 * byte_of(image[1]);
}

static void evaluates_in_order(void **state)
{
    struct sft_loader_params params = params_for(16, 0);
    const struct sft_batch *batch;
    (void)state;
    for (int drop = 0; drop < 2; drop++) {
        struct sft_loader *loader;
        int next = 0;
        params.drop_last = drop;
        loader = open_loader(&params);
        while ((batch = next_batch(loader))) {
            assert_int_equal(batch->step, next / 16);
            assert_int_equal(batch->n_id, next == 32 ? 8 : 16);
            assert_int_equal(batch->n_ood, 0);
            for (int j = 0; j < batch->n_id; j++, next++) {
                assert_int_equal(record_of(batch, j), next);
                assert_int_equal(batch->labels[j], next % 10);
            }
        }
        assert_int_equal(next, drop ? 32 : 40);
        assert_null(next_batch(loader));
        sft_loader_close(&loader);
    }
}

static void normalises(void **state)
{
    struct sft_loader_params params = params_for(1, 0);
    struct sft_image image = {0};
    struct sft_loader *loader;
    const struct sft_batch *batch;
    int label;
    (void)state;
    for (int c = 0; c < 3; c++) {
        params.mean[c] = 0.4f + 0.05f * (float)c;
        params.std[c] = 0.2f + 0.01f * (float)c;
    }
    loader = open_loader(&params);
    batch = next_batch(loader);
    assert_int_equal(sft_dataset_read(dataset, 0, &image, &label), SFT_OK);
    for (int i = 0; i < 32 * 32 * 3; i++) {
        double mean = 0.4 + 0.05 * (i % 3), std = 0.2 + 0.01 * (i % 3);
        assert_true(fabs((image.rgb[i] / 255.0 - mean) / std - (double)batch->images[i]) < 1e-6);
    }
    sft_loader_close(&loader);
    sft_image_free(&image);
}

/* Batches of 16 run across the ends of epochs of 40: each image once in each 40. */
static void epochs_are_permutations(void **state)
{
    struct sft_loader_params params = params_for(16, 10);
    struct sft_loader *loader;
    const struct sft_batch *batch;
    int order[160], count = 0, moved = 0;
    (void)state;
    loader = open_loader(&params);
    while ((batch = next_batch(loader)))
        for (int j = 0; j < batch->n_id; j++) order[count++] = record_of(batch, j);
    sft_loader_close(&loader);
    assert_int_equal(count, 160);
    for (int epoch = 0; epoch < 4; epoch++) {
        bool seen[IMAGES] = {false};
        for (int i = 0; i < IMAGES; i++) {
            int record = order[epoch * IMAGES + i];
            assert_in_range(record, 0, IMAGES - 1);
            assert_false(seen[record]);
            seen[record] = true;
            moved += epoch > 0 && record != order[i];
        }
    }
    assert_true(moved > 60);
}

static struct sft_loader_params everything(void)
{
    struct sft_loader_params params = params_for(16, 9);
    params.augment = SFT_AUGMENT_CROP_FLIP;
    params.ood_per_id = 2;
    params.seed = 12345;
    params.pseudo.draw = SFT_JIGSAW_DRAW_IMAGE;
    return params;
}

/* SHA-256 of all that the batches from first_step on hold, one for each step. */
static int hashes(struct sft_loader_params params, int64_t first_step, char hex[][65])
{
    struct sft_loader *loader;
    const struct sft_batch *batch;
    int steps = 0;
    params.first_step = first_step;
    loader = open_loader(&params);
    while ((batch = next_batch(loader))) {
        size_t n = (size_t)(batch->n_id + batch->n_ood), size = (size_t)params.size * (size_t)params.size * 3;
        char images[65], labels[65], both[160];
        sft_sha256(batch->images, n * size * sizeof(float), images);
        sft_sha256(batch->labels, n * sizeof(int32_t), labels);
        snprintf(both, sizeof(both), "%s %s %d", images, labels, (int)batch->step);
        sft_sha256(both, strlen(both), hex[steps++]);
    }
    sft_loader_close(&loader);
    return steps;
}

static void threads_change_nothing(void **state)
{
    struct sft_loader_params params = everything();
    char one[9][65], four[9][65];
    (void)state;
    for (int source = 0; source < 3; source++) {
        params.pseudo.source = source == 1 ? SFT_PSEUDO_OTHER : SFT_PSEUDO_SAME;
        params.outliers = source == 2 ? others : NULL;
        params.workers = 1;
        params.prefetch = 1;
        assert_int_equal(hashes(params, 0, one), 9);
        params.workers = 4;
        params.prefetch = 5;
        assert_int_equal(hashes(params, 0, four), 9);
        for (int s = 0; s < 9; s++) assert_string_equal(one[s], four[s]);
        for (int s = 1; s < 9; s++) assert_string_not_equal(one[s], one[s - 1]);
    }
}

static void resume_changes_nothing(void **state)
{
    struct sft_loader_params params = everything();
    char whole[9][65], rest[9][65];
    (void)state;
    params.pseudo.source = SFT_PSEUDO_OTHER;
    params.workers = 2;
    assert_int_equal(hashes(params, 0, whole), 9);
    for (int first = 0; first <= 9; first++) {
        assert_int_equal(hashes(params, first, rest), 9 - first);
        for (int s = first; s < 9; s++) assert_string_equal(whole[s], rest[s - first]);
    }
    params.seed++;
    hashes(params, 0, rest);
    assert_string_not_equal(whole[0], rest[0]);
}

/* RGB shuffles keep a pixel's values: outlier k * n_id + j is made from ID image j, or, on request, is
 * not. */
static void outliers_come_from_their_source(void **state)
{
    struct sft_loader_params params = params_for(16, 3);
    (void)state;
    params.ood_per_id = 2;
    params.pseudo.mode = SFT_PSEUDO_RGB;
    assert_int_equal(sft_loader_outliers(&params), 32);
    for (int other = 0; other < 2; other++) {
        struct sft_loader *loader;
        const struct sft_batch *batch;
        int same = 0;
        params.pseudo.source = other ? SFT_PSEUDO_OTHER : SFT_PSEUDO_SAME;
        loader = open_loader(&params);
        batch = next_batch(loader);
        assert_int_equal(batch->n_ood, 32);
        for (int k = 0; k < 32; k++) {
            const float *id = batch->images + (k % 16) * 3072, *ood = batch->images + (16 + k) * 3072;
            double difference = 0;
            for (int c = 0; c < 3; c++) difference += (double)id[c] - (double)ood[c];
            same += fabs(difference) < 1e-6;
            assert_int_equal(batch->labels[16 + k], -1);
        }
        if (other)
            assert_true(same < 8);
        else
            assert_int_equal(same, 32);
        sft_loader_close(&loader);
    }
    params.pseudo.mode = SFT_PSEUDO_BOTH;
    assert_int_equal(sft_loader_outliers(&params), 64);
}

static void takes_real_outliers(void **state)
{
    struct sft_loader_params params = params_for(16, 3);
    struct sft_loader *loader;
    const struct sft_batch *batch;
    int seen[7] = {0};
    (void)state;
    params.outliers = others;
    params.ood_per_id = 1;
    params.pseudo.mode = SFT_PSEUDO_NONE; /* has no say here */
    loader = open_loader(&params);
    batch = next_batch(loader);
    assert_int_equal(batch->n_ood, 16);
    for (int j = 0; j < 16; j++) {
        assert_int_equal(byte_of(batch->images[(16 + j) * 3072 + 2]), 77);
        assert_in_range(record_of(batch, 16 + j), 0, 6);
        seen[record_of(batch, 16 + j)]++;
        assert_int_equal(batch->labels[16 + j], -1);
    }
    for (int i = 0; i < 7; i++) assert_in_range(seen[i], 2, 3);
    sft_loader_close(&loader);
}

/* Without a shuffle a run can be followed by hand: both sets are read from their first image on. */
static void unshuffled_outliers_come_in_order(void **state)
{
    struct sft_loader_params params = params_for(4, 3);
    struct sft_loader *loader;
    (void)state;
    params.shuffle = false;
    params.outliers = others;
    params.ood_per_id = 1;
    loader = open_loader(&params);
    for (int step = 0; step < 3; step++) {
        const struct sft_batch *batch = next_batch(loader);
        for (int j = 0; j < 4; j++) {
            assert_int_equal(record_of(batch, j), 4 * step + j);
            assert_int_equal(record_of(batch, 4 + j), (4 * step + j) % 7);
        }
    }
    sft_loader_close(&loader);
}

/* Each picture of the crop-and-flip recipe is a window of the bordered picture, mirrored or not; all are
 * drawn. */
static void crops_and_flips(void **state)
{
    struct sft_loader_params params = params_for(16, 40);
    struct sft_loader *loader;
    const struct sft_batch *batch;
    struct sft_image image = {0};
    int offsets[9] = {0}, mirrored = 0, n = 0, label;
    (void)state;
    params.shuffle = false;
    params.augment = SFT_AUGMENT_CROP_FLIP;
    loader = open_loader(&params);
    while ((batch = next_batch(loader)))
        for (int j = 0; j < 16; j++, n++) {
            const float *made = batch->images + j * 3072;
            bool found = false;
            assert_int_equal(sft_dataset_read(dataset, n % IMAGES, &image, &label), SFT_OK);
            for (int k = 0; k < 162 && !found; k++) {
                int left = k % 9 - 4, top = k / 9 % 9 - 4, flip = k / 81;
                found = true;
                for (int i = 0; i < 1024 && found; i++) {
                    int x = left + (flip ? 31 - i % 32 : i % 32), y = top + i / 32;
                    bool inside = x >= 0 && y >= 0 && x < 32 && y < 32;
                    found = byte_of(made[3 * i]) == (inside ? image.rgb[(y * 32 + x) * 3] : 0);
                }
                if (found) {
                    offsets[left + 4]++;
                    mirrored += flip;
                }
            }
            assert_true(found);
        }
    for (int o = 0; o < 9; o++) assert_in_range(offsets[o], 40, 105); /* 640 / 9 = 71 */
    assert_in_range(mirrored, 270, 370);
    sft_loader_close(&loader);
    sft_image_free(&image);
}

static void resizes_to_the_model(void **state)
{
    struct sft_loader_params params = params_for(4, 0);
    struct sft_image image = {0}, resized = {0};
    struct sft_loader *loader;
    const struct sft_batch *batch;
    int label;
    (void)state;
    params.size = 45;
    loader = open_loader(&params);
    batch = next_batch(loader);
    assert_int_equal(sft_dataset_read(dataset, 3, &image, &label), SFT_OK);
    assert_int_equal(sft_resize(&image, 45, 45, SFT_FILTER_BILINEAR, &resized), SFT_OK);
    for (int i = 0; i < 45 * 45 * 3; i++)
        assert_int_equal(byte_of(batch->images[3 * 45 * 45 * 3 + i]), resized.rgb[i]);
    sft_loader_close(&loader);
    params.augment = SFT_AUGMENT_BIT;
    loader = open_loader(&params);
    assert_non_null(next_batch(loader));
    sft_loader_close(&loader);
    sft_image_free(&image);
    sft_image_free(&resized);
}

static void refuse(struct sft_loader_params params, enum sft_status status, const char *part)
{
    struct sft_loader *loader;
    test_catch_log();
    assert_int_equal(sft_loader_open(&params, &loader), status);
    assert_null(loader);
    test_expect_log(part);
}

static void refuses_bad_parameters(void **state)
{
    struct sft_loader_params params = params_for(41, 1);
    (void)state;
    refuse(params, SFT_DATA, "its 40 images are fewer than the 41 of a batch");
    params = params_for(0, 0);
    refuse(params, SFT_USAGE, "a batch of 0 images");
    params = params_for(INT64_MAX / 2, 0);
    refuse(params, SFT_USAGE, "a batch of ");
    params = params_for(16, 3);
    params.first_step = 4;
    refuse(params, SFT_USAGE, "steps 4 to 3");
    params = params_for(16, 3);
    params.size = 0;
    refuse(params, SFT_USAGE, "images of 0 pixels");
    params = params_for(16, 3);
    params.std[1] = 0;
    refuse(params, SFT_USAGE, "std 0");
    params = params_for(16, 3);
    params.ood_per_id = 1;
    params.pseudo.size_count = 1;
    params.pseudo.sizes[0] = 30;
    refuse(params, SFT_USAGE, "none of the sizes (30 px)");
}

/* Twelve pictures of which number 6 is none. */
static struct sft_dataset *open_damaged(void)
{
    for (int i = 0; i < 12; i++) {
        char name[32];
        snprintf(name, sizeof(name), "damaged/%02d.png", i);
        if (i == 6)
            test_put(name, "\x89PNG nonsense", 13);
        else
            test_put_copy(name, GOLDEN("rgb.png"));
    }
    return open_or_fail(test_path("damaged"));
}

/* A damaged picture in the middle: batches before it come, then its failure, again and again. */
static void reports_damaged_images(void **state)
{
    struct sft_loader_params params = params_for(4, 0);
    struct sft_dataset *folder;
    struct sft_loader *loader;
    const struct sft_batch *batch;
    (void)state;
    folder = open_damaged();
    params.dataset = folder;
    params.workers = 3;
    loader = open_loader(&params);
    assert_non_null(next_batch(loader));
    assert_int_equal(sft_loader_next(loader, &batch), SFT_DATA);
    assert_null(batch);
    test_expect_log("damaged/06.png: damaged PNG: ");
    assert_int_equal(sft_loader_next(loader, &batch), SFT_DATA);
    sft_loader_close(&loader);
    sft_dataset_close(&folder);
}

/* The same, where a damaged picture is one among many. */
static void tolerates_damaged_images(void **state)
{
    struct sft_loader_params params = params_for(4, 0);
    struct sft_dataset *folder = open_damaged();
    struct sft_loader *loader;
    (void)state;
    params.dataset = folder;
    params.workers = 3;
    params.tolerant = true;
    loader = open_loader(&params);
    for (int step = 0; step < 3; step++) {
        const struct sft_batch *batch = next_batch(loader);
        assert_non_null(batch);
        for (int j = 0; j < batch->n_id; j++) {
            const char *failure = batch->failures[j];
            assert_int_equal(failure != NULL, step * 4 + j == 6);
            if (!failure) continue;
            assert_non_null(strstr(failure, "damaged/06.png: damaged PNG: "));
            assert_int_equal(batch->labels[j], -1);
            for (int64_t k = 0; k < 32 * 32 * 3; k++)
                assert_true(batch->images[(int64_t)j * 32 * 32 * 3 + k] == 0);
        }
    }
    assert_null(next_batch(loader));
    assert_string_equal(test_log(), "");
    sft_loader_close(&loader);
    sft_dataset_close(&folder);
}

/* What a run says beforehand that it will read is what it reads. */
static void knows_what_it_reads(void **state)
{
    struct sft_loader_params params = params_for(4, 3);
    struct sft_loader *loader = open_loader(&params);
    bool read[IMAGES] = {false}, known[IMAGES] = {false};
    (void)state;
    for (const struct sft_batch *batch; (batch = next_batch(loader));)
        for (int j = 0; j < batch->n_id; j++) read[record_of(batch, j)] = true;
    sft_loader_close(&loader);
    assert_int_equal(sft_loader_reads(&params, dataset, known), SFT_OK);
    assert_memory_equal(read, known, sizeof(read));
    params.steps = IMAGES;
    assert_int_equal(sft_loader_reads(&params, dataset, known), SFT_OK);
    for (int i = 0; i < IMAGES; i++) assert_true(known[i]);
    params.batch = IMAGES + 1;
    assert_int_equal(sft_loader_reads(&params, dataset, known), SFT_DATA);
}

/* Closing while the threads are busy. */
static void closes_early(void **state)
{
    struct sft_loader_params params = everything();
    (void)state;
    params.workers = 4;
    for (int taken = 0; taken < 3; taken++) {
        struct sft_loader *loader = open_loader(&params);
        for (int i = 0; i < taken; i++) assert_non_null(next_batch(loader));
        sft_loader_close(&loader);
        assert_null(loader);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(evaluates_in_order),
        cmocka_unit_test(normalises),
        cmocka_unit_test(epochs_are_permutations),
        cmocka_unit_test(threads_change_nothing),
        cmocka_unit_test(resume_changes_nothing),
        cmocka_unit_test(outliers_come_from_their_source),
        cmocka_unit_test(unshuffled_outliers_come_in_order),
        cmocka_unit_test(takes_real_outliers),
        cmocka_unit_test(crops_and_flips),
        cmocka_unit_test(resizes_to_the_model),
        cmocka_unit_test(refuses_bad_parameters),
        cmocka_unit_test(reports_damaged_images),
        cmocka_unit_test(tolerates_damaged_images),
        cmocka_unit_test(knows_what_it_reads),
        cmocka_unit_test(closes_early),
    };
    return cmocka_run_group_tests_name("datasets/loader", tests, set_up, tear_down);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Results: the files of an evaluation, their way back, the printed table, and what is refused. */
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ood/results/results.h"
#include "runtime/base/file.h"
#include "tests/support/fixture.h"

/* Made-up scores: set "svhn" has ties, the set "one, \"two\"" is one image. */
static const float v1_id[] = {9, 8, 7, 7, 6, 5, 5, 4, 3, 2, 2, 1, 8, 6, 7, 9, 5, 4, 6, 3};
static const float v1_ood[] = {7, 6, 6, 4, 3, 3, 2, 1, 0, 0, 1, 2, 5};
static const float single[] = {-1};
static const char *const sets[] = {"svhn", "one, \"two\""};
static const char *const scores[] = {"energy", "msp"};

static const struct sft_convention *convention(const char *name)
{
    const struct sft_convention *found;
    assert_int_equal(sft_convention_find(name, &found), SFT_OK);
    return found;
}

static void fill(struct sft_results *r, int models)
{
    assert_int_equal(sft_results_init(r, convention("id"), 2, scores, 2, sets), SFT_OK);
    for (int model = 0; model < models; model++) {
        for (int score = 0; score < 2; score++) {
            assert_int_equal(sft_results_put(r, model, score, SFT_ID_SET, 20, v1_id), SFT_OK);
            assert_int_equal(sft_results_put(r, model, score, 0, model ? 1 : 13, model ? single : v1_ood),
                             SFT_OK);
            assert_int_equal(sft_results_put(r, model, score, 1, 1, single), SFT_OK);
        }
        assert_int_equal(sft_results_compute(r, model, model ? 0.925 : 0.93), SFT_OK);
    }
}

static double number(const json_t *root, const char *a, const char *b, const char *c)
{
    const json_t *cell = json_object_get(json_object_get(json_object_get(root, "scores"), a), b);
    assert_true(json_is_number(json_object_get(cell, c)));
    return json_number_value(json_object_get(cell, c));
}

static void json_of_a_single_evaluation(void **state)
{
    struct sft_results r;
    json_t *root;
    (void)state;
    fill(&r, 1);
    assert_int_equal(sft_results_write(&r, test_path("single")), SFT_OK);
    root = json_load_file(test_path("single/results.json"), 0, NULL);
    assert_non_null(root);
    assert_true(json_number_value(json_object_get(root, "accuracy")) == 0.93);
    assert_string_equal(
        json_string_value(json_object_get(json_object_get(root, "convention"), "fpr_positive")), "id");
    assert_true(json_number_value(json_object_get(json_object_get(root, "convention"), "recall")) == 0.95);
    assert_int_equal(json_object_size(json_object_get(root, "convention")), 2);
    assert_true(fabs(number(root, "energy", "svhn", "fpr95") - 9.0 / 13) < 1e-15);
    assert_true(number(root, "energy", "svhn", "auroc") == 0.75);
    assert_true(number(root, "msp", "svhn", "n_id") == 20 && number(root, "msp", "svhn", "n_ood") == 13);
    assert_true(fabs(number(root, "energy", "average", "fpr95") - 9.0 / 26) < 1e-15);
    assert_true(number(root, "energy", "average", "auroc") == 0.875);
    json_decref(root);
    sft_results_free(&r);
}

static void a_score_is_dropped_whole(void **state)
{
    struct sft_results whole, rest;
    (void)state;
    for (int dropped = 0; dropped < 2; dropped++) {
        fill(&whole, 2);
        fill(&rest, 2);
        sft_results_drop(&rest, dropped);
        assert_int_equal(rest.scores, 1);
        assert_string_equal(rest.score_names[0], scores[!dropped]);
        for (int model = 0; model < 2; model++)
            for (int set = SFT_ID_SET; set < 2; set++) {
                const struct sft_score_values *x = sft_results_values(&whole, model, !dropped, set),
                                              *y = sft_results_values(&rest, model, 0, set);
                assert_int_equal(x->n, y->n);
                assert_memory_equal(x->values, y->values, (size_t)x->n * sizeof(float));
                if (set == SFT_ID_SET) continue;
                assert_true(sft_results_metrics(&whole, model, !dropped, set)->auroc ==
                            sft_results_metrics(&rest, model, 0, set)->auroc);
            }
        sft_results_free(&whole);
        sft_results_free(&rest);
    }
}

static void csv_is_long_and_quoted(void **state)
{
    struct sft_results r;
    struct sft_bytes csv;
    char *text;
    (void)state;
    fill(&r, 2);
    assert_int_equal(sft_results_write(&r, test_path("csv")), SFT_OK);
    assert_int_equal(sft_file_open(test_path("csv/results.csv"), &csv), SFT_OK);
    text = strndup((const char *)csv.data, csv.size);
    assert_ptr_equal(
        strstr(text, "model,score,set,fpr95,auroc,aupr_in,aupr_out,n_id,n_ood\nbefore,energy,svhn,0.6923"),
        text);
    assert_non_null(strstr(text, "\nafter,msp,\"one, \"\"two\"\"\",0,1,1,1,20,1\n"));
    free(text);
    sft_file_close(&csv);
    sft_results_free(&r);
}

static void assert_same(const struct sft_results *a, const struct sft_results *b)
{
    assert_int_equal(a->models, b->models);
    assert_ptr_equal(a->convention, b->convention);
    for (int m = 0; m < a->models; m++) {
        assert_true(a->accuracy[m] == b->accuracy[m]);
        for (int i = 0; i < a->scores; i++)
            for (int set = SFT_ID_SET; set < a->sets; set++) {
                const struct sft_score_values *x = sft_results_values(a, m, i, set),
                                              *y = sft_results_values(b, m, i, set);
                assert_int_equal(x->n, y->n);
                assert_memory_equal(x->values, y->values, (size_t)x->n * sizeof(float));
                if (set == SFT_ID_SET) continue;
                assert_memory_equal(sft_results_metrics(a, m, i, set), sft_results_metrics(b, m, i, set),
                                    sizeof(struct sft_metrics));
            }
    }
}

static void what_is_written_is_read_back(void **state)
{
    static const char *const conventions[] = {"ref", "openood", "vim", "pytorch-ood"};
    (void)state;
    for (int models = 1; models <= 2; models++)
        for (size_t c = 0; c < sizeof(conventions) / sizeof(conventions[0]); c++) {
            struct sft_results r, again;
            fill(&r, models);
            r.convention = convention(conventions[c]);
            for (int model = 0; model < models; model++)
                assert_int_equal(sft_results_compute(&r, model, r.accuracy[model]), SFT_OK);
            assert_int_equal(sft_results_write(&r, test_path("again")), SFT_OK);
            assert_int_equal(sft_results_read(test_path("again"), &again), SFT_OK);
            assert_same(&r, &again);
            sft_results_free(&r);
            sft_results_free(&again);
        }
}

/* Recall and bootstrap go into every file and the table, and come back. */
static void intervals_and_recall_go_along(void **state)
{
    struct sft_results r, again;
    struct sft_bytes csv;
    json_t *root;
    char *text = NULL;
    size_t size;
    FILE *out;
    (void)state;
    fill(&r, 1);
    r.measure = (struct sft_measure){.recall = 0.9, .replicates = 50, .seed = 3};
    r.ece[SFT_BEFORE] = 0.0125;
    assert_int_equal(sft_results_compute(&r, SFT_BEFORE, 0.93), SFT_OK);
    assert_int_equal(sft_results_write(&r, test_path("ci")), SFT_OK);
    assert_int_equal(sft_results_read(test_path("ci"), &again), SFT_OK);
    assert_same(&r, &again);
    assert_true(again.measure.recall == 0.9 && again.measure.replicates == 50 && again.measure.seed == 3);
    assert_true(again.ece[SFT_BEFORE] == 0.0125);
    assert_memory_equal(r.averages, again.averages, 2 * sizeof(*r.averages));

    root = json_load_file(test_path("ci/results.json"), 0, NULL);
    assert_true(json_number_value(json_object_get(root, "ece")) == 0.0125);
    assert_int_equal(json_integer_value(json_object_get(json_object_get(root, "bootstrap"), "replicates")),
                     50);
    json_decref(root);
    assert_int_equal(sft_file_open(test_path("ci/results.csv"), &csv), SFT_OK);
    assert_memory_equal(
        csv.data, "model,score,set,fpr95,auroc,aupr_in,aupr_out,n_id,n_ood,fpr95_low,fpr95_high,auroc_low,",
        87);
    sft_file_close(&csv);

    out = open_memstream(&text, &size);
    assert_int_equal(sft_results_print(&again, out), SFT_OK);
    fclose(out);
    assert_non_null(strstr(text, "  FPR90  AUROC"));
    assert_non_null(strstr(text, "\n          2.5 % "));
    assert_non_null(strstr(text, "\n         97.5 % "));
    assert_non_null(strstr(text, "calibration error  1.25\n"));
    assert_non_null(strstr(text, "50 bootstrap replicates"));
    free(text);
    sft_results_free(&r);
    sft_results_free(&again);
}

/* All OOD scores below all ID scores, but for the first set of score "energy": its replicates are the
 * average's. */
static void the_mean_has_an_interval_of_its_own(void **state)
{
    struct sft_results r;
    const struct sft_metrics *one;
    struct sft_metrics mean;
    (void)state;
    fill(&r, 1);
    r.measure.replicates = 200;
    assert_int_equal(sft_results_compute(&r, SFT_BEFORE, 0.93), SFT_OK);
    one = sft_results_metrics(&r, SFT_BEFORE, 0, 0);
    mean = sft_results_average(&r, SFT_BEFORE, 0);
    assert_true(fabs(mean.fpr_interval.low - one->fpr_interval.low / 2) < 1e-12);
    assert_true(fabs(mean.fpr_interval.high - one->fpr_interval.high / 2) < 1e-12);
    assert_true(fabs(mean.auroc_interval.high - (one->auroc_interval.high + 1) / 2) < 1e-12);
    sft_results_free(&r);
}

/* The layout of NumPy's format, byte by byte. */
static void score_files_are_numpy_files(void **state)
{
    struct sft_results r;
    struct sft_bytes file;
    float last;
    (void)state;
    fill(&r, 2);
    assert_int_equal(sft_results_write(&r, test_path("npy")), SFT_OK);
    assert_int_equal(sft_file_open(test_path("npy/scores/before/energy/svhn.npy"), &file), SFT_OK);
    assert_int_equal(file.size, 128 + 13 * 4);
    assert_memory_equal(file.data,
                        "\x93NUMPY\x01\x00\x76\x00{'descr': '<f4', 'fortran_order': False, 'shape': (13,), }",
                        10 + 58);
    assert_int_equal(file.data[127], '\n');
    memcpy(&last, file.data + file.size - 4, 4);
    assert_true(last == 5.0f);
    sft_file_close(&file);
    sft_results_free(&r);
}

/* Two names that differ in a byte that is no UTF-8 stay two, in every file and on the way back. */
static void names_are_any_bytes(void **state)
{
    static const char *const bytes[] = {"caf\xe9", "caf\xe8"};
    struct sft_results r, again;
    struct sft_bytes csv;
    (void)state;
    assert_int_equal(sft_results_init(&r, convention("id"), 1, scores, 2, bytes), SFT_OK);
    assert_int_equal(sft_results_put(&r, SFT_BEFORE, 0, SFT_ID_SET, 20, v1_id), SFT_OK);
    assert_int_equal(sft_results_put(&r, SFT_BEFORE, 0, 0, 13, v1_ood), SFT_OK);
    assert_int_equal(sft_results_put(&r, SFT_BEFORE, 0, 1, 1, single), SFT_OK);
    assert_int_equal(sft_results_compute(&r, SFT_BEFORE, 0.5), SFT_OK);
    assert_int_equal(sft_results_write(&r, test_path("bytes")), SFT_OK);
    assert_int_equal(access(test_path("bytes/scores/energy/caf\\xE9.npy"), F_OK), 0);
    assert_int_equal(sft_file_open(test_path("bytes/results.csv"), &csv), SFT_OK);
    assert_non_null(memmem(csv.data, csv.size, "model,energy,caf\\xE8,0,1,", 25));
    sft_file_close(&csv);
    assert_int_equal(sft_results_read(test_path("bytes"), &again), SFT_OK);
    for (int set = 0; set < 2; set++) {
        assert_string_equal(again.set_names[set], bytes[set]);
        assert_non_null(sft_results_values(&again, SFT_BEFORE, 0, set)->values);
        assert_true(sft_results_metrics(&again, SFT_BEFORE, 0, set)->auroc ==
                    sft_results_metrics(&r, SFT_BEFORE, 0, set)->auroc);
    }
    sft_results_free(&again);
    sft_results_free(&r);
}

/* Whichever allocation of jansson's fails, results.json is whole or not there. */
static int calls, failing;

static void *scarce(size_t size) { return ++calls == failing ? NULL : malloc(size); }

static int plenty(void **state)
{
    (void)state;
    json_set_alloc_funcs(malloc, free);
    return 0;
}

static void without_memory_nothing_is_lost(void **state)
{
    struct sft_results r;
    struct sft_bytes whole, other;
    enum sft_status status = SFT_MEMORY;
    (void)state;
    fill(&r, 2);
    assert_int_equal(sft_results_write(&r, test_path("whole")), SFT_OK);
    assert_int_equal(sft_file_open(test_path("whole/results.json"), &whole), SFT_OK);
    for (failing = 1; status != SFT_OK; failing += 1 + failing / 2) {
        calls = 0;
        test_catch_log();
        json_set_alloc_funcs(scarce, free);
        status = sft_results_write(&r, test_path("scarce"));
        plenty(NULL);
        assert_int_equal(access(test_path("scarce/results.json"), F_OK), status == SFT_OK ? 0 : -1);
        if (status != SFT_OK) test_expect_last("results.json: not written");
    }
    assert_in_range(failing, 100, 100000);
    assert_int_equal(sft_file_open(test_path("scarce/results.json"), &other), SFT_OK);
    assert_int_equal(other.size, whole.size);
    assert_memory_equal(other.data, whole.data, whole.size);
    sft_file_close(&other);
    sft_file_close(&whole);
    sft_results_free(&r);
}

static void damaged_score_files_are_left_out(void **state)
{
    static const struct {
        const char *name, *bytes;
        size_t size;
    } bad[] = {
        {"short", "\x93NUMPY\x01", 7},
        {"magic", "NUMPY it is not, whatever it says", 33},
        {"header longer than the file", "\x93NUMPY\x01\x00\xff\xff{'descr': '<f4'", 26},
        {"lying count",
         "\x93NUMPY\x01\x00\x40\x00{'descr': '<f4', 'fortran_order': False, 'shape': (999999999999,), }  \n",
         78},
        {"doubles",
         "\x93NUMPY\x01\x00\x3c\x00{'descr': '<f8', 'fortran_order': False, 'shape': (1,), }   \n12345678",
         78},
        {"another count",
         "\x93NUMPY\x01\x00\x3c\x00{'descr': '<f4', 'fortran_order': False, 'shape': (1,), }   \n1234", 74},
    };
    struct sft_results r, again;
    (void)state;
    fill(&r, 1);
    assert_int_equal(sft_results_write(&r, test_path("bad")), SFT_OK);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(sft_file_write(test_path("bad/scores/energy/svhn.npy"), bad[i].bytes, bad[i].size),
                         SFT_OK);
        assert_int_equal(sft_results_read(test_path("bad"), &again), SFT_OK);
        if (sft_results_values(&again, 0, 0, 0)->values) fail_msg("%s: was read", bad[i].name);
        test_expect_last("left out");
        assert_non_null(sft_results_values(&again, 0, 0, SFT_ID_SET)->values);
        sft_results_free(&again);
    }
    assert_int_equal(unlink(test_path("bad/scores/energy/svhn.npy")), 0);
    assert_int_equal(sft_results_read(test_path("bad"), &again), SFT_OK);
    test_expect_last("not there");
    sft_results_free(&again);
    sft_results_free(&r);
}

static void damaged_json_is_refused(void **state)
{
    static const char *const bad[] = {
        "",
        "[]",
        "{\"scores\": ",
        "{\"convention\": {\"fpr_positive\": \"id\"}, \"scores\": {}}",
        "{\"scores\": {\"msp\": {\"svhn\": {}}}}",
        "{\"convention\": {\"fpr_positive\": \"cat\"}, \"scores\": {\"msp\": {\"svhn\": {}}}}",
        "{\"convention\": {\"fpr_positive\": \"id\"}, \"scores\": {\"msp\": {\"svhn\": {\"fpr95\": "
        "\"0.5\"}}}}",
        "{\"convention\": {\"fpr_positive\": \"id\"}, \"scores\": {\"msp\": {\"svhn\": {\"fpr95\": 53.2}}}}",
        "{\"convention\": {\"fpr_positive\": \"id\"}, \"scores\": {\"msp\": {\"../x\": {\"fpr95\": 0.2}}}}",
        "{\"convention\": {\"fpr_positive\": \"id\"}, \"scores\": {\"msp\": 3, \"energy\": {}}}",
        "{\"before\": 7}",
        "{\"convention\": {\"fpr_positive\": \"id\", \"recall\": 95}, \"scores\": {\"msp\": {\"svhn\": "
        "{\"fpr95\": "
        "0.5, "
        "\"auroc\": 0.5, \"aupr_in\": 0.5, \"aupr_out\": 0.5}}}}",
        "{\"convention\": {\"fpr_positive\": \"id\"}, \"scores\": {\"msp\": {\"svhn\": {\"fpr95\": 0.5, "
        "\"auroc\": "
        "0.5, "
        "\"aupr_in\": 0.5, \"aupr_out\": 0.5, \"auroc_ci\": [0.5]}}}}",
    };
    struct sft_results r;
    (void)state;
    assert_int_equal(sft_make_folder(test_path("json")), SFT_OK);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(sft_file_write(test_path("json/results.json"), bad[i], strlen(bad[i])), SFT_OK);
        if (sft_results_read(test_path("json"), &r) != SFT_DATA) fail_msg("accepted: %s", bad[i]);
    }
    assert_int_equal(sft_results_read(test_path("nowhere"), &r), SFT_DATA);
}

static void unusable_names_are_refused(void **state)
{
    static const char *const bad[] = {"", ".", "../x", "a/b", "id", "average", "svhn", "a\nb", "a\\b"};
    struct sft_results r;
    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        const char *names[] = {"svhn", bad[i]};
        assert_int_equal(sft_results_init(&r, convention("id"), 2, scores, 2, names), SFT_USAGE);
    }
    assert_int_equal(sft_results_init(&r, convention("id"), 0, scores, 2, sets), SFT_USAGE);
    assert_int_equal(sft_results_init(&r, convention("id"), 2, scores, 0, sets), SFT_USAGE);
}

static void incomplete_scores_are_refused(void **state)
{
    static const float bad[] = {NAN};
    struct sft_results r;
    (void)state;
    assert_int_equal(sft_results_init(&r, convention("id"), 2, scores, 2, sets), SFT_OK);
    assert_int_equal(sft_results_compute(&r, SFT_BEFORE, 0.5), SFT_DATA);
    assert_int_equal(sft_results_write(&r, test_path("none")), SFT_USAGE);
    sft_results_free(&r);
    fill(&r, 1);
    assert_int_equal(sft_results_put(&r, SFT_BEFORE, 1, 1, 1, bad), SFT_OK);
    assert_int_equal(sft_results_compute(&r, SFT_BEFORE, 0.5), SFT_FAILED);
    test_expect_last("score msp of image 0 of set one, \"two\" is not a number");
    sft_results_free(&r);
}

static void scores_that_tell_nothing_are_warned_of(void **state)
{
    static const float same[20] = {0};
    struct sft_results r;
    (void)state;
    fill(&r, 1);
    test_catch_log();
    assert_int_equal(sft_results_put(&r, SFT_BEFORE, 1, SFT_ID_SET, 20, same), SFT_OK);
    assert_int_equal(sft_results_put(&r, SFT_BEFORE, 1, 0, 7, same), SFT_OK);
    assert_int_equal(sft_results_compute(&r, SFT_BEFORE, 0.5), SFT_OK);
    test_expect_last("score msp is 0 for every image of the ID set and of svhn");
    assert_true(sft_results_metrics(&r, SFT_BEFORE, 1, 0)->auroc == 0.5);
    assert_true(sft_results_metrics(&r, SFT_BEFORE, 1, 0)->fpr == 1.0);
    test_catch_log();
    assert_int_equal(sft_results_put(&r, SFT_BEFORE, 1, SFT_ID_SET, 1, same), SFT_OK);
    assert_int_equal(sft_results_compute(&r, SFT_BEFORE, 0.5), SFT_OK);
    assert_null(strstr(test_log(), "of one"));
    sft_results_free(&r);
}

static char *printed(int models)
{
    struct sft_results r;
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    fill(&r, models);
    assert_int_equal(sft_results_print(&r, out), SFT_OK);
    fclose(out);
    sft_results_free(&r);
    return text;
}

static void table_of_one_model(void **state)
{
    char *text = printed(1);
    (void)state;
    assert_non_null(strstr(text, "                    svhn      one, \"two\"         average\n"
                                 "            FPR95  AUROC    FPR95  AUROC    FPR95  AUROC\n"
                                 "Energy      69.23  75.00     0.00 100.00    34.62  87.50\n"
                                 "MSP         69.23  75.00     0.00 100.00    34.62  87.50\n"
                                 "accuracy on ID  93.00\n"));
    free(text);
}

static void table_of_two_models_shows_the_change(void **state)
{
    char *text = printed(2);
    (void)state;
    assert_non_null(strstr(text, "Energy   before     69.23  75.00     0.00 100.00    34.62  87.50\n"
                                 "         after       0.00 100.00     0.00 100.00     0.00 100.00\n"
                                 "         change    -69.23 +25.00    +0.00  +0.00   -34.62 +12.50\n"));
    assert_non_null(strstr(text, "accuracy on ID  93.00 before, 92.50 after (-0.50)\n"));
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_of_a_single_evaluation),
        cmocka_unit_test(a_score_is_dropped_whole),
        cmocka_unit_test(csv_is_long_and_quoted),
        cmocka_unit_test(what_is_written_is_read_back),
        cmocka_unit_test(intervals_and_recall_go_along),
        cmocka_unit_test(the_mean_has_an_interval_of_its_own),
        cmocka_unit_test(score_files_are_numpy_files),
        cmocka_unit_test(names_are_any_bytes),
        cmocka_unit_test_teardown(without_memory_nothing_is_lost, plenty),
        cmocka_unit_test(damaged_score_files_are_left_out),
        cmocka_unit_test(damaged_json_is_refused),
        cmocka_unit_test(unusable_names_are_refused),
        cmocka_unit_test(incomplete_scores_are_refused),
        cmocka_unit_test(scores_that_tell_nothing_are_warned_of),
        cmocka_unit_test(table_of_one_model),
        cmocka_unit_test(table_of_two_models_shows_the_change),
    };
    return cmocka_run_group_tests_name("results", tests, test_setup_folder, test_remove_folder);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The report: well-formed, self-contained, escaped, remakable from a run folder in any state of damage. */
#include <ctype.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "ood/histogram.h"
#include "ood/report.h"
#include "ood/svg.h"
#include "runtime/file.h"
#include "runtime/log.h"
#include "runtime/rng.h"

static const char *const scores[] = {"energy", "msp", "maxlogit"};
static const char *const sets[] = {"svhn", "<b>&\"'", "textures", "lsun", "isun", "bad\xff\xc0utf\xe2\x82"};
static const char *const plain_sets[] = {"svhn", "<b>&\"'", "textures", "lsun", "isun", "places \xc3\xa9"};

static char folder[] = "/tmp/sft_report_XXXXXX";
static char logged[512];

static void keep(void *context, enum sft_log_level level, const char *message)
{
    (void)context, (void)level;
    snprintf(logged, sizeof(logged), "%s", message);
}

static int setup(void **state)
{
    (void)state;
    sft_log_set_sink(keep, NULL);
    return mkdtemp(folder) ? 0 : -1;
}

static int teardown(void **state)
{
    char command[128];
    (void)state;
    snprintf(command, sizeof(command), "rm -rf %s", folder);
    return system(command);
}

static const char *path_of(const char *name)
{
    static char path[256];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    return path;
}

static void fill(struct sft_results *r, int models, const char *const *names)
{
    enum { N = 5000 };
    float *values = malloc(N * sizeof(*values));
    struct sft_rng rng;
    sft_rng_init(&rng, 2, SFT_STREAM_TEST, 0);
    assert_int_equal(sft_results_init(r, &sft_conventions[0], 3, scores, 6, names), SFT_OK);
    for (int model = 0; model < models; model++) {
        for (int score = 0; score < 3; score++)
            for (int set = SFT_ID_SET; set < 6; set++) {
                float mean = set == SFT_ID_SET ? 3.0f : 1.0f - (float)model;
                for (int i = 0; i < N; i++) values[i] = mean + sft_rng_normal(&rng);
                if (score == 1) /* saturates */
                    for (int i = 0; i < N; i++) values[i] = fminf(1.0f, 0.5f + 0.2f * values[i]);
                assert_int_equal(sft_results_put(r, model, score, set, N, values), SFT_OK);
            }
        assert_int_equal(sft_results_compute(r, model, 0.9), SFT_OK);
    }
    free(values);
}

static char *slurp(const char *path)
{
    struct sft_bytes file;
    char *text;
    assert_int_equal(sft_file_open(path, &file), SFT_OK);
    text = strndup((const char *)file.data, file.size);
    assert_int_equal(strlen(text), file.size);
    sft_file_close(&file);
    return text;
}

static int count(const char *text, const char *what)
{
    int n = 0;
    for (; (text = strstr(text, what)) != NULL; text++) n++;
    return n;
}

/* Every tag closed in order, except <meta> and the self-closing ones of SVG. */
static void assert_balanced(const char *html)
{
    char stack[64][16];
    int depth = 0;
    for (const char *at = strchr(html, '<'); at; at = strchr(at + 1, '<')) {
        const char *end = strchr(at, '>');
        char name[16] = "";
        int closing = at[1] == '/';
        assert_non_null(end);
        if (at[1] == '!') continue;
        for (int i = 0; i < 15 && isalnum((unsigned char)at[1 + closing + i]); i++) name[i] = at[1 + closing + i];
        if (name[0] == '\0') fail_msg("a stray < at: %.40s", at);
        if (strcmp(name, "meta") == 0 || end[-1] == '/') continue;
        if (!closing) {
            assert_true(depth < 64);
            strcpy(stack[depth++], name);
        } else if (depth == 0 || strcmp(stack[--depth], name) != 0) {
            fail_msg("</%s> closes <%s>", name, depth >= 0 ? stack[depth] : "");
        }
    }
    assert_int_equal(depth, 0);
}

static void assert_sound(const char *html)
{
    assert_balanced(html);
    assert_true(strlen(html) < 1000000);
    assert_null(strstr(html, "<script"));
    assert_null(strstr(html, "http"));
    assert_null(strstr(html, "url("));
    assert_null(strstr(html, "nan"));
    assert_null(strstr(html, "inf "));
    assert_int_equal(count(html, "<svg "), count(html, "role=\"img\""));
    assert_int_equal(count(html, "<svg "), count(html, "</title><desc"));
}

static const struct sft_report_step steps[] = {
    {1, 5, 1, 4, 2, 0.5, 1e-3}, {2, 4, 1, 3, NAN, 0.5, 1e-3}, {3, INFINITY, 1, 2, 1, 0.5, 1e-3}};
static const struct sft_report_setting settings[] = {
    {"options.lr", "0.001"}, {"options.rho", "0.5"}, {"device", "<script>alert('x')</script>"}};

static void before_and_after(void **state)
{
    struct sft_results r;
    struct sft_report report = {NULL, &r, 3, steps, 3, settings};
    char *html;
    (void)state;
    fill(&r, 2, sets);
    assert_int_equal(sft_report_write(&report, path_of("two.html")), SFT_OK);
    html = slurp(path_of("two.html"));
    assert_sound(html);
    assert_int_equal(count(html, "<svg "), 2 + 3 * 6 * 2 + 4);
    assert_non_null(strstr(html, "&lt;b&gt;&amp;&quot;&#39;"));
    assert_null(strstr(html, "<b>&"));
    assert_non_null(strstr(html, "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;"));
    assert_non_null(strstr(html, "bad\xef\xbf\xbd\xef\xbf\xbdutf\xef\xbf\xbd\xef\xbf\xbd<"));
    assert_non_null(strstr(html, "(best)"));
    assert_non_null(strstr(html, "square-root scale"));
    free(html);
    sft_results_free(&r);
}

static void one_model(void **state)
{
    struct sft_results r;
    struct sft_report report = {"An evaluation <1>", &r, 0, NULL, 0, NULL};
    char *html;
    (void)state;
    fill(&r, 1, plain_sets);
    r.accuracy[0] = NAN;
    assert_int_equal(sft_report_write(&report, path_of("one.html")), SFT_OK);
    html = slurp(path_of("one.html"));
    assert_sound(html);
    assert_non_null(strstr(html, "<h1>An evaluation &lt;1&gt;</h1>"));
    assert_null(strstr(html, "after"));
    assert_null(strstr(html, "Training"));
    assert_null(strstr(html, "ccuracy"));
    free(html);
    sft_results_free(&r);
}

static void training_only(void **state)
{
    struct sft_report report = {NULL, NULL, 1, steps, 0, NULL};
    char *html;
    (void)state;
    assert_int_equal(sft_report_write(&report, path_of("steps.html")), SFT_OK);
    html = slurp(path_of("steps.html"));
    assert_sound(html);
    assert_int_equal(count(html, "<svg "), 4);
    free(html);
    assert_int_equal(sft_report_write(&report, path_of("no/such/folder.html")), SFT_WRITE);
}

static const char good_steps[] = "{\"step\": 1, \"loss\": 2.5, \"lr\": 0.001}\n{\"step\": 2, \"loss\": 2.25}\n";

static void write_run(const char *steps_text, const char *run_text)
{
    struct sft_results r;
    fill(&r, 2, plain_sets);
    assert_int_equal(sft_results_write(&r, folder), SFT_OK);
    assert_int_equal(sft_file_write(path_of("metrics.jsonl"), steps_text, strlen(steps_text)), SFT_OK);
    assert_int_equal(sft_file_write(path_of("run.json"), run_text, strlen(run_text)), SFT_OK);
    sft_results_free(&r);
}

static char *remake(void)
{
    char *html;
    unlink(path_of("report.html"));
    assert_int_equal(sft_report_from_folder(folder), SFT_OK);
    html = slurp(path_of("report.html"));
    assert_sound(html);
    return html;
}

static void remade_from_a_folder(void **state)
{
    char *html;
    (void)state;
    write_run(good_steps,
              "{\"options\": {\"lr\": 0.001, \"sizes\": [2, 3]}, \"device\": {\"name\": \"llvmpipe\"}, \"a\": {}}");
    html = remake();
    assert_int_equal(count(html, "<svg "), 2 + 3 * 6 * 2 + 2);
    assert_non_null(strstr(html, "<th scope=\"row\">sizes</th><td>[2, 3]</td>"));
    assert_non_null(strstr(html, "<th scope=\"row\">name</th><td>llvmpipe</td>"));
    free(html);
}

static void damaged_parts_are_left_out(void **state)
{
    char *html;
    (void)state;
    write_run("not json\n{\"step\": \"1\"}\n\n{\"step\": 2, \"loss\": null}\n{\"step\": 3, \"lo", "{\"options\": ");
    html = remake();
    assert_int_equal(count(html, "<svg "), 2 + 3 * 6 * 2);
    free(html);
    assert_int_equal(unlink(path_of("scores/after/energy/svhn.npy")), 0);
    assert_int_equal(sft_file_write(path_of("scores/before/msp/id.npy"), "junk", 4), SFT_OK);
    html = remake();
    assert_int_equal(count(html, "<svg "), 2 + (5 + 0 + 6) * 2);
    free(html);
    write_run(good_steps, "{}");
    assert_int_equal(sft_file_write(path_of("results.json"), "{", 1), SFT_OK);
    html = remake();
    assert_int_equal(count(html, "<svg "), 2);
    free(html);
}

static void nothing_to_show_is_an_error(void **state)
{
    (void)state;
    assert_int_equal(sft_report_from_folder(path_of("absent")), SFT_DATA);
    assert_non_null(strstr(logged, "not the folder of a run"));
}

/* Against numpy.percentile(range(1001), [0.1, 99.9]) = 1, 999, and bins counted by hand. */
static void histograms(void **state)
{
    static const float four[] = {0.0f, 0.5f, 1.0f, 7.0f}, constant[] = {2.0f, 2.0f}, none[] = {NAN, INFINITY};
    float ramp[1001];
    struct sft_sample samples[2] = {{500, ramp}, {501, ramp + 500}};
    struct sft_histogram h = {.low = 0.0, .high = 1.0};
    double low, high, area = 0;
    (void)state;
    for (int i = 0; i <= 1000; i++) ramp[i] = (float)(1000 - i);
    assert_int_equal(sft_histogram_range(2, samples, &low, &high), SFT_OK);
    assert_true(fabs(low - 1) < 1e-9 && fabs(high - 999) < 1e-9);
    sft_histogram_fill(&h, (struct sft_sample){4, four});
    assert_true(fabs(h.density[0] - 25) < 1e-9 && fabs(h.density[50] - 25) < 1e-9 && fabs(h.density[99] - 25) < 1e-9);
    for (int i = 0; i < SFT_HISTOGRAM_BINS; i++) area += h.density[i] * 0.01;
    assert_true(fabs(area - 0.75) < 1e-12);
    assert_int_equal(sft_histogram_range(1, &(struct sft_sample){2, constant}, &low, &high), SFT_OK);
    assert_true(low == 1.5 && high == 2.5);
    assert_int_equal(sft_histogram_range(1, &(struct sft_sample){2, none}, &low, &high), SFT_DATA);
    assert_int_equal(sft_histogram_range(1, &(struct sft_sample){0, NULL}, &low, &high), SFT_DATA);
}

static void long_names_are_shortened_between_characters(void **state)
{
    static const struct {
        const char *name;
        int columns;
        const char *want;
    } cases[] = {
        {"svhn", 4, "svhn"},
        {"svhn!", 4, "svh\xe2\x80\xa6"},
        {"\xc3\xa9\xc3\xa9\xc3\xa9", 3, "\xc3\xa9\xc3\xa9\xc3\xa9"},
        {"\xc3\xa9\xc3\xa9\xc3\xa9", 2, "\xc3\xa9\xe2\x80\xa6"},
        {"abcdefghi", 99, "abcdefghi"},
        {"abcdefghi\xc3\xa9\xc3\xa9xyz", 99, "abcdefghi\xc3\xa9\xe2\x80\xa6"},
    };
    char out[16];
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        sft_text_shorten(out, sizeof(out), cases[i].name, cases[i].columns);
        assert_string_equal(out, cases[i].want);
    }
}

static void ticks_are_round_and_inside(void **state)
{
    static const struct {
        double low, high;
        int wanted, count;
        double first, last;
    } cases[] = {{0, 1, 5, 6, 0, 1},         {0, 100, 5, 6, 0, 100},
                 {-3.2, 14.7, 6, 9, -2, 14}, {1e-4, 9e-4, 4, 4, 2e-4, 8e-4},
                 {5, 5, 4, 0, 0, 0},         {0, INFINITY, 4, 0, 0, 0}};
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        double ticks[12] = {0};
        int n = sft_ticks(cases[i].low, cases[i].high, cases[i].wanted, ticks);
        assert_int_equal(n, cases[i].count);
        if (n == 0) continue;
        assert_true(fabs(ticks[0] - cases[i].first) < 1e-12 && fabs(ticks[n - 1] - cases[i].last) < 1e-12);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(before_and_after),
        cmocka_unit_test(one_model),
        cmocka_unit_test(training_only),
        cmocka_unit_test(remade_from_a_folder),
        cmocka_unit_test(damaged_parts_are_left_out),
        cmocka_unit_test(nothing_to_show_is_an_error),
        cmocka_unit_test(histograms),
        cmocka_unit_test(long_names_are_shortened_between_characters),
        cmocka_unit_test(ticks_are_round_and_inside),
    };
    return cmocka_run_group_tests_name("report", tests, setup, teardown);
}

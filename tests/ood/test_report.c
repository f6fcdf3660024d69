/* SPDX-License-Identifier: Apache-2.0 */
/* The report: well-formed, self-contained, escaped, readable without eyes, remakable from a run folder in any state of
 * damage. What only a browser can tell is looked at by tests/report/screenshots.sh. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "ood/report.h"
#include "runtime/log.h"
#include "runtime/rng.h"
#include "tests/ood/markup.h"

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
    static char path[4][256];
    static int next;
    char *to = path[next++ % 4];
    snprintf(to, 256, "%s/%s", folder, name);
    return to;
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

/* ---- what holds for every page ---- */

/* Calls `check` with the start of each tag `name` of the page. */
static void for_each_tag(const char *html, const char *name, void (*check)(const char *html, const char *tag))
{
    char open[32];
    snprintf(open, sizeof(open), "<%s", name);
    for (const char *at = html; (at = strstr(at, open)) != NULL; at++)
        if (!isalnum((unsigned char)at[strlen(open)])) check(html, at);
}

/* The value of an attribute of the tag, copied; "" where it has none. */
static const char *attribute(const char *tag, const char *name)
{
    static char value[512];
    char start[48];
    const char *at;
    snprintf(start, sizeof(start), " %s=\"", name);
    at = strstr(tag, start);
    value[0] = '\0';
    if (at && at < strchr(tag, '>'))
        snprintf(value, sizeof(value), "%.*s", (int)strcspn(at + strlen(start), "\""), at + strlen(start));
    return value;
}

static void assert_id(const char *html, const char *id)
{
    char text[640];
    snprintf(text, sizeof(text), " id=\"%s\"", id);
    assert_int_equal(count(html, text), 1);
}

/* An image says what it shows, by two ids that are there once; what is decoration says that. */
static void check_svg(const char *html, const char *tag)
{
    char title[16], description[16];
    if (strcmp(attribute(tag, "aria-hidden"), "true") == 0) return;
    assert_string_equal(attribute(tag, "role"), "img");
    assert_int_equal(sscanf(attribute(tag, "aria-labelledby"), "%15s %15s", title, description), 2);
    assert_id(html, title);
    assert_id(html, description);
}

static void check_img(const char *html, const char *tag)
{
    (void)html;
    assert_true(strlen(attribute(tag, "alt")) > 10);
    assert_int_equal(strncmp(attribute(tag, "src"), "data:image/png;base64,", 22), 0);
}

static void check_th(const char *html, const char *tag)
{
    (void)html;
    assert_true(strlen(attribute(tag, "scope")) > 0);
}

static void check_section(const char *html, const char *tag) { assert_id(html, attribute(tag, "aria-labelledby")); }

static void check_link(const char *html, const char *tag)
{
    const char *target = attribute(tag, "href");
    if (target[0] == '#')
        assert_id(html, target + 1);
    else
        assert_int_equal(strncmp(target, "data:text/csv;charset=utf-8,", 28), 0);
}

/* A region that scrolls can be reached by keyboard and has a name. */
static void check_div(const char *html, const char *tag)
{
    (void)html;
    if (strcmp(attribute(tag, "class"), "scroll") != 0) return;
    assert_string_equal(attribute(tag, "tabindex"), "0");
    assert_string_equal(attribute(tag, "role"), "region");
    assert_true(strlen(attribute(tag, "aria-label")) > 0);
}

/* No table outside such a region, but that of the settings, which wraps. */
static void check_table(const char *html, const char *tag)
{
    (void)html;
    assert_true(strncmp(tag - 1, ">", 1) == 0 || strcmp(attribute(tag, "class"), "keys") == 0);
}

/* One h1, then no level left out on the way down. */
static void assert_headings(const char *html)
{
    int level = 0;
    assert_int_equal(count(html, "<h1>"), 1);
    for (const char *at = html; (at = strstr(at, "<h")) != NULL; at++) {
        if (at[2] < '1' || at[2] > '6') continue;
        assert_true(at[2] - '0' <= level + 1);
        level = at[2] - '0';
    }
}

static void assert_sound(const char *html)
{
    assert_well_formed(html);
    assert_true(strlen(html) < 1500000);
    assert_null(strstr(html, "<script"));
    assert_null(strstr(html, "http"));
    assert_null(strstr(html, "url("));
    assert_null(strstr(html, "nan"));
    assert_null(strstr(html, "inf "));
    assert_non_null(strstr(html, "<html lang=\"en\">"));
    for_each_tag(html, "svg", check_svg);
    for_each_tag(html, "img", check_img);
    for_each_tag(html, "th", check_th);
    for_each_tag(html, "section", check_section);
    for_each_tag(html, "a", check_link);
    for_each_tag(html, "div", check_div);
    for_each_tag(html, "table", check_table);
    for (size_t i = 0; i < 4; i++) {
        static const char *const landmarks[] = {"<header>", "<nav aria-label=\"", "<main id=\"main\">", "<footer>"};
        assert_int_equal(count(html, landmarks[i]), 1);
    }
    assert_headings(html);
}

static int charts(const char *html) { return count(html, "<svg role=\"img\""); }

/* ---- pages ---- */

static const struct sft_report_step steps[] = {
    {1, 5, 1, 4, 2, 0.5, 1e-3}, {2, 4, 1, 3, NAN, 0.5, 1e-3}, {3, INFINITY, 1, 2, 1, 0.5, 1e-4}};
static const struct sft_report_setting settings[] = {
    {"options.lr", "0.001"}, {"options.rho", "0.5"}, {"device", "<script>alert('x')</script>"}};

/* Writes the report into a folder of its own, and gives the page. */
static char *page_of(const struct sft_report *report, const char *name)
{
    char page[64];
    char *html;
    snprintf(page, sizeof(page), "%s/report.html", name);
    assert_int_equal(mkdir(path_of(name), 0700), 0);
    assert_int_equal(sft_report_write(report, path_of(name)), SFT_OK);
    html = slurp(path_of(page));
    assert_sound(html);
    return html;
}

static void before_and_after(void **state)
{
    struct sft_results r;
    struct sft_report report = {.results = &r, .steps = 3, .step = steps, .settings = 3, .setting = settings};
    char *html;
    (void)state;
    fill(&r, 2, sets);
    html = page_of(&report, "two");
    assert_int_equal(charts(html), 2 + 3 * 6 * 2 + 4);
    assert_non_null(strstr(html, "&lt;b&gt;&amp;&quot;&#39;"));
    assert_null(strstr(html, "<b>&"));
    assert_non_null(strstr(html, "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;"));
    assert_non_null(strstr(html, "bad\xef\xbf\xbd\xef\xbf\xbdutf\xef\xbf\xbd\xef\xbf\xbd<"));
    assert_non_null(strstr(html, "square-root scale"));
    assert_non_null(strstr(html, "After <b>3 steps</b> of fine-tuning, the Energy score takes"));
    assert_non_null(strstr(html, "No set became worse in FPR95."));
    assert_int_equal(count(html, "<details class=\"block\" open>"), 2); /* energy, maxlogit */
    free(html);
    sft_results_free(&r);
}

static void one_model(void **state)
{
    struct sft_results r;
    struct sft_report report = {.title = "An evaluation <1>", .results = &r};
    char *html;
    (void)state;
    fill(&r, 1, plain_sets);
    r.accuracy[0] = NAN;
    html = page_of(&report, "one");
    assert_non_null(strstr(html, "<h1>An evaluation &lt;1&gt;</h1>"));
    assert_null(strstr(html, ">after"));
    assert_null(strstr(html, "Training"));
    assert_null(strstr(html, "ccuracy"));
    free(html);
    sft_results_free(&r);
}

static void training_only(void **state)
{
    struct sft_report report = {.steps = 1, .step = steps};
    char *html;
    (void)state;
    html = page_of(&report, "steps");
    assert_int_equal(charts(html), 3); /* one step's rate does not vary */
    free(html);
    assert_int_equal(sft_report_write(&report, path_of("no/such/folder")), SFT_WRITE);
}

/* The three best of a column by hand: FPR 10 < 20 = 20 < 30 and AUROC 90 > 80 > 70 > 60. */
static void best_three_are_marked(void **state)
{
    static const double fpr[2][2] = {{0.3, 0.2}, {0.1, 0.2}}, auroc[2][2] = {{0.6, 0.7}, {0.9, 0.8}};
    static const char *const marks[] = {">30.00</td>",
                                        ">20.00<sup aria-hidden=\"true\">2</sup>",
                                        ">10.00<sup aria-hidden=\"true\">1</sup><span class=\"vh\"> (best)</span>",
                                        ">60.00</td>",
                                        ">70.00<sup aria-hidden=\"true\">3</sup>",
                                        ">80.00<sup aria-hidden=\"true\">2</sup>"};
    struct sft_results r;
    struct sft_report report = {.results = &r};
    char *html;
    (void)state;
    assert_int_equal(sft_results_init(&r, &sft_conventions[0], 2, scores, 1, sets), SFT_OK);
    r.models = 2;
    for (int model = 0; model < 2; model++)
        for (int score = 0; score < 2; score++) {
            r.metrics[model * 2 + score].fpr = fpr[model][score];
            r.metrics[model * 2 + score].auroc = auroc[model][score];
        }
    html = page_of(&report, "ranks");
    for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) assert_true(count(html, marks[i]) >= 2);
    assert_int_equal(count(html, " (third)"), 2); /* of AUROC and its average: FPR has two second ones */
    free(html);
    sft_results_free(&r);
}

/* ---- run folders ---- */

static const char good_steps[] = "{\"step\": 1, \"loss\": 2.5, \"lr\": 0.001}\n{\"step\": 2, \"loss\": 2.25}\n";
static const char good_examples[] = "{\"score\": \"energy\", \"sets\": {\"id\": {\"most\": [{\"index\": 7, \"score\": "
                                    "9.5, \"before\": 8.25, \"label\": "
                                    "\"a<b\\\"\", \"png\": \"iVBORw0KGgo=\"}], \"least\": []}}}";

static void write_text(const char *name, const char *text)
{
    assert_int_equal(sft_file_write(path_of(name), text, strlen(text)), SFT_OK);
}

static void write_run(const char *steps_text, const char *run_text, const char *examples)
{
    struct sft_results r;
    fill(&r, 2, plain_sets);
    assert_int_equal(sft_results_write(&r, folder), SFT_OK);
    write_text("metrics.jsonl", steps_text);
    write_text("run.json", run_text);
    write_text("examples.json", examples);
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
    write_run(
        good_steps,
        "{\"options\": {\"lr\": 0.001, \"sizes\": [2, 3], \"model\": null}, \"device\": {\"name\": \"llvmpipe\"}, "
        "\"a\": {}}",
        good_examples);
    html = remake();
    assert_int_equal(charts(html), 2 + 3 * 6 * 2 + 1);
    assert_non_null(strstr(html, "<th scope=\"row\">sizes</th><td>[2, 3]</td>"));
    assert_non_null(strstr(html, "<th scope=\"row\">name</th><td>llvmpipe</td>"));
    assert_null(strstr(html, "<th scope=\"row\">model</th>"));
    assert_non_null(
        strstr(html, "alt=\"image 7, a&lt;b&quot;, Energy 9.5, before 8.25\" src=\"data:image/png;base64,iV"));
    assert_non_null(strstr(html, "download=\"results.csv\" href=\"data:text/csv;charset=utf-8,model,score,set,fpr95,"));
    free(html);
}

static void damaged_parts_are_left_out(void **state)
{
    static const char *const bad_examples[] = {
        "{", "[]", "{\"sets\": {}}", "{\"score\": \"energy\", \"sets\": {\"id\": {\"most\": [{\"index\": 1}]}}}",
        "{\"score\": \"energy\", \"sets\": {\"id\": {\"most\": [{\"index\": 1, \"png\": \"\\\" onload=\\\"x\"}]}}}"};
    char *html;
    (void)state;
    write_run("not json\n{\"step\": \"1\"}\n\n{\"step\": 2, \"loss\": null}\n{\"step\": 3, \"lo",
              "{\"options\": ", "{");
    html = remake();
    assert_int_equal(charts(html), 2 + 3 * 6 * 2);
    free(html);
    for (size_t i = 0; i < sizeof(bad_examples) / sizeof(bad_examples[0]); i++) {
        write_text("examples.json", bad_examples[i]);
        html = remake();
        assert_null(strstr(html, "<img"));
        free(html);
    }
    assert_int_equal(unlink(path_of("scores/after/energy/svhn.npy")), 0);
    write_text("scores/before/msp/id.npy", "junk");
    html = remake();
    assert_int_equal(charts(html), 2 + (5 + 0 + 6) * 2);
    free(html);
    write_run(good_steps, "{}", good_examples);
    write_text("results.json", "{");
    html = remake();
    assert_int_equal(charts(html), 1);
    free(html);
}

static void nothing_to_show_is_an_error(void **state)
{
    (void)state;
    assert_int_equal(sft_report_from_folder(path_of("absent")), SFT_DATA);
    assert_non_null(strstr(logged, "not the folder of a run"));
}

/* ---- colours ---- */

/* Of a colour "#rrggbb" of the palette that starts at `css` (WCAG 2.2, relative luminance). */
static double luminance(const char *css, const char *name)
{
    static const double weights[] = {0.0722, 0.7152, 0.2126};
    char start[32];
    const char *at;
    unsigned colour;
    double sum = 0;
    snprintf(start, sizeof(start), "--%s:#", name);
    at = strstr(css, start);
    assert_non_null(at);
    assert_int_equal(sscanf(at + strlen(start), "%6x", &colour), 1);
    for (int i = 0; i < 3; i++, colour >>= 8) {
        double c = (colour & 255) / 255.0;
        sum += weights[i] * (c <= 0.04045 ? c / 12.92 : pow((c + 0.055) / 1.055, 2.4));
    }
    return sum;
}

static double contrast(const char *css, const char *a, const char *b)
{
    double x = luminance(css, a), y = luminance(css, b);
    return (fmax(x, y) + 0.05) / (fmin(x, y) + 0.05);
}

/* Text at least 4.5 to 1 (WCAG 1.4.3), lines that mean something at least 3 to 1 (1.4.11), light and dark. */
static void colours_have_contrast(void **state)
{
    static const struct {
        const char *on, *of[8];
        double least;
    } rules[] = {{"page", {"ink", "soft", "link", NULL}, 4.5},
                 {"card", {"ink", "soft", "id", "good", "bad", "link", NULL}, 4.5},
                 {"mark", {"ink", NULL}, 4.5},
                 {"card", {"id", "ood", "faint", "good", "bad", NULL}, 3.0}};
    struct sft_report report = {.steps = 1, .step = steps};
    char *html = page_of(&report, "colours");
    const char *palette = html;
    (void)state;
    assert_int_equal(count(html, ":root{"), 2);
    while ((palette = strstr(palette, ":root{")) != NULL) {
        for (size_t rule = 0; rule < sizeof(rules) / sizeof(rules[0]); rule++)
            for (const char *const *of = rules[rule].of; *of; of++) {
                double found = contrast(palette, *of, rules[rule].on);
                if (found < rules[rule].least) fail_msg("%s on %s: %.2f", *of, rules[rule].on, found);
            }
        palette++;
    }
    free(html);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(before_and_after),
        cmocka_unit_test(one_model),
        cmocka_unit_test(training_only),
        cmocka_unit_test(best_three_are_marked),
        cmocka_unit_test(remade_from_a_folder),
        cmocka_unit_test(damaged_parts_are_left_out),
        cmocka_unit_test(nothing_to_show_is_an_error),
        cmocka_unit_test(colours_have_contrast),
    };
    return cmocka_run_group_tests_name("report", tests, setup, teardown);
}

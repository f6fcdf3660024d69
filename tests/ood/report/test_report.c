/* SPDX-License-Identifier: Apache-2.0 */
/* The report: well-formed, self-contained, escaped, readable without eyes, remakable from a run folder in any
 * state of damage. What only a browser can tell is looked at by tests/ood/report/screenshots.sh. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ood/report/report.h"
#include "runtime/base/rng.h"
#include "tests/ood/report/markup.h"
#include "tests/support/fixture.h"

static const char *const scores[] = {"energy", "msp", "maxlogit"};
static const char *const sets[] = {"svhn", "<b>&\"'", "textures", "lsun", "isun", "bad\xff\xc0utf\xe2\x82"};
static const char *const plain_sets[] = {"svhn", "<b>&\"'", "textures", "lsun", "isun", "places \xc3\xa9"};

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

static void write_text(const char *name, const char *text)
{
    assert_int_equal(sft_file_write(test_path(name), text, strlen(text)), SFT_OK);
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

static void check_section(const char *html, const char *tag)
{
    assert_id(html, attribute(tag, "aria-labelledby"));
}

static void check_link(const char *html, const char *tag)
{
    const char *target = attribute(tag, "href");
    if (target[0] == '#')
        assert_id(html, target + 1);
    else if (strncmp(target, "seed-", 5) != 0)
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
        static const char *const landmarks[] = {"<header>", "<nav aria-label=\"", "<main id=\"main\">",
                                                "<footer>"};
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
    assert_int_equal(mkdir(test_path(name), 0700), 0);
    assert_int_equal(sft_report_write(report, test_path(name)), SFT_OK);
    html = slurp(test_path(page));
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
    assert_non_null(strstr(html, "bad\\xFF\\xC0utf\\xE2\\x82<"));
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
    assert_null(strstr(html, "alibration"));
    assert_null(strstr(html, "<small>"));
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
    assert_int_equal(sft_report_write(&report, test_path("no/such/folder")), SFT_WRITE);
}

/* The three best of a column by hand: FPR 10 < 20 = 20 < 30 and AUROC 90 > 80 > 70 > 60. */
static void best_three_are_marked(void **state)
{
    static const double fpr[2][2] = {{0.3, 0.2}, {0.1, 0.2}}, auroc[2][2] = {{0.6, 0.7}, {0.9, 0.8}};
    static const char *const marks[] = {
        ">30.00</td>",
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

/* ---- what is not 95 ---- */

/* ID images score 0 .. 10: the recall next to 90 % is 10 / 11, by all but the lowest; three of four OOD
 * images score more than that one. The 10th percentile, where the threshold is drawn, is 1. */
static char *page_at_recall(const struct sft_convention *convention, double recall, const char *name)
{
    static const float id[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10}, ood[] = {0, 1, 2, 10};
    static const char *const set[] = {"svhn"};
    struct sft_results r;
    struct sft_report report = {.results = &r};
    char *html;
    assert_int_equal(sft_results_init(&r, convention, 1, scores, 1, set), SFT_OK);
    r.measure.recall = recall;
    assert_int_equal(sft_results_put(&r, SFT_BEFORE, 0, SFT_ID_SET, 11, id), SFT_OK);
    assert_int_equal(sft_results_put(&r, SFT_BEFORE, 0, 0, 4, ood), SFT_OK);
    assert_int_equal(sft_results_compute(&r, SFT_BEFORE, NAN), SFT_OK);
    html = page_of(&report, name);
    sft_results_free(&r);
    return html;
}

static void assert_plot_has(const char *name, const char *text)
{
    char *svg = slurp(test_path(name));
    assert_non_null(strstr(svg, text));
    assert_null(strstr(svg, "FPR95"));
    assert_null(strstr(svg, "95 %"));
    free(svg);
}

/* The threshold, as a place in the chart that is 300 wide and starts at 10; the range is that of the 0.1th to
 * the 99.9th percentile of all 15 scores, 0 to 10. */
static void recall_has_its_name_everywhere(void **state)
{
    char *html = page_at_recall(&sft_conventions[0], 0.9, "recall");
    (void)state;
    assert_null(strstr(html, "FPR95"));
    assert_null(strstr(html, "95&nbsp;%"));
    assert_null(strstr(html, "95 %"));
    assert_non_null(strstr(html, "for in-distribution ones when 90&nbsp;% of the in-distribution images are "
                                 "recognised (FPR90, averaged over 1 set)."));
    assert_non_null(strstr(html, "<span>FPR90, average (lower is better)</span>"));
    assert_non_null(strstr(html, "<th class=\"metric group\" scope=\"col\">FPR90&nbsp;&darr;</th>"));
    assert_non_null(
        strstr(html, "90&nbsp;% of the ID images on the right one: 0 is perfect, 90 is guessing."));
    assert_non_null(strstr(html, "<path class=\"threshold\" d=\"M40 18v128\"/>"));
    assert_plot_has("recall/plots/energy-fpr95.svg", "Energy, FPR90");
    assert_plot_has("recall/plots/energy/svhn-density.svg", "FPR90 75.00, AUROC ");
    assert_plot_has("recall/plots/energy/svhn-roc.svg", "<path class=\"line chance\" d=\"M34 38l276 0\"/>");
    free(html);
}

/* Where OOD is the positive kind, the recall held is that of OOD images: 10 % of them are accepted. */
static void recall_of_the_other_kind(void **state)
{
    const struct sft_convention *convention;
    char *html;
    (void)state;
    assert_int_equal(sft_convention_find("ood", &convention), SFT_OK);
    html = page_at_recall(convention, 0.9, "recall-ood");
    assert_plot_has("recall-ood/plots/energy/svhn-roc.svg",
                    "<path class=\"line chance\" d=\"M61.6 200l0-180\"/>");
    assert_non_null(
        strstr(html, "the dotted line is where 90&nbsp;% of the out-of-distribution images are recognised."));
    assert_null(strstr(html, "threshold\" d="));
    free(html);
}

/* ---- how sure the numbers are ---- */

/* Two models, one set; metrics by hand. */
static void set_metrics(struct sft_results *r, double fpr_after)
{
    static const char *const set[] = {"svhn"};
    assert_int_equal(sft_results_init(r, &sft_conventions[0], 1, scores, 1, set), SFT_OK);
    r->models = 2;
    r->metrics[0].fpr = 0.5;
    r->metrics[0].auroc = 0.6;
    r->metrics[1].fpr = fpr_after;
    r->metrics[1].auroc = 0.75;
    r->accuracy[0] = 0.9;
    r->accuracy[1] = fpr_after + 0.5;
    r->ece[0] = 0.08;
    r->ece[1] = 0.05;
}

static void intervals_are_shown(void **state)
{
    static const struct sft_interval fpr = {0.28, 0.325}, auroc = {0.73, 0.77};
    struct sft_results r;
    struct sft_report report = {.results = &r};
    char *html, *csv;
    (void)state;
    set_metrics(&r, 0.3);
    r.measure.replicates = 200;
    r.metrics[1].fpr_interval = r.averages[1].fpr_interval = fpr;
    r.metrics[1].auroc_interval = r.averages[1].auroc_interval = auroc;
    html = page_of(&report, "intervals");
    assert_int_equal(
        count(html, "<small><span class=\"vh\">95&nbsp;% interval </span>28.00&ndash;32.50</small>"), 2);
    assert_int_equal(
        count(html, "<small><span class=\"vh\">95&nbsp;% interval </span>73.00&ndash;77.00</small>"), 2);
    assert_int_equal(count(html, "<small><span>95&nbsp;% interval </span>28.00&ndash;32.50</small>"), 1);
    assert_int_equal(count(html, "<small>"), 6);
    assert_non_null(strstr(html, "from 200 bootstrap replicates of the images."));
    assert_int_equal(count(html, "</svg>95 % interval</li>"), 1);
    assert_int_equal(count(html, "<path class=\"interval\""), 1 + 2 * 2); /* legend; set and average, twice */
    csv = slurp(test_path("intervals/plots/energy-fpr95.csv"));
    assert_string_equal(csv, "set,fpr95_before,fpr95,fpr95_low,fpr95_high\n"
                             "svhn,0.5,0.3,0.28,0.325\naverage,0.5,0.3,0.28,0.325\n");
    free(csv);
    free(html);
    sft_results_free(&r);
}

static void id_images_have_accuracy_and_calibration(void **state)
{
    struct sft_results r;
    struct sft_report report = {.results = &r};
    char *html;
    (void)state;
    set_metrics(&r, 0.3);
    html = page_of(&report, "calibration");
    assert_non_null(strstr(html, "<span>Accuracy on ID (higher is better)</span><b>80.00&nbsp;%</b><span "
                                 "class=\"bad\">\xe2\x88\x92"
                                 "10.00 points, worse</span>"));
    assert_non_null(strstr(html, "<span>Calibration error (lower is better)</span><b>5.00&nbsp;%</b><span "
                                 "class=\"good\">\xe2\x88\x92"
                                 "3.00 points, better</span>"));
    assert_non_null(strstr(html, ">Accuracy on ID images: 90.00&nbsp;% before, 80.00&nbsp;% after.</p>"));
    assert_non_null(
        strstr(html, ">Calibration error (ECE) on ID images: 8.00&nbsp;% before, 5.00&nbsp;% after.</p>"));
    free(html);
    sft_results_free(&r);
}

/* ---- seeds ---- */

/* FPR after of three seeds: mean 30, sample deviation 10. */
static void write_seeds(const char *name)
{
    static const double fpr[] = {0.2, 0.3, 0.4};
    struct sft_seeds seeds;
    for (int i = 0; i < 3; i++) {
        struct sft_results r;
        char path[256];
        set_metrics(&r, fpr[i]);
        assert_int_equal(sft_results_write(&r, sft_seed_folder(test_path(name), 4 + i, path, sizeof(path))),
                         SFT_OK);
        sft_results_free(&r);
    }
    assert_int_equal(sft_seeds_read(test_path(name), 4, 3, &seeds), SFT_OK);
    assert_int_equal(sft_seeds_write(&seeds, test_path(name)), SFT_OK);
    sft_seeds_free(&seeds);
}

static void seeds_have_a_page_of_their_own(void **state)
{
    char *html;
    (void)state;
    write_seeds("seeds");
    assert_int_equal(sft_report_from_folder(test_path("seeds")), SFT_OK);
    html = slurp(test_path("seeds/report.html"));
    assert_sound(html);
    assert_non_null(strstr(html, "After fine-tuning, on average over <b>3 seeds</b>, the Energy score takes "
                                 "<b>30.0&nbsp;%</b>"));
    assert_int_equal(count(html, "<small>&plusmn;10.00<span class=\"vh\"> over the seeds</span></small>"), 2);
    assert_int_equal(count(html, "<small>&plusmn;0.00<span class=\"vh\"> over the seeds</span></small>"), 2);
    assert_int_equal(count(html, "<small>&plusmn;10.00<span> over the seeds</span></small>"),
                     2); /* FPR, accuracy */
    assert_non_null(strstr(html, "90.00&nbsp;% before, 80.00&nbsp;% &plusmn; 10.00 after"));
    assert_non_null(strstr(html, "<a href=\"seed-6/report.html\">seed 6</a></th><td>40.00</td><td>75.00</td>"
                                 "<td>90.00</td><td>5.00</td>"));
    assert_int_equal(count(html, "</svg>\xc2\xb1 deviation of the seeds</li>"), 1);
    assert_non_null(
        strstr(html, "download=\"seeds.csv\" href=\"data:text/csv;charset=utf-8,score,set,metric,before"));
    assert_null(strstr(html, "95&nbsp;% interval"));
    free(html);
}

static void damaged_seeds_are_an_error(void **state)
{
    static const char *const bad[] = {
        "{", "{}", "{\"seeds\": []}", "{\"seeds\": [4, 6]}", "{\"seeds\": [\"4\"]}", "{\"seeds\": [3, 4]}"};
    (void)state;
    write_seeds("bad");
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        write_text("bad/seeds.json", bad[i]);
        assert_int_equal(sft_report_from_folder(test_path("bad")), SFT_DATA);
        test_expect_last("not the folder of a run");
    }
}

/* ---- run folders ---- */

static const char good_steps[] =
    "{\"step\": 1, \"loss\": 2.5, \"lr\": 0.001}\n{\"step\": 2, \"loss\": 2.25}\n";
static const char good_examples[] =
    "{\"score\": \"energy\", \"sets\": {\"id\": {\"most\": [{\"index\": 7, \"score\": "
    "9.5, \"before\": 8.25, \"label\": "
    "\"a<b\\\"\", \"png\": \"iVBORw0KGgo=\"}], \"least\": []}}}";

static void write_run(const char *steps_text, const char *run_text, const char *examples)
{
    struct sft_results r;
    fill(&r, 2, plain_sets);
    assert_int_equal(sft_results_write(&r, test_folder()), SFT_OK);
    write_text("metrics.jsonl", steps_text);
    write_text("run.json", run_text);
    write_text("examples.json", examples);
    sft_results_free(&r);
}

static char *remake_with(enum sft_status status)
{
    char *html;
    unlink(test_path("report.html"));
    assert_int_equal(sft_report_from_folder(test_folder()), status);
    html = slurp(test_path("report.html"));
    assert_sound(html);
    return html;
}

static char *remake(void) { return remake_with(SFT_OK); }

static void remade_from_a_folder(void **state)
{
    char *html;
    (void)state;
    write_run(good_steps,
              "{\"options\": {\"lr\": 0.001, \"sizes\": [2, 3], \"model\": null}, \"device\": {\"name\": "
              "\"llvmpipe\"}, "
              "\"a\": {}}",
              good_examples);
    html = remake();
    assert_int_equal(charts(html), 2 + 3 * 6 * 2 + 1);
    assert_non_null(strstr(html, "<th scope=\"row\">sizes</th><td>[2, 3]</td>"));
    assert_non_null(strstr(html, "<th scope=\"row\">name</th><td>llvmpipe</td>"));
    assert_null(strstr(html, "<th scope=\"row\">model</th>"));
    assert_non_null(strstr(
        html, "alt=\"image 7, a&lt;b&quot;, Energy 9.5, before 8.25\" src=\"data:image/png;base64,iV"));
    assert_non_null(
        strstr(html, "download=\"results.csv\" href=\"data:text/csv;charset=utf-8,model,score,set,fpr95,"));
    free(html);
}

/* And told: the page is made, and the status is SFT_DATA. */
static void damaged_parts_are_left_out(void **state)
{
    static const char *const bad_examples[] = {
        "{", "[]", "{\"sets\": {}}",
        "{\"score\": \"energy\", \"sets\": {\"id\": {\"most\": [{\"index\": 1}]}}}",
        "{\"score\": \"energy\", \"sets\": {\"id\": {\"most\": [{\"index\": 1, \"png\": \"\\\" "
        "onload=\\\"x\"}]}}}"};
    char *html;
    (void)state;
    write_run("not json\n{\"step\": \"1\"}\n\n{\"step\": 2, \"loss\": null}\n{\"step\": 3, \"lo",
              "{\"options\": ", "{");
    html = remake_with(SFT_DATA);
    assert_int_equal(charts(html), 2 + 3 * 6 * 2);
    free(html);
    for (size_t i = 0; i < sizeof(bad_examples) / sizeof(bad_examples[0]); i++) {
        write_text("examples.json", bad_examples[i]);
        html = remake_with(SFT_DATA);
        assert_null(strstr(html, "<img"));
        free(html);
    }
    assert_int_equal(unlink(test_path("scores/after/energy/svhn.npy")), 0);
    write_text("scores/before/msp/id.npy", "junk");
    html = remake_with(SFT_DATA);
    assert_int_equal(charts(html), 2 + (5 + 0 + 6) * 2);
    free(html);
    write_run(good_steps, "{}", good_examples);
    write_text("results.json", "{");
    html = remake_with(SFT_DATA);
    assert_int_equal(charts(html), 1);
    free(html);
}

static void nothing_to_show_is_an_error(void **state)
{
    (void)state;
    assert_int_equal(sft_report_from_folder(test_path("absent")), SFT_DATA);
    test_expect_last("not the folder of a run");
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
                 {"mark", {"ink", "soft", NULL}, 4.5},
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
        cmocka_unit_test(recall_has_its_name_everywhere),
        cmocka_unit_test(recall_of_the_other_kind),
        cmocka_unit_test(intervals_are_shown),
        cmocka_unit_test(id_images_have_accuracy_and_calibration),
        cmocka_unit_test(seeds_have_a_page_of_their_own),
        cmocka_unit_test(damaged_seeds_are_an_error),
        cmocka_unit_test(remade_from_a_folder),
        cmocka_unit_test(damaged_parts_are_left_out),
        cmocka_unit_test(nothing_to_show_is_an_error),
        cmocka_unit_test(colours_have_contrast),
    };
    return cmocka_run_group_tests_name("report", tests, test_setup_folder, test_remove_folder);
}

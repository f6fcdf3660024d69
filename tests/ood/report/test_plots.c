/* SPDX-License-Identifier: Apache-2.0 */
/* What charts are made of: bins, kernel densities, ticks, lines; and the files they become. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "datasets/image.h"
#include "ood/metrics/histogram.h"
#include "ood/report/plots.h"
#include "ood/report/raster.h"
#include "runtime/base/rng.h"
#include "tests/ood/report/markup.h"
#include "tests/support/fixture.h"

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
    assert_true(fabs(h.density[0] - 25) < 1e-9 && fabs(h.density[50] - 25) < 1e-9 &&
                fabs(h.density[99] - 25) < 1e-9);
    for (int i = 0; i < SFT_HISTOGRAM_BINS; i++) area += h.density[i] * 0.01;
    assert_true(fabs(area - 0.75) < 1e-12);
    assert_int_equal(sft_histogram_range(1, &(struct sft_sample){2, constant}, &low, &high), SFT_OK);
    assert_true(low == 1.5 && high == 2.5);
    assert_int_equal(sft_histogram_range(1, &(struct sft_sample){2, none}, &low, &high), SFT_DATA);
    assert_int_equal(sft_histogram_range(1, &(struct sft_sample){0, NULL}, &low, &high), SFT_DATA);
}

/* Against scipy.stats.gaussian_kde(sample)(numpy.linspace(-1, 8, 512)), SciPy 1.10.1. */
static void kernel_density_is_that_of_scipy(void **state)
{
    static const float sample[] = {0.0f, 0.5f, 1.0f, 1.25f, 3.0f, 7.0f, NAN, INFINITY};
    static const struct {
        int at;
        double density;
    } want[] = {{0, 0.09769491386246906},
                {100, 0.1586884738303351},
                {255, 0.08752069131811652},
                {400, 0.04323913510977675},
                {511, 0.03236828051352902}};
    double density[SFT_KERNEL_POINTS];
    struct sft_moments moments = sft_sample_moments((struct sft_sample){8, sample});
    (void)state;
    assert_int_equal(moments.n, 6);
    assert_true(fabs(moments.mean - 12.75 / 6) < 1e-12);
    assert_true(sft_kernel_density((struct sft_sample){8, sample}, -1, 8, density));
    for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++)
        assert_true(fabs(density[want[i].at] - want[i].density) < 1e-12);
    assert_false(sft_kernel_density((struct sft_sample){1, sample}, -1, 8, density));
    assert_true(density[0] == 0.0);
}

/* Against the sum of its definition, where most of the sample lies outside the range and where the kernel is
 * narrower than the points' spacing. */
static void kernel_density_is_its_definition(void **state)
{
    enum { N = 2000 };
    static const double ranges[][2] = {{-4, 4}, {1, 1.5}, {-500, 500}};
    static float sample[N];
    struct sft_rng rng;
    double density[SFT_KERNEL_POINTS];
    (void)state;
    sft_rng_init(&rng, 7, SFT_STREAM_TEST, 0);
    for (int i = 0; i < N; i++) sample[i] = sft_rng_normal(&rng);
    for (size_t r = 0; r < sizeof(ranges) / sizeof(ranges[0]); r++) {
        double low = ranges[r][0], high = ranges[r][1];
        double h = sft_sample_moments((struct sft_sample){N, sample}).std * pow(N, -0.2);
        assert_true(sft_kernel_density((struct sft_sample){N, sample}, low, high, density));
        for (int k = 0; k < SFT_KERNEL_POINTS; k += 7) {
            double x = low + (high - low) * k / (SFT_KERNEL_POINTS - 1), sum = 0;
            for (int i = 0; i < N; i++) sum += exp(-0.5 * pow((x - (double)sample[i]) / h, 2));
            assert_true(fabs(density[k] - sum / (N * h * sqrt(2 * acos(-1.0)))) < 1e-10);
        }
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

/* The corners of a path "Mx yldx dyldx dy...". */
static size_t read_path(const char *path, double *x, double *y)
{
    const char *at = strstr(path, " d=\"") + 4;
    size_t n = 0;
    while (*at != '"') {
        char *end;
        double dx = strtod(at + 1, &end), dy = strtod(end, &end);
        assert_true(*at == (n ? 'l' : 'M'));
        x[n] = dx + (n ? x[n - 1] : 0);
        y[n] = dy + (n ? y[n - 1] : 0);
        n++;
        at = end;
    }
    return n;
}

static double off_segment(double px, double py, double ax, double ay, double bx, double by)
{
    const double dx = bx - ax, dy = by - ay;
    const double length = dx * dx + dy * dy;
    double t = length > 0 ? ((px - ax) * dx + (py - ay) * dy) / length : 0;
    t = fmin(fmax(t, 0), 1);
    return hypot(px - ax - t * dx, py - ay - t * dy);
}

/* Points are left out, and none of them lies a third of a unit from what is drawn. */
static void lines_keep_what_is_seen(void **state)
{
    const struct sft_plot plot = {10, 5, 300, 84, 0, 511, -1.2, 1.2};
    static double x[SFT_PLOT_POINTS], y[SFT_PLOT_POINTS], cx[SFT_PLOT_POINTS], cy[SFT_PLOT_POINTS];
    struct sft_text out = {0};
    size_t corners;
    (void)state;
    for (int i = 0; i < SFT_PLOT_POINTS; i++) {
        x[i] = i;
        y[i] = sin(i * 0.02) + (i == 300 ? 0.1 : 0);
    }
    sft_plot_line(&out, &plot, SFT_PLOT_POINTS, x, y, "line");
    corners = read_path(out.data, cx, cy);
    assert_in_range(corners, 10, 80);
    for (int i = 0; i < SFT_PLOT_POINTS; i++) {
        double nearest = INFINITY;
        for (size_t k = 1; k < corners; k++)
            nearest = fmin(nearest, off_segment(sft_plot_x(&plot, x[i]), sft_plot_y(&plot, y[i]), cx[k - 1],
                                                cy[k - 1], cx[k], cy[k]));
        assert_true(nearest < 0.33);
    }
    sft_text_free(&out);
}

static void lines_and_steps_by_hand(void **state)
{
    const struct sft_plot plot = {10, 0, 100, 50, 0, 10, 0, 5};
    static const double x[] = {0, 5, 6, 8, 10}, y[] = {0, 5, NAN, 2.5, 99}, bars[] = {1, 1, 0, 5};
    struct sft_text out = {0};
    (void)state;
    sft_plot_line(&out, &plot, 5, x, y, "line");
    assert_string_equal(out.data, "<path class=\"line\" d=\"M10 50l50-50M90 25l20-25\"/>\n");
    sft_text_free(&out);
    sft_plot_steps(&out, &plot, 0, 10, 4, bars, "area");
    assert_string_equal(out.data, "<path class=\"area\" d=\"M10 50v-10h50v10h25v-50h25V50z\"/>\n");
    sft_text_free(&out);
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

/* RFC 4648, section 10; and a URI by hand. */
static void encodings(void **state)
{
    static const char *const base64[][2] = {{"", ""},
                                            {"f", "Zg=="},
                                            {"fo", "Zm8="},
                                            {"foo", "Zm9v"},
                                            {"foob", "Zm9vYg=="},
                                            {"fooba", "Zm9vYmE="},
                                            {"\xff\xfe", "//4="}};
    struct sft_text text = {0};
    (void)state;
    for (size_t i = 0; i < sizeof(base64) / sizeof(base64[0]); i++) {
        sft_text_add(&text, "");
        sft_text_add_base64(&text, base64[i][0], strlen(base64[i][0]));
        assert_string_equal(text.data, base64[i][1]);
        sft_text_free(&text);
    }
    sft_text_add_uri(&text, "a,b-1.5\n\"\xc3\xa9#%");
    assert_string_equal(text.data, "a,b-1.5%0A%22%C3%A9%23%25");
    sft_text_free(&text);
}

static void charts_become_files(void **state)
{
    static const struct sft_legend legend[] = {
        {"<path d=\"M0 6h18\"/>", "a curve with a rather long explanation"},
        {"<path d=\"M0 6h18\"/>", "another with one as long"},
        {NULL, NULL}};
    struct sft_chart chart = {.width = 320, .height = 100, .legend = legend};
    struct sft_plots plots = {0};
    struct sft_image image = {0};
    char path[128], *text;
    (void)state;
    sft_text_add(&chart.title, "<script>&\"' \xff");
    sft_text_add(&chart.description, "]]>");
    sft_text_add(&chart.shapes, "<path class=\"line main\" d=\"M10 10l300 80\"/>");
    sft_text_add(&chart.data, "x,y\n1,2\n");
    assert_int_equal(sft_plots_add(&plots, "../..", "a/b\\c\n", &chart), SFT_OK);
    sft_chart_free(&chart);
    assert_int_equal(sft_plots_write(&plots, test_folder()), SFT_OK);
    snprintf(path, sizeof(path), "%s/plots/_.._../a_b_c_.svg", test_folder());
    text = slurp(path);
    assert_well_formed(text);
    assert_null(strstr(text, "var("));
    assert_int_equal(count(text, "http"), 1);        /* the name of the SVG language */
    assert_non_null(strstr(text, "height=\"170\"")); /* title 26, chart 100, two lines of legend 34, air 10 */
    free(text);
    snprintf(path, sizeof(path), "%s/plots/_.._../a_b_c_.csv", test_folder());
    text = slurp(path);
    assert_string_equal(text, "x,y\n1,2\n");
    free(text);
    snprintf(path, sizeof(path), "%s/plots/_.._../a_b_c_.png", test_folder());
    assert_int_equal(access(path, F_OK) == 0, sft_raster_available());
    if (sft_raster_available()) {
        const uint8_t *pixel;
        assert_int_equal(sft_image_load(path, &image), SFT_OK);
        assert_int_equal(image.width, 640);
        assert_int_equal(image.height, 340);
        pixel = image.rgb + 3 * (640 * 2 * (26 + 50) + 2 * 160); /* the middle of the line: its blue */
        assert_true(pixel[0] == 0x1f && pixel[1] == 0x62 && pixel[2] == 0xc9);
        assert_true(image.rgb[0] == 255 && image.rgb[1] == 255 && image.rgb[2] == 255);
    }
    sft_image_free(&image);
    sft_plots_free(&plots);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(histograms),
        cmocka_unit_test(kernel_density_is_that_of_scipy),
        cmocka_unit_test(kernel_density_is_its_definition),
        cmocka_unit_test(ticks_are_round_and_inside),
        cmocka_unit_test(lines_keep_what_is_seen),
        cmocka_unit_test(lines_and_steps_by_hand),
        cmocka_unit_test(long_names_are_shortened_between_characters),
        cmocka_unit_test(encodings),
        cmocka_unit_test(charts_become_files),
    };
    return cmocka_run_group_tests_name("plots", tests, test_setup_folder, test_remove_folder);
}

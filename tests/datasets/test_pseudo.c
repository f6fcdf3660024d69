/* SPDX-License-Identifier: Apache-2.0 */
/* Pseudo-OOD images: what the shuffles keep, what each flag changes, and sizes that cannot be used. */
#include "tests/datasets/support.h"

#include "datasets/pseudo.h"

enum { SIDE = 32, BYTES = SIDE * SIDE * 3, MAX_TILES = SIDE * SIDE };

static uint8_t in[BYTES], out[BYTES], again[BYTES];
static uint32_t tiles[MAX_TILES];

static int set_up(void **state)
{
    fill_bytes(in, BYTES, 5);
    return test_setup_folder(state);
}

static struct sft_pseudo prepared(const struct sft_pseudo_params *params)
{
    struct sft_pseudo pseudo;
    test_catch_log();
    assert_int_equal(sft_pseudo_prepare(params, SIDE, &pseudo), SFT_OK);
    return pseudo;
}

static struct sft_pseudo_key key_of(int64_t number)
{
    return (struct sft_pseudo_key){
        .seed = 3, .step = number / 8, .number = number, .place = number % 8, .total = 8};
}

static void make(const struct sft_pseudo *pseudo, int64_t number, uint8_t *to)
{
    struct sft_pseudo_key key = key_of(number);
    sft_pseudo_make(pseudo, &key, in, to, tiles);
}

static int compare_pixels(const void *a, const void *b) { return memcmp(a, b, 3); }

/* Have both the same pixels, in whatever order? */
static bool same_pixels(const uint8_t *a, const uint8_t *b)
{
    static uint8_t x[BYTES], y[BYTES];
    memcpy(x, a, BYTES);
    memcpy(y, b, BYTES);
    qsort(x, BYTES / 3, 3, compare_pixels);
    qsort(y, BYTES / 3, 3, compare_pixels);
    return memcmp(x, y, BYTES) == 0;
}

/* Which permutation of the channels makes b of a; -1 for none. 0 is the identity. */
static int channel_order(const uint8_t *a, const uint8_t *b)
{
    static const int orders[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
    for (int o = 0; o < 6; o++) {
        bool equal = true;
        for (int i = 0; i < BYTES; i++) equal &= b[i] == a[i / 3 * 3 + orders[o][i % 3]];
        if (equal) return o;
    }
    return -1;
}

/* By hand: 4 tiles of 2 x 2 pixels in a picture of 5 x 5. */
static void moves_tiles(void **state)
{
    static const uint32_t order[4] = {3, 0, 2, 1};
    uint8_t from[75], to[75];
    (void)state;
    for (int i = 0; i < 75; i++) from[i] = (uint8_t)i;
    sft_jigsaw(from, to, 5, 2, 2, order, SFT_JIGSAW_KEEP);
    for (int y = 0; y < 5; y++)
        for (int x = 0; x < 5; x++) {
            int expected_x = x, expected_y = y;
            if (x < 4 && y < 4) {
                int tile = (int)order[y / 2 * 2 + x / 2];
                expected_x = tile % 2 * 2 + x % 2;
                expected_y = tile / 2 * 2 + y % 2;
            }
            for (int c = 0; c < 3; c++)
                assert_int_equal(to[(y * 5 + x) * 3 + c], (expected_y * 5 + expected_x) * 3 + c);
        }
    sft_jigsaw(from, to, 5, 2, 2, order, SFT_JIGSAW_ZERO);
    for (int c = 0; c < 3; c++) {
        assert_int_equal(to[(4 * 5 + 1) * 3 + c], 0);
        assert_int_equal(to[(1 * 5 + 4) * 3 + c], 0);
        assert_int_equal(to[c], 36 + c);
    }
}

static void jigsaw_keeps_pixels(void **state)
{
    struct sft_pseudo_params params;
    struct sft_pseudo pseudo;
    int moved = 0;
    (void)state;
    sft_pseudo_defaults(&params, SIDE);
    params.mode = SFT_PSEUDO_JIGSAW;
    pseudo = prepared(&params);
    assert_int_equal(pseudo.max_tiles, 256);
    for (int i = 0; i < 200; i++) {
        make(&pseudo, i, out);
        make(&pseudo, i, again);
        assert_memory_equal(out, again, BYTES);
        assert_true(same_pixels(in, out));
        moved += memcmp(in, out, BYTES) != 0;
    }
    assert_true(moved > 180);
}

static void rgb_shuffles_channels(void **state)
{
    struct sft_pseudo_params params;
    struct sft_pseudo pseudo;
    int seen[6] = {0};
    (void)state;
    sft_pseudo_defaults(&params, SIDE);
    params.mode = SFT_PSEUDO_RGB;
    pseudo = prepared(&params);
    for (int i = 0; i < 600; i++) {
        make(&pseudo, i, out);
        assert_in_range(channel_order(in, out), 0, 5);
        seen[channel_order(in, out)]++;
    }
    for (int o = 0; o < 6; o++) assert_in_range(seen[o], 70, 130);
    params.rgb_identity = SFT_RGB_IDENTITY_FORBID;
    pseudo = prepared(&params);
    for (int i = 0; i < 200; i++) {
        make(&pseudo, i, out);
        assert_in_range(channel_order(in, out), 1, 5);
    }
}

/* 1: only tiles moved, 2: only channels, 3: both. */
static int what_was_done(const uint8_t *made)
{
    if (channel_order(in, made) >= 0) return 2;
    return same_pixels(in, made) ? 1 : 3;
}

static void modes_combine(void **state)
{
    struct sft_pseudo_params params;
    int seen[4] = {0};
    (void)state;
    sft_pseudo_defaults(&params, SIDE);
    params.rgb_identity = SFT_RGB_IDENTITY_FORBID;
    params.size_count = 1;
    params.sizes[0] = 4; /* 64 tiles: never the identity here */
    for (int i = 0; i < 64; i++) {
        struct sft_pseudo pseudo = prepared(&params);
        pseudo.params.mode = SFT_PSEUDO_COMPOSE;
        make(&pseudo, i, out);
        assert_int_equal(what_was_done(out), 3);
        pseudo.params.mode = SFT_PSEUDO_HALF;
        make(&pseudo, i, out);
        assert_int_equal(what_was_done(out), i % 8 < 4 ? 1 : 2);
        pseudo.params.mode = SFT_PSEUDO_RANDOM;
        make(&pseudo, i, out);
        seen[what_was_done(out)]++;
    }
    assert_int_equal(seen[3], 0);
    assert_in_range(seen[1], 16, 48);
    assert_int_equal(sft_pseudo_per_id(SFT_PSEUDO_BOTH, 1), 2);
    assert_int_equal(sft_pseudo_per_id(SFT_PSEUDO_NONE, 3), 0);
    assert_int_equal(sft_pseudo_per_id(SFT_PSEUDO_COMPOSE, 3), 3);
}

/* Does the picture keep each tile of `tile` pixels in one piece? */
static bool tiles_stay_whole(const uint8_t *made, int tile)
{
    for (int y = 0; y < SIDE; y += tile)
        for (int x = 0; x < SIDE; x += tile) {
            bool found = false;
            for (int v = 0; v < SIDE && !found; v += tile)
                for (int u = 0; u < SIDE && !found; u += tile) {
                    found = true;
                    for (int row = 0; row < tile; row++)
                        found &= memcmp(made + ((y + row) * SIDE + x) * 3, in + ((v + row) * SIDE + u) * 3,
                                        (size_t)tile * 3) == 0;
                }
            if (!found) return false;
        }
    return true;
}

static void size_drawn_for_batch_or_image(void **state)
{
    struct sft_pseudo_params params;
    struct sft_pseudo pseudo;
    int mixed = 0, large = 0;
    (void)state;
    sft_pseudo_defaults(&params, SIDE);
    params.mode = SFT_PSEUDO_JIGSAW;
    params.size_count = 2;
    params.sizes[0] = 2;
    params.sizes[1] = 16;
    for (int draw = 0; draw < 2; draw++) {
        params.draw = draw ? SFT_JIGSAW_DRAW_IMAGE : SFT_JIGSAW_DRAW_BATCH;
        pseudo = prepared(&params);
        mixed = large = 0;
        for (int step = 0; step < 32; step++) {
            int whole = 0;
            for (int i = 0; i < 8; i++) {
                make(&pseudo, step * 8 + i, out);
                whole += tiles_stay_whole(out, 16);
            }
            mixed += whole != 0 && whole != 8;
            large += whole == 8;
        }
        if (!draw) {
            assert_int_equal(mixed, 0);
            assert_in_range(large, 6, 26);
        }
    }
    assert_true(mixed > 20);
}

/* Grid n means n tiles in a row, whatever is left over: 20 x 20 tiles of one pixel in 32 x 32. */
static void grid_counts_tiles(void **state)
{
    struct sft_pseudo_params params;
    struct sft_pseudo pseudo;
    (void)state;
    sft_pseudo_defaults(&params, SIDE);
    params.mode = SFT_PSEUDO_JIGSAW;
    params.unit = SFT_JIGSAW_GRID;
    params.rest = SFT_JIGSAW_ZERO;
    params.size_count = 1;
    params.sizes[0] = 20;
    pseudo = prepared(&params);
    assert_int_equal(pseudo.max_tiles, 400);
    make(&pseudo, 0, out);
    for (int y = 0; y < SIDE; y++)
        for (int x = 0; x < SIDE; x++) {
            const uint8_t *p = out + (y * SIDE + x) * 3;
            if (x >= 20 || y >= 20) assert_int_equal(p[0] + p[1] + p[2], 0);
        }
}

static void skips_useless_sizes(void **state)
{
    struct sft_pseudo_params params;
    struct sft_pseudo pseudo;
    (void)state;
    sft_pseudo_defaults(&params, 480); /* 2,3,5,10,15,30,60 */
    pseudo = prepared(&params);
    assert_int_equal(pseudo.params.size_count, 5);
    test_expect_log("sizes 30,60 px cannot be used on pictures of 32 x 32 pixels");
    params.unit = SFT_JIGSAW_GRID;
    pseudo = prepared(&params);
    assert_int_equal(pseudo.params.size_count, 6);
    test_expect_log("sizes 60 tiles a side");
}

static void refuses_only_useless_sizes(void **state)
{
    struct sft_pseudo_params params;
    struct sft_pseudo pseudo;
    (void)state;
    sft_pseudo_defaults(&params, SIDE);
    params.size_count = 3;
    params.sizes[0] = 17;
    params.sizes[1] = 0;
    params.sizes[2] = -4;
    test_catch_log();
    assert_int_equal(sft_pseudo_prepare(&params, SIDE, &pseudo), SFT_USAGE);
    test_expect_log("none of the sizes (17,0,-4 px)");
    test_expect_log("--jigsaw-sizes");
    params.mode = SFT_PSEUDO_RGB; /* needs none */
    assert_int_equal(sft_pseudo_prepare(&params, SIDE, &pseudo), SFT_OK);
    params.mode = SFT_PSEUDO_COMPOSE;
    params.size_count = 17;
    assert_int_equal(sft_pseudo_prepare(&params, SIDE, &pseudo), SFT_USAGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(moves_tiles),
        cmocka_unit_test(jigsaw_keeps_pixels),
        cmocka_unit_test(rgb_shuffles_channels),
        cmocka_unit_test(modes_combine),
        cmocka_unit_test(size_drawn_for_batch_or_image),
        cmocka_unit_test(grid_counts_tiles),
        cmocka_unit_test(skips_useless_sizes),
        cmocka_unit_test(refuses_only_useless_sizes),
    };
    return cmocka_run_group_tests_name("datasets/pseudo", tests, set_up, test_remove_folder);
}

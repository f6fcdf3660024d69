/* SPDX-License-Identifier: Apache-2.0 */
/* What is a picture of a set, what is a class, what is left out and said to be: for a folder, and for a tar
 * of it, which must be the same set. */
#include "tests/datasets/packing.h"

static struct sft_bytes png, jpeg;

/* A tree of files, from a table of names. What a file holds goes by its name. */
struct node {
    const char *name;
    const char *link; /* NULL: no symbolic link */
};

#define F(name)                                                                                              \
    {                                                                                                        \
        name, NULL                                                                                           \
    }
#define L(name, to)                                                                                          \
    {                                                                                                        \
        name, to                                                                                             \
    }

static struct packed_member content_of(const struct node *node)
{
    static const char run[] = "{\n  \"program\": \"sft-vk\",\n", avif[] = "....ftypavif", text[] = "text";
    const struct packed_member contents[] = {
        {".png", png.data, png.size},      {".jpg", jpeg.data, jpeg.size},     {".dat", jpeg.data, jpeg.size},
        {".avif", avif, sizeof(avif) - 1}, {"run.json", run, sizeof(run) - 1}, {"", text, sizeof(text) - 1},
    };
    const char *slash = strrchr(node->name, '/'), *base = slash ? slash + 1 : node->name;
    if (node->link) return (struct packed_member){node->name, node->link, SYMBOLIC_LINK};
    for (size_t i = 0; base[0]; i++)
        if (strstr(base, contents[i].name))
            return (struct packed_member){node->name, contents[i].data, contents[i].size};
    return (struct packed_member){node->name, NULL, 0};
}

static void put_node(const char *tree, const struct node *node, const struct packed_member *member)
{
    char name[512];
    snprintf(name, sizeof(name), "%s/%s", tree, node->name);
    if (name[strlen(name) - 1] == '/') {
        strcat(name, "x"); /* a folder, and a file in it that goes away */
        test_put(name, "", 0);
        assert_int_equal(unlink(test_path(name)), 0);
    } else if (node->link) {
        char above[600];
        snprintf(above, sizeof(above), "%s.x", name);
        test_put(above, "", 0);
        assert_int_equal(unlink(test_path(above)), 0);
        assert_int_equal(symlink(node->link, test_path(name)), 0);
    } else {
        test_put(name, member->data, member->size);
    }
}

enum { MAX_NODES = 32 };

/* Puts the tree into the folder NAME, into NAME.tar as `tar cf NAME.tar NAME` packs it, and packed into
 * NAME.tar.xz as `tar -C NAME .` does. */
static void put_tree(const char *name, const struct node *nodes, int count)
{
    struct packed_member members[MAX_NODES + 1];
    char names[MAX_NODES + 1][256], file[64];
    for (int top = 0; top < 2; top++) {
        snprintf(names[0], sizeof(names[0]), "%s/", top ? "." : name);
        members[0] = (struct packed_member){names[0], NULL, 0};
        for (int i = 0; i < count; i++) {
            members[i + 1] = content_of(&nodes[i]);
            if (!top) put_node(name, &nodes[i], &members[i + 1]);
            snprintf(names[i + 1], sizeof(names[0]), "%s/%s", top ? "." : name, nodes[i].name);
            members[i + 1].name = names[i + 1];
        }
        snprintf(file, sizeof(file), "%s.tar%s", name, top ? ".xz" : "");
        put_packed_tar(file, top ? "xz" : NULL, members, count + 1);
    }
}

/* "0 0 1 -": labels of the images in order; classes; remarks as "kind=count", in a line. */
static void describe(struct sft_dataset *dataset, char *text, size_t room)
{
    struct sft_dataset_remark remark;
    struct sft_image image = {0};
    size_t used = 0;
    text[0] = '\0';
    for (int64_t i = 0; i < sft_dataset_count(dataset); i++) {
        int label;
        test_catch_log();
        if (sft_dataset_read(dataset, i, &image, &label) != SFT_OK) fail_msg("%s", test_log());
        used += (size_t)snprintf(text + used, room - used, "%d ", label);
    }
    for (int c = 0; c < sft_dataset_classes(dataset); c++)
        used += (size_t)snprintf(text + used, room - used, "%s ", sft_dataset_class_name(dataset, c));
    for (int i = 0; sft_dataset_remark(dataset, i, &remark); i++) {
        used += (size_t)snprintf(text + used, room - used, "%s=%zu ", remark.kind, remark.count);
        assert_true(remark.n_examples >= 1 && remark.n_examples <= remark.count);
        for (size_t e = 0; e < remark.n_examples; e++) assert_true(remark.examples[e][0]);
    }
    if (used) text[used - 1] = '\0';
    sft_image_free(&image);
}

static void assert_set(const char *spec, const char *expected, const char *warning)
{
    char text[1024];
    struct sft_dataset *dataset = open_or_fail(spec);
    if (warning)
        test_expect_log(warning);
    else
        assert_string_equal(test_log(), "");
    describe(dataset, text, sizeof(text));
    if (strcmp(text, expected) != 0) fail_msg("%s: \"%s\" instead of \"%s\"", spec, text, expected);
    sft_dataset_close(&dataset);
}

/* All three are this set. */
static void assert_tree(const char *name, const struct node *nodes, int count, const char *expected,
                        const char *warning)
{
    char file[64];
    put_tree(name, nodes, count);
    assert_set(spec_of("folder:", name, ""), expected, warning);
    snprintf(file, sizeof(file), "%s.tar", name);
    assert_set(spec_of("tar:", file, ""), expected, warning);
    snprintf(file, sizeof(file), "%s.tar.xz", name);
    assert_set(spec_of("tar:", file, ""), expected, warning);
}

#define TREE(name, expected, warning, ...)                                                                   \
    do {                                                                                                     \
        static const struct node nodes[] = {__VA_ARGS__};                                                    \
        assert_tree(name, nodes, (int)(sizeof(nodes) / sizeof(nodes[0])), expected, warning);                \
    } while (0)

static void classes_stay_in_place(void **state)
{
    (void)state;
    TREE("plain", "0 0 1 a b", NULL, F("a/0.png"), F("a/1.jpg"), F("b/0.png"));
    TREE("text", "0 1 a b other_files=2", NULL, F("a/0.png"), F("b/0.png"), F("readme"), F("b/notes.txt"));
    TREE("empty", "0 2 a b c empty_classes=1", "1 class folder without pictures stays a class", F("a/0.png"),
         F("b/"), F("c/0.png"));
    TREE("text_only", "0 2 a b c empty_classes=1 other_files=1", "so that no label shifts: ", F("a/0.png"),
         F("b/notes.txt"), F("c/0.png"));
    TREE("stray", "0 1 a b stray_pictures=1",
         "1 picture beside the class folders is left out: ", F("a/0.png"), F("b/0.png"), F("preview.png"));
    TREE("lone", "0 0 a", NULL, F("a/0.png"), F("a/1.png"));
    TREE("flat", "-1 -1", NULL, F("0.png"), F("1.png"));
    TREE("mixed", "-1 -1 -1 pictures_beside_folders=2", "all are taken, without labels", F("0.png"),
         F("1.png"), F("more/2.png"));
    TREE("deep", "0 0 1 a b", NULL, F("data/images/a/0.png"), F("data/images/a/sub/1.png"),
         F("data/images/b/0.png"));
    TREE("beside", "0 1 a b folders_beside=1 other_files=1", "1 folder without pictures beside the folder",
         F("images/a/0.png"), F("images/b/0.png"), F("labels/all.txt"));
}

static void debris_is_no_class(void **state)
{
    (void)state;
    TREE("debris", "0 1 a b hidden=4 other_files=3", "4 hidden folders or files, or ones that a system made",
         F("a/0.png"), F("a/._0.png"), F("a/@eaDir/0.png/THUMB.jpg"), F("b/0.png"), F("b/Thumbs.db"),
         F("__MACOSX/a/0.png"), F(".ipynb_checkpoints/0.png"), F(".DS_Store"), F("desktop.ini"));
    TREE("drives", "0 1 a b hidden=8", "8 hidden folders or files", F("a/0.png"), F("b/0.png"),
         F("@tmp/0.png"), F("@Recycle/0.png"), F("~snapshot/a/0.png"), F("FOUND.000/0.png"),
         F("LOST.DIR/0.png"), F("Temporary Items/0.png"), F("lost+found/0.png"), F("$Recycle.Bin/0.png"));
    TREE("no_debris", "0 1 2 FOUND.a a@tmp recycler2", NULL, F("FOUND.a/0.png"), F("a@tmp/0.png"),
         F("recycler2/0.png"));
    TREE("results", "0 1 a b own_results=1", "1 folder of sft-vk's own results is left out: ", F("a/0.png"),
         F("b/0.png"), F("run/run.json"), F("run/plots/c.png"));
    TREE("inside", "0 1 a b own_results=1 other_files=2", "own results is left out: ", F("a/0.png"),
         F("b/0.png"), F("run.json"), F("report.html"), F("plots/c.png"));
    TREE("foreign", "0 1 a run other_files=1", NULL, F("a/0.png"), F("run/0.png"), F("run/notes.json"));
}

/* As Python sorts names, and so torchvision: by code points, whatever they mean to a reader. */
static void classes_are_sorted_as_in_python(void **state)
{
    (void)state;
    TREE("numbers", "0 1 2 3 0 1 10 2", NULL, F("0/0.png"), F("1/0.png"), F("2/0.png"), F("10/0.png"));
    TREE("cases", "0 1 2 CAT Cat cat", NULL, F("cat/0.png"), F("Cat/0.png"), F("CAT/0.png"));
    TREE("accents", "0 1 2 cafe\xcc\x81 cafz caf\xc3\xa9", NULL, F("caf\xc3\xa9/0.png"),
         F("cafe\xcc\x81/0.png"), F("cafz/0.png"));
    TREE("blanks", "0 1  a a", NULL, F(" a/0.png"), F("a/0.png"));
}

static void formats_are_counted(void **state)
{
    (void)state;
    TREE("formats", "0 1 a b unread_formats=4 misnamed=1",
         "4 pictures are left out: PNG, JPEG, WebP, BMP and PNM are read", F("a/0.png"), F("a/1.avif"),
         F("a/2.HEIC"), F("b/0.jfif.jpg"), F("b/1.tif"), F("b/2.gif"), F("b/3.dat"));
    test_catch_log();
    assert_set(spec_of("", "formats", ""), "0 1 a b unread_formats=4 misnamed=1",
               "1 GIF, 1 TIFF, 1 HEIC, 1 AVIF");
    TREE("renamed", "0 1 a b", NULL, F("a/0.png.tif"), F("b/0.jpg")); /* a PNG, whatever its name says */
}

static void links_are_followed(void **state)
{
    (void)state;
    TREE("links", "0 0 1 1 a b", NULL, F("a/0.png"), F("a/1.png"), L("b", "a"));
    TREE("to_file", "0 1 1 a b", NULL, F("a/0.png"), F("b/0.png"), L("b/1.png", "../a/0.png"));
    TREE("through", "0 1 1 a b", NULL, F("a/0.png"), F("b/0.png"), L("b/1.png", "../b/..//a/./0.png"));
    TREE("twice", "0 1 a b misnamed=1", "1 picture is left out, because its name does not", F("a/0.png"),
         L("b/0.png", "../b/1"), L("b/1", "../a/0.png"));
    TREE("not_through", "0 1 a b broken_links=2", "2 links that lead nowhere", F("a/0.png"), F("b/0.png"),
         L("b/1.png", "../c/../a/0.png"), L("b/2.png", "../a/0.png/../0.png"));
    TREE("dangling", "0 1 a b broken_links=2", "2 links that lead nowhere are left out: ", F("a/0.png"),
         F("b/0.png"), L("a/notes", "nowhere"), L("a/1.png", "/no/where.png"));
    TREE("round", "0 1 a b broken_links=2", "2 links that lead nowhere", F("a/0.png"), F("b/0.png"),
         L("a/x.png", "y.png"), L("a/y.png", "x.png"));
    TREE("up", "0 1 a b looping_links=2", "2 links back to folders that they lie in", F("a/0.png"),
         F("b/0.png"), L("a/up", ".."), L("b/self", "."));
}

static void splits_are_picked(void **state)
{
    static const struct node nodes[] = {F("train/a/0.png"), F("train/b/0.png"), F("test/a/0.png"),
                                        F("test/b/")};
    (void)state;
    assert_tree("splits", nodes, 4, "0 1 1 test train splits=2",
                "2 classes are named like splits; a split is picked as SPEC#NAME, like #train: test, train");
    assert_set(spec_of("folder:", "splits", "#train"), "0 1 a b", NULL);
    assert_set(spec_of("tar:", "splits.tar", "#train"), "0 1 a b", NULL);
    assert_set(spec_of("tar:", "splits.tar.xz", "#test"), "0 a b empty_classes=1", "no label shifts: b");
    assert_refused(spec_of("tar:", "splits.tar", "#val"), SFT_USAGE, "unknown split #val");
}

/* ---- what only a tar can be ---- */

static void later_members_replace(void **state)
{
    const struct packed_member members[] = {
        {"a/0.png", "no picture", 10},     {"b/1.png", "a/0.png", HARD_LINK}, /* has what was there then */
        {"b/0.png", png.data, png.size},   {"./a//0.png", png.data, png.size},
        {"a/0.png", jpeg.data, jpeg.size},
    };
    struct sft_dataset *dataset;
    struct sft_image image = {0};
    int label;
    (void)state;
    put_tar("again.tar", false, members, 5);
    dataset = open_or_fail(test_path("again.tar"));
    test_expect_log("2 pictures are in it more than once; the last counts");
    assert_int_equal(sft_dataset_count(dataset), 3);
    assert_int_equal(sft_dataset_read(dataset, 0, &image, &label), SFT_OK);
    assert_true(image.rgb[0] == image.rgb[1]); /* the grey JPEG */
    assert_int_equal(sft_dataset_read(dataset, 1, &image, &label), SFT_OK);
    assert_int_equal(sft_dataset_read(dataset, 2, &image, &label), SFT_DATA);
    test_expect_log("again.tar: b/1.png: no picture that is read");
    sft_dataset_close(&dataset);
    sft_image_free(&image);
}

static void hard_links_are_pictures(void **state)
{
    const struct packed_member members[] = {
        {"a/0.png", png.data, png.size},     {"a/1.png", "a/0.png", HARD_LINK},
        {"b/0.png", "./a/1.png", HARD_LINK}, {"b/1.png", "gone.png", HARD_LINK},
        {"../b/2.png", png.data, png.size},
    };
    (void)state;
    put_tar("hard.tar", false, members, 5);
    assert_set(spec_of("tar:", "hard.tar", ""), "0 0 1 a b broken_links=1 outside=1",
               "1 file of the tar, whose name leads out of it, is left out: ../b/2.png");
    put_packed_tar("hard.tar.zst", "zstd", members, 4);
    assert_set(spec_of("tar:", "hard.tar.zst", ""), "0 0 1 a b broken_links=1", "1 link that leads nowhere");
}

/* Python's tarfile and modern tars put names that are no ASCII into a header of their own, in UTF-8. */
static void pax_names_are_read(void **state)
{
    struct archive *archive = archive_write_new();
    const struct packed_member members[] = {{"z\xc3\xbcge/0.png", png.data, png.size},
                                            {"\xe7\x8c\xab/0.png", png.data, png.size}};
    (void)state;
    archive_write_set_format_pax(archive);
    archive_write_set_options(archive, "pax:hdrcharset=BINARY");
    assert_int_equal(archive_write_open_filename(archive, test_path("pax.tar")), ARCHIVE_OK);
    for (int i = 0; i < 2; i++) write_member(archive, &members[i]);
    assert_int_equal(archive_write_free(archive), ARCHIVE_OK);
    assert_set(spec_of("tar:", "pax.tar", ""), "0 1 z\xc3\xbcge \xe7\x8c\xab", NULL);
}

/* The end of a packed tar has the sum of what is in it. libarchive has no message for one without it. */
static void ends_that_are_missing(void **state)
{
    static const char *const packers[] = {"gzip", "xz", "bzip2", "zstd"};
    const struct packed_member member = {"a/0.png", png.data, png.size};
    (void)state;
    for (size_t p = 0; p < sizeof(packers) / sizeof(packers[0]); p++) {
        struct sft_bytes file;
        put_packed_tar("ends.tar", packers[p], &member, 1);
        assert_int_equal(sft_file_open(test_path("ends.tar"), &file), SFT_OK);
        for (size_t cut = 1; cut < 24; cut++) {
            test_put("cut.tar", file.data, file.size - cut);
            assert_refused(spec_of("tar:", "cut.tar", ""), SFT_DATA, "cut.tar");
        }
        sft_file_close(&file);
    }
}

/* libarchive knows packers that are programs, and starts them from PATH. */
static void starts_no_program(void **state)
{
    static const char *const packers[] = {"lrzip", "grzip", "lzop"};
    static const char *const heads[] = {"LRZI\0\6", "GRZipII\0\2\4:)", "\x89LZO\0\r\n\x1a\n"};
    static const size_t sizes[] = {6, 12, 9};
    char script[512], path[1024], file[64] = {0};
    char *old = strdup(getenv("PATH"));
    (void)state;
    snprintf(script, sizeof(script), "#!/bin/sh\n: >%s\nexit 1\n", test_path("started"));
    for (int i = 0; i < 3; i++) {
        snprintf(path, sizeof(path), "bin/%s", packers[i]);
        test_put(path, script, strlen(script));
        assert_int_equal(chmod(test_path(path), 0755), 0);
    }
    snprintf(path, sizeof(path), "%s:%s", test_path("bin"), old);
    setenv("PATH", path, 1);
    for (int i = 0; i < 3; i++) {
        memcpy(file, heads[i], sizes[i]);
        test_put("program.tar", file, sizeof(file));
        assert_refused(spec_of("tar:", "program.tar", ""), SFT_DATA, "no tar, plain or packed with gzip, xz");
        assert_refused(spec_of("cifar10:", "program.tar", ""), SFT_DATA, "no tar, plain or packed");
    }
    setenv("PATH", old, 1);
    free(old);
    assert_int_equal(access(test_path("started"), F_OK), -1);
}

/* A few bytes that unpack to much: what is no picture is not kept, and what looks like pictures is bounded.
 */
static void bombs_are_refused(void **state)
{
    const size_t some = (size_t)4 << 20, much = (size_t)130 << 20;
    uint8_t *zeros = calloc(much, 1);
    struct packed_member members[] = {
        {"a/0.png", zeros, some},
        {"a/1.png", zeros, some},
        {"b/0.png", png.data, png.size},
    };
    struct sft_dataset *dataset;
    struct sft_image image = {0};
    int label;
    (void)state;
    assert_non_null(zeros);
    put_packed_tar("zeros.tar.zst", "zstd", members, 3);
    dataset = open_or_fail(test_path("zeros.tar.zst"));
    assert_int_equal(sft_dataset_read(dataset, 0, &image, &label), SFT_DATA);
    test_expect_log("a/0.png: no picture that is read");
    assert_int_equal(sft_dataset_read(dataset, 2, &image, &label), SFT_OK);
    sft_dataset_close(&dataset);
    sft_image_free(&image);
    memcpy(zeros, png.data, png.size);
    members[0].size = members[1].size = much;
    put_packed_tar("bomb.tar.zst", "zstd", members, 3);
    assert_refused(test_path("bomb.tar.zst"), SFT_DATA,
                   "a/1.png: unpacks to more than 64 times its size, which pictures do not");
    free(zeros);
}

static int set_up(void **state)
{
    return test_setup_folder(state) != 0 || sft_file_open(GOLDEN("rgb.png"), &png) != SFT_OK ||
                   sft_file_open(GOLDEN("grey.jpg"), &jpeg) != SFT_OK
               ? -1
               : 0;
}

static int tear_down(void **state)
{
    sft_file_close(&png);
    sft_file_close(&jpeg);
    return test_remove_folder(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(classes_stay_in_place),
        cmocka_unit_test(debris_is_no_class),
        cmocka_unit_test(classes_are_sorted_as_in_python),
        cmocka_unit_test(formats_are_counted),
        cmocka_unit_test(links_are_followed),
        cmocka_unit_test(splits_are_picked),
        cmocka_unit_test(later_members_replace),
        cmocka_unit_test(hard_links_are_pictures),
        cmocka_unit_test(pax_names_are_read),
        cmocka_unit_test(ends_that_are_missing),
        cmocka_unit_test(starts_no_program),
        cmocka_unit_test(bombs_are_refused),
    };
    return cmocka_run_group_tests_name("datasets/listing", tests, set_up, tear_down);
}

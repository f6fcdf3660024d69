/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Layouts: names against those that are written down for published files, and a small network that is written
 * in each layout by code of its own and has to come back the same.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "formula.h"
#include "nn/checkpoint/safetensors.h"
#include "nn/class_order.h"
#include "nn/inference.h"
#include "nn/layouts/layouts.h"
#include "runtime/open.h"
#include "tests/support/fixture.h"

static struct sft_device *device;

/* ---- names ---- */

static void test_published_names(void **state)
{
    static const struct {
        const char *layout, *ours, *theirs;
    } cases[] = {
        {"own", "body.block1.unit01.gn1.weight", "body.block1.unit01.gn1.weight"},
        {"big_transfer", "before_head.gn.bias", "head.gn.bias"},
        {"big_transfer", "body.block4.unit03.conv3.weight", "body.block4.unit03.conv3.weight"},
        {"bit-npz", "root.conv.weight", "resnet/root_block/standardized_conv2d/kernel"},
        {"bit-npz", "body.block3.unit23.conv1.weight", "resnet/block3/unit23/a/standardized_conv2d/kernel"},
        {"bit-npz", "body.block1.unit02.conv3.weight", "resnet/block1/unit02/c/standardized_conv2d/kernel"},
        {"bit-npz", "body.block1.unit02.gn2.weight", "resnet/block1/unit02/b/group_norm/gamma"},
        {"bit-npz", "body.block1.unit02.gn3.bias", "resnet/block1/unit02/c/group_norm/beta"},
        {"bit-npz", "body.block2.unit01.downsample.weight",
         "resnet/block2/unit01/a/proj/standardized_conv2d/kernel"},
        {"bit-npz", "before_head.gn.weight", "resnet/group_norm/gamma"},
        {"bit-npz", "head.conv.weight", "resnet/head/conv2d/kernel"},
        {"bit-npz", "head.conv.bias", "resnet/head/conv2d/bias"},
        {"timm", "root.conv.weight", "stem.conv.weight"},
        {"timm", "body.block3.unit23.gn3.bias", "stages.2.blocks.22.norm3.bias"},
        {"timm", "body.block1.unit01.conv2.weight", "stages.0.blocks.0.conv2.weight"},
        {"timm", "body.block4.unit01.downsample.weight", "stages.3.blocks.0.downsample.conv.weight"},
        {"timm", "before_head.gn.weight", "norm.weight"},
        {"timm", "head.conv.bias", "head.fc.bias"},
        {"transformers", "root.conv.weight", "bit.embedder.convolution.weight"},
        {"transformers", "body.block2.unit01.gn1.weight", "bit.encoder.stages.1.layers.0.norm1.weight"},
        {"transformers", "body.block2.unit01.downsample.weight",
         "bit.encoder.stages.1.layers.0.downsample.conv.weight"},
        {"transformers", "before_head.gn.weight", "bit.norm.weight"},
        {"transformers", "head.conv.weight", "classifier.1.weight"},
        {"mmpretrain", "tokens_to_token.attention2.norm1.bias",
         "backbone.tokens_to_token.attention2.ln1.bias"},
        {"mmpretrain", "tokens_to_token.attention1.attn.qkv.weight",
         "backbone.tokens_to_token.attention1.attn.qkv.weight"},
        {"mmpretrain", "tokens_to_token.attention1.mlp.fc2.weight",
         "backbone.tokens_to_token.attention1.ffn.layers.1.weight"},
        {"mmpretrain", "tokens_to_token.project.weight", "backbone.tokens_to_token.project.weight"},
        {"mmpretrain", "blocks.13.norm2.weight", "backbone.encoder.13.ln2.weight"},
        {"mmpretrain", "blocks.0.mlp.fc1.weight", "backbone.encoder.0.ffn.layers.0.0.weight"},
        {"mmpretrain", "blocks.7.attn.proj.bias", "backbone.encoder.7.attn.proj.bias"},
        {"mmpretrain", "norm.weight", "backbone.norm.weight"},
        {"mmpretrain", "pos_embed", "backbone.pos_embed"},
        {"mmpretrain", "head.weight", "head.layers.head.weight"},
        {"kuangliu", "fc.bias", "linear.bias"},
        {"kuangliu", "layer4.1.conv2.weight", "layer4.1.conv2.weight"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct sft_layout *layout = sft_layout_find(cases[i].layout);
        char name[SFT_MAX_NAME];
        assert_non_null(layout);
        sft_layout_name(layout, cases[i].ours, name);
        assert_string_equal(name, cases[i].theirs);
    }
    assert_null(sft_layout_find("none"));
}

/* A name that no longer fits is cut, not written beyond its room. */
static void test_long_names(void **state)
{
    char ours[400] = "body.block1.unit01.gn1.", name[SFT_MAX_NAME + 1];
    (void)state;
    memset(ours + strlen(ours), 'x', 300);
    name[SFT_MAX_NAME] = '!';
    assert_true(sft_layout_name(sft_layout_find("timm"), ours, name));
    assert_int_equal(strlen(name), SFT_MAX_NAME - 1);
    assert_int_equal(name[SFT_MAX_NAME], '!');
    assert_false(sft_layout_name(sft_layout_find("timm"), "body.block999999.unit1.gn1.x", name));
}

/* ---- a small network in every layout ---- */

/* Writes a file with the values of `formula.h` under other names and with other axes. */
struct writing {
    void (*name)(const char *ours, char *theirs);
    bool out_last; /* filters R,S,I,O */
    int head_rank; /* of the head's kernel: 2 or 4 */
};

/* The parts of "body.blockB.unitUU.KINDn.SUFFIX", KIND gn, conv or downsample (n 0); 0 where it is another.
 */
static int split(const char *ours, int *block, int *unit, char kind[16], int *n, char suffix[16])
{
    char what[16];
    if (sscanf(ours, "body.block%d.unit%d.%15[^.].%15s", block, unit, what, suffix) != 4) return 0;
    *n = atoi(what + strcspn(what, "0123456789"));
    what[strcspn(what, "0123456789")] = '\0';
    snprintf(kind, 16, "%s", what);
    return 1;
}

static void as_timm(const char *ours, char *theirs)
{
    int block, unit, n;
    char kind[16], suffix[16];
    if (!split(ours, &block, &unit, kind, &n, suffix)) {
        if (strncmp(ours, "root", 4) == 0)
            strcpy(theirs, "stem.conv.weight");
        else
            sprintf(theirs, "%s.%s", ours[0] == 'h' ? "head.fc" : "norm", strrchr(ours, '.') + 1);
    } else if (n == 0) {
        sprintf(theirs, "stages.%d.blocks.%d.downsample.conv.%s", block - 1, unit - 1, suffix);
    } else {
        sprintf(theirs, "stages.%d.blocks.%d.%s%d.%s", block - 1, unit - 1, kind[0] == 'g' ? "norm" : "conv",
                n, suffix);
    }
}

static void as_transformers(const char *ours, char *theirs)
{
    int block, unit, n;
    char kind[16], suffix[16];
    if (!split(ours, &block, &unit, kind, &n, suffix)) {
        if (strncmp(ours, "root", 4) == 0)
            strcpy(theirs, "bit.embedder.convolution.weight");
        else
            sprintf(theirs, "%s.%s", ours[0] == 'h' ? "classifier.1" : "bit.norm", strrchr(ours, '.') + 1);
    } else if (n == 0) {
        sprintf(theirs, "bit.encoder.stages.%d.layers.%d.downsample.conv.%s", block - 1, unit - 1, suffix);
    } else {
        sprintf(theirs, "bit.encoder.stages.%d.layers.%d.%s%d.%s", block - 1, unit - 1,
                kind[0] == 'g' ? "norm" : "conv", n, suffix);
    }
}

static void as_npz(const char *ours, char *theirs)
{
    int block, unit, n;
    char kind[16], suffix[16];
    const char *end = strrchr(ours, '.') + 1;
    if (split(ours, &block, &unit, kind, &n, suffix)) {
        const char *what = kind[0] == 'g' ? (suffix[0] == 'w' ? "group_norm/gamma" : "group_norm/beta")
                                          : "standardized_conv2d/kernel";
        sprintf(theirs, "resnet/block%d/unit%02d/%c/%s%s", block, unit, n ? 'a' + n - 1 : 'a',
                n ? "" : "proj/", what);
    } else if (ours[0] == 'r') {
        strcpy(theirs, "resnet/root_block/standardized_conv2d/kernel");
    } else if (ours[0] == 'h') {
        sprintf(theirs, "resnet/head/conv2d/%s", end[0] == 'w' ? "kernel" : "bias");
    } else {
        sprintf(theirs, "resnet/group_norm/%s", end[0] == 'w' ? "gamma" : "beta");
    }
}

static void as_big_transfer(const char *ours, char *theirs)
{
    if (strncmp(ours, "before_", 7) == 0)
        sprintf(theirs, "%s", ours + 7);
    else
        strcpy(theirs, ours);
}

static void as_wrapped(const char *ours, char *theirs) { sprintf(theirs, "module.%s", ours); }
static void as_ours(const char *ours, char *theirs) { strcpy(theirs, ours); }

static struct sft_model *make(int classes)
{
    const struct sft_model_config config = {.name = "resnetv2_20_gn", .classes = classes};
    struct sft_model *model;
    assert_int_equal(sft_model_create(device, &config, &model), SFT_OK);
    assert_int_equal(formula_fill(&model->parameters), SFT_OK);
    return model;
}

/* Element `i` of a tensor (O, I, R, S) as it lies in (R, S, I, O). */
static int64_t moved(const struct sft_shape *shape, int64_t i)
{
    int64_t in = shape->dim[1], height = shape->dim[2], width = shape->dim[3];
    int64_t s = i % width, r = i / width % height, c = i / (width * height) % in,
            o = i / (width * height * in);
    return ((r * width + s) * in + c) * shape->dim[0] + o;
}

static bool is_head(const struct sft_parameter *item) { return strncmp(item->name, "head", 4) == 0; }

/* Row `row` of the file is class row_class[row], where given. */
static const char *write_as(const struct sft_model *model, const char *file, const struct writing *writing,
                            float scale, const int *row_class, const struct sft_metadata *metadata, size_t n)
{
    const struct sft_parameters *parameters = &model->parameters;
    struct sft_stored_tensor tensors[SFT_MAX_PARAMETERS];
    static char names[SFT_MAX_PARAMETERS][SFT_MAX_NAME];
    const char *path = test_path(file);
    for (int p = 0; p < parameters->n; p++) {
        const struct sft_parameter *item = &parameters->items[p];
        struct sft_shape shape = item->declared_shape;
        const int64_t row = item->count / shape.dim[0];
        float *values = calloc((size_t)item->count, sizeof(*values));
        assert_non_null(values);
        writing->name(item->name, names[p]);
        for (int64_t i = 0; i < item->count; i++) {
            int64_t from = i;
            if (row_class && is_head(item)) from = row_class[i / row] * row + i % row;
            values[writing->out_last && shape.rank == 4 ? moved(&shape, i) : i] =
                formula_value(item, from) * (shape.rank == 4 && !is_head(item) ? scale : 1.0f);
        }
        if (shape.rank == 4 && writing->out_last)
            shape = SFT_SHAPE(shape.dim[2], shape.dim[3], shape.dim[1], shape.dim[0]);
        else if (is_head(item) && shape.rank == 4)
            shape.rank = writing->head_rank;
        tensors[p] = (struct sft_stored_tensor){.name = names[p],
                                                .dtype = SFT_STORED_F32,
                                                .shape = shape,
                                                .data = values,
                                                .bytes = (size_t)item->count * sizeof(float)};
    }
    assert_int_equal(sft_safetensors_write(path, tensors, (size_t)parameters->n, metadata, n), SFT_OK);
    for (int p = 0; p < parameters->n; p++) free((void *)tensors[p].data);
    return path;
}

static float *weights_of(const struct sft_model *model)
{
    const int64_t n = model->parameters.weights_size;
    float *values = calloc((size_t)n, sizeof(*values));
    assert_non_null(values);
    assert_int_equal(sft_tensor_download(model->parameters.weights, 0, n, values), SFT_OK);
    return values;
}

static void assert_same_weights(const struct sft_model *a, const struct sft_model *b)
{
    float *x = weights_of(a), *y = weights_of(b);
    assert_int_equal(a->parameters.weights_size, b->parameters.weights_size);
    assert_memory_equal(x, y, (size_t)a->parameters.weights_size * sizeof(*x));
    free(x);
    free(y);
}

static void assert_same_files(const char *a, const char *b)
{
    struct sft_checkpoint *x, *y;
    assert_int_equal(sft_checkpoint_open(a, &x), SFT_OK);
    assert_int_equal(sft_checkpoint_open(b, &y), SFT_OK);
    assert_int_equal(x->n_tensors, y->n_tensors);
    for (size_t i = 0; i < x->n_tensors; i++) {
        assert_string_equal(x->tensors[i].name, y->tensors[i].name);
        assert_true(sft_shape_equal(&x->tensors[i].shape, &y->tensors[i].shape));
        assert_int_equal(x->tensors[i].bytes, y->tensors[i].bytes);
        assert_memory_equal(x->tensors[i].data, y->tensors[i].data, x->tensors[i].bytes);
    }
    sft_checkpoint_close(&x);
    sft_checkpoint_close(&y);
}

static const struct {
    const char *layout;
    struct writing writing;
    float epsilon;
} layouts[] = {
    {"own", {as_ours, false, 4}, 1e-10f},
    {"own", {as_ours, false, 2}, 1e-10f},
    {"big_transfer", {as_big_transfer, false, 4}, 1e-10f},
    {"bit-npz", {as_npz, true, 4}, 1e-10f},
    {"timm", {as_timm, false, 4}, 1e-8f},
    {"timm", {as_timm, false, 2}, 1e-8f},
    {"transformers", {as_transformers, false, 2}, 1e-8f},
};
enum { LAYOUTS = sizeof(layouts) / sizeof(layouts[0]) };

/* The same parameters come in, and the same file comes out. */
static void test_every_layout(void **state)
{
    struct sft_model *model = make(7), *loaded;
    (void)state;
    for (int i = 0; i < LAYOUTS; i++) {
        const char *path = write_as(model, "as.safetensors", &layouts[i].writing, 1, NULL, NULL, 0);
        const char *again = test_path("again.safetensors");
        assert_int_equal(sft_model_open(device, path, NULL, &loaded), SFT_OK);
        assert_string_equal(loaded->file.layout->name, layouts[i].layout);
        assert_string_equal(loaded->variant->name, "resnetv2_20_gn");
        assert_int_equal(loaded->classes, 7);
        assert_float_equal(loaded->standardize_epsilon, layouts[i].epsilon, 0);
        assert_same_weights(model, loaded);
        assert_int_equal(sft_model_save(loaded, again, NULL, 0), SFT_OK);
        assert_same_files(path, again);
        sft_model_destroy(&loaded);
        assert_int_equal(sft_model_open(device, again, NULL, &loaded), SFT_OK);
        assert_float_equal(loaded->standardize_epsilon, layouts[i].epsilon, 0);
        assert_same_weights(model, loaded);
        sft_model_destroy(&loaded);
    }
    sft_model_destroy(&model);
}

/* ---- epsilon ---- */

static void logits_of(const char *path, const struct sft_model_config *config, float logits[2 * 7])
{
    float images[2 * 32 * 32 * 3];
    struct sft_inference *inference;
    struct sft_model *model;
    formula_images("images", 2, images);
    assert_int_equal(sft_model_open(device, path, config, &model), SFT_OK);
    assert_int_equal(sft_inference_create(model, 2, NULL, 0, &inference), SFT_OK);
    assert_int_equal(sft_inference_run(inference, images, 2, (float *const[]){logits, NULL}), SFT_OK);
    sft_inference_destroy(&inference);
    sft_model_destroy(&model);
}

/* Filters of small deviation: the epsilon decides, and it comes with the layout or with the metadata. */
static void test_epsilon(void **state)
{
    const struct sft_metadata small = {"ws_epsilon", "1e-8"};
    const struct writing timm = {as_timm, false, 4}, ours = {as_ours, false, 4};
    const float scale = 1e-3f;
    float with_timm[14], with_ours[14], with_metadata[14], most = 0;
    struct sft_model *model = make(7), *loaded;
    (void)state;
    logits_of(write_as(model, "timm", &timm, scale, NULL, NULL, 0), NULL, with_timm);
    logits_of(write_as(model, "ours", &ours, scale, NULL, NULL, 0), NULL, with_ours);
    logits_of(write_as(model, "small", &ours, scale, NULL, &small, 1), NULL, with_metadata);
    assert_memory_equal(with_timm, with_metadata, sizeof(with_timm));
    for (int i = 0; i < 14; i++) most = fmaxf(most, fabsf(with_timm[i] - with_ours[i]));
    assert_true(most > 1e-4f);
    assert_int_equal(
        sft_model_open(device,
                       write_as(model, "no", &ours, 1, NULL, &(struct sft_metadata){"ws_epsilon", "big"}, 1),
                       NULL, &loaded),
        SFT_DATA);
    test_expect_last("ws_epsilon");
    sft_model_destroy(&model);
}

/* ---- what fits ---- */

static void test_near_miss(void **state)
{
    const struct writing timm = {as_timm, false, 4};
    struct sft_model *model = make(7);
    struct sft_checkpoint *checkpoint;
    struct sft_model_search search;
    struct sft_model_config config = {.name = NULL};
    const char *path = write_as(model, "near.safetensors", &timm, 1, NULL, NULL, 0);
    (void)state;
    assert_int_equal(sft_checkpoint_open(path, &checkpoint), SFT_OK);
    assert_int_equal(sft_model_search(checkpoint, &search), SFT_OK);
    assert_int_equal(search.n_fits, 1);
    assert_null(search.nearest);
    sft_model_search_free(&search);
    for (size_t i = 0; i < checkpoint->n_tensors; i++) {
        struct sft_stored_tensor *tensor = &checkpoint->tensors[i];
        if (strcmp(tensor->name, "norm.bias") == 0) tensor->name = "norm.biaz";
        if (strcmp(tensor->name, "stem.conv.weight") == 0) tensor->shape = SFT_SHAPE(16, 27);
    }
    assert_int_equal(sft_model_search(checkpoint, &search), SFT_OK);
    assert_int_equal(search.n_fits, 0);
    assert_string_equal(search.nearest->name, "resnetv2_20_gn");
    assert_string_equal(search.layout->name, "timm");
    assert_string_equal(search.differences.data,
                        "1 missing: norm.bias; 1 unexpected: norm.biaz; "
                        "1 of another shape: stem.conv.weight (16x27, the model has 16x3x3x3)");
    sft_model_search_free(&search);
    assert_int_equal(sft_model_guess(checkpoint, &config), SFT_DATA);
    test_expect_last("nearest is resnetv2_20_gn (timm): 1 missing: norm.bias");
    sft_checkpoint_close(&checkpoint);
    sft_model_destroy(&model);
}

/* A checkpoint of names and shapes alone, as a variant has them in a layout. */
struct outline {
    struct sft_parameters parameters;
    struct sft_checkpoint checkpoint;
    char names[SFT_MAX_PARAMETERS][SFT_MAX_NAME];
};

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct sft_stored_tensor *)a)->name, ((const struct sft_stored_tensor *)b)->name);
}

static void outline_make(struct outline *outline, const struct sft_variant *variant,
                         const struct sft_layout *layout)
{
    const struct sft_network network = {.variant = variant, .outputs = 10, .image_size = variant->image_size};
    struct sft_checkpoint *checkpoint = &outline->checkpoint;
    memset(outline, 0, sizeof(*outline));
    assert_int_equal(sft_network_declare(&network, &outline->parameters), SFT_OK);
    checkpoint->path = "outline";
    checkpoint->n_tensors = (size_t)outline->parameters.n;
    checkpoint->tensors = calloc(checkpoint->n_tensors, sizeof(*checkpoint->tensors));
    assert_non_null(checkpoint->tensors);
    for (int i = 0; i < outline->parameters.n; i++) {
        const struct sft_parameter *item = &outline->parameters.items[i];
        sft_layout_name(layout, item->name, outline->names[i]);
        checkpoint->tensors[i] =
            (struct sft_stored_tensor){.name = outline->names[i], .shape = sft_layout_shape(layout, item)};
    }
    qsort(checkpoint->tensors, checkpoint->n_tensors, sizeof(*checkpoint->tensors), by_name);
}

static void outline_free(struct outline *outline)
{
    free(outline->checkpoint.tensors);
    sft_parameters_free(&outline->parameters);
}

/* Every variant is recognised in every layout; only the two ResNet-18 of 32 pixels look alike. */
static void test_every_variant(void **state)
{
    static struct outline outline;
    const struct sft_variant *variant;
    const struct sft_layout *layout;
    (void)state;
    for (int v = 0; (variant = sft_model_variant(v)); v++)
        for (int l = 0; (layout = sft_layout_at(l)); l++) {
            const bool twice = strncmp(variant->name, "resnet18_32x32", 14) == 0;
            struct sft_model_search search;
            int found = 0;
            outline_make(&outline, variant, layout);
            if (!layout->is && sft_layout_applies(layout, outline.parameters.items, outline.parameters.n)) {
                assert_int_equal(sft_model_search(&outline.checkpoint, &search), SFT_OK);
                assert_int_equal(search.n_fits, twice ? 2 : 1);
                for (int i = 0; i < search.n_fits; i++) found += search.fits[i] == variant;
                assert_int_equal(found, 1);
                assert_string_equal(search.layout->name, layout->name);
                sft_model_search_free(&search);
            }
            outline_free(&outline);
        }
}

static void test_asks(void **state)
{
    static struct outline outline;
    struct sft_model_config config = {.name = NULL}, said = {.name = "resnet18_32x32_pad2"};
    (void)state;
    outline_make(&outline, sft_model_find("resnet18_32x32"), sft_layout_find("kuangliu"));
    assert_int_equal(sft_model_guess(&outline.checkpoint, &config), SFT_DATA);
    test_expect_last("may be resnet18_32x32 or resnet18_32x32_pad2, which have the same names and shapes");
    test_expect_last("--model");
    assert_int_equal(sft_model_guess(&outline.checkpoint, &said), SFT_OK);
    assert_string_equal(said.layout->name, "kuangliu");
    assert_float_equal(said.mean[0], 0.4914f, 0);
    outline_free(&outline);
}

/* What lies beside the weights of a folder of the Hub, and what is none of its business. */
static void test_hub(void **state)
{
    static const char good[] =
        "{\"architecture\": \"resnetv2_20_gn\", \"label_names\": [\"a\", \"b\", \"c\", \"d\", \"e\", \"f\", "
        "\"g\"],"
        "\"pretrained_cfg\": {\"mean\": [0.1, 0.2, 0.3], \"std\": [1, 2, 3], \"input_size\": [3, 40, 40],"
        "\"interpolation\": \"bicubic\", \"crop_pct\": 0.875, \"crop_mode\": \"center\"}}";
    static const char odd[] =
        "{\"architecture\": 7, \"label_names\": [\"a\"], \"pretrained_cfg\": {\"mean\": [0.1, \"x\", 0.3],"
        "\"std\": [0, 0, 0], \"input_size\": [3, 40, 41], \"interpolation\": \"lanczos\", \"crop_pct\": 9}}";
    static const char *const texts[] = {odd, "[]", "{", ""};
    const struct writing timm = {as_timm, false, 4};
    struct sft_model *model = make(7), *loaded;
    (void)state;
    test_put("hub/config.json", good, strlen(good));
    write_as(model, "hub/model.safetensors", &timm, 1, NULL, NULL, 0);
    assert_int_equal(sft_model_open(device, test_path("hub"), NULL, &loaded), SFT_OK);
    assert_float_equal(loaded->mean[2], 0.3f, 0);
    assert_float_equal(loaded->std[1], 2, 0);
    assert_int_equal(loaded->image_size, 40);
    assert_int_equal(loaded->framing.resize, SFT_RESIZE_SHORT_SIDE);
    assert_int_equal(loaded->framing.interpolation, SFT_FILTER_BICUBIC);
    assert_float_equal(loaded->framing.crop, 0.875, 0);
    assert_string_equal(loaded->class_names.names[6], "g");
    sft_model_destroy(&loaded);
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        test_put("hub/config.json", texts[i], strlen(texts[i]));
        if (sft_model_open(device, test_path("hub"), NULL, &loaded) != SFT_OK) continue; /* an empty file */
        assert_float_equal(loaded->mean[2], 0.5f, 0);
        assert_int_equal(loaded->image_size, 32);
        assert_int_equal(loaded->framing.interpolation, SFT_FILTER_BILINEAR);
        assert_float_equal(loaded->framing.crop, 1, 0);
        assert_int_equal(loaded->class_names.n, 0);
        sft_model_destroy(&loaded);
    }
    sft_model_destroy(&model);
}

/* ---- order of classes ---- */

/* The order of the file is one that no sorting gives: row i is class (i * 377 + 5) % 1000. */
static void test_order_of_a_file(void **state)
{
    enum { CLASSES = 1000 };
    const struct writing ours = {as_ours, false, 4}, npz = {as_npz, true, 4};
    struct sft_model *model = make(CLASSES), *loaded;
    int rows[CLASSES];
    char *list = calloc(CLASSES, 16);
    char names[4096];
    const struct sft_model_config config = {.class_order = names};
    (void)state;
    snprintf(names, sizeof(names), "%s", test_path("names.txt"));
    assert_non_null(list);
    for (int i = 0; i < CLASSES; i++) {
        rows[i] = (i * 377 + 5) % CLASSES;
        sprintf(list + strlen(list), "class %03d\r\n", rows[i]);
    }
    test_put("names.txt", list, strlen(list));
    for (int i = 0; i < 2; i++) {
        const char *again = test_path("again.safetensors");
        const char *path = write_as(model, "moved.safetensors", i ? &npz : &ours, 1, rows, NULL, 0);
        assert_int_equal(sft_model_open(device, path, &config, &loaded), SFT_OK);
        assert_same_weights(model, loaded);
        assert_string_equal(loaded->file.class_order, "file");
        assert_string_equal(loaded->class_names.names[123], "class 123");
        assert_int_equal(sft_model_save(loaded, again, NULL, 0), SFT_OK);
        assert_same_files(path, again);
        sft_model_destroy(&loaded);
        /* The file that was written says its order itself. */
        assert_int_equal(sft_model_open(device, again, NULL, &loaded), SFT_OK);
        assert_same_weights(model, loaded);
        assert_string_equal(loaded->file.class_order, "file");
        assert_string_equal(loaded->class_names.names[123], "class 123");
        sft_model_destroy(&loaded);
    }
    free(list);
    sft_model_destroy(&model);
}

/* MOS's numbers of five classes, from its lists, and a whole head in its order. */
static void test_order_of_mos(void **state)
{
    static const struct {
        int row;
        const char *id;
    } known[] = {{448, "n01440764"}, {449, "n01443537"}, {441, "n01484850"}, {442, "n01491361"}};
    const struct sft_model_config config = {.class_order = "mos"};
    const struct writing ours = {as_ours, false, 4};
    struct sft_model *model = make(SFT_IMAGENET_CLASSES), *loaded;
    struct sft_class_names names = {0};
    int rows[SFT_IMAGENET_CLASSES], same = 0;
    const char *path;
    (void)state;
    assert_int_equal(sft_class_order_mos(&names), SFT_OK);
    assert_int_equal(names.n, SFT_IMAGENET_CLASSES);
    for (int i = 0; i < 4; i++) assert_string_equal(names.names[known[i].row], known[i].id);
    for (int i = 0; i < SFT_IMAGENET_CLASSES; i++) {
        rows[i] = 0;
        for (int k = 0; k < SFT_IMAGENET_CLASSES; k++) rows[i] += strcmp(names.names[k], names.names[i]) < 0;
        same += rows[i] == i;
    }
    assert_int_equal(same, 0); /* not one class has the same number in both orders */
    path = write_as(model, "mos.safetensors", &ours, 1, rows, NULL, 0);
    assert_int_equal(sft_model_open(device, path, &config, &loaded), SFT_OK);
    assert_same_weights(model, loaded);
    assert_string_equal(loaded->class_names.names[0], "n01440764");
    assert_string_equal(loaded->file.class_order, "mos");
    sft_model_destroy(&loaded);
    sft_class_names_free(&names);
    sft_model_destroy(&model);
}

/* What MOS saves is told by what lies beside the weights, not by their names alone. */
static void test_files_of_mos(void **state)
{
    static const struct {
        const char *keys, *layout;
    } cases[] = {
        {"step\nmodel\noptim\n", "mos"},
        {"optim\nstep\nlr\nmodel\n", "mos"},
        {"steps\nmodel\noptim\n", "own"},
        {"model\noptim\n", "own"},
        {NULL, "own"},
    };
    struct sft_model *model = make(SFT_IMAGENET_CLASSES);
    struct sft_checkpoint *checkpoint;
    const struct writing wrapped = {as_wrapped, false, 4};
    (void)state;
    assert_int_equal(sft_checkpoint_open(write_as(model, "wrapped", &wrapped, 1, NULL, NULL, 0), &checkpoint),
                     SFT_OK);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct sft_model_config config = {.name = NULL};
        checkpoint->keys = cases[i].keys;
        assert_int_equal(sft_model_guess(checkpoint, &config), SFT_OK);
        assert_string_equal(config.layout->name, cases[i].layout);
        assert_int_equal(config.classes, SFT_IMAGENET_CLASSES);
    }
    checkpoint->keys = NULL;
    sft_checkpoint_close(&checkpoint);
    sft_model_destroy(&model);
}

/* A training program's file has its keys. */
static void test_keys_of_a_file(void **state)
{
    struct sft_checkpoint *checkpoint;
    (void)state;
    assert_int_equal(sft_checkpoint_open(SFT_TEST_DATA "/golden/checkpoints/training.pth.tar", &checkpoint),
                     SFT_OK);
    assert_true(sft_checkpoint_has_key(checkpoint, "state_dict"));
    assert_true(sft_checkpoint_has_key(checkpoint, "epoch"));
    assert_false(sft_checkpoint_has_key(checkpoint, "epochs"));
    assert_false(sft_checkpoint_has_key(checkpoint, "poch"));
    sft_checkpoint_close(&checkpoint);
    assert_int_equal(sft_checkpoint_open(SFT_TEST_DATA "/golden/checkpoints/plain.pth", &checkpoint), SFT_OK);
    assert_null(checkpoint->keys);
    sft_checkpoint_close(&checkpoint);
}

static void test_mos_groups(void **state)
{
    static const int sizes[SFT_MOS_GROUPS] = {398, 521, 9, 7, 52, 8, 3, 2};
    char *text = sft_class_order_mos_groups();
    struct sft_groups *groups;
    (void)state;
    assert_non_null(text);
    assert_int_equal(sft_groups_create(text, SFT_IMAGENET_CLASSES, "test", &groups), SFT_OK);
    assert_int_equal(groups->n, SFT_MOS_GROUPS);
    for (int g = 0; g < SFT_MOS_GROUPS; g++)
        assert_int_equal(groups->first[g + 1] - groups->first[g], sizes[g] + 1);
    assert_int_equal(groups->output_of[0], 1 + 287); /* n01440764 is class 287 of group 0 */
    assert_int_equal(groups->output_of[2], 1 + 280);
    sft_groups_destroy(&groups);
    free(text);
}

/* A head of groups with the order of MOS gets MOS's groups. */
static void test_grouped_head(void **state)
{
    const struct sft_model_config config = {.class_order = "mos"};
    const struct writing ours = {as_ours, false, 4};
    struct sft_model *model = make(SFT_IMAGENET_CLASSES + SFT_MOS_GROUPS), *loaded;
    const char *path = write_as(model, "grouped.safetensors", &ours, 1, NULL, NULL, 0);
    (void)state;
    assert_int_equal(sft_model_open(device, path, &config, &loaded), SFT_OK);
    assert_int_equal(loaded->classes, SFT_IMAGENET_CLASSES);
    assert_non_null(loaded->groups);
    assert_same_weights(model, loaded);
    assert_string_equal(loaded->class_names.names[999], "n15075141");
    sft_model_destroy(&loaded);
    sft_model_destroy(&model);
}

static void test_wrong_orders(void **state)
{
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"a\nb\nc\n", "3 names of classes, and the head has 7"},
        {"a\nb\nc\nd\ne\nf\ng\nh\n", ":8: more names than the head's 7 classes"},
        {"a\nb\n\nc\nd\n b \nf\ng\n", ":6: class \"b\" is there twice"},
        {"\n", "0 names of classes"},
    };
    const struct writing ours = {as_ours, false, 4};
    char names[4096], path[4096];
    struct sft_model *model = make(7), *loaded;
    (void)state;
    snprintf(names, sizeof(names), "%s", test_path("wrong.txt"));
    snprintf(path, sizeof(path), "%s", write_as(model, "seven.safetensors", &ours, 1, NULL, NULL, 0));
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        test_put("wrong.txt", cases[i].text, strlen(cases[i].text));
        assert_int_equal(
            sft_model_open(device, path, &(struct sft_model_config){.class_order = names}, &loaded),
            SFT_DATA);
        test_expect_last(cases[i].message);
        assert_null(loaded);
    }
    assert_int_equal(sft_model_open(device, path, &(struct sft_model_config){.class_order = "mos"}, &loaded),
                     SFT_DATA);
    test_expect_last("--class-order mos is of ImageNet's 1000 classes, and the head has 7");
    snprintf(
        path, sizeof(path), "%s",
        write_as(model, "said.safetensors", &ours, 1, NULL, &(struct sft_metadata){"class_order", "mos"}, 1));
    assert_int_equal(sft_model_open(device, path, NULL, &loaded), SFT_DATA);
    test_expect_last("\"class_order\" without \"class_names\"");
    sft_model_destroy(&model);
}

static int setup(void **state)
{
    return test_setup_folder(state) == 0 && sft_device_open("cpu", 0, &device) == SFT_OK ? 0 : -1;
}

static int teardown(void **state)
{
    sft_device_close(&device);
    return test_remove_folder(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_published_names),
        cmocka_unit_test(test_long_names),
        cmocka_unit_test(test_every_layout),
        cmocka_unit_test(test_epsilon),
        cmocka_unit_test(test_near_miss),
        cmocka_unit_test(test_every_variant),
        cmocka_unit_test(test_asks),
        cmocka_unit_test(test_hub),
        cmocka_unit_test(test_files_of_mos),
        cmocka_unit_test(test_keys_of_a_file),
        cmocka_unit_test(test_order_of_a_file),
        cmocka_unit_test(test_order_of_mos),
        cmocka_unit_test(test_mos_groups),
        cmocka_unit_test(test_grouped_head),
        cmocka_unit_test(test_wrong_orders),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}

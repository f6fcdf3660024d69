/* SPDX-License-Identifier: Apache-2.0 */
/*
 * T2T-ViT: Yuan et al., "Tokens-to-token ViT: training vision transformers from scratch on ImageNet", ICCV
 * 2021. Images become tokens by overlapping patches, twice with a narrow token block between; a plain
 * transformer follows. Names are those of the published code.
 *
 *     x = patches(images, 7x7 stride 4);            x = attention1(x)    (N, 56*56, 64) of images of 224
 *     x = patches(map of x, 3x3 stride 2);          x = attention2(x)    (N, 28*28, 64)
 *     x = project(patches(map of x, 3x3 stride 2))                       (N, 14*14, C)
 *     x = (cls_token, x) + pos_embed
 *     depth times: x = x + attn(norm1(x));  x = x + mlp(norm2(x))
 *     logits = head(norm(x of the class token))
 *
 * The token blocks of t2t_vit_N are performers (Choromanski et al., ICLR 2021) with m = 32 fixed random
 * features w, those of t2t_vit_t_N transformers of one head:
 *
 *     k, q, v = kqv(norm1(x));  phi(a) = exp(w a - |a|^2/2)/sqrt(m)
 *     y_t = (sum_s v_s phi(k_s)^T) phi(q_t) / (phi(q_t) . sum_s phi(k_s) + 1e-8)
 *     y = v + dropout(proj(y));  out = y + dropout(mlp(norm2(y)))
 *
 *     q, k, v = qkv(norm1(x));  y = v + proj(softmax(q k^T/sqrt(width of x)) v);  out = y + mlp(norm2(y))
 *
 * The three steps leave a 16th of each side, so that only multiples of 16 are meant as sizes.
 *
 * Taps: the tokens after each quarter of the blocks, rounded down (6, 12, 18 and 24 of 24).
 */
#include <math.h>

#include "nn/layers/layers.h"
#include "nn/variant.h"
#include "runtime/ops.h"

enum { TOKEN_WIDTH = 64, HEAD_WIDTH = 64, FEATURES = 32, MLP_RATIO = 3, QUARTERS = 4, PATCH = 16 };

static const float denominator_epsilon = 1e-8f;
static const float token_dropout = 0.1f;

/* The members of `prefix`. */
static const char *member(char *buffer, const char *prefix, const char *name)
{
    return sft_name(buffer, "%s.%s", prefix, name);
}

static sft_value norm(struct sft_build *build, const char *prefix, const char *name, sft_value x)
{
    char full[SFT_MAX_NAME];
    return sft_layer_norm_layer(build, member(full, prefix, name), x);
}

static sft_value mlp(struct sft_build *build, const char *prefix, const char *const names[2], sft_value x,
                     int64_t hidden)
{
    char first[SFT_MAX_NAME], second[SFT_MAX_NAME];
    return sft_mlp_layer(build, member(first, prefix, names[0]), member(second, prefix, names[1]), x, hidden);
}

static const char *const numbered[] = {"mlp.0", "mlp.2"}, *const named[] = {"mlp.fc1", "mlp.fc2"};

/* ---- performer ---- */

/* phi of x (N,T,64): (N,T,m). */
static sft_value features_of(struct sft_build *build, sft_value x, sft_value w)
{
    struct sft_graph *graph = build->graph;
    int64_t n = sft_build_dim(build, x, 0), t = sft_build_dim(build, x, 1);
    sft_value rows = sft_reshape(graph, x, SFT_SHAPE(n * t, TOKEN_WIDTH));
    sft_value product = sft_matmul(graph, rows, w, SFT_NONE, (struct sft_matmul_params){.transpose_b = 1});
    sft_value half = sft_sum_to(graph, sft_mul(graph, rows, rows), SFT_SHAPE(n * t, 1), 0.5f);
    sft_value phi = sft_exp(graph, sft_add(graph, product, half, -1.0f));
    return sft_reshape(graph, sft_scale(graph, phi, (float)(1 / sqrt(FEATURES))), SFT_SHAPE(n, t, FEATURES));
}

/* Linear attention of the features kp, qp (N,T,m) over v (N,T,64). */
static sft_value attend(struct sft_build *build, sft_value kp, sft_value qp, sft_value v)
{
    struct sft_graph *graph = build->graph;
    int64_t n = sft_build_dim(build, v, 0);
    sft_value sums =
        sft_reshape(graph, sft_sum_to(graph, kp, SFT_SHAPE(n, 1, FEATURES), 1.0f), SFT_SHAPE(n, FEATURES, 1));
    sft_value denominator = sft_matmul(graph, qp, sums, SFT_NONE, (struct sft_matmul_params){0});
    sft_value kv = sft_matmul(graph, kp, v, SFT_NONE, (struct sft_matmul_params){.transpose_a = 1});
    sft_value y = sft_matmul(graph, qp, kv, SFT_NONE, (struct sft_matmul_params){0});
    denominator = sft_add(graph, denominator, sft_fill(graph, SFT_SHAPE(1), denominator_epsilon), 1.0f);
    return sft_div(graph, y, denominator);
}

static sft_value performer(struct sft_build *build, const char *prefix, sft_value x)
{
    struct sft_graph *graph = build->graph;
    char name[SFT_MAX_NAME];
    sft_value n = norm(build, prefix, "norm1", x), part[3], w, y;
    struct sft_dense kqv = sft_dense_parameters(build, member(name, prefix, "kqv"),
                                                sft_build_dim(build, x, 2), 3 * TOKEN_WIDTH, true);
    w = sft_build_parameter(build, prefix, "w",
                            (struct sft_parameter_rule){.kind = SFT_BUFFER,
                                                        .shape = SFT_SHAPE(FEATURES, TOKEN_WIDTH),
                                                        .init = {SFT_INIT_ORTHOGONAL, sqrtf(FEATURES)}});
    for (int i = 0; i < 3; i++)
        part[i] = sft_dense_apply(build, n, sft_dense_rows(build, kqv, i * TOKEN_WIDTH, TOKEN_WIDTH));
    y = attend(build, features_of(build, part[0], w), features_of(build, part[1], w), part[2]);
    y = sft_dense_layer(build, member(name, prefix, "proj"), y, TOKEN_WIDTH, true);
    y = sft_add(graph, sft_dropout_layer(build, y, token_dropout), part[2], 1.0f);
    n = mlp(build, prefix, numbered, norm(build, prefix, "norm2", y), TOKEN_WIDTH);
    return sft_add(graph, sft_dropout_layer(build, n, token_dropout), y, 1.0f);
}

/* ---- transformer of one head ---- */

static sft_value transformer(struct sft_build *build, const char *prefix, sft_value x)
{
    struct sft_graph *graph = build->graph;
    int64_t width = sft_build_dim(build, x, 2);
    const struct sft_attention_params params = {1, width ? (float)(1 / sqrt((double)width)) : 1};
    char name[SFT_MAX_NAME];
    sft_value n = norm(build, prefix, "norm1", x), part[3], y;
    struct sft_dense qkv =
        sft_dense_parameters(build, member(name, prefix, "attn.qkv"), width, 3 * TOKEN_WIDTH, false);
    for (int i = 0; i < 3; i++)
        part[i] = sft_dense_apply(build, n, sft_dense_rows(build, qkv, i * TOKEN_WIDTH, TOKEN_WIDTH));
    y = sft_attention(graph, part[0], part[1], part[2], params);
    y = sft_dense_layer(build, member(name, prefix, "attn.proj"), y, TOKEN_WIDTH, true);
    y = sft_add(graph, y, part[2], 1.0f);
    n = mlp(build, prefix, named, norm(build, prefix, "norm2", y), TOKEN_WIDTH);
    return sft_add(graph, n, y, 1.0f);
}

/* ---- the network ---- */

typedef sft_value token_block(struct sft_build *build, const char *prefix, sft_value x);

static void build_with(struct sft_build *build, sft_value images, token_block *block);
static void build_performer(struct sft_build *build, sft_value images)
{
    build_with(build, images, performer);
}
static void build_transformer(struct sft_build *build, sft_value images)
{
    build_with(build, images, transformer);
}

/* Overlapping patches of the map that tokens (N, side*side, C) are. */
static sft_value patches(struct sft_build *build, sft_value tokens, int64_t side)
{
    int64_t n = sft_build_dim(build, tokens, 0), width = sft_build_dim(build, tokens, 2);
    return sft_unfold(build->graph, sft_reshape(build->graph, tokens, SFT_SHAPE(n, side, side, width)),
                      (struct sft_unfold_params){.kernel = 3, .stride = 2, .pad = 1});
}

static sft_value tokens_of(struct sft_build *build, sft_value images, token_block *block, int64_t width)
{
    int64_t size = build->network->image_size;
    sft_value x =
        sft_unfold(build->graph, images, (struct sft_unfold_params){.kernel = 7, .stride = 4, .pad = 2});
    x = block(build, "tokens_to_token.attention1", x);
    x = block(build, "tokens_to_token.attention2", patches(build, x, size / 4));
    return sft_dense_layer(build, "tokens_to_token.project", patches(build, x, size / 8), width, true);
}

static sft_value encoder_block(struct sft_build *build, int number, sft_value x, int heads)
{
    char prefix[SFT_MAX_NAME], name[SFT_MAX_NAME];
    int64_t width = (int64_t)heads * HEAD_WIDTH;
    sft_value y;
    sft_name(prefix, "blocks.%d", number);
    y = norm(build, prefix, "norm1", x);
    x = sft_add(build->graph, x, sft_self_attention_layer(build, member(name, prefix, "attn"), y, heads),
                1.0f);
    y = mlp(build, prefix, named, norm(build, prefix, "norm2", x), MLP_RATIO * width);
    return sft_add(build->graph, x, y, 1.0f);
}

static int heads_of(const struct sft_variant *variant)
{
    static const struct {
        int depth, heads;
    } depths[] = {{14, 6}, {19, 7}, {24, 8}};
    int i = 0;
    while (depths[i].depth != variant->depth) i++;
    return depths[i].heads;
}

static void build_with(struct sft_build *build, sft_value images, token_block *block)
{
    int depth = build->network->variant->depth, heads = heads_of(build->network->variant), quarter = 1;
    sft_value x = tokens_of(build, images, block, (int64_t)heads * HEAD_WIDTH);
    x = sft_positions_layer(build, "pos_embed", sft_class_token_layer(build, "cls_token", x));
    for (int i = 0; i < depth; i++) {
        x = encoder_block(build, i, x, heads);
        if (i + 1 != quarter * depth / QUARTERS) continue;
        x = sft_build_tap(build, SFT_TAP_TOKENS, x);
        quarter++;
    }
    x = sft_layer_norm_layer(build, "norm", sft_token_layer(build, x, 0));
    sft_head_layer(build, "head", x, SFT_HEAD_LINEAR);
}

#define VARIANT(n, layers, text, function)                                                                   \
    {                                                                                                        \
        .name = n, .about = "T2T-ViT-" #layers " for 224-pixel images, " text, .build = function,            \
        .depth = layers, .image_size = 224, .sizes = {.least = PATCH, .multiple = PATCH},                    \
        .positions = {"pos_embed", PATCH}, .stage_taps = {3, 2}, .mean = {0.5f, 0.5f, 0.5f}, .std = {        \
            0.5f,                                                                                            \
            0.5f,                                                                                            \
            0.5f                                                                                             \
        }                                                                                                    \
    }
#define VARIANTS(layers)                                                                                     \
    VARIANT("t2t_vit_" #layers, layers, "tokens by performers", build_performer),                            \
        VARIANT("t2t_vit_t_" #layers, layers, "tokens by transformers", build_transformer)

const struct sft_variant sft_variants_t2t_vit[] = {VARIANTS(14), VARIANTS(19), VARIANTS(24), {0}};

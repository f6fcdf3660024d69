/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/bench_cases.h"

#include "runtime/ops.h"

static sft_value input(struct sft_graph *graph, const char *name, struct sft_shape shape)
{
    return sft_graph_input(graph, name, SFT_F32, shape);
}

void sft_bench_arithmetic(struct sft_graph *graph, int64_t n)
{
    (void)n;
    sft_matmul(graph, input(graph, "a", SFT_SHAPE(1024, 1024)), input(graph, "b", SFT_SHAPE(1024, 1024)),
               SFT_NONE, (struct sft_matmul_params){0});
}

void sft_bench_traffic(struct sft_graph *graph, int64_t n)
{
    (void)n;
    sft_add(graph, input(graph, "a", SFT_SHAPE(16 << 20)), input(graph, "b", SFT_SHAPE(16 << 20)), 1);
}

/* ---- convolution: the three stages of resnetv2_20 and the widest layer of vgg11 ---- */

struct conv {
    int64_t side, in, out;
    int kernel, stride;
};

static struct sft_conv2d_params conv_params(const struct conv *conv)
{
    return (struct sft_conv2d_params){.stride = {conv->stride, conv->stride},
                                      .pad = {conv->kernel / 2, conv->kernel / 2},
                                      .dilation = {1, 1},
                                      .groups = 1};
}

static sft_value conv_input(struct sft_graph *graph, const struct conv *conv, int64_t n)
{
    return input(graph, "x", SFT_SHAPE(n, conv->side, conv->side, conv->in));
}

static sft_value conv_weight(struct sft_graph *graph, const struct conv *conv)
{
    return input(graph, "weight", SFT_SHAPE(conv->kernel, conv->kernel, conv->in, conv->out));
}

static sft_value conv_dy(struct sft_graph *graph, const struct conv *conv, int64_t n)
{
    int64_t side = conv->side / conv->stride;
    return input(graph, "dy", SFT_SHAPE(n, side, side, conv->out));
}

static void forward(struct sft_graph *graph, int64_t n, const struct conv *conv)
{
    sft_conv2d(graph, conv_input(graph, conv, n), conv_weight(graph, conv), SFT_NONE, conv_params(conv));
}

static void backward_dx(struct sft_graph *graph, int64_t n, const struct conv *conv)
{
    struct sft_conv2d_params params = conv_params(conv);
    params.size[0] = params.size[1] = conv->side;
    sft_conv2d_dx(graph, conv_dy(graph, conv, n), conv_weight(graph, conv), params);
}

static void backward_dw(struct sft_graph *graph, int64_t n, const struct conv *conv)
{
    struct sft_conv2d_params params = conv_params(conv);
    params.size[0] = params.size[1] = conv->kernel;
    sft_conv2d_dw(graph, conv_input(graph, conv, n), conv_dy(graph, conv, n), params);
}

#define CONV_OF(name, images, side, in, out, kernel, stride)                                                 \
    static void name##_forward(struct sft_graph *graph, int64_t n)                                           \
    {                                                                                                        \
        (void)n;                                                                                             \
        forward(graph, images, &(struct conv){side, in, out, kernel, stride});                               \
    }                                                                                                        \
    static void name##_dx(struct sft_graph *graph, int64_t n)                                                \
    {                                                                                                        \
        (void)n;                                                                                             \
        backward_dx(graph, images, &(struct conv){side, in, out, kernel, stride});                           \
    }                                                                                                        \
    static void name##_dw(struct sft_graph *graph, int64_t n)                                                \
    {                                                                                                        \
        (void)n;                                                                                             \
        backward_dw(graph, images, &(struct conv){side, in, out, kernel, stride});                           \
    }
#define CONV(name, ...) CONV_OF(name, n, __VA_ARGS__)

CONV(stage1, 32, 16, 16, 3, 1)
CONV(stage2, 32, 16, 32, 3, 2)
CONV(stage3, 8, 64, 64, 3, 1)
CONV(point, 16, 64, 128, 1, 1)
CONV(wide, 8, 256, 256, 3, 1)

/* ---- convolutions of BiT ResNetv2 at 480 pixels, in batches as small as its memory allows ---- */

enum { BIT_BATCH = 2 };

#define BIT_CONV(name, ...) CONV_OF(name, BIT_BATCH, __VA_ARGS__)

BIT_CONV(bit_root, 480, 3, 64, 7, 2)
BIT_CONV(bit_reduce1, 120, 256, 64, 1, 1)
BIT_CONV(bit_middle1, 120, 64, 64, 3, 1)
BIT_CONV(bit_expand1, 120, 64, 256, 1, 1)
BIT_CONV(bit_half2, 120, 128, 128, 3, 2)
BIT_CONV(bit_middle2, 60, 128, 128, 3, 1)
BIT_CONV(bit_expand2, 60, 128, 512, 1, 1)
BIT_CONV(bit_reduce3, 30, 1024, 256, 1, 1)
BIT_CONV(bit_middle3, 30, 256, 256, 3, 1)
BIT_CONV(bit_expand3, 30, 256, 1024, 1, 1)
BIT_CONV(bit_reduce4, 15, 2048, 512, 1, 1)
BIT_CONV(bit_middle4, 15, 512, 512, 3, 1)
BIT_CONV(bit_expand4, 15, 512, 2048, 1, 1)

#define CONV_ROWS(name, shape)                                                                               \
    {"conv2d", shape, name##_forward}, {"conv2d_dx", shape, name##_dx}, { "conv2d_dw", shape, name##_dw }

/* ---- the rest ---- */

static void linear(struct sft_graph *graph, int64_t n)
{
    sft_matmul(graph, input(graph, "a", SFT_SHAPE(n, 512)), input(graph, "b", SFT_SHAPE(512, 512)),
               input(graph, "bias", SFT_SHAPE(512)), (struct sft_matmul_params){.transpose_b = 1});
}

struct norm {
    int64_t batch, side, channels;
    int groups;
};

static void norm_forward(struct sft_graph *graph, const struct norm *n)
{
    sft_value x = input(graph, "x", SFT_SHAPE(n->batch, n->side, n->side, n->channels));
    sft_value gamma = input(graph, "gamma", SFT_SHAPE(n->channels)),
              beta = input(graph, "beta", SFT_SHAPE(n->channels));
    sft_group_norm(graph, x, gamma, beta, SFT_NONE, SFT_NONE,
                   (struct sft_group_norm_params){.groups = n->groups, .epsilon = 1e-5f, .relu = 1});
}

static void norm_gradient(struct sft_graph *graph, const struct norm *n)
{
    struct sft_group_norm_params params = {.groups = n->groups, .epsilon = 1e-5f, .relu = 1};
    struct sft_shape shape = SFT_SHAPE(n->batch, n->side, n->side, n->channels);
    sft_value x = input(graph, "x", shape), dy = input(graph, "dy", shape);
    sft_value gamma = input(graph, "gamma", SFT_SHAPE(n->channels)),
              beta = input(graph, "beta", SFT_SHAPE(n->channels));
    sft_value mean = input(graph, "mean", SFT_SHAPE(n->batch, n->groups)),
              rstd = input(graph, "rstd", SFT_SHAPE(n->batch, n->groups));
    sft_value sums = sft_group_norm_sums(graph, x, dy, gamma, beta, mean, rstd, params), dgamma;
    sft_group_norm_dx(graph, x, dy, gamma, beta, mean, rstd, sums, params);
    sft_group_norm_dparam(graph, sums, &dgamma);
}

#define NORM(name, batch, side, channels, groups)                                                            \
    static void name(struct sft_graph *graph, int64_t n)                                                     \
    {                                                                                                        \
        (void)n;                                                                                             \
        norm_forward(graph, &(struct norm){batch, side, channels, groups});                                  \
    }                                                                                                        \
    static void name##_gradient(struct sft_graph *graph, int64_t n)                                          \
    {                                                                                                        \
        (void)n;                                                                                             \
        norm_gradient(graph, &(struct norm){batch, side, channels, groups});                                 \
    }

NORM(group_norm, n, 32, 16, 4)
NORM(bit_norm1, BIT_BATCH, 120, 256, 32)
NORM(bit_norm3, BIT_BATCH, 30, 1024, 32)

static void standardize(struct sft_graph *graph, int64_t n)
{
    sft_value rstd;
    (void)n;
    sft_weight_standardize(graph, input(graph, "weight", SFT_SHAPE(3, 3, 256, 256)), 1e-8f, &rstd);
}

static void relu(struct sft_graph *graph, int64_t n)
{
    sft_relu(graph, input(graph, "x", SFT_SHAPE(n, 32, 32, 64)));
}

static void gelu(struct sft_graph *graph, int64_t n)
{
    sft_gelu(graph, input(graph, "x", SFT_SHAPE(n, 197, 384)));
}

static void residual(struct sft_graph *graph, int64_t n)
{
    struct sft_shape shape = SFT_SHAPE(n, 32, 32, 64);
    sft_add(graph, input(graph, "a", shape), input(graph, "b", shape), 1);
}

/* ---- t2t_vit_24 at 224 pixels: 197 tokens of 512, before them 3136 of 64 ---- */

static const struct sft_attention_params backbone_heads = {8, 0.125f}, token_head = {1, 0.0824786f};

static void tokens_linear(struct sft_graph *graph, int64_t n)
{
    sft_matmul(graph, input(graph, "a", SFT_SHAPE(n * 197, 512)), input(graph, "b", SFT_SHAPE(1536, 512)),
               input(graph, "bias", SFT_SHAPE(1536)), (struct sft_matmul_params){.transpose_b = 1});
}

static void tokens_linear_dx(struct sft_graph *graph, int64_t n)
{
    sft_matmul(graph, input(graph, "dy", SFT_SHAPE(n * 197, 1536)), input(graph, "b", SFT_SHAPE(1536, 512)),
               SFT_NONE, (struct sft_matmul_params){0});
}

static void tokens_linear_dw(struct sft_graph *graph, int64_t n)
{
    sft_matmul(graph, input(graph, "dy", SFT_SHAPE(n * 197, 1536)),
               input(graph, "a", SFT_SHAPE(n * 197, 512)), SFT_NONE,
               (struct sft_matmul_params){.transpose_a = 1});
}

static void attention(struct sft_graph *graph, int64_t n)
{
    sft_attention(graph, input(graph, "qkv", SFT_SHAPE(n, 197, 3 * 512)), SFT_NONE, SFT_NONE, backbone_heads);
}

static void attention_gradient(struct sft_graph *graph, int64_t n)
{
    sft_attention_grad(graph, input(graph, "dy", SFT_SHAPE(n, 197, 512)),
                       input(graph, "y", SFT_SHAPE(n, 197, 512)), input(graph, "lse", SFT_SHAPE(n, 8, 197)),
                       input(graph, "qkv", SFT_SHAPE(n, 197, 3 * 512)), SFT_NONE, SFT_NONE, backbone_heads);
}

static void token_attention(struct sft_graph *graph, int64_t n)
{
    n = n / 16 + 1;
    sft_attention(graph, input(graph, "qkv", SFT_SHAPE(n, 3136, 3 * 64)), SFT_NONE, SFT_NONE, token_head);
}

static void token_attention_gradient(struct sft_graph *graph, int64_t n)
{
    n = n / 16 + 1;
    sft_attention_grad(graph, input(graph, "dy", SFT_SHAPE(n, 3136, 64)),
                       input(graph, "y", SFT_SHAPE(n, 3136, 64)), input(graph, "lse", SFT_SHAPE(n, 1, 3136)),
                       input(graph, "qkv", SFT_SHAPE(n, 3136, 3 * 64)), SFT_NONE, SFT_NONE, token_head);
}

static const struct sft_group_norm_params layer = {.groups = 1, .epsilon = 1e-5f};

static void layer_norm(struct sft_graph *graph, int64_t n)
{
    sft_group_norm(graph, input(graph, "x", SFT_SHAPE(n * 197, 512)), input(graph, "gamma", SFT_SHAPE(512)),
                   input(graph, "beta", SFT_SHAPE(512)), SFT_NONE, SFT_NONE, layer);
}

static void layer_norm_gradient(struct sft_graph *graph, int64_t n)
{
    struct sft_shape rows = SFT_SHAPE(n * 197, 512), statistic = SFT_SHAPE(n * 197, 1);
    sft_value dgamma, dbeta;
    sft_layer_norm_grad(graph, input(graph, "x", rows), input(graph, "dy", rows),
                        input(graph, "gamma", SFT_SHAPE(512)), input(graph, "mean", statistic),
                        input(graph, "rstd", statistic), &dgamma, &dbeta);
}

static void gelu_gradient(struct sft_graph *graph, int64_t n)
{
    sft_gelu_grad(graph, input(graph, "dy", SFT_SHAPE(n, 197, 1536)),
                  input(graph, "x", SFT_SHAPE(n, 197, 1536)));
}

static void unfold(struct sft_graph *graph, int64_t n)
{
    sft_unfold(graph, input(graph, "x", SFT_SHAPE(n, 56, 56, 64)), (struct sft_unfold_params){3, 2, 1});
}

static void fold(struct sft_graph *graph, int64_t n)
{
    sft_fold(graph, input(graph, "y", SFT_SHAPE(n, 28 * 28, 9 * 64)),
             (struct sft_fold_params){{3, 2, 1}, {56, 56}});
}

static void exponential(struct sft_graph *graph, int64_t n)
{
    sft_exp(graph, input(graph, "x", SFT_SHAPE(n, 3136, 32)));
}

static void bit_residual(struct sft_graph *graph, int64_t n)
{
    struct sft_shape shape = SFT_SHAPE(BIT_BATCH, 120, 120, 256);
    (void)n;
    sft_add(graph, input(graph, "a", shape), input(graph, "b", shape), 1);
}

static const struct sft_pool_params halves = {.kernel = {2, 2}, .stride = {2, 2}};

static void max_pool(struct sft_graph *graph, int64_t n)
{
    sft_value index;
    sft_max_pool(graph, input(graph, "x", SFT_SHAPE(n, 32, 32, 64)), halves, &index);
}

static void avg_pool(struct sft_graph *graph, int64_t n)
{
    sft_avg_pool(graph, input(graph, "x", SFT_SHAPE(n, 32, 32, 64)), halves);
}

static void softmax(struct sft_graph *graph, int64_t n)
{
    sft_softmax(graph, input(graph, "x", SFT_SHAPE(n, 1000)));
}

static void row_loss(struct sft_graph *graph, int64_t n)
{
    sft_value labels = sft_graph_input(graph, "labels", SFT_I32, SFT_SHAPE(n));
    sft_row_loss(graph, input(graph, "logits", SFT_SHAPE(n, 1000)), labels, (struct sft_row_loss_params){0});
}

static void norm2(struct sft_graph *graph, int64_t n)
{
    (void)n;
    sft_norm2(graph, input(graph, "x", SFT_SHAPE(9 << 20)), 1e-16f);
}

static void sum_to(struct sft_graph *graph, int64_t n)
{
    sft_sum_to(graph, input(graph, "x", SFT_SHAPE(n, 32, 32, 64)), SFT_SHAPE(64), 1);
}

static void permute(struct sft_graph *graph, int64_t n)
{
    static const int axis[SFT_MAX_RANK] = {0, 3, 1, 2};
    sft_permute(graph, input(graph, "x", SFT_SHAPE(n, 32, 32, 64)), axis);
}

static void sgd(struct sft_graph *graph, int64_t n)
{
    struct sft_shape shape = SFT_SHAPE(9 << 20);
    sft_value w = input(graph, "w", shape), v = input(graph, "v", shape), g = input(graph, "g", shape);
    (void)n;
    sft_sgd(graph, w, v, g, input(graph, "hyper", SFT_SHAPE(SFT_HYPER_COUNT)),
            (struct sft_update_params){.decay = 1});
}

const struct sft_bench_case sft_bench_cases[] = {
    CONV_ROWS(stage1, "N,32,32,16 3x3 16"),
    CONV_ROWS(stage2, "N,32,32,16 3x3/2 32"),
    CONV_ROWS(stage3, "N,8,8,64 3x3 64"),
    CONV_ROWS(point, "N,16,16,64 1x1 128"),
    CONV_ROWS(wide, "N,8,8,256 3x3 256"),
    CONV_ROWS(bit_root, "2,480,480,3 7x7/2 64"),
    CONV_ROWS(bit_reduce1, "2,120,120,256 1x1 64"),
    CONV_ROWS(bit_middle1, "2,120,120,64 3x3 64"),
    CONV_ROWS(bit_expand1, "2,120,120,64 1x1 256"),
    CONV_ROWS(bit_half2, "2,120,120,128 3x3/2 128"),
    CONV_ROWS(bit_middle2, "2,60,60,128 3x3 128"),
    CONV_ROWS(bit_expand2, "2,60,60,128 1x1 512"),
    CONV_ROWS(bit_reduce3, "2,30,30,1024 1x1 256"),
    CONV_ROWS(bit_middle3, "2,30,30,256 3x3 256"),
    CONV_ROWS(bit_expand3, "2,30,30,256 1x1 1024"),
    CONV_ROWS(bit_reduce4, "2,15,15,2048 1x1 512"),
    CONV_ROWS(bit_middle4, "2,15,15,512 3x3 512"),
    CONV_ROWS(bit_expand4, "2,15,15,512 1x1 2048"),
    {"matmul", "N,512 512,512", linear},
    {"group_norm", "N,32,32,16 4 groups", group_norm},
    {"group_norm", "2,120,120,256 32 groups", bit_norm1},
    {"group_norm", "2,30,30,1024 32 groups", bit_norm3},
    {"group_norm_dx", "N,32,32,16, all three", group_norm_gradient},
    {"group_norm_dx", "2,120,120,256, all three", bit_norm1_gradient},
    {"group_norm_dx", "2,30,30,1024, all three", bit_norm3_gradient},
    {"weight_standardize", "3,3,256,256", standardize},
    {"relu", "N,32,32,64", relu},
    {"gelu", "N,197,384", gelu},
    {"gelu_grad", "N,197,1536", gelu_gradient},
    {"matmul", "N*197,512 1536,512", tokens_linear},
    {"matmul", "N*197,1536 1536,512", tokens_linear_dx},
    {"matmul", "N*197,1536 N*197,512", tokens_linear_dw},
    {"attention", "N,197 8 heads of 64", attention},
    {"attention_grad", "N,197 8 heads of 64", attention_gradient},
    {"attention", "N/16+1,3136 1 head of 64", token_attention},
    {"attention_grad", "N/16+1,3136 1 head of 64", token_attention_gradient},
    {"group_norm", "N*197,512 1 group", layer_norm},
    {"layer_norm_grad", "N*197,512", layer_norm_gradient},
    {"unfold", "N,56,56,64 3x3/2", unfold},
    {"fold", "N,784,576 3x3/2", fold},
    {"exp", "N,3136,32", exponential},
    {"add", "N,32,32,64", residual},
    {"add", "2,120,120,256", bit_residual},
    {"max_pool", "N,32,32,64 2x2", max_pool},
    {"avg_pool", "N,32,32,64 2x2", avg_pool},
    {"softmax", "N,1000", softmax},
    {"row_loss", "N,1000", row_loss},
    {"norm2", "9437184", norm2},
    {"sum_to", "N,32,32,64 to 64", sum_to},
    {"permute", "N,32,32,64", permute},
    {"sgd", "9437184", sgd},
    {0},
};

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The operations, as calls that append a node to a graph (runtime/graph.h) and return its (first) output.
 *
 * Tensors are contiguous float32 unless said otherwise, channels last: images N,H,W,C; filters R,S,I,O
 * (kernel row, kernel column, input channel of the group, output channel). Optional inputs may be SFT_NONE. A
 * shape that does not fit is logged, kept as the graph's status, and gives SFT_NONE. dX is the gradient of
 * the loss with respect to X. All sums are in a fixed order: the same input gives the same bits on one
 * device.
 */
#ifndef SFT_OPS_H
#define SFT_OPS_H

#include "runtime/graph.h"
#include "runtime/op.h"

#define SFT_OP(name) extern const struct sft_op sft_op_##name;
#include "runtime/ops.def"
#undef SFT_OP

/* Every op, by its place. */
extern const struct sft_op *const sft_ops[SFT_OP_COUNT];
const struct sft_op *sft_op_find(const char *name); /* NULL when there is none */

/* ---- elementwise ---- */

struct sft_add_params {
    float alpha; /* y = a + alpha * b */
};
struct sft_scale_params {
    float factor;
};
struct sft_fill_params {
    struct sft_shape shape;
    float value;
};

/* y = a + alpha*b, y = a*b and y = a/b; b broadcasts to a's shape (aligned right, sizes equal or 1). A
 * quotient is 0 where b is 0. */
sft_value sft_add(struct sft_graph *graph, sft_value a, sft_value b, float alpha);
sft_value sft_mul(struct sft_graph *graph, sft_value a, sft_value b);
sft_value sft_div(struct sft_graph *graph, sft_value a, sft_value b);
sft_value sft_scale(struct sft_graph *graph, sft_value x, float factor);
sft_value sft_sign(struct sft_graph *graph, sft_value x); /* -1, 0 or 1 */
sft_value sft_sqrt(struct sft_graph *graph, sft_value x); /* of x >= 0; the gradient at 0 is taken as 0 */
sft_value sft_exp(struct sft_graph *graph, sft_value x);
/* max(x, 0). The gradient passes where the output is positive. */
sft_value sft_relu(struct sft_graph *graph, sft_value x);
sft_value sft_relu_grad(struct sft_graph *graph, sft_value dy, sft_value y); /* dy where y > 0, else 0 */
/* x * Phi(x) with the exact normal distribution function (erf form). */
sft_value sft_gelu(struct sft_graph *graph, sft_value x);
sft_value sft_gelu_grad(struct sft_graph *graph, sft_value dy, sft_value x);
sft_value sft_fill(struct sft_graph *graph, struct sft_shape shape, float value);

/* ---- reductions and broadcasts ---- */

struct sft_sum_to_params {
    struct sft_shape shape; /* of the output */
    float scale;
};

/* scale * sum of x over the axes along which `shape` (aligned right) has size 1 or is missing. */
sft_value sft_sum_to(struct sft_graph *graph, sft_value x, struct sft_shape shape, float scale);
/* The adjoint: scale * x repeated to `shape`. */
sft_value sft_broadcast_to(struct sft_graph *graph, sft_value x, struct sft_shape shape, float scale);

struct sft_norm2_params {
    float epsilon;
};
/* sqrt(sum x^2) + epsilon as a tensor of shape (1). */
sft_value sft_norm2(struct sft_graph *graph, sft_value x, float epsilon);

/* ---- matrix product and convolution ---- */

struct sft_matmul_params {
    int transpose_a, transpose_b;
    int relu; /* 1: the result goes through max(., 0) */
};
/* y (M,N) = op(a) op(b) + bias. a is (M,K), or (K,M) with transpose_a; b is (K,N), or (N,K) with transpose_b;
 * bias (N) is optional. With rank 3 all of a, b and y have the same number of matrices in front (no bias
 * then). */
sft_value sft_matmul(struct sft_graph *graph, sft_value a, sft_value b, sft_value bias,
                     struct sft_matmul_params params);

struct sft_conv2d_params {
    int stride[2], pad[2], dilation[2]; /* rows, columns; zero padding on both sides */
    int groups;
    int relu;
    int64_t size[2]; /* gradient ops only: rows and columns of the input (dx) or of the kernel (dw) */
};
/* x (N,H,W,C), weight (R,S,C/groups,K), bias (K) optional -> (N,P,Q,K), with
 * P = (H + 2*pad - dilation*(R-1) - 1)/stride + 1. */
sft_value sft_conv2d(struct sft_graph *graph, sft_value x, sft_value weight, sft_value bias,
                     struct sft_conv2d_params params);
/* dy (N,P,Q,K), weight -> dx (N, size[0], size[1], C). */
sft_value sft_conv2d_dx(struct sft_graph *graph, sft_value dy, sft_value weight,
                        struct sft_conv2d_params params);
/* x, dy -> dweight (size[0], size[1], C/groups, K). */
sft_value sft_conv2d_dw(struct sft_graph *graph, sft_value x, sft_value dy, struct sft_conv2d_params params);

struct sft_weight_standardize_params {
    float epsilon;
};
/* Weight standardisation (Qiao et al. 2019): weight (R,S,I,O) -> (w - mean)/sqrt(var + epsilon) over R,S,I
 * for each O, with the biased variance. `rstd` (O) = 1/sqrt(var + epsilon), saved for the gradient. */
sft_value sft_weight_standardize(struct sft_graph *graph, sft_value weight, float epsilon, sft_value *rstd);
sft_value sft_weight_standardize_grad(struct sft_graph *graph, sft_value dy, sft_value y, sft_value rstd);

/* ---- normalisation ---- */

struct sft_group_norm_params {
    int64_t groups; /* of consecutive channels */
    float epsilon;
    int relu;   /* 1: y goes through max(., 0); the gradient recomputes the mask from x */
    int frozen; /* 1: mean and variance are given, not computed */
};
struct sft_group_norm_out {
    sft_value y, mean, rstd; /* mean, rstd (N, groups) */
};
/* Group normalisation (Wu and He 2018). x (N, ..., C), statistics over the pixels and channels of a group of
 * one image, with the biased variance; y = (x - mean)*rstd*gamma + beta with gamma, beta (C). Layer norm is x
 * viewed as (rows, C) with one group; batch norm is x viewed as (1, N*H*W, C) with C groups. Frozen: `mean`
 * and `variance` (N, groups) are used as they are, and get no gradient. Otherwise pass SFT_NONE. */
struct sft_group_norm_out sft_group_norm(struct sft_graph *graph, sft_value x, sft_value gamma,
                                         sft_value beta, sft_value mean, sft_value variance,
                                         struct sft_group_norm_params params);
/* Gradient, in three ops. With dz = dy (masked by the ReLU) and xh = (x - mean)*rstd:
 *   sums (2,N,C): sum over pixels of dz, and of dz*xh;
 *   dx (x's shape): rstd*(gamma*dz - mean_group(gamma*dz) - xh*mean_group(gamma*dz*xh)), frozen without the
 *     means;
 *   dparam (2,C): sums added over images: dbeta, then dgamma. */
sft_value sft_group_norm_sums(struct sft_graph *graph, sft_value x, sft_value dy, sft_value gamma,
                              sft_value beta, sft_value mean, sft_value rstd,
                              struct sft_group_norm_params params);
sft_value sft_group_norm_dx(struct sft_graph *graph, sft_value x, sft_value dy, sft_value gamma,
                            sft_value beta, sft_value mean, sft_value rstd, sft_value sums,
                            struct sft_group_norm_params params);
sft_value sft_group_norm_dparam(struct sft_graph *graph, sft_value sums, sft_value *dgamma);
/* The same in one op for layer norm without a ReLU, where the sums would be larger than x: x and dy
 * (rows,C), mean and rstd (rows,1) -> dx; dgamma and dbeta (C). */
sft_value sft_layer_norm_grad(struct sft_graph *graph, sft_value x, sft_value dy, sft_value gamma,
                              sft_value mean, sft_value rstd, sft_value *dgamma, sft_value *dbeta);

struct sft_running_update_params {
    float momentum; /* weight of the new value */
    float epsilon;  /* of the normalisation */
    int64_t count;  /* elements behind each statistic */
};
/* Batch norm's running statistics, updated in place: running_mean += momentum*(mean - running_mean), and the
 * same for the variance with the unbiased batch variance (1/rstd^2 - epsilon)*count/(count-1). All (C). */
void sft_running_update(struct sft_graph *graph, sft_value running_mean, sft_value running_variance,
                        sft_value mean, sft_value rstd, struct sft_running_update_params params);

/* ---- pooling ---- */

struct sft_pool_params {
    int kernel[2], stride[2], pad[2];
    int zero_pad;    /* max pool: 1: padded zeros take part (BiT's root); 0: they never win */
    int64_t size[2]; /* gradient ops only: rows and columns of the input */
};
/* x (N,H,W,C) -> (N,P,Q,C). `index` (int32, y's shape): h*W + w of the maximum, the first in row-major window
 * order; -1 when a padded zero won. Average pooling divides by the kernel's size. */
sft_value sft_max_pool(struct sft_graph *graph, sft_value x, struct sft_pool_params params, sft_value *index);
sft_value sft_max_pool_grad(struct sft_graph *graph, sft_value dy, sft_value index,
                            struct sft_pool_params params);
sft_value sft_avg_pool(struct sft_graph *graph, sft_value x, struct sft_pool_params params);
sft_value sft_avg_pool_grad(struct sft_graph *graph, sft_value dy, struct sft_pool_params params);

/* ---- patches ---- */

struct sft_unfold_params {
    int kernel, stride, pad; /* of rows and columns alike; zero padding on all sides */
};
/* x (N,H,W,C) -> (N, P*Q, C*kernel*kernel): patches in row-major order, the elements of each ordered by
 * channel, then kernel row, then kernel column; P and Q as for sft_conv2d. */
sft_value sft_unfold(struct sft_graph *graph, sft_value x, struct sft_unfold_params params);

struct sft_fold_params {
    struct sft_unfold_params patch;
    int64_t size[2]; /* rows and columns of the image */
};
/* The adjoint: patches (N, P*Q, C*kernel*kernel) -> (N, size[0], size[1], C), added up where they overlap. */
sft_value sft_fold(struct sft_graph *graph, sft_value patches, struct sft_fold_params params);

/* ---- attention ---- */

struct sft_attention_params {
    int heads;
    float scale; /* of the products of queries and keys */
};
/* Softmax attention (Vaswani et al. 2017, eq. 1) of heads that lie side by side: q, k, v (N,T,heads*d) -> y
 * (N,T,heads*d), y_t = sum_s p_ts v_s with p_ts = exp(scale*q_t.k_s - lse_t). lse (N,heads,T), a second
 * output that the gradient needs, is log(sum_s exp(scale*q_t.k_s)). No T x T matrix is ever in memory.
 * Packed: with k and v SFT_NONE, q is (N,T,3*heads*d), where a row holds the queries of all heads, then their
 * keys, then their values, as one linear layer makes them. */
sft_value sft_attention(struct sft_graph *graph, sft_value q, sft_value k, sft_value v,
                        struct sft_attention_params params);
/* dq, dk, dv side by side (N,T,3*heads*d), from dy and what the forward op had and made. With D_t = dy_t.y_t
 * and ds_ts = p_ts*(dy_t.v_s - D_t): dq_t = scale*sum_s ds_ts k_s, dk_s = scale*sum_t ds_ts q_t, dv_s = sum_t
 * p_ts dy_t. */
sft_value sft_attention_grad(struct sft_graph *graph, sft_value dy, sft_value y, sft_value lse, sft_value q,
                             sft_value k, sft_value v, struct sft_attention_params params);

/* ---- softmax and losses ---- */

/* Over the last axis, with the maximum subtracted. */
sft_value sft_softmax(struct sft_graph *graph, sft_value x);
sft_value sft_softmax_grad(struct sft_graph *graph, sft_value dy, sft_value y);

/* Distance of an outlier's prediction from the uniform one (docs/methods.md, "The loss"). */
enum sft_distance {
    SFT_DISTANCE_OE,
    SFT_DISTANCE_KL_PU,
    SFT_DISTANCE_L2,
    SFT_DISTANCE_JS,
    SFT_DISTANCE_ENERGY,
    SFT_DISTANCE_LOGITNORM
};
struct sft_row_loss_params {
    int distance;        /* enum sft_distance */
    float energy_weight; /* energy: w, m_in, m_out */
    float energy_in, energy_out;
};
/* One loss a row: logits z (N,C), labels int32 (N). A label >= 0 is cross entropy LSE(z) - z_label (plus the
 * energy term of an ID row under SFT_DISTANCE_ENERGY); a label of -1 marks an outlier, whose loss is the
 * distance. -> (N). */
sft_value sft_row_loss(struct sft_graph *graph, sft_value logits, sft_value labels,
                       struct sft_row_loss_params params);
sft_value sft_row_loss_grad(struct sft_graph *graph, sft_value logits, sft_value labels, sft_value dloss,
                            struct sft_row_loss_params params);

/* ---- random numbers ---- */

struct sft_dropout_params {
    float probability; /* of zero */
    uint32_t stream;   /* tells layers and passes apart */
};
/* y = x*mask/(1-p). `key` int32 (4): seed low, seed high, step, part. With j = part*(elements of x) + i
 * modulo 2^32, element i draws word j%4 of the Philox block with key (seed) and counter (j/4, stream, step,
 * SFT_STREAM_DROPOUT), and is kept when (word >> 8)*2^-24 >= p. So parts of one size draw what the whole
 * batch would. Its gradient is itself on dy. */
sft_value sft_dropout(struct sft_graph *graph, sft_value x, sft_value key, struct sft_dropout_params params);

struct sft_normal_params {
    struct sft_shape shape;
    uint32_t stream;
};
/* Normal numbers, mean 0 and variance 1. `key` as for dropout; the part does not matter. Elements 4j .. 4j+3
 * come from the words of the Philox block with key (seed) and counter (j, stream, step, SFT_STREAM_PERTURB),
 * by Box and Muller's transform of its two pairs (a, b): r cos t and r sin t with r = sqrt(-2 ln u), u = ((a
 * >> 8) + 1)*2^-24, t = 2 pi (b >> 8)*2^-24. */
sft_value sft_normal(struct sft_graph *graph, struct sft_shape shape, sft_value key, uint32_t stream);

/* ---- layout ---- */

struct sft_view_params {
    int64_t offset; /* elements */
    struct sft_shape shape;
};
/* The elements from `offset` on under another shape; no copy, no kernel. */
sft_value sft_view(struct sft_graph *graph, sft_value x, int64_t offset, struct sft_shape shape);
sft_value sft_reshape(struct sft_graph *graph, sft_value x, struct sft_shape shape);

/* Stores temporary `value` at element `offset` of outside value `base` from its birth on, so that many
 * results share one flat tensor without a copy. Returns the value to use from now on: `value`, or a copy of
 * it where it already has a place of its own. Both have the same type. What else lies there is checked when
 * a program is made (runtime/aliasing.h). */
sft_value sft_graph_place(struct sft_graph *graph, sft_value value, sft_value base, int64_t offset);

struct sft_slice_params {
    int64_t start[SFT_MAX_RANK];
    struct sft_shape shape; /* slice: of the output; pad: of the output */
};
/* The box of `shape` at `start`; and its adjoint, x placed at `start` in zeros of `shape`. */
sft_value sft_slice(struct sft_graph *graph, sft_value x, const int64_t *start, struct sft_shape shape);
sft_value sft_pad(struct sft_graph *graph, sft_value x, const int64_t *start, struct sft_shape shape);

struct sft_permute_params {
    int axis[SFT_MAX_RANK]; /* axis i of the output is axis[i] of the input */
};
sft_value sft_permute(struct sft_graph *graph, sft_value x, const int *axis);

struct sft_concat_params {
    int axis;
};
sft_value sft_concat(struct sft_graph *graph, sft_value a, sft_value b, int axis);

/* ---- low rank ---- */

struct sft_remove_rank_one_params {
    int iterations; /* or SFT_EXACT_RANK_ONE */
};
/* The singular vectors themselves: by LAPACK on the CPU backend, by 1000 iterations on Vulkan. */
enum { SFT_EXACT_RANK_ONE = 0 };
/* x (N, ..., C) as N matrices X (rows, C) without their largest rank-1 part: X - s u v^T, found by power
 * iteration from v = `start` (N, C), or X^T 1 where that is SFT_NONE: `iterations` times u = X v/(|X v| +
 * 1e-10), v = X^T u/(|X^T u| + 1e-10); s = |X^T u|. `quality` (N, 2): s and |X v - s u|/s, which is 0 for
 * singular vectors. */
sft_value sft_remove_rank_one(struct sft_graph *graph, sft_value x, sft_value start, int iterations,
                              sft_value *quality);

/* ---- optimisers: flat, in place ---- */

/* What changes from step to step lies in one small tensor, uploaded before the step. */
enum sft_hyper {
    SFT_HYPER_LR,
    SFT_HYPER_RHO,
    SFT_HYPER_MOMENTUM,
    SFT_HYPER_WEIGHT_DECAY,
    SFT_HYPER_BETA1,
    SFT_HYPER_BETA2,
    SFT_HYPER_EPSILON,
    SFT_HYPER_BIAS1, /* 1 - beta1^t */
    SFT_HYPER_BIAS2, /* 1 - beta2^t */
    SFT_HYPER_NEW,   /* weight of the new term in a running mean */
    SFT_HYPER_KEEP,  /* weight of what was added up so far */
    SFT_HYPER_COUNT = 16,
};

/* w + rho*g/norm: the ascent of SAM (Foret et al. 2021, eq. 2). w, g of one shape, norm (1), hyper (16). */
sft_value sft_perturb(struct sft_graph *graph, sft_value w, sft_value g, sft_value norm, sft_value hyper);

struct sft_update_params {
    int nesterov;  /* SGD */
    int decoupled; /* Adam: AdamW's weight decay */
    int decay;     /* 0: no weight decay for these parameters */
};
/* SGD as in PyTorch: d = g + wd*w; v = mu*v + d; w -= lr*(nesterov ? d + mu*v : v). v starts as zeros. */
void sft_sgd(struct sft_graph *graph, sft_value w, sft_value v, sft_value g, sft_value hyper,
             struct sft_update_params params);
/* Adam (Kingma and Ba 2015) with coupled L2, or AdamW: m, v start as zeros; w -= lr*(m/bias1)/(sqrt(v/bias2)
 * + epsilon). */
void sft_adam(struct sft_graph *graph, sft_value w, sft_value m, sft_value v, sft_value g, sft_value hyper,
              struct sft_update_params params);

#endif

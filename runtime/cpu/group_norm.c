/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Group normalisation. An image is a matrix of P pixels by C channels; a group is a run of channels.
 * Everything per group is made of sums per channel, which vectorise over the channels of a pixel.
 *
 * With many images a task does all passes over one image while it is in the cache. With few (batch norm sees
 * one "image" of all pixels) images are cut into chunks, and the passes are loops over all chunks.
 */
#include <math.h>
#include <string.h>

#include "runtime/base/parallel.h"
#include "runtime/cpu/layer_norm.h"
#include "runtime/cpu/loops.h"
#include "runtime/ops.h"

enum { MANY_IMAGES = 16, CHUNKS = 32, CHUNK_ELEMENTS = 16384, RUN = 64, PIVOT_PIXELS = 8 };

struct norm {
    int64_t images, pixels, channels, groups, chunks;
    float epsilon;
    bool relu, frozen;
    const float *x, *dy, *gamma, *beta;
    float *y, *dx, *sums;
    float *mean, *rstd; /* (N, groups): results of forward, inputs of the gradient */
    const float *given_mean, *given_variance, *given_sums;
    double *partial; /* by image and chunk: two sums per channel */
    float *constant; /* by image: CONSTANTS numbers per channel */
};

enum { CONSTANTS = 4 };

static struct norm describe(const struct sft_graph *graph, const struct sft_node *node)
{
    const struct sft_group_norm_params *params = SFT_NODE_PARAMS(struct sft_group_norm_params, node);
    const struct sft_shape *x = sft_in_shape(graph, node, 0);
    struct norm n = {.images = x->dim[0],
                     .channels = x->dim[x->rank - 1],
                     .groups = params->groups,
                     .chunks = 1,
                     .epsilon = params->epsilon,
                     .relu = params->relu,
                     .frozen = params->frozen};
    n.pixels = sft_shape_count(x) / n.images / n.channels;
    if (n.images < MANY_IMAGES) n.chunks = sft_divide_up(n.pixels * n.channels, CHUNK_ELEMENTS);
    if (n.chunks > CHUNKS) n.chunks = CHUNKS;
    if (n.chunks > n.pixels) n.chunks = n.pixels;
    return n;
}

static size_t scratch_bytes(const struct sft_graph *graph, const struct sft_node *node)
{
    struct norm n = describe(graph, node);
    return (size_t)(n.images * n.channels) *
           (size_t)((int64_t)(2 * sizeof(double)) * n.chunks + (int64_t)(CONSTANTS * sizeof(float)));
}

size_t sft_cpu_group_norm_scratch(const struct sft_graph *graph, const struct sft_node *node)
{
    return sft_cpu_is_layer_norm(graph, node) ? 0 : scratch_bytes(graph, node);
}

size_t sft_cpu_group_norm_sums_scratch(const struct sft_graph *graph, const struct sft_node *node)
{
    return scratch_bytes(graph, node);
}

size_t sft_cpu_group_norm_dx_scratch(const struct sft_graph *graph, const struct sft_node *node)
{
    return scratch_bytes(graph, node);
}

static void use_scratch(struct norm *n, void *scratch)
{
    n->partial = scratch;
    n->constant = (float *)(n->partial + 2 * n->images * n->channels * n->chunks);
}

/* The pixels of chunk `chunk`, and where its image's rows of the tables are. */
struct part {
    int64_t image, first, count, at; /* at: elements before its first pixel */
    double *sum0, *sum1;
    float *constant;
};

static struct part part_of(const struct norm *n, int64_t image, int64_t chunk)
{
    struct part p = {.image = image, .first = chunk * n->pixels / n->chunks};
    p.count = (chunk + 1) * n->pixels / n->chunks - p.first;
    p.at = (image * n->pixels + p.first) * n->channels;
    p.sum0 = n->partial + (image * n->chunks + chunk) * 2 * n->channels;
    p.sum1 = p.sum0 + n->channels;
    p.constant = n->constant + image * CONSTANTS * n->channels;
    return p;
}

/* ---- passes over a run of pixels: short sums in float32, long ones in float64 ---- */

static inline void add_runs(const float *run0, const float *run1, int64_t channels, double *restrict sum0,
                            double *restrict sum1)
{
    for (int64_t c = 0; c < channels; c++) {
        sum0[c] += (double)run0[c];
        sum1[c] += (double)run1[c];
    }
}

/* Adds x - pivot and its square. `stride` is from pixel to pixel. */
SFT_CLONES static void add_moments(const float *x, int64_t pixels, int64_t stride, int64_t channels,
                                   const float *pivot, double *restrict sum0, double *restrict sum1,
                                   float *restrict run0, float *restrict run1)
{
    for (int64_t p0 = 0; p0 < pixels; p0 += RUN) {
        int64_t p1 = p0 + RUN < pixels ? p0 + RUN : pixels;
        for (int64_t c = 0; c < channels; c++) run0[c] = run1[c] = 0.0f;
        for (int64_t p = p0; p < p1; p++)
            for (int64_t c = 0; c < channels; c++) {
                float d = x[p * stride + c] - pivot[c];
                run0[c] += d;
                run1[c] += d * d;
            }
        add_runs(run0, run1, channels, sum0, sum1);
    }
}

SFT_CLONES static void apply(const float *x, int64_t pixels, int64_t channels, const float *mean,
                             const float *scale, const float *beta, float floor, float *restrict y)
{
    for (int64_t p = 0; p < pixels; p++)
        for (int64_t c = 0; c < channels; c++) {
            float z = (x[p * channels + c] - mean[c]) * scale[c] + beta[c];
            y[p * channels + c] = z < floor ? floor : z; /* keeps NaN */
        }
}

/* Adds dz and dz * (x - mean), where dz = dy where z > floor: floor is 0 with a ReLU and -inf without. */
SFT_CLONES static void add_products(const float *x, const float *dy, int64_t pixels, int64_t stride,
                                    int64_t channels, const float *mean, const float *scale,
                                    const float *beta, float floor, double *restrict sum0,
                                    double *restrict sum1, float *restrict run0, float *restrict run1)
{
    for (int64_t p0 = 0; p0 < pixels; p0 += RUN) {
        int64_t p1 = p0 + RUN < pixels ? p0 + RUN : pixels;
        for (int64_t c = 0; c < channels; c++) run0[c] = run1[c] = 0.0f;
        for (int64_t p = p0; p < p1; p++)
            for (int64_t c = 0; c < channels; c++) {
                float centred = x[p * stride + c] - mean[c];
                float dz = centred * scale[c] + beta[c] > floor ? dy[p * stride + c] : 0.0f;
                run0[c] += dz;
                run1[c] += dz * centred;
            }
        add_runs(run0, run1, channels, sum0, sum1);
    }
}

/* dx = scale*dz - (bias + centred*slope). */
SFT_CLONES static void apply_gradient(const float *x, const float *dy, int64_t pixels, int64_t channels,
                                      const float *mean, const float *scale, const float *beta,
                                      const float *bias, const float *slope, float floor, float *dx)
{
    for (int64_t p = 0; p < pixels; p++)
        for (int64_t c = 0; c < channels; c++) {
            float centred = x[p * channels + c] - mean[c];
            float dz = centred * scale[c] + beta[c] > floor ? dy[p * channels + c] : 0.0f;
            dx[p * channels + c] = scale[c] * dz - (bias[c] + centred * slope[c]);
        }
}

/* ---- forward ---- */

enum { BLOCK = 512 }; /* channels whose short sums lie on the stack */

/* The mean of a few pixels: near what it is subtracted from, so that squares keep their digits. */
static void choose_pivot(const float *x, int64_t pixels, int64_t stride, int64_t channels, float *pivot)
{
    int64_t few = sft_min64(PIVOT_PIXELS, pixels);
    for (int64_t c = 0; c < channels; c++) pivot[c] = 0.0f;
    for (int64_t p = 0; p < few; p++)
        for (int64_t c = 0; c < channels; c++) pivot[c] += x[p * stride + c];
    for (int64_t c = 0; c < channels; c++) pivot[c] /= (float)few;
}

/* By channel of a chunk: the sum, and the sum of squared distances from the chunk's own mean. */
static void forward_moments(const struct norm *n, int64_t image, int64_t chunk)
{
    struct part p = part_of(n, image, chunk);
    float pivot[BLOCK], run0[BLOCK], run1[BLOCK];
    double count = (double)p.count;
    memset(p.sum0, 0, 2 * (size_t)n->channels * sizeof(double));
    for (int64_t first = 0; first < n->channels; first += BLOCK) {
        int64_t width = sft_min64(BLOCK, n->channels - first);
        const float *x = n->x + p.at + first;
        choose_pivot(x, p.count, n->channels, width, pivot);
        add_moments(x, p.count, n->channels, width, pivot, p.sum0 + first, p.sum1 + first, run0, run1);
        for (int64_t c = 0; c < width; c++) {
            double off = p.sum0[first + c];
            p.sum1[first + c] -= off * off / count;
            p.sum0[first + c] += count * (double)pivot[c];
        }
    }
}

static double group_mean(const struct norm *n, int64_t image, int64_t group)
{
    int64_t size = n->channels / n->groups;
    double total = 0.0;
    for (int64_t chunk = 0; chunk < n->chunks; chunk++) {
        const double *sum = part_of(n, image, chunk).sum0 + group * size;
        for (int64_t c = 0; c < size; c++) total += sum[c];
    }
    return total / (double)(size * n->pixels);
}

/* Each chunk's and channel's squares about its own mean, and that mean's distance from the group's. */
static double group_variance(const struct norm *n, int64_t image, int64_t group, double mean)
{
    int64_t size = n->channels / n->groups;
    double total = 0.0;
    for (int64_t chunk = 0; chunk < n->chunks; chunk++) {
        struct part p = part_of(n, image, chunk);
        double count = (double)p.count;
        for (int64_t c = group * size; c < (group + 1) * size; c++) {
            double off = p.sum0[c] / count - mean;
            total += p.sum1[c] + count * off * off;
        }
    }
    return fmax(0.0, total) / (double)(size * n->pixels);
}

static void forward_constants(const struct norm *n, int64_t image)
{
    int64_t size = n->channels / n->groups;
    float *mean = part_of(n, image, 0).constant, *scale = mean + n->channels;
    for (int64_t g = 0; g < n->groups; g++) {
        int64_t i = image * n->groups + g;
        double m = n->frozen ? (double)n->given_mean[i] : group_mean(n, image, g);
        double variance = n->frozen ? (double)n->given_variance[i] : group_variance(n, image, g, m);
        n->mean[i] = (float)m;
        n->rstd[i] = (float)(1.0 / sqrt(variance + (double)n->epsilon));
        for (int64_t c = g * size; c < (g + 1) * size; c++) {
            mean[c] = n->mean[i];
            scale[c] = n->rstd[i] * n->gamma[c];
        }
    }
}

static float floor_of(const struct norm *n) { return n->relu ? 0.0f : -INFINITY; }

static void forward_apply(const struct norm *n, int64_t image, int64_t chunk)
{
    struct part p = part_of(n, image, chunk);
    apply(n->x + p.at, p.count, n->channels, p.constant, p.constant + n->channels, n->beta, floor_of(n),
          n->y + p.at);
}

/* ---- gradient ---- */

/* Constants by channel: mean, rstd, rstd*gamma. */
static void gradient_constants(const struct norm *n, int64_t image)
{
    int64_t size = n->channels / n->groups;
    float *mean = part_of(n, image, 0).constant;
    float *rstd = mean + n->channels;
    float *scale = rstd + n->channels;
    for (int64_t c = 0; c < n->channels; c++) {
        mean[c] = n->mean[image * n->groups + c / size];
        rstd[c] = n->rstd[image * n->groups + c / size];
        scale[c] = rstd[c] * n->gamma[c];
    }
}

static void sums_products(const struct norm *n, int64_t image, int64_t chunk)
{
    struct part p = part_of(n, image, chunk);
    const float *mean = p.constant, *scale = mean + 2 * n->channels;
    float run0[BLOCK], run1[BLOCK];
    memset(p.sum0, 0, 2 * (size_t)n->channels * sizeof(double));
    for (int64_t c = 0; c < n->channels; c += BLOCK)
        add_products(n->x + p.at + c, n->dy + p.at + c, p.count, n->channels,
                     sft_min64(BLOCK, n->channels - c), mean + c, scale + c, n->beta + c, floor_of(n),
                     p.sum0 + c, p.sum1 + c, run0, run1);
}

static void sums_finish(const struct norm *n, int64_t image)
{
    float *sum0 = n->sums + image * n->channels, *sum1 = sum0 + n->images * n->channels;
    const float *rstd = part_of(n, image, 0).constant + n->channels;
    for (int64_t c = 0; c < n->channels; c++) {
        double total0 = 0.0, total1 = 0.0;
        for (int64_t chunk = 0; chunk < n->chunks; chunk++) {
            struct part p = part_of(n, image, chunk);
            total0 += p.sum0[c];
            total1 += p.sum1[c];
        }
        sum0[c] = (float)total0;
        sum1[c] = (float)(total1 * (double)rstd[c]);
    }
}

/* Constants by channel: mean, rstd*gamma, bias and slope of dx = scale*dz - (bias + centred*slope). */
static void dx_constants(const struct norm *n, int64_t image)
{
    int64_t size = n->channels / n->groups;
    float *mean = part_of(n, image, 0).constant;
    float *scale = mean + n->channels;
    float *bias = scale + n->channels;
    float *slope = bias + n->channels;
    for (int64_t g = 0; g < n->groups; g++) {
        double rstd = (double)n->rstd[image * n->groups + g];
        double total0 = 0.0, total1 = 0.0;
        for (int64_t c = g * size; !n->frozen && c < (g + 1) * size; c++) {
            total0 += (double)n->gamma[c] * (double)n->given_sums[image * n->channels + c];
            total1 += (double)n->gamma[c] * (double)n->given_sums[(n->images + image) * n->channels + c];
        }
        total0 /= (double)(size * n->pixels);
        total1 /= (double)(size * n->pixels);
        for (int64_t c = g * size; c < (g + 1) * size; c++) {
            mean[c] = n->mean[image * n->groups + g];
            scale[c] = (float)rstd * n->gamma[c];
            bias[c] = (float)(rstd * total0);
            slope[c] = (float)(rstd * rstd * total1);
        }
    }
}

static void dx_apply(const struct norm *n, int64_t image, int64_t chunk)
{
    struct part p = part_of(n, image, chunk);
    const float *mean = p.constant;
    const float *scale = mean + n->channels;
    const float *bias = scale + n->channels;
    apply_gradient(n->x + p.at, n->dy + p.at, p.count, n->channels, mean, scale, n->beta, bias,
                   bias + n->channels, floor_of(n), n->dx + p.at);
}

/* ---- running passes: by image, or by chunk and then by image ---- */

typedef void (*chunk_pass)(const struct norm *n, int64_t image, int64_t chunk);
typedef void (*image_pass)(const struct norm *n, int64_t image);

struct pass {
    chunk_pass chunk; /* over every chunk, then */
    image_pass image; /* over every image; either may be NULL */
};

struct passes {
    const struct norm *norm;
    const struct pass *pass;
    int count;
};

static void run_image(void *context, int64_t image, int slot)
{
    const struct passes *all = context;
    (void)slot;
    for (int i = 0; i < all->count; i++) {
        if (all->pass[i].chunk)
            for (int64_t chunk = 0; chunk < all->norm->chunks; chunk++)
                all->pass[i].chunk(all->norm, image, chunk);
        if (all->pass[i].image) all->pass[i].image(all->norm, image);
    }
}

static void run_chunk(void *context, int64_t task, int slot)
{
    const struct passes *all = context;
    (void)slot;
    all->pass->chunk(all->norm, task / all->norm->chunks, task % all->norm->chunks);
}

static void run_passes(const struct norm *n, const struct pass *pass, int count)
{
    struct passes all = {n, pass, count};
    if (n->chunks == 1) {
        sft_parallel_for(n->images, run_image, &all);
        return;
    }
    for (int i = 0; i < count; i++) {
        struct passes one = {n, pass + i, 1};
        if (pass[i].chunk) sft_parallel_for(n->images * n->chunks, run_chunk, &one);
        for (int64_t image = 0; pass[i].image && image < n->images; image++) pass[i].image(n, image);
    }
}

enum sft_status sft_cpu_group_norm(const struct sft_call *call)
{
    static const struct pass computed[] = {{forward_moments, forward_constants}, {forward_apply, NULL}};
    static const struct pass frozen[] = {{NULL, forward_constants}, {forward_apply, NULL}};
    struct norm n;
    if (sft_cpu_is_layer_norm(call->graph, call->node)) return sft_cpu_layer_norm(call);
    n = describe(call->graph, call->node);
    use_scratch(&n, call->scratch);
    n.x = call->in[0];
    n.gamma = call->in[1];
    n.beta = call->in[2];
    n.given_mean = call->in[3];
    n.given_variance = call->in[4];
    n.y = call->out[0];
    n.mean = call->out[1];
    n.rstd = call->out[2];
    run_passes(&n, n.frozen ? frozen : computed, 2);
    return SFT_OK;
}

static struct norm describe_gradient(const struct sft_call *call)
{
    struct norm n = describe(call->graph, call->node);
    use_scratch(&n, call->scratch);
    n.x = call->in[0];
    n.dy = call->in[1];
    n.gamma = call->in[2];
    n.beta = call->in[3];
    n.mean = call->in[4];
    n.rstd = call->in[5];
    return n;
}

enum sft_status sft_cpu_group_norm_sums(const struct sft_call *call)
{
    static const struct pass passes[] = {{NULL, gradient_constants}, {sums_products, sums_finish}};
    struct norm n = describe_gradient(call);
    n.sums = call->out[0];
    run_passes(&n, passes, 2);
    return SFT_OK;
}

enum sft_status sft_cpu_group_norm_dx(const struct sft_call *call)
{
    static const struct pass passes[] = {{NULL, dx_constants}, {dx_apply, NULL}};
    struct norm n = describe_gradient(call);
    n.given_sums = call->in[6];
    n.dx = call->out[0];
    run_passes(&n, passes, 2);
    return SFT_OK;
}

enum sft_status sft_cpu_group_norm_dparam(const struct sft_call *call)
{
    const struct sft_shape *shape = sft_in_shape(call->graph, call->node, 0);
    int64_t images = shape->dim[1], channels = shape->dim[2];
    const float *sums = call->in[0];
    for (int which = 0; which < 2; which++)
        for (int64_t c = 0; c < channels; c++) {
            double total = 0.0;
            for (int64_t n = 0; n < images; n++) total += (double)sums[(which * images + n) * channels + c];
            ((float *)call->out[which])[c] = (float)total;
        }
    return SFT_OK;
}

enum sft_status sft_cpu_running_update(const struct sft_call *call)
{
    const struct sft_running_update_params *params =
        SFT_NODE_PARAMS(struct sft_running_update_params, call->node);
    int64_t channels = sft_in_count(call->graph, call->node, 0);
    float *running_mean = call->in[0], *running_variance = call->in[1];
    const float *mean = call->in[2], *rstd = call->in[3];
    float unbiased = (float)params->count / (float)(params->count - 1);
    for (int64_t c = 0; c < channels; c++) {
        float variance = (1.0f / (rstd[c] * rstd[c]) - params->epsilon) * unbiased;
        running_mean[c] += params->momentum * (mean[c] - running_mean[c]);
        running_variance[c] += params->momentum * (variance - running_variance[c]);
    }
    return SFT_OK;
}

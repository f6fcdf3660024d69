/* SPDX-License-Identifier: Apache-2.0 */
#include "sam/select.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/base/alloc.h"
#include "runtime/base/rng.h"
#include "runtime/program.h"
#include "sam/sets.h"

/* ---- ESAM ---- */

enum sft_status sft_select_tensors(struct sft_step *step, const struct sft_step_rates *rates)
{
    float kept[SFT_MAX_PARAMETERS] = {0};
    struct sft_rng rng;
    sft_rng_init(&rng, rates->seed, SFT_STREAM_PERTURB, (uint64_t)rates->step);
    for (int i = 0; i < step->model->parameters.n; i++)
        if (sft_step_perturbs(step, i))
            kept[i] = sft_rng_uniform(&rng) < step->params.constants.esam_beta ? 1.0f : 0.0f;
    return sft_tensor_upload(step->tensors[SFT_SLOT_KEPT], 0, step->model->parameters.n, kept);
}

/* How many images of that kind have a rise above `least`. */
static int64_t count_above(const struct sft_step *step, const int32_t *labels, bool outliers, double least)
{
    int64_t n = 0;
    for (int64_t i = 0; i < step->params.n_id + step->params.n_ood; i++)
        n += (labels[i] < 0) == outliers && (double)step->second_buffer[i] > least;
    return n;
}

/* The k-th largest rise of the images of one kind: the largest with at least k rises from it on. */
static double kth_rise(const struct sft_step *step, const int32_t *labels, bool outliers, int64_t k)
{
    double best = -INFINITY;
    for (int64_t i = 0; i < step->params.n_id + step->params.n_ood; i++) {
        double rise = (double)step->second_buffer[i];
        if ((labels[i] < 0) != outliers || rise <= best) continue;
        if (count_above(step, labels, outliers, nextafter(rise, -INFINITY)) >= k) best = rise;
    }
    return best;
}

/* The published code keeps what lies strictly above the last of the top k = gamma n: k - 1 images where no
 * two are alike. Where that leaves none, all stay. */
static void weigh(struct sft_step *step, const int32_t *labels, bool outliers, float total)
{
    int64_t n = count_above(step, labels, outliers, -INFINITY), k, kept;
    double least = -INFINITY;
    k = (int64_t)((double)step->params.constants.esam_gamma * (double)n);
    if (n > 0 && k > 0 && step->params.constants.esam_gamma < 0.99f)
        least = kth_rise(step, labels, outliers, k);
    kept = count_above(step, labels, outliers, least);
    if (kept == 0) {
        least = -INFINITY;
        kept = n;
    }
    for (int64_t i = 0; i < step->params.n_id + step->params.n_ood; i++)
        if ((labels[i] < 0) == outliers)
            step->weight_buffer[i] = (double)step->second_buffer[i] > least ? total / (float)kept : 0.0f;
}

enum sft_status sft_select_rows(struct sft_step *step, const int32_t *labels)
{
    int64_t n = step->params.n_id + step->params.n_ood;
    for (int64_t i = 0; i < n; i++) {
        step->second_buffer[i] -= step->row_buffer[i];
        if (!isfinite(step->second_buffer[i]))
            return sft_fail(SFT_FAILED,
                            "the loss at the perturbed weights is not finite: use a smaller --rho");
    }
    weigh(step, labels, false, 1.0f);
    weigh(step, labels, true, step->params.lambda);
    return SFT_OK;
}

/* ---- SSAM: choosing entries ---- */

enum mark { OUTSIDE, DEAD, LIVE, BORN };

/* Entries of the perturbed set: what they are, and numbers not below 0 to rank them by. */
struct entries {
    int64_t n;
    unsigned char *marks; /* enum mark */
    float *score;
};

static void release(struct entries *entries)
{
    free(entries->marks);
    free(entries->score);
}

static enum sft_status create(const struct sft_step *step, struct entries *entries)
{
    *entries = (struct entries){.n = step->extent};
    entries->marks = sft_calloc((size_t)entries->n, 1);
    entries->score = sft_calloc((size_t)entries->n, sizeof(float));
    if (!entries->marks || !entries->score) return SFT_MEMORY;
    for (int i = 0; i < step->model->parameters.n; i++) {
        const struct sft_parameter *item = &step->model->parameters.items[i];
        if (sft_step_perturbs(step, i)) memset(entries->marks + item->offset, DEAD, (size_t)item->count);
    }
    return SFT_OK;
}

static int64_t count_marked(const struct entries *entries, enum mark mark)
{
    int64_t n = 0;
    for (int64_t i = 0; i < entries->n; i++) n += entries->marks[i] == mark;
    return n;
}

/* Floats not below 0 have the order of their bits; the other way round for the least. */
static uint32_t key_of(float score, bool least)
{
    uint32_t bits;
    memcpy(&bits, &score, sizeof(bits));
    return least ? ~bits : bits;
}

/* The bucket in which the *k-th largest key of those that `from` marks lies, and *k within it. Buckets are 16
 * bits of the key: the upper ones, or the lower ones of keys whose upper ones are `upper`. */
static uint32_t bucket_of(const struct entries *entries, enum mark from, bool least, int64_t upper,
                          int64_t *counts, int64_t *k)
{
    enum { BUCKETS = 1 << 16 };
    uint32_t bucket = BUCKETS;
    memset(counts, 0, BUCKETS * sizeof(*counts));
    for (int64_t i = 0; i < entries->n; i++) {
        uint32_t key = key_of(entries->score[i], least);
        if (entries->marks[i] != from) continue;
        if (upper < 0)
            counts[key >> 16]++;
        else if (key >> 16 == (uint32_t)upper)
            counts[key & (BUCKETS - 1)]++;
    }
    while (*k > counts[--bucket]) *k -= counts[bucket];
    return bucket;
}

/* Gives the k entries with the largest (or least) scores among those marked `from` the mark `to`; the first
 * of equals. */
static enum sft_status mark_best(struct entries *entries, enum mark from, enum mark to, bool least, int64_t k)
{
    int64_t *counts, equals = k;
    uint32_t key;
    if (k < 1) return SFT_OK;
    counts = sft_calloc(1 << 16, sizeof(*counts));
    if (!counts) return SFT_MEMORY;
    key = bucket_of(entries, from, least, -1, counts, &equals);
    key = key << 16 | bucket_of(entries, from, least, key, counts, &equals);
    free(counts);
    for (int64_t i = 0; i < entries->n; i++) {
        uint32_t own = key_of(entries->score[i], least);
        if (entries->marks[i] == from && (own > key || (own == key && equals-- > 0)))
            entries->marks[i] = (unsigned char)to;
    }
    return SFT_OK;
}

/* ---- SSAM: the mask ---- */

static enum sft_status upload_mask(struct sft_step *step, struct entries *entries)
{
    for (int64_t i = 0; i < entries->n; i++) entries->score[i] = entries->marks[i] >= LIVE ? 1.0f : 0.0f;
    return sft_tensor_upload(step->tensors[SFT_SLOT_MEMORY], 0, entries->n, entries->score);
}

static enum sft_status keep_best(struct sft_step *step, struct entries *entries)
{
    double share = 1.0 - (double)step->params.constants.ssam_sparsity;
    int64_t kept = (int64_t)(share * (double)count_marked(entries, DEAD));
    SFT_TRY(mark_best(entries, DEAD, LIVE, false, kept));
    return upload_mask(step, entries);
}

static void draw_scores(struct entries *entries, uint64_t seed, int64_t index)
{
    struct sft_rng rng;
    sft_rng_init(&rng, seed, SFT_STREAM_PERTURB, (uint64_t)index);
    for (int64_t i = 0; i < entries->n; i++)
        if (entries->marks[i] != OUTSIDE) entries->score[i] = sft_rng_uniform(&rng);
}

static enum sft_status download_sizes(struct sft_tensor *tensor, struct entries *entries)
{
    SFT_TRY(sft_tensor_download(tensor, 0, entries->n, entries->score));
    for (int64_t i = 0; i < entries->n; i++) entries->score[i] = fabsf(entries->score[i]);
    return SFT_OK;
}

/* Sum over images of squared gradients, one image at a time. */
static enum sft_status sum_squares(struct sft_step *step, const float *images, const int32_t *labels,
                                   struct entries *entries)
{
    struct sft_tensor *score = step->tensors[SFT_SLOT_SCORE], *image = step->tensors[SFT_SLOT_ONE_IMAGE];
    int64_t size = sft_shape_count(&image->shape), n = step->params.n_id;
    if (n > step->params.constants.ssam_samples) n = step->params.constants.ssam_samples;
    SFT_TRY(sft_tensor_upload(score, 0, entries->n, entries->score));
    for (int64_t i = 0; i < n; i++) {
        SFT_TRY(sft_tensor_upload(image, 0, size, images + i * size));
        sft_groups_targets(step->model->groups, labels + i, 1, step->target_buffer);
        SFT_TRY(sft_tensor_upload(step->tensors[SFT_SLOT_ONE_LABEL], 0, sft_step_labels_an_image(step),
                                  step->target_buffer));
        SFT_TRY(sft_program_run(step->programs[SFT_COURSE_SCORE]));
    }
    return sft_tensor_download(score, 0, entries->n, entries->score);
}

enum sft_status sft_select_before(struct sft_step *step, const struct sft_step_rates *rates,
                                  const float *images, const int32_t *labels)
{
    bool fisher = step->how.selection == SFT_SELECT_FISHER;
    struct entries entries;
    enum sft_status status;
    if (!sft_step_chooses(step)) return SFT_OK;
    if (fisher ? rates->step % step->params.constants.ssam_every != 0 : rates->step != 0) return SFT_OK;
    SFT_TRY_OUT(create(step, &entries));
    if (fisher)
        SFT_TRY_OUT(sum_squares(step, images, labels, &entries));
    else
        draw_scores(&entries, rates->seed, 0);
    status = keep_best(step, &entries);
out:
    release(&entries);
    return status;
}

/* Scores by which live entries die. */
static enum sft_status score_live(struct sft_step *step, const struct sft_step_rates *rates,
                                  struct entries *entries)
{
    if (step->params.constants.ssam_score == SFT_SSAM_GRADIENT)
        return download_sizes(step->tensors[SFT_SLOT_ASCENT], entries);
    if (step->params.constants.ssam_score == SFT_SSAM_WEIGHT)
        return download_sizes(step->model->parameters.weights, entries);
    draw_scores(entries, rates->seed, rates->step + 1);
    return SFT_OK;
}

static enum sft_status refresh(struct sft_step *step, const struct sft_step_rates *rates,
                               struct entries *entries)
{
    double progress = rates->steps > 0 ? (double)(rates->step + 1) / (double)rates->steps : 0.0;
    double rate = (double)step->params.constants.ssam_drop * 0.5 * (1.0 + cos(3.141592653589793 * progress));
    int64_t die, dead;
    SFT_TRY(sft_tensor_download(step->tensors[SFT_SLOT_MEMORY], 0, entries->n, entries->score));
    for (int64_t i = 0; i < entries->n; i++)
        if (entries->marks[i] == DEAD && entries->score[i] > 0.0f) entries->marks[i] = LIVE;
    die = (int64_t)(rate * (double)count_marked(entries, LIVE));
    dead = count_marked(entries, DEAD);
    if (die > dead) die = dead;
    SFT_TRY(download_sizes(step->tensors[SFT_SLOT_ASCENT], entries));
    SFT_TRY(mark_best(entries, DEAD, BORN, false, die));
    SFT_TRY(score_live(step, rates, entries));
    SFT_TRY(mark_best(entries, LIVE, DEAD, true, die));
    return upload_mask(step, entries);
}

enum sft_status sft_select_after(struct sft_step *step, const struct sft_step_rates *rates)
{
    struct entries entries;
    enum sft_status status;
    if (step->how.selection != SFT_SELECT_DYNAMIC ||
        (rates->step + 1) % step->params.constants.ssam_every != 0)
        return SFT_OK;
    SFT_TRY_OUT(create(step, &entries));
    status = refresh(step, rates, &entries);
out:
    release(&entries);
    return status;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A ring of batches between worker threads and the caller. Workers take (batch, ID image) pairs in order, so
 * a batch is ready as soon as possible however dear a single image is; everything that is drawn is keyed by
 * the image's running number. Only `next`, `taken`, `left`, `status` and the orders are shared, under one
 * lock.
 */
#include "datasets/loader.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/base/alloc.h"
#include "runtime/base/divide.h"
#include "runtime/base/log.h"
#include "runtime/base/parallel.h"
#include "runtime/base/rng.h"
#include "runtime/base/thread.h"

/* Epochs of outliers are numbered from here, so that they are shuffled apart from the ID images. */
#define OUTLIER_EPOCHS ((uint64_t)1 << 62)

/* The order of a data set: running number of a sample -> index. Keeps the permutation of one epoch. */
struct order {
    int64_t count, epoch;
    uint64_t seed, first_epoch;
    uint32_t *permutation; /* NULL: in order */
};

/* A batch of the ring. */
struct slot {
    struct sft_batch batch;
    int64_t *ids; /* (n_id) indices into the data set */
    /* (n_ood) indices of outliers, or of the images that SFT_PSEUDO_OTHER makes them from */
    int64_t *outliers;
    int left; /* ID images that are not ready yet */
    enum sft_status status;
};

struct worker {
    struct sft_loader *loader;
    pthread_t thread;
    struct sft_transform_scratch scratch;
    uint8_t *square, *pseudo; /* (size, size, 3) */
    uint32_t *tiles;
};

struct sft_loader {
    struct sft_loader_params params;
    struct sft_pseudo pseudo;
    int64_t end;       /* step behind the last */
    int64_t per_batch; /* outliers in a full batch */
    float normal[3][256];
    struct order id_order, ood_order;
    struct slot *slots; /* (slot_count) step s is in slots[s % slot_count] */
    int64_t slot_count;

    pthread_mutex_t lock;
    pthread_cond_t work, ready;
    int64_t next_step; /* the pair that the next free worker takes: this step ... */
    int next_image;    /* ... and this ID image of it */
    int64_t taken;     /* the step that the caller holds; those before it are free */
    int64_t wanted;    /* the step that the caller gets next */
    bool stop;
    struct worker *workers; /* (worker_room), of which worker_count have a running thread */
    int worker_room, worker_count;
};

void sft_loader_defaults(struct sft_loader_params *params, int size)
{
    memset(params, 0, sizeof(*params));
    params->batch = 32;
    params->size = size;
    for (int c = 0; c < 3; c++) params->mean[c] = params->std[c] = 0.5f;
    params->framing = sft_framing_complete(params->framing);
    sft_pseudo_defaults(&params->pseudo, size);
    params->prefetch = 2;
}

int64_t sft_loader_outliers(const struct sft_loader_params *params)
{
    if (params->outliers) return params->batch * params->ood_per_id;
    return params->batch * sft_pseudo_per_id(params->pseudo.mode, params->ood_per_id);
}

int64_t sft_loader_bytes(const struct sft_loader_params *params)
{
    int64_t images = (params->prefetch + 1) * (params->batch + sft_loader_outliers(params));
    return images * params->size * params->size * 3 * (int64_t)sizeof(float);
}

static enum sft_status order_init(struct order *order, const struct sft_dataset *dataset, bool shuffle,
                                  uint64_t seed, uint64_t first_epoch)
{
    order->count = sft_dataset_count(dataset);
    order->epoch = -1;
    order->seed = seed;
    order->first_epoch = first_epoch;
    if (!shuffle) return SFT_OK;
    if (order->count > UINT32_MAX)
        return sft_fail(SFT_USAGE, "%s: more than 2^32 images cannot be shuffled", sft_dataset_spec(dataset));
    order->permutation = sft_calloc((size_t)order->count, sizeof(uint32_t));
    return order->permutation ? SFT_OK : SFT_MEMORY;
}

static int64_t order_index(struct order *order, int64_t number)
{
    int64_t epoch = number / order->count, place = number % order->count;
    if (!order->permutation) return place;
    if (epoch != order->epoch) {
        struct sft_rng rng;
        sft_rng_init(&rng, order->seed, SFT_STREAM_SHUFFLE, order->first_epoch + (uint64_t)epoch);
        sft_rng_permutation(&rng, (uint32_t)order->count, order->permutation);
        order->epoch = epoch;
    }
    return order->permutation[place];
}

/* Is there something other than the batch's own images that outliers come from? */
static bool has_ood_order(const struct sft_loader *loader)
{
    return loader->per_batch > 0 &&
           (loader->params.outliers || loader->params.pseudo.source == SFT_PSEUDO_OTHER);
}

/* Images that outliers are made from are shuffled always: in the order of the batch they would be its own. */
static enum sft_status ood_order_init(struct sft_loader *loader)
{
    const struct sft_loader_params *params = &loader->params;
    if (!params->outliers)
        return order_init(&loader->ood_order, params->dataset, true, params->seed, OUTLIER_EPOCHS);
    return order_init(&loader->ood_order, params->outliers, params->shuffle, params->seed, OUTLIER_EPOCHS);
}

static int images_of_step(const struct sft_loader *loader, int64_t step)
{
    int64_t rest = loader->id_order.count - step * loader->params.batch;
    if (loader->params.steps > 0 || rest > loader->params.batch) return (int)loader->params.batch;
    return (int)rest;
}

static void forget_failures(const struct sft_loader *loader, struct slot *slot)
{
    for (int64_t j = 0; slot->batch.failures && j < loader->params.batch; j++) {
        free(slot->batch.failures[j]);
        slot->batch.failures[j] = NULL;
    }
}

/* Makes the slot of `next_step` ready to be filled. Under the lock. */
static void begin_step(struct sft_loader *loader)
{
    const struct sft_loader_params *params = &loader->params;
    int64_t step = loader->next_step;
    struct slot *slot = &loader->slots[step % loader->slot_count];
    int n_id = images_of_step(loader, step);
    slot->batch.step = step;
    slot->batch.n_id = n_id;
    slot->batch.n_ood = (int)(loader->per_batch / params->batch * n_id);
    slot->left = n_id;
    slot->status = SFT_OK;
    forget_failures(loader, slot);
    for (int j = 0; j < n_id; j++) slot->ids[j] = order_index(&loader->id_order, step * params->batch + j);
    if (!has_ood_order(loader)) return;
    for (int j = 0; j < slot->batch.n_ood; j++)
        slot->outliers[j] = order_index(&loader->ood_order, step * loader->per_batch + j);
}

static void normalise(const struct sft_loader *loader, const uint8_t *square, float *image)
{
    int64_t pixels = (int64_t)loader->params.size * loader->params.size;
    for (int64_t i = 0; i < pixels; i++, square += 3, image += 3)
        for (int c = 0; c < 3; c++) image[c] = loader->normal[c][square[c]];
}

/* Reads and transforms image `index` of a data set into the worker's square. */
static enum sft_status fetch(struct worker *worker, const struct sft_dataset *dataset, int64_t index,
                             uint64_t number, int *label)
{
    const struct sft_loader_params *params = &worker->loader->params;
    SFT_TRY(sft_dataset_read(dataset, index, &worker->scratch.decoded, label));
    return sft_transform(&worker->scratch, params->size, &params->framing, params->augment, params->seed,
                         number, worker->square);
}

/* Outlier number `place` of the batch. The square holds ID image j when it is made from that. */
static enum sft_status make_outlier(struct worker *worker, struct slot *slot, int place)
{
    struct sft_loader *loader = worker->loader;
    const struct sft_loader_params *params = &loader->params;
    const struct sft_batch *batch = &slot->batch;
    int64_t pixels = (int64_t)params->size * params->size * 3;
    struct sft_pseudo_key key = {.seed = params->seed,
                                 .step = batch->step,
                                 .number = batch->step * loader->per_batch + place,
                                 .place = place,
                                 .total = batch->n_ood};
    const uint8_t *made = worker->square;
    int label;
    if (has_ood_order(loader)) {
        const struct sft_dataset *from = params->outliers ? params->outliers : params->dataset;
        SFT_TRY(fetch(worker, from, slot->outliers[place], OUTLIER_EPOCHS + (uint64_t)key.number, &label));
    }
    if (!params->outliers) {
        sft_pseudo_make(&loader->pseudo, &key, worker->square, worker->pseudo, worker->tiles);
        made = worker->pseudo;
    }
    normalise(loader, made, batch->images + (batch->n_id + place) * pixels);
    batch->labels[batch->n_id + place] = -1;
    return SFT_OK;
}

static enum sft_status make_images(struct worker *worker, struct slot *slot, int j)
{
    struct sft_loader *loader = worker->loader;
    const struct sft_loader_params *params = &loader->params;
    int64_t pixels = (int64_t)params->size * params->size * 3;
    uint64_t number = (uint64_t)(slot->batch.step * params->batch + j);
    int label;
    SFT_TRY(fetch(worker, params->dataset, slot->ids[j], number, &label));
    normalise(loader, worker->square, slot->batch.images + j * pixels);
    slot->batch.labels[j] = label;
    for (int place = j; place < slot->batch.n_ood; place += slot->batch.n_id)
        SFT_TRY(make_outlier(worker, slot, place));
    return SFT_OK;
}

/* A damaged picture is noted in the batch. */
static enum sft_status forgive(struct worker *worker, struct slot *slot, int j, const char *why)
{
    const struct sft_loader_params *params = &worker->loader->params;
    int64_t pixels = (int64_t)params->size * params->size * 3;
    memset(slot->batch.images + j * pixels, 0, (size_t)pixels * sizeof(float));
    slot->batch.labels[j] = -1;
    slot->batch.failures[j] = sft_strdup(why);
    return slot->batch.failures[j] ? SFT_OK : SFT_MEMORY;
}

static enum sft_status make_image(struct worker *worker, struct slot *slot, int j)
{
    char why[1024] = "";
    enum sft_status status;
    if (!worker->loader->params.tolerant) return make_images(worker, slot, j);
    sft_log_catch(why, sizeof(why));
    status = make_images(worker, slot, j);
    sft_log_catch(NULL, 0);
    if (status == SFT_DATA) return forgive(worker, slot, j, why);
    return status == SFT_OK || !*why ? status : sft_fail(status, "%s", why);
}

/* Takes the next pair, waiting for a free slot. False when there is nothing more to do. Under the lock. */
static bool take(struct sft_loader *loader, struct slot **slot, int *image)
{
    while (!loader->stop && loader->next_step < loader->end &&
           loader->next_step >= loader->taken + loader->slot_count)
        pthread_cond_wait(&loader->work, &loader->lock);
    if (loader->stop || loader->next_step >= loader->end) return false;
    if (loader->next_image == 0) begin_step(loader);
    *slot = &loader->slots[loader->next_step % loader->slot_count];
    *image = loader->next_image++;
    if (loader->next_image == (*slot)->batch.n_id) {
        loader->next_image = 0;
        loader->next_step++;
    }
    return true;
}

/* Makes one image. False when there is nothing more to do. Under the lock, which is released meanwhile. */
static bool make_next(struct worker *worker)
{
    struct sft_loader *loader = worker->loader;
    struct slot *slot;
    enum sft_status status;
    int image;
    if (!take(loader, &slot, &image)) return false;
    pthread_mutex_unlock(&loader->lock);
    status = make_image(worker, slot, image);
    pthread_mutex_lock(&loader->lock);
    if (status != SFT_OK) slot->status = status;
    if (--slot->left == 0) pthread_cond_signal(&loader->ready);
    return true;
}

static void *work(void *context)
{
    struct worker *worker = context;
    pthread_mutex_lock(&worker->loader->lock);
    while (make_next(worker)) continue;
    pthread_mutex_unlock(&worker->loader->lock);
    return NULL;
}

static enum sft_status check_params(const struct sft_loader_params *params)
{
    const char *spec = sft_dataset_spec(params->dataset);
    int64_t count = sft_dataset_count(params->dataset);
    if (params->size < 1 || params->size > 8192)
        return sft_fail(SFT_USAGE, "%s: images of %d pixels a side; 1 to 8192 can be had", spec,
                        params->size);
    if (params->ood_per_id < 0 || params->ood_per_id > 64)
        return sft_fail(SFT_USAGE, "%d outliers for each image; 0 to 64 can be had", params->ood_per_id);
    if (params->batch < 1 || params->batch > 65536)
        return sft_fail(SFT_USAGE, "a batch of %" PRId64 " images; 1 to 65536 can be had", params->batch);
    if (params->steps < 0 || params->first_step < 0 ||
        (params->steps > 0 && params->first_step > params->steps))
        return sft_fail(SFT_USAGE, "steps %" PRId64 " to %" PRId64 ": no such part of a run",
                        params->first_step, params->steps);
    if (params->prefetch < 1 || params->prefetch > 64 || params->workers < 0 || params->workers > 256)
        return sft_fail(SFT_USAGE, "prefetch %d (1 to 64), workers %d (0 to 256): out of range",
                        params->prefetch, params->workers);
    for (int c = 0; c < 3; c++)
        if (!(params->std[c] > 0))
            return sft_fail(SFT_USAGE, "std %g: must be above 0", (double)params->std[c]);
    if (params->steps > 0 && count < params->batch)
        return sft_fail(SFT_DATA,
                        "%s: its %" PRId64 " images are fewer than the %" PRId64
                        " of a batch; give a smaller --batch or "
                        "more images",
                        spec, count, params->batch);
    return SFT_OK;
}

static enum sft_status make_slots(struct sft_loader *loader)
{
    const struct sft_loader_params *params = &loader->params;
    size_t n_id = (size_t)params->batch, n = n_id + (size_t)loader->per_batch;
    size_t floats = (size_t)params->size * (size_t)params->size * 3;
    loader->slot_count = params->prefetch + 1; /* and the one that the caller holds */
    loader->slots = sft_calloc((size_t)loader->slot_count, sizeof(loader->slots[0]));
    for (int64_t i = 0; loader->slots && i < loader->slot_count; i++) {
        struct slot *slot = &loader->slots[i];
        slot->ids = sft_calloc(n_id, sizeof(int64_t));
        slot->outliers = sft_calloc(n - n_id, sizeof(int64_t));
        slot->batch.labels = sft_calloc(n, sizeof(int32_t));
        slot->batch.images = sft_calloc_aligned(n, floats * sizeof(float));
        if (!slot->ids || !slot->outliers || !slot->batch.labels || !slot->batch.images) return SFT_MEMORY;
        if (!params->tolerant) continue;
        slot->batch.failures = sft_calloc(n_id, sizeof(char *));
        if (!slot->batch.failures) return SFT_MEMORY;
    }
    return loader->slots ? SFT_OK : SFT_MEMORY;
}

static enum sft_status start_workers(struct sft_loader *loader)
{
    int wanted = loader->params.workers ? loader->params.workers : sft_parallel_threads();
    size_t bytes = (size_t)loader->params.size * (size_t)loader->params.size * 3;
    loader->workers = sft_calloc((size_t)wanted, sizeof(loader->workers[0]));
    if (!loader->workers) return SFT_MEMORY;
    loader->worker_room = wanted;
    for (int i = 0; i < wanted; i++) {
        struct worker *worker = &loader->workers[i];
        worker->loader = loader;
        worker->square = sft_calloc(bytes, 1);
        worker->pseudo = sft_calloc(bytes, 1);
        worker->tiles = sft_calloc((size_t)loader->pseudo.max_tiles, sizeof(uint32_t));
        if (!worker->square || !worker->pseudo || !worker->tiles) return SFT_MEMORY;
    }
    for (int i = 0; i < wanted; i++, loader->worker_count++)
        if (!sft_thread_start(&loader->workers[i].thread, work, &loader->workers[i])) break;
    if (loader->worker_count < wanted)
        sft_log(SFT_LOG_WARNING, "could start only %d of %d threads to load images", loader->worker_count,
                wanted);
    return SFT_OK;
}

/* Sets per_batch, too. */
static enum sft_status init_orders(struct sft_loader *loader)
{
    const struct sft_loader_params *params = &loader->params;
    loader->per_batch = sft_loader_outliers(params);
    SFT_TRY(order_init(&loader->id_order, params->dataset, params->shuffle, params->seed, 0));
    return has_ood_order(loader) ? ood_order_init(loader) : SFT_OK;
}

/* Steps that take `each` images. An epoch has every image once. */
static void note_reads(struct order *order, int64_t steps, int64_t each, bool *read)
{
    if (steps > order->count / each)
        memset(read, true, (size_t)order->count);
    else
        for (int64_t i = 0; i < steps * each; i++) read[order_index(order, i)] = true;
}

enum sft_status sft_loader_reads(const struct sft_loader_params *params, const struct sft_dataset *set,
                                 bool *read)
{
    struct sft_loader loader = {.params = *params};
    const struct sft_dataset *others = params->outliers ? params->outliers : params->dataset;
    enum sft_status status;
    SFT_TRY(check_params(params));
    status = init_orders(&loader);
    if (status == SFT_OK && set == params->dataset)
        note_reads(&loader.id_order, params->steps, params->batch, read);
    if (status == SFT_OK && set == others && has_ood_order(&loader))
        note_reads(&loader.ood_order, params->steps, loader.per_batch, read);
    free(loader.id_order.permutation);
    free(loader.ood_order.permutation);
    return status;
}

static enum sft_status set_up(struct sft_loader *loader)
{
    const struct sft_loader_params *params = &loader->params;
    int64_t count = sft_dataset_count(params->dataset);
    SFT_TRY(check_params(params));
    SFT_TRY(init_orders(loader));
    loader->end = params->steps;
    if (params->steps == 0)
        loader->end = params->drop_last ? count / params->batch : sft_divide_up(count, params->batch);
    if (loader->per_batch > 0 && !params->outliers)
        SFT_TRY(sft_pseudo_prepare(&params->pseudo, params->size, &loader->pseudo));
    for (int c = 0; c < 3; c++)
        for (int v = 0; v < 256; v++)
            loader->normal[c][v] = ((float)v / 255.0f - params->mean[c]) / params->std[c];
    loader->next_step = loader->taken = loader->wanted = params->first_step;
    SFT_TRY(make_slots(loader));
    return start_workers(loader);
}

enum sft_status sft_loader_open(const struct sft_loader_params *params, struct sft_loader **out)
{
    struct sft_loader *loader = sft_calloc(1, sizeof(*loader));
    enum sft_status status;
    *out = NULL;
    if (!loader) return SFT_MEMORY;
    loader->params = *params;
    pthread_mutex_init(&loader->lock, NULL);
    pthread_cond_init(&loader->work, NULL);
    pthread_cond_init(&loader->ready, NULL);
    status = set_up(loader);
    if (status == SFT_OK)
        *out = loader;
    else
        sft_loader_close(&loader);
    return status;
}

enum sft_status sft_loader_next(struct sft_loader *loader, const struct sft_batch **batch)
{
    enum sft_status status;
    struct slot *slot;
    *batch = NULL;
    if (loader->wanted >= loader->end) return SFT_OK;
    pthread_mutex_lock(&loader->lock);
    loader->taken = loader->wanted; /* the batch before this one is free again */
    pthread_cond_broadcast(&loader->work);
    slot = &loader->slots[loader->wanted % loader->slot_count];
    while (loader->next_step <= loader->wanted || slot->left > 0)
        if (loader->worker_count > 0)
            pthread_cond_wait(&loader->ready, &loader->lock);
        else
            make_next(&loader->workers[0]);
    status = slot->status;
    pthread_mutex_unlock(&loader->lock);
    if (status != SFT_OK) return status;
    loader->wanted++;
    *batch = &slot->batch;
    return SFT_OK;
}

static void free_slots(struct sft_loader *loader)
{
    for (int64_t i = 0; loader->slots && i < loader->slot_count; i++) {
        free(loader->slots[i].ids);
        free(loader->slots[i].outliers);
        free(loader->slots[i].batch.labels);
        free(loader->slots[i].batch.images);
        forget_failures(loader, &loader->slots[i]);
        free(loader->slots[i].batch.failures);
    }
    free(loader->slots);
}

static void free_workers(struct sft_loader *loader)
{
    for (int i = 0; i < loader->worker_room; i++) {
        sft_transform_scratch_free(&loader->workers[i].scratch);
        free(loader->workers[i].square);
        free(loader->workers[i].pseudo);
        free(loader->workers[i].tiles);
    }
    free(loader->workers);
}

void sft_loader_close(struct sft_loader **loader)
{
    struct sft_loader *closed = *loader;
    *loader = NULL;
    if (!closed) return;
    pthread_mutex_lock(&closed->lock);
    closed->stop = true;
    pthread_cond_broadcast(&closed->work);
    pthread_mutex_unlock(&closed->lock);
    for (int i = 0; i < closed->worker_count; i++) pthread_join(closed->workers[i].thread, NULL);
    free_workers(closed);
    free_slots(closed);
    free(closed->id_order.permutation);
    free(closed->ood_order.permutation);
    pthread_cond_destroy(&closed->ready);
    pthread_cond_destroy(&closed->work);
    pthread_mutex_destroy(&closed->lock);
    free(closed);
}

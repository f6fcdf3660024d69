/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/jobs/pictures.h"

#include <inttypes.h>
#include <stdlib.h>

#include "datasets/check.h"
#include "runtime/base/alloc.h"
#include "runtime/base/log.h"

/* Bad pictures that are named before the rest is only counted. */
enum { NAMED = 10 };

struct telling {
    const struct sft_watch *watch;
    const char *spec;
};

static void tell(void *context, int64_t done, int64_t count)
{
    const struct telling *telling = context;
    sft_watch_tell(telling->watch, done, count, "reading %s: %" PRId64 " of %" PRId64 " pictures",
                   telling->spec, done, count);
}

static void name_bad(const struct sft_bad_pictures *bad, enum sft_log_level level)
{
    for (size_t i = 0; i < bad->n && i < NAMED; i++) sft_log(level, "%s", bad->items[i].why);
    if (bad->n > NAMED) sft_log(level, "... and %zu more", bad->n - NAMED);
}

static enum sft_status judge(struct sft_dataset *set, const struct sft_bad_pictures *bad, bool skip_bad)
{
    const char *spec = sft_dataset_spec(set);
    if (bad->n == 0) return SFT_OK;
    name_bad(bad, skip_bad ? SFT_LOG_WARNING : SFT_LOG_ERROR);
    if (!skip_bad)
        return sft_fail(SFT_DATA,
                        "%s: %zu of its pictures cannot be read, and nothing was computed; `sft-vk inspect "
                        "--check` lists all of a set, --skip-bad goes on without them",
                        spec, bad->n);
    sft_log(SFT_LOG_WARNING, "%s: %zu of %" PRId64 " pictures cannot be read and are left out", spec, bad->n,
            sft_dataset_count(set));
    return sft_leave_out(set, bad);
}

static enum sft_status check(struct sft_dataset *set, const bool *wanted, bool skip_bad,
                             const struct sft_watch *watch)
{
    struct telling telling = {watch, sft_dataset_spec(set)};
    const struct sft_check what = {
        .dataset = set,
        .wanted = wanted,
        .stop = sft_watch_stop(watch),
        .progress = tell,
        .context = &telling,
    };
    struct sft_bad_pictures bad = {0};
    enum sft_status status = sft_check_pictures(&what, &bad);
    sft_watch_end(watch);
    if (status == SFT_OK) status = judge(set, &bad, skip_bad);
    sft_bad_pictures_free(&bad);
    return status;
}

enum sft_status sft_pictures_check(struct sft_dataset *set, bool skip_bad, const struct sft_watch *watch)
{
    return sft_dataset_may_be_damaged(set) ? check(set, NULL, skip_bad, watch) : SFT_OK;
}

enum sft_status sft_pictures_check_for(const struct sft_loader_params *params, int seeds,
                                       struct sft_dataset *set, const struct sft_watch *watch)
{
    struct sft_loader_params run = *params;
    enum sft_status status = SFT_OK;
    bool *wanted;
    if (!sft_dataset_may_be_damaged(set)) return SFT_OK;
    wanted = sft_calloc((size_t)sft_dataset_count(set), sizeof(*wanted));
    if (!wanted) return SFT_MEMORY;
    for (int s = 0; status == SFT_OK && s < seeds; s++, run.seed++)
        status = sft_loader_reads(&run, set, wanted);
    if (status == SFT_OK) status = check(set, wanted, false, watch);
    free(wanted);
    return status;
}

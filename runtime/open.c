/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/open.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "runtime/backends.h"
#include "runtime/base/log.h"
#include "runtime/trial.h"

/* ---- words ---- */

static bool is_auto(const char *want) { return strcasecmp(want, "auto") == 0; }

/* Whether the word is the backend's name, or that and ":N"; `index` gets N, or -1 for the name alone. */
static bool names_backend(const char *want, const struct sft_backend *backend, long *index)
{
    size_t length = strlen(backend->name);
    char *end;
    *index = -1;
    if (strncasecmp(want, backend->name, length) != 0) return false;
    if (want[length] == '\0') return true;
    if (want[length] != ':' || !isdigit((unsigned char)want[length + 1])) return false;
    *index = strtol(want + length + 1, &end, 10);
    return *end == '\0';
}

/* The backend that the word names, or NULL: then it is auto, an id or a part of a name. */
static const struct sft_backend *named_backend(const char *want, long *index)
{
    for (int i = 0; i < sft_backend_count; i++)
        if (names_backend(want, sft_backends[i], index)) return sft_backends[i];
    return NULL;
}

static bool can_mean(const char *want, const struct sft_backend *backend)
{
    long index;
    const struct sft_backend *named = named_backend(want, &index);
    if (named) return named == backend;
    return is_auto(want) || !backend->host;
}

static bool contains(const char *text, const char *part)
{
    size_t length = strlen(part);
    for (; *text; text++)
        if (strncasecmp(text, part, length) == 0) return true;
    return false;
}

static bool matches(const struct sft_device_info *info, const char *want)
{
    long index;
    const struct sft_backend *named = named_backend(want, &index);
    if (named) return info->owner == named && (index < 0 ? info->usable : info->index == index);
    return strcasecmp(info->id, want) == 0 || (*want && contains(info->name, want));
}

/* ---- lists ---- */

static void name_device(struct sft_device_info *info, const struct sft_backend *backend)
{
    info->owner = backend;
    info->backend = backend->name;
    if (backend->host)
        snprintf(info->word, sizeof(info->word), "%s", backend->name);
    else
        snprintf(info->word, sizeof(info->word), "%s:%d", backend->name, info->index);
}

/* A driver that breaks is worth a warning; that there is none is only worth one where it was asked for. */
static void tell_why(const struct sft_backend *backend, enum sft_status status, const char *why, bool asked)
{
    if (status != SFT_OK)
        sft_log(SFT_LOG_WARNING, "%s: its devices cannot be listed: %s", backend->name,
                *why ? why : sft_status_str(status));
    else if (*why)
        sft_log(asked ? SFT_LOG_WARNING : SFT_LOG_DEBUG, "%s: %s", backend->name, why);
}

/* Appends the devices of one backend; its own failure is told and passed over, lack of memory is everyone's.
 */
static enum sft_status list_backend(const struct sft_backend *backend, bool asked,
                                    struct sft_device_list *all)
{
    struct sft_device_list own = {0};
    enum sft_status status = backend->list(&own);
    if (status != SFT_MEMORY) {
        tell_why(backend, status, own.why, asked);
        status = SFT_OK;
    }
    for (size_t i = 0; status == SFT_OK && i < own.count; i++) {
        name_device(&own.items[i], backend);
        status = sft_device_list_add(all, &own.items[i]);
    }
    free(own.items);
    return status;
}

static enum sft_status list_for(const char *want, struct sft_device_list *all)
{
    long index;
    bool asked = named_backend(want, &index);
    for (int i = 0; i < sft_backend_count; i++)
        if (can_mean(want, sft_backends[i])) SFT_TRY(list_backend(sft_backends[i], asked, all));
    return SFT_OK;
}

enum sft_status sft_device_list(struct sft_device_info **list, int *count)
{
    struct sft_device_list all = {0};
    enum sft_status status = list_for("auto", &all);
    if (status != SFT_OK) {
        free(all.items);
        all = (struct sft_device_list){0};
    }
    *list = all.items;
    *count = (int)all.count;
    return status;
}

/* ---- choosing ---- */

static bool worth_a_trial(const struct sft_device_info *info)
{
    return info->usable && (info->owner->host || strcmp(info->kind, "cpu") != 0);
}

static const struct sft_device_info *fastest(const struct sft_device_list *list, int candidates)
{
    const struct sft_device_info *best = NULL;
    double best_seconds = 0, seconds = 0;
    for (size_t i = 0; i < list->count; i++) {
        const struct sft_device_info *info = &list->items[i];
        if (!worth_a_trial(info)) continue;
        if (sft_trial_run(info, &seconds) != SFT_OK) {
            sft_log(SFT_LOG_WARNING, "device: %s is passed over: it failed a trial step", info->name);
            continue;
        }
        sft_log(SFT_LOG_INFO, "device: %s takes %.2f ms for a trial step", info->name, 1e3 * seconds);
        if (best && seconds >= best_seconds) continue;
        best = info;
        best_seconds = seconds;
    }
    if (best) sft_log(SFT_LOG_INFO, "device: %s, the fastest of %d", best->name, candidates);
    return best;
}

static const struct sft_device_info *choose_auto(const struct sft_device_list *list)
{
    const struct sft_device_info *last = NULL;
    int candidates = 0;
    for (size_t i = 0; i < list->count; i++) {
        if (!worth_a_trial(&list->items[i])) continue;
        last = &list->items[i];
        candidates++;
    }
    if (candidates > 1) return fastest(list, candidates);
    if (last)
        sft_log(SFT_LOG_INFO, "device: %s, the only one that is no driver on top of the CPU", last->name);
    return last;
}

static const struct sft_device_info *choose(const struct sft_device_list *list, const char *want)
{
    if (is_auto(want)) return choose_auto(list);
    for (size_t i = 0; i < list->count; i++)
        if (matches(&list->items[i], want)) return &list->items[i];
    return NULL;
}

/* Says what there is, the host included; no driver is started for it that was not asked before. */
static enum sft_status not_there(const char *want, struct sft_device_list *list)
{
    for (int i = 0; i < sft_backend_count; i++)
        if (sft_backends[i]->host && !can_mean(want, sft_backends[i]))
            SFT_TRY(list_backend(sft_backends[i], false, list));
    sft_fail(SFT_DEVICE, "device '%s' is not there; this machine has:", want);
    for (size_t i = 0; i < list->count; i++)
        sft_fail(SFT_DEVICE, "  %s  %s  %s", list->items[i].word, list->items[i].id, list->items[i].name);
    return SFT_DEVICE;
}

enum sft_status sft_device_open(const char *want, uint64_t memory, struct sft_device **device)
{
    struct sft_device_list list = {0};
    const struct sft_device_info *info;
    enum sft_status status;
    *device = NULL;
    SFT_TRY_OUT(list_for(want, &list));
    info = choose(&list, want);
    status = info ? sft_device_open_listed(info, memory, device) : not_there(want, &list);
out:
    free(list.items);
    return status;
}

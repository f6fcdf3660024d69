/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/open.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/base/clock.h"
#include "runtime/base/log.h"
#include "runtime/ops.h"

static bool contains(const char *text, const char *part)
{
    size_t length = strlen(part);
    for (; *text; text++)
        if (strncasecmp(text, part, length) == 0) return true;
    return false;
}

static bool matches(const struct sft_device_info *info, const char *want)
{
    char *end;
    if (strcasecmp(want, "cpu") == 0) return info->backend == SFT_CPU;
    if (strcasecmp(want, "vulkan") == 0) return info->backend == SFT_VULKAN && info->usable;
    if (strncasecmp(want, "vulkan:", 7) == 0 && isdigit((unsigned char)want[7])) {
        long index = strtol(want + 7, &end, 10);
        return *end == '\0' && info->backend == SFT_VULKAN && info->index == index;
    }
    if (strcasecmp(info->id, want) == 0) return true;
    return info->backend != SFT_CPU && *want && contains(info->name, want);
}

/* ---- auto ---- */

enum { TRIAL_IMAGES = 16, TRIAL_SIDE = 32, TRIAL_CHANNELS = 64, TRIAL_RUNS = 3 };

/* A 3x3 convolution and a normalisation: what a step is made of. */
static enum sft_status build_trial(struct sft_graph *graph, struct sft_tensor *images,
                                   struct sft_tensor *weight, struct sft_tensor *affine,
                                   struct sft_tensor *result)
{
    struct sft_conv2d_params conv = {.stride = {1, 1}, .pad = {1, 1}, .dilation = {1, 1}, .groups = 1};
    struct sft_group_norm_params norm = {.groups = 8, .epsilon = 1e-5f, .relu = 1};
    sft_value a = sft_graph_tensor(graph, affine);
    sft_value y =
        sft_conv2d(graph, sft_graph_tensor(graph, images), sft_graph_tensor(graph, weight), SFT_NONE, conv);
    y = sft_group_norm(graph, y, a, a, SFT_NONE, SFT_NONE, norm).y;
    sft_graph_place(graph, y, sft_graph_tensor(graph, result), 0);
    return sft_graph_status(graph);
}

static enum sft_status time_trial(struct sft_device *device, struct sft_graph *graph, double *seconds)
{
    struct sft_program *program;
    enum sft_status status;
    double start = 0;
    SFT_TRY(sft_program_create(device, graph, &program));
    for (int run = -1; run < TRIAL_RUNS; run++) {
        if (run == 0) start = sft_now();
        SFT_TRY_OUT(sft_program_run(program));
        SFT_TRY_OUT(sft_device_wait(device));
    }
    *seconds = (sft_now() - start) / TRIAL_RUNS;
out:
    sft_program_destroy(&program);
    return status;
}

static enum sft_status measure(const struct sft_device_info *info, double *seconds)
{
    const struct sft_shape images = SFT_SHAPE(TRIAL_IMAGES, TRIAL_SIDE, TRIAL_SIDE, TRIAL_CHANNELS);
    struct sft_device *device = NULL;
    struct sft_tensor *tensors[4] = {NULL};
    struct sft_graph *graph = NULL;
    enum sft_status status;
    SFT_TRY(sft_device_open(info->id, 0, &device));
    SFT_TRY_OUT(sft_tensor_create(device, "images", SFT_F32, images, &tensors[0]));
    SFT_TRY_OUT(sft_tensor_create(device, "weight", SFT_F32, SFT_SHAPE(3, 3, TRIAL_CHANNELS, TRIAL_CHANNELS),
                                  &tensors[1]));
    SFT_TRY_OUT(sft_tensor_create(device, "affine", SFT_F32, SFT_SHAPE(TRIAL_CHANNELS), &tensors[2]));
    SFT_TRY_OUT(sft_tensor_create(device, "result", SFT_F32, images, &tensors[3]));
    SFT_TRY_OUT(sft_graph_create(&graph));
    SFT_TRY_OUT(build_trial(graph, tensors[0], tensors[1], tensors[2], tensors[3]));
    SFT_TRY_OUT(time_trial(device, graph, seconds));
out:
    sft_graph_destroy(&graph);
    for (int i = 0; i < 4; i++) sft_tensor_destroy(&tensors[i]);
    sft_device_close(&device);
    return status;
}

static bool worth_a_trial(const struct sft_device_info *info)
{
    return info->usable && (info->backend == SFT_CPU || strcmp(info->kind, "cpu") != 0);
}

static const struct sft_device_info *choose_fastest(const struct sft_device_info *list, int count)
{
    const struct sft_device_info *best = NULL;
    double best_seconds = 0, seconds = 0;
    int candidates = 0;
    for (int i = 0; i < count; i++) candidates += worth_a_trial(&list[i]);
    for (int i = 0; i < count; i++) {
        if (!worth_a_trial(&list[i])) continue;
        if (candidates == 1) {
            sft_log(SFT_LOG_INFO, "device: %s, the only one that is no driver on top of the CPU",
                    list[i].name);
            return &list[i];
        }
        if (measure(&list[i], &seconds) != SFT_OK) continue;
        sft_log(SFT_LOG_INFO, "device: %s takes %.2f ms for a trial step", list[i].name, 1e3 * seconds);
        if (best && seconds >= best_seconds) continue;
        best = &list[i];
        best_seconds = seconds;
    }
    if (best) sft_log(SFT_LOG_INFO, "device: %s, the fastest of %d", best->name, candidates);
    return best;
}

const struct sft_device_info *sft_choose_device(const struct sft_device_info *list, int count,
                                                const char *want)
{
    if (strcasecmp(want, "auto") == 0) return choose_fastest(list, count);
    for (int i = 0; i < count; i++)
        if (matches(&list[i], want)) return &list[i];
    sft_fail(SFT_DEVICE, "device '%s' is not there; this machine has:", want);
    for (int i = 0; i < count; i++)
        sft_fail(SFT_DEVICE, "  %s:%d  %s  %s", list[i].backend == SFT_CPU ? "cpu" : "vulkan", list[i].index,
                 list[i].id, list[i].name);
    return NULL;
}

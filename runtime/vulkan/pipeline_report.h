/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a driver's compiler makes of the kernels: registers, spills, occupancy, as
 * VK_KHR_pipeline_executable_properties tells them. Nothing is executed, so this also works on a driver
 * without its hardware.
 */
#ifndef SFT_VULKAN_PIPELINE_REPORT_H
#define SFT_VULKAN_PIPELINE_REPORT_H

#include <stddef.h>

#include "runtime/device.h"

enum { SFT_REPORT_STATISTICS = 32 };

struct sft_pipeline_report {
    const char *shader;
    char constants[128]; /* the specialisation, "64 1 0"; "default" for a shader that no program used yet */
    int n_statistics;    /* 0 where the driver tells none */
    struct sft_pipeline_statistic {
        char name[64];
        double value;
    } statistics[SFT_REPORT_STATISTICS];
    double spills; /* sum of the statistics that count registers spilled to memory, or scratch memory */
};

/* Compiles every shader of this build with its default constants, and again every pipeline that the device's
 * programs use. `device` is a Vulkan device. Release the list with free(). */
enum sft_status sft_pipeline_report(struct sft_device *device, struct sft_pipeline_report **list,
                                    size_t *count) SFT_MUST_CHECK;

#endif

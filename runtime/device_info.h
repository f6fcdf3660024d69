/* SPDX-License-Identifier: Apache-2.0 */
/* What is known about a device before it is opened. */
#ifndef SFT_DEVICE_INFO_H
#define SFT_DEVICE_INFO_H

#include <stdbool.h>
#include <stdint.h>

struct sft_backend;

struct sft_device_info {
    const struct sft_backend *owner; /* the backend that listed it and can open it */
    const char *backend;             /* the owner's name: cpu, vulkan */
    int index;                       /* among the devices of its backend */
    char word[32];                   /* a word for --device that names it: cpu, vulkan:0 */

    char id[40]; /* stable: a UUID, or "cpu" */
    char name[256];
    char kind[16];                                 /* cpu, integrated, discrete, virtual */
    char driver[256];                              /* name and version */
    char api[32];                                  /* Vulkan version, or the BLAS */
    uint64_t memory, free;                         /* bytes; free is 0 where it is not known */
    uint32_t subgroup_min, subgroup_max, subgroup; /* 0 where there are none */
    bool fp16, bf16, cooperative_matrix, unified_memory;
    bool usable;
    char reason[256]; /* why not, where it is not usable */
};

#endif

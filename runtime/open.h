/* SPDX-License-Identifier: Apache-2.0 */
/* Which device a --device word means. For runtime/device.c. */
#ifndef SFT_OPEN_H
#define SFT_OPEN_H

#include "runtime/device.h"

/* The entry of `list` that `want` names (runtime/device.h, sft_device_open), or NULL after saying what there
 * is. "auto" measures a small step on the CPU backend and on each GPU and takes the fastest; a Vulkan driver
 * that itself runs on the CPU is never chosen, only named. */
const struct sft_device_info *sft_choose_device(const struct sft_device_info *list, int count,
                                                const char *want);

#endif

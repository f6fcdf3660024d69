/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An opened device. Nothing above this header knows whether it is a GPU. Which one to open is said by a word
 * (runtime/open.h); tensors (runtime/tensor.h) and programs (runtime/program.h) live on it. One thread at a
 * time uses a device.
 */
#ifndef SFT_DEVICE_H
#define SFT_DEVICE_H

#include "runtime/base/status.h"
#include "runtime/device_info.h"

struct sft_device;

/* Opens a device that was listed. `memory` is the budget in bytes, 0 for what the device has. SFT_DEVICE
 * where it cannot be used. */
enum sft_status sft_device_open_listed(const struct sft_device_info *info, uint64_t memory,
                                       struct sft_device **device) SFT_MUST_CHECK;
void sft_device_close(struct sft_device **device); /* after its tensors and programs are gone */
/* Most bytes that one tensor or arena may take; 0: no limit of its own. */
uint64_t sft_device_largest(const struct sft_device *device);

const struct sft_device_info *sft_device_get_info(const struct sft_device *device);

/* Waits until all that was asked of the device is done; reports what failed meanwhile. */
enum sft_status sft_device_wait(struct sft_device *device) SFT_MUST_CHECK;

#endif

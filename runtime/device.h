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
/* Bytes that tensors and arenas may still take: of the budget that sft_device_open() was given, else of what
 * was free then, less a reserve. A device that computes in the host's memory counts what the process has
 * there, its resident set. */
uint64_t sft_device_room(const struct sft_device *device);

/* Of these, what may be taken without a thought: where no budget was given, not more than a few GiB of the
 * host's memory, which others use, too. It depends on what tensors and arenas take alone, not on the resident
 * set, so that what is chosen by it is the same in each run. */
uint64_t sft_device_thrift(const struct sft_device *device);

/* Whether its memory is the host's, so that what else the process holds counts. */
bool sft_device_is_host(const struct sft_device *device);

/* Most bytes that one tensor or arena may take; 0: no limit of its own. */
uint64_t sft_device_largest(const struct sft_device *device);

const struct sft_device_info *sft_device_get_info(const struct sft_device *device);

/* Waits until all that was asked of the device is done; reports what failed meanwhile. */
enum sft_status sft_device_wait(struct sft_device *device) SFT_MUST_CHECK;

#endif

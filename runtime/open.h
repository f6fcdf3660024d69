/* SPDX-License-Identifier: Apache-2.0 */
/* Which devices there are, and which one a word means. */
#ifndef SFT_OPEN_H
#define SFT_OPEN_H

#include "runtime/device.h"

/* The devices of every backend, the host's first. Release with free(). A backend that cannot list its devices
 * is a warning, and the others are listed. */
enum sft_status sft_device_list(struct sft_device_info **list, int *count) SFT_MUST_CHECK;

/* Opens the device that `want` names: auto, a backend (cpu, vulkan), one of its devices (vulkan:N), an id, or
 * a part of a name. Only the backends that the word can mean are asked for their devices, so `cpu` starts no
 * driver. A device that is not there is SFT_DEVICE, never another device.
 *
 * "auto" measures a small step on the host and on each device and takes the fastest; a driver that itself
 * runs on the CPU is never chosen, only named. `memory` is the budget in bytes, 0 for what the device has. */
enum sft_status sft_device_open(const char *want, uint64_t memory, struct sft_device **device) SFT_MUST_CHECK;

#endif

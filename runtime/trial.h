/* SPDX-License-Identifier: Apache-2.0 */
/* How fast a device is at what a step is made of. */
#ifndef SFT_TRIAL_H
#define SFT_TRIAL_H

#include "runtime/device.h"

/* Opens the device, runs a small step some times and closes it again; gives the seconds of a step. */
enum sft_status sft_trial_run(const struct sft_device_info *info, double *seconds) SFT_MUST_CHECK;

#endif

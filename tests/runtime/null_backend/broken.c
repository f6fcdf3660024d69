/* SPDX-License-Identifier: Apache-2.0 */
/* A backend whose driver is broken: it cannot list its devices. */
#include <stdio.h>

#include "runtime/backend.h"
#include "tests/runtime/null_backend/asked.h"

int broken_lists;

static enum sft_status list(struct sft_device_list *list)
{
    broken_lists++;
    snprintf(list->why, sizeof(list->why), "the driver is of another age");
    return SFT_DEVICE;
}

extern const struct sft_backend sft_broken_backend;
const struct sft_backend sft_broken_backend = {.name = "broken", .list = list};

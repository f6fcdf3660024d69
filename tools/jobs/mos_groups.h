/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The file of --mos-groups, which cuts a data set's classes into the groups of nn/groups.h: a line a group,
 * with commas between its classes. A class is its name, or its number where none has such a name; spaces
 * around it, empty lines and what follows a # do not count. The order of lines and classes is that of the
 * logits.
 *
 *     # round
 *     disk, ring, crescent
 *     square, 7
 */
#ifndef SFT_TOOLS_MOS_GROUPS_H
#define SFT_TOOLS_MOS_GROUPS_H

#include "datasets/dataset.h"

/* The file as text of nn/groups.h, checked for the classes of `id`; release with free(). SFT_DATA, with file
 * and line or group, for what is no class, fewer than two groups, and a class that is in two or in none. */
enum sft_status sft_mos_groups_read(const char *path, const struct sft_dataset *id,
                                    char **text) SFT_MUST_CHECK;

#endif

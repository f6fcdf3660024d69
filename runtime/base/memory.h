/* SPDX-License-Identifier: Apache-2.0 */
/* The memory of this process and of its machine, in bytes; 0 where the system does not tell. */
#ifndef SFT_MEMORY_H
#define SFT_MEMORY_H

#include <stddef.h>
#include <stdint.h>

/* The resident set: what of the process is in memory now, mapped files included; and its peak so far. */
uint64_t sft_memory_resident(void);
uint64_t sft_memory_peak(void);

/* What programs may still take without swapping, within the memory limits of this process's cgroup (version
 * 2) and of those above it. */
uint64_t sft_memory_available(void);

/* For tests. What `text` (as of /proc/meminfo) says of `key`, given in kB. What is left of the limits of the
 * cgroup named in the file `list` (as /proc/self/cgroup), below `mount`; UINT64_MAX where there are none. */
uint64_t sft_memory_key(const char *text, const char *key);
uint64_t sft_memory_cgroup_room(const char *list, const char *mount);

#endif

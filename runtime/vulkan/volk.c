/* SPDX-License-Identifier: Apache-2.0 */
/* The body of volk, which finds Vulkan's functions when the program runs; its header has it behind this
 * macro. */
#define VOLK_IMPLEMENTATION
#include <volk.h>

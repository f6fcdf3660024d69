/* SPDX-License-Identifier: Apache-2.0 */
/* The compute shaders of shaders/, as SPIR-V inside the program. The table is made when the program is built.
 */
#ifndef SFT_SHADERS_H
#define SFT_SHADERS_H

#include <stddef.h>
#include <stdint.h>

struct sft_shader {
    const char *name; /* the file's, without .comp */
    const uint32_t *words;
    size_t bytes;
};

extern const struct sft_shader sft_shaders[];
extern const int sft_shader_count;

/* NULL when there is none: a wrong name, or a shader that this build's compiler could not make. */
const struct sft_shader *sft_shader_find(const char *name);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* The list of all layouts, and what one makes of our names and shapes. */
#ifndef SFT_NN_LAYOUTS_H
#define SFT_NN_LAYOUTS_H

#include "nn/layouts/layout.h"

/* Layouts in the order in which they are tried; NULL past the end. */
const struct sft_layout *sft_layout_at(int i);
const struct sft_layout *sft_layout_find(const char *name); /* NULL when there is none */

/* The file's name of our parameter `name` into out[SFT_MAX_NAME]; whether a rule gave it. */
bool sft_layout_name(const struct sft_layout *layout, const char *name, char *out);

/* The file's shape of a parameter. */
struct sft_shape sft_layout_shape(const struct sft_layout *layout, const struct sft_parameter *parameter);

/* Whether the layout says anything about these parameters. */
bool sft_layout_applies(const struct sft_layout *layout, const struct sft_parameter *items, int n);

#endif

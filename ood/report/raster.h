/* SPDX-License-Identifier: Apache-2.0 */
/* SVG to PNG, by librsvg where the build found it. Private to ood/report. */
#ifndef SFT_OOD_RASTER_H
#define SFT_OOD_RASTER_H

#include <stdbool.h>

#include "runtime/base/text.h"

/* Whether this build can. */
bool sft_raster_available(void);

/* Appends `svg`, `scale` pixels to the unit, as a PNG. SFT_FAILED with the reason. On one
 * thread at a time; may end the process where the libraries get no memory. */
enum sft_status sft_raster(const struct sft_text *svg, double scale, struct sft_text *png) SFT_MUST_CHECK;

#endif

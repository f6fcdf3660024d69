/* SPDX-License-Identifier: Apache-2.0 */
/* Stands in for raster_rsvg.c in a build without librsvg. */
#include "ood/report/raster.h"

bool sft_raster_available(void) { return false; }

enum sft_status sft_raster(const struct sft_text *svg, double scale, struct sft_text *png)
{
    (void)svg, (void)scale, (void)png;
    return sft_fail(SFT_FAILED, "this build cannot make PNG files of plots: it was made without librsvg");
}

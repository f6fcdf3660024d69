/* SPDX-License-Identifier: Apache-2.0 */
#include "ood/scores/shaping.h"

#include <math.h>
#include <string.h>

#include "runtime/base/order.h"

struct sft_shaping sft_shaping_of(const float *features, int n, double percent, float *scratch)
{
    struct sft_shaping shaping = {.kept = n - (int)nearbyint(n * percent / 100)};
    memcpy(scratch, features, (size_t)n * sizeof(*scratch));
    sft_sort_descending(n, scratch);
    shaping.least = shaping.kept > 0 ? scratch[shaping.kept - 1] : INFINITY;
    for (int j = 0; j < n; j++) {
        shaping.all += (double)scratch[j];
        if (j >= shaping.kept) continue;
        shaping.of_kept += (double)scratch[j];
        shaping.of_least += scratch[j] == shaping.least;
    }
    return shaping;
}

bool sft_shaping_keeps(struct sft_shaping *shaping, float feature)
{
    if (feature != shaping->least) return feature > shaping->least;
    return shaping->of_least-- > 0;
}

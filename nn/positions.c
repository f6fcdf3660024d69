/* SPDX-License-Identifier: Apache-2.0 */
#include "nn/positions.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

#include "runtime/base/words.h"

const char *const sft_pos_embed_words[] = {"interp", "recompute", NULL};
SFT_ASSERT_WORDS(sft_pos_embed_words, SFT_POS_EMBED_RECOMPUTE);

int sft_positions_side(int64_t vectors)
{
    int64_t side = vectors > 1 ? llround(sqrt((double)(vectors - 1))) : 0;
    return side * side == vectors - 1 && side < 1 << 15 ? (int)side : 0;
}

void sft_positions_sinusoid(int64_t vectors, int64_t width, float *values)
{
    for (int64_t p = 0; p < vectors; p++)
        for (int64_t j = 0; j < width; j++) {
            double angle = (double)p / pow(10000, 2 * (double)(j / 2) / (double)width);
            values[p * width + j] = (float)(j % 2 ? cos(angle) : sin(angle));
        }
}

enum { TAPS = 4 };

/* Where along one axis a new place reads, and with which weights. */
struct cubic {
    int place[TAPS];
    double weight[TAPS];
};

/* Keys' kernel at distance `x`. */
static double keys(double x)
{
    const double a = -0.75;
    x = fabs(x);
    if (x <= 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
    return x < 2 ? a * (((x - 5) * x + 8) * x - 4) : 0;
}

static struct cubic cubic_at(int i, int from, int to)
{
    double centre = (i + 0.5) * from / to - 0.5, floored = floor(centre);
    struct cubic cubic;
    for (int t = 0; t < TAPS; t++) {
        int place = (int)floored + t - 1;
        cubic.weight[t] = keys(centre - place);
        cubic.place[t] = place < 0 ? 0 : place >= from ? from - 1 : place;
    }
    return cubic;
}

static void resample_one(const struct cubic *row, const struct cubic *column, int from, int64_t width,
                         const float *in, float *out)
{
    for (int64_t j = 0; j < width; j++) {
        double sum = 0;
        for (int y = 0; y < TAPS; y++)
            for (int x = 0; x < TAPS; x++)
                sum += row->weight[y] * column->weight[x] *
                       (double)in[((int64_t)row->place[y] * from + column->place[x]) * width + j];
        out[j] = (float)sum;
    }
}

void sft_positions_resample(int from, int to, int64_t width, const float *in, float *out)
{
    memcpy(out, in, (size_t)width * sizeof(*out));
    for (int y = 0; y < to; y++)
        for (int x = 0; x < to; x++) {
            struct cubic row = cubic_at(y, from, to), column = cubic_at(x, from, to);
            resample_one(&row, &column, from, width, in + width, out + (1 + (int64_t)y * to + x) * width);
        }
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/cli/pace.h"

#include <stdio.h>
#include <string.h>

/* "45 s", "4 min 05 s", "3 h 20 min", "2 d 5 h" into text[24]. */
static const char *duration(double seconds, char *text)
{
    static const struct {
        int64_t unit, part;
        const char *format;
    } steps[] = {
        {86400, 3600, "%lld d %lld h"},
        {3600, 60, "%lld h %02lld min"},
        {60, 1, "%lld min %02lld s"},
    };
    const int64_t whole = seconds < 1e9 ? (int64_t)(seconds + 0.5) : 1000000000;
    snprintf(text, 24, "%lld s", (long long)whole);
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
        if (whole >= steps[i].unit) {
            snprintf(text, 24, steps[i].format, (long long)(whole / steps[i].unit),
                     (long long)(whole % steps[i].unit / steps[i].part));
            break;
        }
    return text;
}

static void begin(struct sft_pace *pace, int64_t done, int64_t total, double now)
{
    *pace = (struct sft_pace){.begun = true, .first = done, .done = done, .total = total, .start = now};
}

const char *sft_pace_tell(struct sft_pace *pace, int64_t done, int64_t total, double now,
                          char text[SFT_PACE_TEXT])
{
    double each;
    char left[24];
    text[0] = '\0';
    if (!pace->begun || total != pace->total || done < pace->done) begin(pace, done, total, now);
    pace->done = done;
    if (done <= pace->first || now - pace->start < 1) return text;
    each = (now - pace->start) / (double)(done - pace->first);
    if (each <= 1)
        snprintf(text, SFT_PACE_TEXT, " (%.*f a second", each < 0.01 ? 0 : 1, 1 / each);
    else
        snprintf(text, SFT_PACE_TEXT, " (%.1f s each", each);
    if (done < total) {
        strcat(text, ", ");
        strcat(strcat(text, duration(each * (double)(total - done), left)), " left");
    }
    return strcat(text, ")");
}

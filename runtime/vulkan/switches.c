/* SPDX-License-Identifier: Apache-2.0 */
/* Environment variables that help to corner a driver's fault. One that is set and cannot be read is refused:
 * a slip must not look like a device without the fault. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/vulkan/vk.h"

/* What SFT_VK_DISABLE may list. */
static const char *const features[] = {"fp16", "bf16", "coopmat", "subgroup", "cpu-kernels"};

/* NULL where it is not set. */
static const char *value_of(const char *name)
{
    const char *value = getenv(name);
    return value && value[0] ? value : NULL;
}

static bool is_word(const char *text, size_t length, const char *word)
{
    return strlen(word) == length && strncmp(text, word, length) == 0;
}

bool sft_vk_disabled(const char *what)
{
    const char *list = value_of("SFT_VK_DISABLE");
    while (list && *list) {
        size_t length = strcspn(list, ",");
        if (is_word(list, length, what)) return true;
        list += length + (list[length] == ',');
    }
    return false;
}

static enum sft_status check_feature(const char *text, size_t length)
{
    for (size_t i = 0; i < sizeof(features) / sizeof(features[0]); i++)
        if (is_word(text, length, features[i])) return SFT_OK;
    return sft_fail(SFT_USAGE, "SFT_VK_DISABLE: no \"%.*s\"; there is: fp16, bf16, coopmat, subgroup",
                    (int)length, text);
}

static enum sft_status check_features(void)
{
    const char *list = value_of("SFT_VK_DISABLE");
    while (list && *list) {
        size_t length = strcspn(list, ",");
        SFT_TRY(check_feature(list, length));
        list += length + (list[length] == ',');
    }
    return SFT_OK;
}

static enum sft_status read_block(VkDeviceSize *block)
{
    const char *text = value_of("SFT_VK_MAX_ALLOC"), *units = "KMG", *unit;
    unsigned long long value;
    char *end;
    int shift;
    *block = 0;
    if (!text) return SFT_OK;
    errno = 0;
    value = strtoull(text, &end, 10);
    unit = *end ? strchr(units, *end) : NULL;
    shift = unit ? 10 * (int)(unit - units + 1) : 0;
    *block = value << shift;
    if (text[0] >= '0' && text[0] <= '9' && !errno && value > 0 && !end[unit != NULL] &&
        *block >> shift == value)
        return SFT_OK;
    return sft_fail(SFT_USAGE, "SFT_VK_MAX_ALLOC: \"%s\" is no size, as 512M is", text);
}

static enum sft_status read_seconds(double *seconds)
{
    const char *text = value_of("SFT_VK_MAX_SUBMIT_MS");
    char *end;
    double value;
    *seconds = 0;
    if (!text) return SFT_OK;
    value = strtod(text, &end);
    *seconds = value / 1000;
    if (end != text && !*end && isfinite(value) && value > 0) return SFT_OK;
    return sft_fail(SFT_USAGE, "SFT_VK_MAX_SUBMIT_MS: \"%s\" is no number of milliseconds", text);
}

enum sft_status sft_vk_switches_read(struct sft_vk_switches *switches)
{
    SFT_TRY(check_features());
    SFT_TRY(read_block(&switches->max_block));
    return read_seconds(&switches->submit_seconds);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/base/alloc.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

void *sft_calloc(size_t count, size_t size)
{
    size_t bytes;
    void *memory = NULL;
    if (!__builtin_mul_overflow(count, size, &bytes)) memory = calloc(bytes ? bytes : 1, 1);
    if (!memory) sft_fail(SFT_MEMORY, "out of memory: %zu elements of %zu bytes", count, size);
    return memory;
}

enum { HUGE_PAGE = 2 << 20, LARGE = 4 * HUGE_PAGE };

/* A walk over pixels of thousands of channels touches a page each; without huge pages that is a miss of the
 * translation cache each. Where the system has none to give, nothing is lost. */
static void ask_for_huge_pages(void *memory, size_t bytes)
{
#ifdef MADV_HUGEPAGE
    (void)madvise(memory, bytes, MADV_HUGEPAGE);
#else
    (void)memory;
    (void)bytes;
#endif
}

void *sft_calloc_aligned(size_t count, size_t size)
{
    size_t bytes;
    void *memory = NULL;
    if (!__builtin_mul_overflow(count, size, &bytes) && bytes <= SIZE_MAX - HUGE_PAGE) {
        size_t unit = bytes < LARGE ? 64 : HUGE_PAGE;
        bytes = (bytes + unit - 1) / unit * unit;
        memory = aligned_alloc(unit, bytes ? bytes : unit);
        if (memory && unit == HUGE_PAGE) ask_for_huge_pages(memory, bytes);
    }
    if (!memory) {
        sft_fail(SFT_MEMORY, "out of memory: %zu elements of %zu bytes", count, size);
        return NULL;
    }
    memset(memory, 0, bytes);
    return memory;
}

enum sft_status sft_grow(void *array, size_t *capacity, size_t needed, size_t size)
{
    void *old, *grown;
    size_t room = *capacity ? *capacity : 8, bytes;
    if (needed <= *capacity) return SFT_OK;
    while (room < needed) {
        if (room > SIZE_MAX / 2)
            return sft_fail(SFT_MEMORY, "out of memory: %zu elements of %zu bytes", needed, size);
        room *= 2;
    }
    if (__builtin_mul_overflow(room, size, &bytes))
        return sft_fail(SFT_MEMORY, "out of memory: %zu elements of %zu bytes", room, size);
    memcpy(&old, array, sizeof(old));
    grown = realloc(old, bytes);
    if (!grown) return sft_fail(SFT_MEMORY, "out of memory: %zu elements of %zu bytes", room, size);
    memset((char *)grown + *capacity * size, 0, (room - *capacity) * size);
    memcpy(array, &grown, sizeof(grown));
    *capacity = room;
    return SFT_OK;
}

char *sft_strdup(const char *text)
{
    size_t length = strlen(text) + 1;
    char *copy = sft_calloc(length, 1);
    if (copy) memcpy(copy, text, length);
    return copy;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * jansson's reader (as of 2.14) does not survive a text for which it gets no memory: it reads on and runs
 * into an assertion or a null pointer. So it gets some of a reserve then, and no more of the text.
 */
#include "runtime/base/json_parse.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { RESERVE = 1 << 20, UNIT = 16 };

static _Alignas(UNIT) char reserve[RESERVE];
static size_t used, living; /* bytes handed out; pieces not given back */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* A text that a thread is reading. */
struct text {
    const char *at;
    size_t left;
    bool gave_out; /* memory did */
};
static _Thread_local struct text *reading;

static bool is_reserve(const void *memory)
{
    return (const char *)memory >= reserve && (const char *)memory < reserve + RESERVE;
}

static void *take_reserve(size_t size)
{
    void *memory = NULL;
    pthread_mutex_lock(&lock);
    if (size <= RESERVE - used) {
        memory = reserve + used;
        used += (size + UNIT - 1) / UNIT * UNIT;
        living++;
    }
    pthread_mutex_unlock(&lock);
    return memory;
}

static void give_back_reserve(void)
{
    pthread_mutex_lock(&lock);
    if (--living == 0) used = 0;
    pthread_mutex_unlock(&lock);
}

static void *take(size_t size)
{
    void *memory = malloc(size);
    if (memory || !reading) return memory;
    reading->gave_out = true;
    return take_reserve(size);
}

static void give_back(void *memory)
{
    if (is_reserve(memory))
        give_back_reserve();
    else
        free(memory);
}

/* Before anybody has a value of jansson's. */
__attribute__((constructor)) static void set_memory(void) { json_set_alloc_funcs(take, give_back); }

static size_t next_piece(void *buffer, size_t size, void *context)
{
    struct text *text = context;
    size_t here = size < text->left ? size : text->left;
    if (text->gave_out) return (size_t)-1;
    memcpy(buffer, text->at, here);
    text->at += here;
    text->left -= here;
    return here;
}

json_t *sft_json_parse(const char *bytes, size_t size, size_t flags, json_error_t *error)
{
    struct text text = {.at = bytes, .left = size};
    json_t *value;
    json_error_t own;
    if (!error) error = &own;
    reading = &text;
    value = json_load_callback(next_piece, &text, flags, error);
    if (text.gave_out) {
        json_decref(value);
        value = NULL;
        error->text[0] = '\0'; /* sft_json_lacks_memory() */
    }
    reading = NULL;
    return value;
}

/* jansson has words for everything but for memory that could not be had. */
bool sft_json_lacks_memory(const json_error_t *error)
{
    return error->text[0] == '\0' || json_error_code(error) == json_error_out_of_memory;
}

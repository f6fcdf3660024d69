/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/cli/terminal.h"

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "runtime/base/clock.h"
#include "runtime/base/visible.h"
#include "tools/cli/interrupt.h"
#include "tools/cli/pace.h"

#define CLEAR_LINE "\r\x1b[K"

static struct {
    pthread_mutex_t lock; /* of the line; the log has its own around the sink */
    bool progress, colour, shown, muted;
    double last;             /* seconds, when the line was drawn */
    enum sft_status printed; /* of the lines of results so far */
    /* Where stderr is a file: lines of progress, whether there are any, when the next one is due and how long
     * after the last one. */
    bool lines;
    double due, pause;
    struct sft_pace pace;
} terminal = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* Seconds between lines of progress in a log: few for a short job, and never more than some a minute. */
#define FIRST_PAUSE 5.0
#define LONGEST_PAUSE 60.0
#define PAUSE_GROWTH 1.5

static bool is_terminal(void)
{
    const char *term = getenv("TERM");
    return isatty(STDERR_FILENO) && !(term && strcmp(term, "dumb") == 0);
}

static void clear_line(void)
{
    if (terminal.shown) fputs(CLEAR_LINE, stderr);
    terminal.shown = false;
}

static void write_message(void *context, enum sft_log_level level, const char *message)
{
    static const struct {
        const char *word, *colour;
    } levels[] = {
        [SFT_LOG_ERROR] = {"error: ", "\x1b[1;31m"},
        [SFT_LOG_WARNING] = {"warning: ", "\x1b[1;33m"},
        [SFT_LOG_INFO] = {"", ""},
        [SFT_LOG_DEBUG] = {"debug: ", "\x1b[2m"},
    };
    (void)context;
    pthread_mutex_lock(&terminal.lock);
    if (terminal.muted) goto out;
    clear_line();
    if (terminal.colour)
        fprintf(stderr, "sft-vk: %s%s\x1b[0m%s\n", levels[level].colour, levels[level].word, message);
    else
        fprintf(stderr, "sft-vk: %s%s\n", levels[level].word, message);
out:
    pthread_mutex_unlock(&terminal.lock);
}

void sft_terminal_mute(bool mute)
{
    pthread_mutex_lock(&terminal.lock);
    terminal.muted = mute;
    pthread_mutex_unlock(&terminal.lock);
}

void sft_terminal_init(enum sft_log_level level, bool progress, bool colour)
{
    const char *no_color = getenv("NO_COLOR");
    terminal.progress = progress && is_terminal();
    terminal.lines = progress && !is_terminal() && level >= SFT_LOG_INFO;
    terminal.pause = FIRST_PAUSE;
    terminal.due = sft_now() + FIRST_PAUSE;
    terminal.colour = colour && is_terminal() && !(no_color && *no_color);
    sft_log_set_level(level);
    sft_log_set_sink(write_message, NULL);
}

/* Cuts the text off where the terminal's line ends: one that goes on below could not be taken away. */
static void fit_line(char *text)
{
    struct winsize size;
    size_t columns = 0, i = 0;
    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col < 2) return;
    for (; text[i]; i++) {
        columns += ((unsigned char)text[i] & 0xc0) != 0x80; /* a byte that begins a character */
        if (columns == size.ws_col) break;
    }
    text[i] = '\0';
}

/* Draws the line of progress anew. Under the lock. */
static void draw_line(bool complete, double now, char *text)
{
    if (!complete && now - terminal.last < 0.1) return;
    fit_line(text);
    fprintf(stderr, CLEAR_LINE "%s", text);
    fflush(stderr);
    terminal.shown = true;
    terminal.last = now;
}

/* Writes a line of progress into a log when one is due. Under the lock. */
static void log_line(double now, const char *text)
{
    if (now < terminal.due) return;
    fprintf(stderr, "sft-vk: %s\n", text);
    terminal.due = now + terminal.pause;
    terminal.pause = fmin(terminal.pause * PAUSE_GROWTH, LONGEST_PAUSE);
}

void sft_progress(int64_t done, int64_t total, const char *format, ...)
{
    char text[512], shown[512 + SFT_PACE_TEXT], pace[SFT_PACE_TEXT];
    const double now = sft_now();
    va_list args;
    if (!terminal.progress && !terminal.lines) return;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    sft_visible(text, "", shown, sizeof(text));
    pthread_mutex_lock(&terminal.lock);
    strcat(shown, sft_pace_tell(&terminal.pace, done, total, now, pace));
    if (terminal.progress)
        draw_line(done >= total, now, shown);
    else
        log_line(now, shown);
    pthread_mutex_unlock(&terminal.lock);
}

void sft_progress_end(void)
{
    pthread_mutex_lock(&terminal.lock);
    clear_line();
    fflush(stderr);
    pthread_mutex_unlock(&terminal.lock);
}

static void show_progress(void *context, int64_t done, int64_t total, const char *text)
{
    (void)context;
    if (text)
        sft_progress(done, total, "%s", text);
    else
        sft_progress_end();
}

struct sft_watch sft_terminal_watch(void)
{
    return (struct sft_watch){.progress = show_progress, .stop = sft_interrupt_flag()};
}

void sft_print_line(const char *format, ...)
{
    struct sft_text text = {0}, line = {0};
    enum sft_status status;
    va_list args;
    sft_progress_end();
    va_start(args, format);
    sft_text_vprintf(&text, format, args);
    va_end(args);
    sft_text_add_visible(&line, text.data ? text.data : "");
    sft_text_add(&line, "\n");
    status = text.status == SFT_OK ? line.status : text.status;
    if (status == SFT_OK)
        fputs(line.data, stdout);
    else
        terminal.printed = status;
    sft_text_free(&text);
    sft_text_free(&line);
}

enum sft_status sft_print_json(struct sft_json *json)
{
    struct sft_text text = {0};
    enum sft_status status;
    sft_progress_end();
    sft_json_dump(json, JSON_INDENT(2) | JSON_REAL_PRECISION(15), &text);
    sft_text_add(&text, "\n");
    sft_json_free(json);
    status = text.status;
    if (status == SFT_OK && fwrite(text.data, 1, text.length, stdout) != text.length)
        status = sft_fail_printing("the result");
    sft_text_free(&text);
    return status;
}

enum sft_status sft_terminal_finish(void)
{
    sft_progress_end();
    if (fflush(stdout) == 0 && !ferror(stdout)) return terminal.printed;
    return sft_fail_printing("the output");
}

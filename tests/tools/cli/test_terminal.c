/* SPDX-License-Identifier: Apache-2.0 */
/* Progress where stderr is a file, as in a batch job's log: a plain line now and then; where it is a
 * terminal; and its pace. */
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "runtime/base/clock.h"
#include "runtime/base/file.h"
#include "tests/support/fixture.h"
#include "tools/cli/pace.h"
#include "tools/cli/terminal.h"

/* Reports progress every 20 ms for so many seconds, with stderr in a file. */
static void work(double seconds, bool wished, const char *path)
{
    const struct timespec pause = {.tv_nsec = 20000000};
    const double end = sft_now() + seconds;
    int kept = dup(STDERR_FILENO), file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(kept >= 0 && file >= 0);
    dup2(file, STDERR_FILENO);
    sft_terminal_init(SFT_LOG_INFO, wished, true);
    for (int step = 0; sft_now() < end; step++) {
        sft_progress(step, step, "step %d\r\x1b[K of many", step);
        nanosleep(&pause, NULL);
    }
    sft_progress_end();
    dup2(kept, STDERR_FILENO);
    close(kept);
    close(file);
}

static void a_log_gets_a_line_now_and_then(void **state)
{
    struct sft_bytes log;
    int lines = 0;
    (void)state;
    work(5.5, true, test_path("log"));
    assert_int_equal(sft_file_open(test_path("log"), &log), SFT_OK);
    for (size_t i = 0; i < log.size; i++) {
        lines += log.data[i] == '\n';
        assert_true(log.data[i] == '\n' || log.data[i] >= ' ');
    }
    assert_int_equal(lines, 1);
    assert_memory_equal(log.data, "sft-vk: step ", strlen("sft-vk: step "));
    sft_file_close(&log);
}

static void short_and_quiet_jobs_say_nothing(void **state)
{
    struct sft_bytes log;
    (void)state;
    work(0.1, true, test_path("short"));
    assert_int_equal(sft_file_open(test_path("short"), &log), SFT_OK);
    assert_int_equal(log.size, 0);
    sft_file_close(&log);
    work(5.1, false, test_path("quiet"));
    assert_int_equal(sft_file_open(test_path("quiet"), &log), SFT_OK);
    assert_int_equal(log.size, 0);
    sft_file_close(&log);
}

/* What a terminal was sent arrives in pieces. Waits for `end` some seconds; returns the bytes, to which a
 * zero is added. */
static size_t read_until(int terminal, const char *end, char *seen, size_t room)
{
    struct pollfd wait = {.fd = terminal, .events = POLLIN};
    size_t got = 0;
    seen[0] = '\0';
    while (!strstr(seen, end) && got + 1 < room && poll(&wait, 1, 20000) == 1) {
        ssize_t some = read(terminal, seen + got, room - 1 - got);
        if (some <= 0) break;
        got += (size_t)some;
        seen[got] = '\0';
    }
    return got;
}

/* A line on a terminal of 40 columns is drawn over and over, never broken, and gone at the end. */
static void a_terminal_gets_one_line(void **state)
{
    const struct winsize size = {.ws_row = 24, .ws_col = 40};
    int master = posix_openpt(O_RDWR | O_NOCTTY), slave, kept = dup(STDERR_FILENO), column = 0;
    char seen[4096];
    size_t got;
    (void)state;
    assert_true(master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0);
    slave = open(ptsname(master), O_RDWR | O_NOCTTY);
    assert_true(slave >= 0 && ioctl(slave, TIOCSWINSZ, &size) == 0);
    setenv("TERM", "xterm", 1);
    dup2(slave, STDERR_FILENO);
    sft_terminal_init(SFT_LOG_INFO, true, true);
    sft_progress(1, 2, "%s", "one of two very long lines that a narrow terminal has no room for");
    sft_progress(2, 2, "%s", "two of two");
    sft_progress_end();
    dup2(kept, STDERR_FILENO);
    got = read_until(master, "two of two\r\x1b[K", seen, sizeof(seen));
    assert_null(strchr(seen, '\n'));
    for (char *at = seen; *at; at++) {
        if (*at == '\r') column = 0;
        column += *at >= ' ' && *at != '[' && *at != 'K';
        assert_true(column < 40);
    }
    assert_non_null(strstr(seen, "two of two"));
    assert_true(got > 4);
    assert_string_equal(seen + got - 4, "\r\x1b[K");
    close(kept);
    close(slave);
    close(master);
}

static void tells_pace_and_time_left(void **state)
{
    struct sft_pace pace = {.begun = false};
    char text[SFT_PACE_TEXT];
    (void)state;
    assert_string_equal(sft_pace_tell(&pace, 100, 10000, 50, text), ""); /* resumed: 100 are not its own */
    assert_string_equal(sft_pace_tell(&pace, 150, 10000, 50.5, text), "");
    assert_string_equal(sft_pace_tell(&pace, 200, 10000, 60, text), " (10.0 a second, 16 min 20 s left)");
    assert_string_equal(sft_pace_tell(&pace, 10000, 10000, 1040, text), " (10.0 a second)");
    assert_string_equal(sft_pace_tell(&pace, 1, 10000, 1041, text), ""); /* the next set */
    assert_string_equal(sft_pace_tell(&pace, 2, 10000, 1051, text), " (10.0 s each, 1 d 3 h left)");
    assert_string_equal(sft_pace_tell(&pace, 1, 50, 0, text), "");
    assert_string_equal(sft_pace_tell(&pace, 11, 50, 2, text), " (5.0 a second, 8 s left)");
    assert_string_equal(sft_pace_tell(&pace, 11, 100000, 0, text), "");
    assert_string_equal(sft_pace_tell(&pace, 21, 100000, 5, text), " (2.0 a second, 13 h 53 min left)");
    assert_string_equal(sft_pace_tell(&pace, 0, 0, 0, text), "");
    assert_string_equal(sft_pace_tell(&pace, 0, 0, 9, text), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_log_gets_a_line_now_and_then),
        cmocka_unit_test(short_and_quiet_jobs_say_nothing),
        cmocka_unit_test(a_terminal_gets_one_line),
        cmocka_unit_test(tells_pace_and_time_left),
    };
    return cmocka_run_group_tests_name("cli/terminal", tests, test_setup_folder, test_remove_folder);
}

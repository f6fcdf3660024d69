/* SPDX-License-Identifier: Apache-2.0 */
/* Progress where stderr is a file, as in a batch job's log: a plain line now and then. */
#include <fcntl.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "runtime/base/clock.h"
#include "runtime/base/file.h"
#include "tests/support/fixture.h"
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_log_gets_a_line_now_and_then),
        cmocka_unit_test(short_and_quiet_jobs_say_nothing),
    };
    return cmocka_run_group_tests_name("cli/terminal", tests, test_setup_folder, test_remove_folder);
}

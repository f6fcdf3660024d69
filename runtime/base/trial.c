/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/base/trial.h"

/* ThreadSanitizer ends a child that starts threads. */
#if defined(__linux__) && !defined(__SANITIZE_THREAD__)

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { POLL_NANOSECONDS = 1000000, POLLS_PER_SECOND = 1000 };

/* What the parent does on a signal is no matter here. */
static void be_mortal(void)
{
    static const int numbers[] = {SIGINT,  SIGTERM, SIGHUP, SIGQUIT, SIGSEGV, SIGBUS,
                                  SIGABRT, SIGFPE,  SIGILL, SIGPIPE, SIGXCPU, SIGXFSZ};
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) signal(numbers[i], SIG_DFL);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
}

static void be_silent(void)
{
    const struct rlimit none = {0, 0};
    int null = open("/dev/null", O_RDWR);
    setrlimit(RLIMIT_CORE, &none);
    if (null < 0) return;
    dup2(null, STDOUT_FILENO);
    dup2(null, STDERR_FILENO);
}

/* Waits for the child; *end as of waitpid(). False where the time was over, and it was killed. */
static bool wait_for(pid_t child, int seconds, int *end)
{
    const struct timespec pause = {0, POLL_NANOSECONDS};
    for (long polls = (long)seconds * POLLS_PER_SECOND; polls >= 0; polls--) {
        pid_t got = waitpid(child, end, WNOHANG);
        if (got == child) return true;
        if (got < 0 && errno != EINTR) { /* the process ignores its children: nothing is known */
            *end = 0;
            return true;
        }
        nanosleep(&pause, NULL);
    }
    kill(child, SIGKILL);
    while (waitpid(child, end, 0) < 0 && errno == EINTR) continue;
    return false;
}

bool sft_trial(void (*call)(void), int seconds, char *why, size_t room)
{
    int end = 0;
    pid_t child = fork();
    if (child < 0) return true;
    if (child == 0) {
        be_mortal();
        be_silent();
        call();
        _exit(0);
    }
    if (!wait_for(child, seconds, &end)) {
        snprintf(why, room, "did not come back in %d seconds", seconds);
        return false;
    }
    if (end == 0) return true;
    if (WIFSIGNALED(end))
        snprintf(why, room, "ended by signal %d (%s)", WTERMSIG(end), strsignal(WTERMSIG(end)));
    else
        snprintf(why, room, "ended the process with code %d", WEXITSTATUS(end));
    return false;
}

#else

bool sft_trial(void (*call)(void), int seconds, char *why, size_t room)
{
    (void)call;
    (void)seconds;
    (void)why;
    (void)room;
    return true;
}

#endif

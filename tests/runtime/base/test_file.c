/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/base/file.h"
#include "runtime/base/sha256.h"
#include "tests/support/fixture.h"

static void assert_content(const char *path, const char *want)
{
    struct sft_bytes bytes;
    assert_int_equal(sft_file_open(path, &bytes), SFT_OK);
    assert_int_equal(bytes.size, strlen(want));
    assert_memory_equal(bytes.data, want, bytes.size);
    sft_file_close(&bytes);
    assert_null(bytes.data);
}

static int count_entries(void)
{
    DIR *entries = opendir(test_folder());
    int count = 0;
    assert_non_null(entries);
    while (readdir(entries)) count++;
    closedir(entries);
    return count - 2;
}

/* ---- SHA-256: FIPS 180-4 examples and NIST's CAVP short messages; runs of "a" from sha256sum ---- */

static void check_hash(const void *data, size_t size, const char *want)
{
    char hex[65];
    sft_sha256(data, size, hex);
    assert_string_equal(hex, want);
}

static void sha256_vectors(void **state)
{
    static const char two_blocks[] = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
    (void)state;
    check_hash("", 0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    check_hash("abc", 3, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    check_hash(two_blocks, 56, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    check_hash("\xd3", 1, "28969cdfa74a12c82f3bad960b0b000aca2ac329deea5c2328ebc6f2ba9802c1");
    check_hash("\x11\xaf", 2, "5ca7133fa735326081558ac312c620eeca9970d1e70a4b95533d956f072d1f98");
}

static void sha256_of_file(void **state)
{
    char hex[65];
    (void)state;
    test_put("abc", "abc", 3);
    assert_int_equal(sft_file_sha256(test_path("abc"), hex), SFT_OK);
    assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_int_equal(sft_file_sha256(test_path("not there"), hex), SFT_DATA);
}

static void sha256_million(void **state)
{
    char *text = malloc(1000000);
    (void)state;
    assert_non_null(text);
    memset(text, 'a', 1000000);
    check_hash(text, 1000000, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
    free(text);
}

/* Lengths on both sides of where the padding needs another block. */
static void sha256_padding(void **state)
{
    static const struct {
        size_t size;
        const char *want;
    } vectors[] = {
        {55, "9f4390f8d30c2dd92ec9f095b65e2b9ae9b0a925a5258e241c9f1e910f734318"},
        {56, "b35439a4ac6f0948b6d6f9e3c6af0f5f590ce20f1bde7090ef7970686ec6738a"},
        {63, "7d3e74a05d7db15bce4ad9ec0658ea98e3f06eeecf16b4c6fff2da457ddc2f34"},
        {64, "ffe054fe7ae0cb6dc65c3af9b61d5209f439851db43d0ba5997337df154668eb"},
        {65, "635361c48bb9eab14198e76ea8ab7f1a41685d6ad62aa9146d301d4f17eb0ae0"},
        {119, "31eba51c313a5c08226adf18d4a359cfdfd8d2e816b13f4af952f7ea6584dcfb"},
        {120, "2f3d335432c70b580af0e8e1b3674a7c020d683aa5f73aaaedfdc55af904c21c"},
    };
    char text[128];
    (void)state;
    memset(text, 'a', sizeof(text));
    for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++)
        check_hash(text, vectors[i].size, vectors[i].want);
}

/* ---- reading ---- */

static void reads_what_was_written(void **state)
{
    (void)state;
    assert_int_equal(sft_file_write(test_path("a"), "hello", 5), SFT_OK);
    assert_content(test_path("a"), "hello");
    assert_int_equal(sft_file_write(test_path("empty"), "", 0), SFT_OK);
    assert_content(test_path("empty"), "");
    assert_int_equal(count_entries(), 2);
}

static void refuses_what_is_no_file(void **state)
{
    struct sft_bytes bytes;
    (void)state;
    assert_int_equal(sft_file_open(test_path("missing"), &bytes), SFT_DATA);
    test_expect_last("missing");
    assert_int_equal(sft_file_open(test_folder(), &bytes), SFT_DATA);
    test_expect_last("regular");
    assert_null(bytes.data);
    sft_file_close(&bytes); /* allowed after a failure */
}

/* Opening a pipe for reading waits for a writer, unless told not to. */
static void does_not_wait_for_a_pipe(void **state)
{
    struct sft_bytes bytes;
    char head[4];
    (void)state;
    assert_int_equal(mkfifo(test_path("pipe"), 0666), 0);
    assert_int_equal(sft_file_open(test_path("pipe"), &bytes), SFT_DATA);
    test_expect_last("regular");
    assert_int_equal(sft_file_head(test_path("pipe"), head, sizeof(head)), 0);
    assert_int_equal(sft_file_open("/dev/zero", &bytes), SFT_DATA);
    test_expect_last("regular");
    assert_int_equal(sft_file_write(test_path("pipe"), "x", 1), SFT_WRITE);
    test_expect_last("regular");
}

static void reads_heads(void **state)
{
    char head[4];
    (void)state;
    test_put("a", "hello", 5);
    assert_int_equal(sft_file_head(test_path("a"), head, sizeof(head)), 4);
    assert_memory_equal(head, "hell", 4);
    test_put("b", "x", 1);
    assert_int_equal(sft_file_head(test_path("b"), head, sizeof(head)), 1);
    assert_int_equal(sft_file_head(test_path("missing"), head, sizeof(head)), 0);
    assert_int_equal(sft_file_head(test_folder(), head, sizeof(head)), 0);
}

static void too_many_open_files(void **state)
{
    struct rlimit old, none;
    struct sft_bytes bytes;
    enum sft_status status, written;
    (void)state;
    test_put("a", "hello", 5);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
    none = old;
    none.rlim_cur = 0;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    status = sft_file_open(test_path("a"), &bytes);
    written = sft_file_write(test_path("b"), "x", 1);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
    assert_int_equal(status, SFT_FAILED);
    assert_int_equal(written, SFT_WRITE);
    assert_int_equal(count_entries(), 1);
}

/* ---- writing ---- */

static void replaces(void **state)
{
    (void)state;
    assert_int_equal(sft_file_write(test_path("a"), "a longer text", 13), SFT_OK);
    assert_content(test_path("a"), "a longer text");
    assert_int_equal(sft_file_write(test_path("a"), "new", 3), SFT_OK);
    assert_content(test_path("a"), "new");
    assert_int_equal(count_entries(), 1);
}

static void missing_folder(void **state)
{
    (void)state;
    assert_int_equal(sft_file_write(test_path("no/such"), "x", 1), SFT_WRITE);
    test_expect_last("no/such");
    assert_int_equal(count_entries(), 0);
}

static void target_is_a_folder(void **state)
{
    (void)state;
    assert_int_equal(mkdir(test_path("a"), 0777), 0);
    assert_int_equal(mkdir(test_path("a/b"), 0777), 0);
    assert_int_equal(sft_file_write(test_path("a"), "x", 1), SFT_WRITE);
    assert_int_equal(count_entries(), 1); /* no temporary file stays */
    rmdir(test_path("a/b"));
    rmdir(test_path("a"));
}

/* A file that may not grow further is what a full disk looks like: a part is written, then nothing. */
static void no_room(void **state)
{
    struct rlimit old, small;
    static char large[100000];
    enum sft_status status;
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
    (void)state;
    assert_int_equal(sft_file_write(test_path("a"), "old", 3), SFT_OK);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    small = old;
    small.rlim_cur = 5000;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    status = sft_file_write(test_path("a"), large, sizeof(large));
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    signal(SIGXFSZ, handler);
    assert_int_equal(status, SFT_WRITE);
    assert_content(test_path("a"), "old");
    assert_int_equal(count_entries(), 1);
}

/* ---- temporary files ---- */

static void leftovers_are_removed(void **state)
{
    (void)state;
    test_put("a.0123456789ab.part", "x", 1);
    test_put("a.0123456789xy.part", "x", 1); /* these are others' */
    test_put("a.0123456789ab.parts", "x", 1);
    test_put("b.0123456789ab.part", "x", 1);
    assert_int_equal(symlink("b.0123456789ab.part", test_path("a.fedcba987654.part")), 0);
    assert_int_equal(mkfifo(test_path("a.00000000000f.part"), 0666), 0);
    assert_int_equal(sft_file_write(test_path("a"), "new", 3), SFT_OK);
    assert_int_equal(access(test_path("a.0123456789ab.part"), F_OK), -1);
    assert_int_equal(count_entries(), 6);
}

/* As long as a name may be: the temporary one is no longer, and a leftover of it is known. */
static void names_may_be_long(void **state)
{
    char before[512], name[256], leftover[256];
    (void)state;
    memset(name, 'n', 255);
    name[255] = '\0';
    snprintf(leftover, sizeof(leftover), "%.237s.0123456789ab.part", name);
    assert_non_null(getcwd(before, sizeof(before)));
    assert_int_equal(chdir(test_folder()), 0);
    assert_int_equal(sft_file_write(leftover, "x", 1), SFT_OK);
    assert_int_equal(sft_file_write(name, "new", 3), SFT_OK);
    assert_content(name, "new");
    assert_int_equal(count_entries(), 1);
    assert_int_equal(chdir(before), 0);
}

static void those_of_the_living_stay(void **state)
{
    int file;
    (void)state;
    test_put("a.0123456789ab.part", "x", 1);
    file = open(test_path("a.0123456789ab.part"), O_RDONLY);
    assert_int_equal(flock(file, LOCK_EX), 0);
    assert_int_equal(sft_file_write(test_path("a"), "new", 3), SFT_OK);
    assert_int_equal(count_entries(), 2);
    close(file);
    assert_int_equal(sft_file_write(test_path("a"), "newer", 5), SFT_OK);
    assert_int_equal(count_entries(), 1);
}

/* In place of the system's: the names of temporary files, once `known` is set. */
static uint64_t known;
int getentropy(void *buffer, size_t length)
{
    int file = known ? -1 : open("/dev/urandom", O_RDONLY | O_CLOEXEC);
    ssize_t got = length == sizeof(known) ? (ssize_t)length : -1;
    if (!known) got = read(file, buffer, length);
    if (file >= 0) close(file);
    if (known && got > 0) memcpy(buffer, &known, sizeof(known));
    if (known) known++;
    return got == (ssize_t)length ? 0 : -1;
}

/* Whoever guesses the name can put a link there. */
static void links_in_the_way_are_not_opened(void **state)
{
    (void)state;
    test_put("victim", "precious", 8);
    test_put("other", "theirs", 6);
    assert_int_equal(symlink("victim", test_path("a.000000000001.part")), 0);
    assert_int_equal(link(test_path("other"), test_path("a.000000000002.part")), 0);
    assert_int_equal(symlink("new", test_path("a.000000000003.part")), 0);
    known = 1;
    assert_int_equal(sft_file_write(test_path("a"), "mine", 4), SFT_OK);
    assert_int_equal(known, 5);
    known = 0;
    assert_content(test_path("a"), "mine");
    assert_content(test_path("victim"), "precious");
    assert_content(test_path("other"), "theirs");
    assert_int_equal(access(test_path("new"), F_OK), -1);
}

static void links_are_replaced_and_not_followed(void **state)
{
    struct stat info;
    (void)state;
    test_put("victim", "precious", 8);
    assert_int_equal(symlink("victim", test_path("a")), 0);
    assert_int_equal(sft_file_write(test_path("a"), "new", 3), SFT_OK);
    assert_content(test_path("victim"), "precious");
    assert_content(test_path("a"), "new");
    assert_int_equal(lstat(test_path("a"), &info), 0);
    assert_true(S_ISREG(info.st_mode));
}

/* ---- files that are cut off; damage is for the whole process, so in a child ---- */

enum { LARGE = 17 << 20, PAGE = 4096 };

/* A file that is too large to be read at once; most of it is a hole. */
static void put_large(const char *name)
{
    static const char text[] = "begin";
    test_put(name, text, sizeof(text));
    assert_int_equal(truncate(test_path(name), LARGE), 0);
}

/* 0, or the number of what is wrong. */
static int use_while_cut(off_t left)
{
    struct sft_bytes bytes;
    int sum = 0;
    if (sft_file_open(test_path("large"), &bytes) != SFT_OK || bytes.size != LARGE) return 1;
    if (sft_files_whole() != SFT_OK) return 2;
    if (truncate(test_path("large"), left) != 0) return 3;
    for (size_t i = PAGE; i < bytes.size; i += PAGE) sum |= bytes.data[i];
    if (sum != 0) return 4;
    if (left == 0 && bytes.data[0] != 0) return 5;
    sft_file_close(&bytes);
    if (sft_files_whole() != SFT_DATA) return 6;
    if (!strstr(test_log(), "large: was cut off")) return 7;
    return 0;
}

static void check_cut(off_t left)
{
    int end;
    pid_t child;
    put_large("large");
    child = fork();
    if (child == 0) _exit(use_while_cut(left));
    assert_int_equal(waitpid(child, &end, 0), child);
    assert_true(WIFEXITED(end));
    assert_int_equal(WEXITSTATUS(end), 0);
}

static void cut_off_while_mapped(void **state)
{
    (void)state;
    check_cut(0);
    check_cut(10 * PAGE + 100);
    check_cut(LARGE - 10); /* nothing faults, but the last page has changed */
}

/* Whoever asked for SIGBUS before still gets those that are not ours. */
static void other_bus_errors_end_the_process(void **state)
{
    int end;
    pid_t child = fork();
    (void)state;
    if (child == 0) {
        struct sft_bytes bytes;
        const char *other;
        int file;
        signal(SIGBUS, SIG_DFL);
        put_large("large");
        if (sft_file_open(test_path("large"), &bytes) != SFT_OK) _exit(1);
        file = open(test_path("large"), O_RDONLY);
        other = mmap(NULL, 2 * PAGE, PROT_READ, MAP_SHARED, file, 0);
        if (truncate(test_path("large"), 0) != 0) _exit(2);
        _exit(10 + *(volatile const char *)other);
    }
    assert_int_equal(waitpid(child, &end, 0), child);
    assert_true(WIFSIGNALED(end));
    assert_int_equal(WTERMSIG(end), SIGBUS);
}

/* ---- folders ---- */

static void makes_folders(void **state)
{
    struct stat info;
    (void)state;
    assert_int_equal(sft_make_folder(test_path("x/y//z")), SFT_OK);
    assert_int_equal(stat(test_path("x/y/z"), &info), 0);
    assert_true(S_ISDIR(info.st_mode));
    assert_int_equal(sft_make_folder(test_path("x/y/z/")), SFT_OK);
    assert_int_equal(sft_make_folder("/"), SFT_OK);
    assert_int_equal(sft_file_write(test_path("file"), "", 0), SFT_OK);
    assert_int_equal(sft_make_folder(test_path("file")), SFT_WRITE);
    assert_int_equal(sft_make_folder(test_path("file/below")), SFT_WRITE);
    test_expect_last("file");
    rmdir(test_path("x/y/z"));
    rmdir(test_path("x/y"));
    rmdir(test_path("x"));
}

static void folders_of_a_run_are_no_links(void **state)
{
    struct stat info;
    char run[256];
    (void)state;
    snprintf(run, sizeof(run), "%s", test_path("run"));
    assert_int_equal(sft_make_folder_in(run, "plots/energy"), SFT_OK);
    assert_int_equal(sft_make_folder_in(run, "plots"), SFT_OK);
    assert_int_equal(stat(test_path("run/plots/energy"), &info), 0);
    assert_int_equal(mkdir(test_path("outside"), 0777), 0);
    assert_int_equal(symlink("../outside", test_path("run/scores")), 0);
    assert_int_equal(sft_make_folder_in(run, "scores"), SFT_WRITE);
    test_expect_last("run/scores: a link");
    assert_int_equal(sft_make_folder_in(run, "scores/before/energy"), SFT_WRITE);
    assert_int_equal(symlink("../../outside", test_path("run/plots/msp")), 0);
    assert_int_equal(sft_make_folder_in(run, "plots/msp"), SFT_WRITE);
    assert_int_equal(symlink("run", test_path("alias")), 0); /* above the run they are the user's */
    snprintf(run, sizeof(run), "%s", test_path("alias"));
    assert_int_equal(sft_make_folder_in(run, "plots/odin"), SFT_OK);
    assert_int_equal(rmdir(test_path("outside")), 0); /* nothing was put there */
    unlink(test_path("run/scores"));
    unlink(test_path("run/plots/msp"));
    rmdir(test_path("run/plots/energy"));
    rmdir(test_path("run/plots/odin"));
    rmdir(test_path("run/plots"));
    rmdir(test_path("run"));
}

#define IN_ROOM(function) cmocka_unit_test_setup_teardown(function, test_setup_folder, test_remove_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sha256_vectors),
        IN_ROOM(sha256_of_file),
        cmocka_unit_test(sha256_million),
        cmocka_unit_test(sha256_padding),
        IN_ROOM(reads_what_was_written),
        IN_ROOM(refuses_what_is_no_file),
        IN_ROOM(does_not_wait_for_a_pipe),
        IN_ROOM(reads_heads),
        IN_ROOM(too_many_open_files),
        IN_ROOM(replaces),
        IN_ROOM(missing_folder),
        IN_ROOM(target_is_a_folder),
        IN_ROOM(no_room),
        IN_ROOM(leftovers_are_removed),
        IN_ROOM(names_may_be_long),
        IN_ROOM(those_of_the_living_stay),
        IN_ROOM(links_in_the_way_are_not_opened),
        IN_ROOM(links_are_replaced_and_not_followed),
        IN_ROOM(cut_off_while_mapped),
        IN_ROOM(other_bus_errors_end_the_process),
        IN_ROOM(makes_folders),
        IN_ROOM(folders_of_a_run_are_no_links),
    };
    return cmocka_run_group_tests_name("runtime/base/file", tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* An example of the library: fine-tunes the built-in model on the built-in images, without a command line.
 * With an argument, into that folder, for test_example.sh to compare with what the program makes. */
#include <unistd.h>

#include "runtime/open.h"
#include "tests/support/fixture.h"
#include "tools/jobs/finetune.h"

static const char *folder; /* NULL: one that goes away */

static void count_steps(void *context, int64_t done, int64_t total, const char *text)
{
    if (text && done <= total) ++*(int *)context;
}

static enum sft_status fine_tune(const char *out, int *told)
{
    const struct sft_watch watch = {.progress = count_steps, .context = told};
    struct sft_finetune_job job;
    struct sft_finetune_result result;
    enum sft_status status;
    sft_finetune_job_init(&job);
    job.training.model.weights = SFT_TEST_DATA "/../models/synthetic.safetensors";
    job.training.id = "synthetic#train";
    job.training.limit = 100;
    job.training.out = out;
    job.training.params.schedule.steps = 3;
    job.training.params.loader.batch = 8;
    SFT_TRY(sft_device_open("cpu", 0, &job.training.model.device));
    status = sft_finetune(&job, &watch, &result);
    sft_finetune_result_free(&result);
    sft_device_close(&job.training.model.device);
    return status;
}

static void the_built_in_model_is_fine_tuned(void **state)
{
    char path[SFT_RUN_PATH];
    int told = 0;
    (void)state;
    if (!folder) folder = test_path("run");
    assert_int_equal(fine_tune(folder, &told), SFT_OK);
    assert_int_equal(told, 3);
    assert_int_equal(access(sft_run_file(folder, SFT_FILE_MODEL, path), F_OK), 0);
    assert_int_equal(access(sft_run_file(folder, SFT_FILE_REPORT, path), F_OK), 0);
    assert_true(sft_run_is_done(folder));
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_built_in_model_is_fine_tuned)};
    folder = argc > 1 ? argv[1] : NULL;
    return cmocka_run_group_tests(tests, test_setup_folder, test_remove_folder);
}

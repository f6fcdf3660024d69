/* SPDX-License-Identifier: Apache-2.0 */
/* Jobs as a library has them: a model and images that the caller has open, stopping, and what is refused. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/backend.h"
#include "runtime/base/file.h"
#include "runtime/open.h"
#include "tests/support/fixture.h"
#include "tools/jobs/finetune.h"

static struct sft_device *device;

static struct sft_finetune_job small_job(const char *out)
{
    struct sft_finetune_job job;
    sft_finetune_job_init(&job);
    job.training.model.device = device;
    job.training.model.weights = SFT_TEST_DATA "/../models/synthetic.safetensors";
    job.training.id = "synthetic#train";
    job.training.limit = 64;
    job.training.out = out;
    job.training.params.schedule.steps = 3;
    job.training.params.loader.batch = 4;
    return job;
}

static enum sft_status run(const struct sft_finetune_job *job, const struct sft_watch *watch)
{
    struct sft_finetune_result result;
    enum sft_status status = sft_finetune(job, watch, &result);
    sft_finetune_result_free(&result);
    return status;
}

static void model_hash(const char *folder, char hex[65])
{
    char path[SFT_RUN_PATH];
    assert_int_equal(sft_file_sha256(sft_run_file(folder, SFT_FILE_MODEL, path), hex), SFT_OK);
}

static void what_is_open_is_used(void **state)
{
    struct sft_finetune_job job = small_job(test_path("open"));
    struct sft_model *model;
    struct sft_dataset *images;
    char by_name[65], open[65], before[65], after[65];
    (void)state;
    assert_int_equal(run(&job, NULL), SFT_OK);
    model_hash(job.training.out, by_name);

    assert_int_equal(sft_model_open(device, job.training.model.weights, NULL, &model), SFT_OK);
    assert_int_equal(sft_open_set(job.training.id, job.training.limit, &images), SFT_OK);
    assert_int_equal(sft_model_fingerprint(model, before), SFT_OK);
    job.training.model.open = model;
    job.training.id_open = images;
    job.training.overwrite = true;
    assert_int_equal(run(&job, NULL), SFT_OK);
    model_hash(job.training.out, open);
    assert_int_equal(sft_model_fingerprint(model, after), SFT_OK);
    assert_string_equal(by_name, open);
    assert_string_not_equal(before, after);
    sft_dataset_close(&images);
    sft_model_destroy(&model);
}

/* Raises the flag once a step is done. */
static void stop_at_once(void *context, int64_t done, int64_t total, const char *text)
{
    (void)total;
    if (text && done > 0) *(volatile sig_atomic_t *)context = 1;
}

static void a_stopped_job_goes_on(void **state)
{
    static volatile sig_atomic_t stop;
    const struct sft_watch watch = {stop_at_once, (void *)&stop, &stop};
    struct sft_finetune_job whole = small_job(test_path("whole")), parts = small_job(test_path("parts"));
    char one[65], other[65];
    (void)state;
    assert_int_equal(run(&whole, NULL), SFT_OK);
    assert_int_equal(run(&parts, &watch), SFT_INTERRUPTED);
    assert_false(sft_run_is_done(parts.training.out));
    parts.training.resume = true;
    assert_int_equal(run(&parts, NULL), SFT_OK);
    model_hash(whole.training.out, one);
    model_hash(parts.training.out, other);
    assert_string_equal(one, other);
}

/* Another device ends with other bytes: a warning, and both in run.json. */
static void another_device_is_told(void **state)
{
    static volatile sig_atomic_t stop;
    const struct sft_watch watch = {stop_at_once, (void *)&stop, &stop};
    struct sft_finetune_job job = small_job(test_path("devices"));
    const struct sft_device_info own = device->info;
    char path[SFT_RUN_PATH];
    json_t *record, *devices;
    (void)state;
    assert_int_equal(run(&job, &watch), SFT_INTERRUPTED);
    snprintf(device->info.id, sizeof(device->info.id), "another");
    job.training.resume = true;
    assert_int_equal(run(&job, NULL), SFT_OK);
    device->info = own;
    test_expect_log("began on another device");
    assert_int_equal(sft_json_read(sft_run_file(job.training.out, SFT_FILE_RECORD, path), &record), SFT_OK);
    devices = json_object_get(record, "computed_by");
    assert_int_equal(json_array_size(devices), 2);
    assert_string_equal(json_string_value(json_object_get(json_array_get(devices, 1), "id")), "another");
    json_decref(record);
}

static enum sft_status describe(void *context, const struct sft_training_job *job,
                                struct sft_run_words *words)
{
    assert_true(job->params.rho > 0 && job->params.loader.pseudo.size_count > 0); /* it is complete */
    words->record = strdup(context);
    words->settings = strdup(context);
    return words->record && words->settings ? SFT_OK : SFT_MEMORY;
}

static void a_run_is_what_its_settings_say(void **state)
{
    struct sft_finetune_job job = small_job(test_path("settings"));
    char path[SFT_RUN_PATH];
    json_t *record;
    (void)state;
    job.training.describe = describe;
    job.training.describe_context = "{\"lr\": 1}";
    job.training.params.save_every = 0;
    assert_int_equal(run(&job, NULL), SFT_OK);
    assert_int_equal(sft_json_read(sft_run_file(job.training.out, SFT_FILE_RECORD, path), &record), SFT_OK);
    assert_int_equal(json_integer_value(json_object_get(record, "lr")), 1);
    json_decref(record);

    /* Without a checkpoint it starts anew, with the same settings. */
    job.training.resume = true;
    job.training.params.save_every = 1;
    assert_int_equal(run(&job, NULL), SFT_OK);
    test_expect_log("there is no checkpoint");
    job.training.describe_context = "{\"lr\": 2}";
    assert_int_equal(run(&job, NULL), SFT_DATA);
    test_expect_log("--lr was 1 and is 2");
}

/* Inputs are told by what is in them, not by what they are called. */
static void a_run_is_what_its_inputs_hold(void **state)
{
    struct sft_finetune_job job = small_job(test_path("inputs"));
    char model[SFT_RUN_PATH], path[SFT_RUN_PATH], one[65], other[65];
    (void)state;
    job.pseudo_ood = "synthetic:noise";
    job.training.params.save_every = 1;
    job.training.params.schedule.steps = 1;
    assert_int_equal(run(&job, NULL), SFT_OK);
    snprintf(model, sizeof(model), "%s", sft_run_file(job.training.out, SFT_FILE_MODEL, path));

    job.training.resume = true;
    job.pseudo_ood = "synthetic:letters";
    assert_int_equal(run(&job, NULL), SFT_DATA);
    test_expect_last("the contents of --pseudo-ood are others");
    job.pseudo_ood = "synthetic:noise";
    job.training.model.weights = model;
    assert_int_equal(run(&job, NULL), SFT_DATA);
    test_expect_last("the contents of --weights are others");
    job.training.model.weights = SFT_TEST_DATA "/tools/../../models/synthetic.safetensors";
    job.training.id = "synthetic#train[:64]";
    job.training.limit = 0;
    job.training.gradients = test_path("gradients.safetensors");
    assert_int_equal(run(&job, NULL), SFT_USAGE);
    test_expect_last("has done all its steps");
    job.training.params.schedule.steps = 2;
    assert_int_equal(run(&job, NULL), SFT_OK);
    assert_int_equal(access(job.training.gradients, F_OK), 0);
    model_hash(job.training.out, one);
    job.training.out = test_path("longer");
    job.training.resume = false;
    assert_int_equal(run(&job, NULL), SFT_OK);
    model_hash(job.training.out, other);
    assert_string_equal(one, other);
}

static void what_makes_no_sense_is_refused(void **state)
{
    struct sft_finetune_job job = small_job(test_path("refused"));
    (void)state;
    job.training.optimizer = "sma";
    assert_int_equal(run(&job, NULL), SFT_USAGE);
    test_expect_last("did you mean");
    job = small_job(test_path("refused"));
    job.trace = true;
    assert_int_equal(run(&job, NULL), SFT_USAGE);
    job = small_job(test_path("refused"));
    job.training.id = "synthetic:noise";
    assert_int_equal(run(&job, NULL), SFT_DATA);
}

static int open_device(void **state)
{
    if (test_setup_folder(state) != 0) return -1;
    return sft_device_open("cpu", 0, &device) == SFT_OK ? 0 : -1;
}

static int close_device(void **state)
{
    sft_device_close(&device);
    return test_remove_folder(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_open_is_used),          cmocka_unit_test(a_stopped_job_goes_on),
        cmocka_unit_test(another_device_is_told),        cmocka_unit_test(a_run_is_what_its_settings_say),
        cmocka_unit_test(a_run_is_what_its_inputs_hold), cmocka_unit_test(what_makes_no_sense_is_refused),
    };
    return cmocka_run_group_tests(tests, open_device, close_device);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/jobs/identity.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/base/json_parse.h"

static const char steps_key[] = "--steps";

/* ---- making ---- */

/* Adds {"name": value, ...} as "--name": value. */
static enum sft_status add_options(const char *text, struct sft_json *json)
{
    json_t *options = text ? sft_json_parse(text, strlen(text), 0, NULL) : json_object(), *value;
    const char *name;
    bool fine = json_is_object(options);
    json_object_foreach(options, name, value)
    {
        char key[128];
        snprintf(key, sizeof(key), "--%s", name);
        sft_json_value(json, key, json_incref(value));
    }
    json_decref(options);
    return fine ? SFT_OK : sft_fail(SFT_FAILED, "what decides a run is no object");
}

static enum sft_status add_set(const char *option, const char *name, const struct sft_dataset *set,
                               struct sft_json *json)
{
    char key[256], hex[65];
    if (!set) return SFT_OK;
    snprintf(key, sizeof(key), "contents of --%s%s%s", option, *name ? " " : "", name);
    SFT_TRY(sft_dataset_hash(set, hex));
    sft_json_text(json, key, hex);
    return SFT_OK;
}

static void add_numbers(const char *key, const float values[3], struct sft_json *json)
{
    sft_json_array(json, key);
    for (int i = 0; i < 3; i++) sft_json_real(json, NULL, (double)values[i]);
    sft_json_end(json);
}

static enum sft_status add_model(const struct sft_model *model, struct sft_json *json)
{
    char hex[65];
    SFT_TRY(sft_model_fingerprint(model, hex));
    sft_json_text(json, "contents of --weights", hex);
    sft_json_text(json, "architecture", model->variant->name);
    sft_json_integer(json, "side of the images", model->image_size);
    sft_json_integer(json, "groups of group norms", model->gn_groups);
    sft_json_text(json, "contents of --mos-groups", model->groups ? model->groups->text : "");
    sft_json_real(json, "epsilon of weight standardisation", (double)model->standardize_epsilon);
    add_numbers("mean of the input", model->mean, json);
    add_numbers("deviation of the input", model->std, json);
    sft_json_text(json, "resizing of pictures", sft_resize_words[model->framing.resize]);
    sft_json_text(json, "interpolation of pictures", sft_filter_words[model->framing.interpolation]);
    sft_json_real(json, "crop of pictures", model->framing.crop);
    return SFT_OK;
}

static enum sft_status add_training(const struct sft_training *training, const struct sft_run_words *words,
                                    struct sft_json *json)
{
    sft_json_object(json, "training");
    SFT_TRY(add_options(words->settings, json));
    SFT_TRY(add_model(training->model, json));
    SFT_TRY(add_set("id", "", training->id, json));
    SFT_TRY(add_set("pseudo-ood", "", training->outliers, json));
    sft_json_end(json);
    return SFT_OK;
}

static enum sft_status add_evaluation(const struct sft_training *training, const struct sft_run_words *words,
                                      struct sft_json *json)
{
    const struct sft_eval_sets *sets = training->sets;
    sft_json_object(json, "evaluation");
    SFT_TRY(add_options(words->measures, json));
    SFT_TRY(add_set("eval-id", "", sets ? sets->id : training->test, json));
    for (int i = 0; sets && i < sets->sets; i++)
        SFT_TRY(add_set("eval-ood", sets->names[i], sets->ood[i], json));
    if (sets) SFT_TRY(add_set("fit", "", sets->fit, json));
    sft_json_end(json);
    return SFT_OK;
}

static enum sft_status make(const struct sft_training *training, const struct sft_run_words *words,
                            struct sft_json *json)
{
    sft_json_object(json, NULL);
    SFT_TRY(add_training(training, words, json));
    SFT_TRY(add_evaluation(training, words, json));
    sft_json_end(json);
    return json->status;
}

enum sft_status sft_identity_make(const struct sft_training *training, json_t **identity)
{
    struct sft_run_words words;
    struct sft_json json = {0};
    enum sft_status status = sft_training_describe(training, &words);
    if (status == SFT_OK) status = make(training, &words, &json);
    sft_run_words_free(&words);
    *identity = status == SFT_OK ? sft_json_take(&json) : NULL;
    sft_json_free(&json);
    return status;
}

/* ---- comparing ---- */

/* Strings as they are, others as JSON; what is not there is null. */
static void add_value(struct sft_text *text, const json_t *value)
{
    if (json_is_string(value))
        sft_text_add(text, json_string_value(value));
    else if (!value || json_is_null(value))
        sft_text_add(text, "not given");
    else
        sft_text_add_json(text, value, JSON_ENCODE_ANY | JSON_COMPACT | JSON_REAL_PRECISION(9));
}

struct differences {
    struct sft_text text;
    int n;
};

static void add_difference(struct differences *differences, const char *key, const json_t *then,
                           const json_t *now)
{
    enum { NAMED = 6 };
    struct sft_text *text = &differences->text;
    if (differences->n++ >= NAMED) return;
    if (differences->n > 1) sft_text_add(text, differences->n == NAMED ? "; ..." : "; ");
    if (differences->n == NAMED) return;
    if (strncmp(key, "contents of", strlen("contents of")) == 0) {
        sft_text_printf(text, "the %s are others", key);
        return;
    }
    sft_text_printf(text, "%s was ", key);
    add_value(text, then);
    sft_text_add(text, " and is ");
    add_value(text, now);
}

static void compare(const json_t *then, const json_t *now, bool steps_may, struct differences *differences)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)now, key, value)
    {
        const json_t *before = json_object_get(then, key);
        if (steps_may && strcmp(key, steps_key) == 0) continue;
        if (!before || !json_equal((json_t *)before, value)) add_difference(differences, key, before, value);
    }
    json_object_foreach((json_t *)then, key, value) if (!json_object_get(now, key))
        add_difference(differences, key, value, NULL);
}

enum sft_status sft_identity_check(const json_t *then, const json_t *now, bool steps_may, const char *where)
{
    const json_t *training = json_object_get(now, "training"), *before = json_object_get(then, "training");
    const json_t *steps = json_object_get(training, steps_key),
                 *steps_before = json_object_get(before, steps_key);
    struct differences differences = {.n = 0};
    enum sft_status status;
    compare(before, training, steps_may, &differences);
    status = differences.text.status;
    if (status == SFT_OK && differences.n)
        status = sft_fail(
            SFT_DATA,
            "%s: is of a run with other options or data: %s%s; repeat that run's, or start anew with "
            "--overwrite",
            where, differences.text.data,
            !steps_may && steps && !json_equal((json_t *)steps, (json_t *)steps_before)
                ? " (with this schedule or optimiser every step depends on --steps)"
                : "");
    sft_text_free(&differences.text);
    return status;
}

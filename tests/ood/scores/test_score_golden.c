/* SPDX-License-Identifier: Apache-2.0 */
/* Every score of given logits and features, with its defaults and with its knobs turned, against an
 * independent implementation in float64 (tests/golden/scores.py): 1e-4 relative, image by image. */
#include "tests/ood/scores/score_golden.h"

#include <jansson.h>

static const char prefix[] = "scores/";

struct data {
    struct sft_checkpoint *golden;
    struct sft_head head;
    struct sft_outputs fit, id, ood;
};
static struct data data;

static struct sft_outputs outputs_of(const char *set)
{
    const struct sft_stored_tensor *tensor;
    struct sft_outputs outputs = {.classes = data.head.classes, .width = data.head.width};
    char name[64];
    float *labels;
    int32_t *whole;
    snprintf(name, sizeof(name), "%s.logits", set);
    outputs.logits = golden_tensor(data.golden, name);
    outputs.n = sft_checkpoint_find(data.golden, name)->shape.dim[0];
    snprintf(name, sizeof(name), "%s.features", set);
    outputs.features = golden_tensor(data.golden, name);
    snprintf(name, sizeof(name), "%s.labels", set);
    tensor = sft_checkpoint_find(data.golden, name);
    if (!tensor) return outputs;
    labels = golden_values(tensor);
    whole = calloc((size_t)outputs.n, sizeof(*whole));
    assert_non_null(whole);
    for (int64_t i = 0; i < outputs.n; i++) whole[i] = (int32_t)labels[i];
    free(labels);
    outputs.labels = whole;
    return outputs;
}

static void free_outputs(struct sft_outputs *outputs)
{
    free((float *)outputs->logits);
    free((float *)outputs->features);
    free((int32_t *)outputs->labels);
}

static int setup(void **state)
{
    const struct sft_stored_tensor *weight;
    (void)state;
    data.golden = golden_scores_open();
    weight = sft_checkpoint_find(data.golden, "head.weight");
    assert_non_null(weight);
    data.head = (struct sft_head){.classes = (int)weight->shape.dim[0],
                                  .width = (int)weight->shape.dim[1],
                                  .weight = golden_values(weight),
                                  .bias = golden_tensor(data.golden, "head.bias")};
    data.fit = outputs_of("fit");
    data.id = outputs_of("id");
    data.ood = outputs_of("ood");
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    free_outputs(&data.fit);
    free_outputs(&data.id);
    free_outputs(&data.ood);
    free((float *)data.head.weight);
    free((float *)data.head.bias);
    sft_checkpoint_close(&data.golden);
    return 0;
}

static void check_case(const struct sft_stored_tensor *expected)
{
    float *want = golden_values(expected), *got = calloc((size_t)(data.id.n + data.ood.n), sizeof(*got));
    struct sft_scorer scorer;
    unsigned needs;
    assert_non_null(got);
    assert_int_equal(sft_shape_count(&expected->shape), data.id.n + data.ood.n);
    golden_scorer(expected->name + strlen(prefix), &scorer);
    needs = sft_scorer_needs(&scorer);
    if (needs & SFT_NEEDS_FIT) assert_int_equal(sft_scorer_fit(&scorer, &data.fit, &data.head), SFT_OK);
    if (needs & SFT_NEEDS_FIT_ON_ID) assert_int_equal(sft_scorer_fit(&scorer, &data.id, &data.head), SFT_OK);
    assert_int_equal(sft_scorer_compute(&scorer, &data.id, &data.head, got), SFT_OK);
    assert_int_equal(sft_scorer_compute(&scorer, &data.ood, &data.head, got + data.id.n), SFT_OK);
    print_message("    %-50s %.1e\n", expected->name,
                  golden_compare(expected->name, data.id.n + data.ood.n, got, want, 1e-4));
    sft_scorer_free(&scorer);
    free(want);
    free(got);
}

static void equal_to_the_independent_implementation(void **state)
{
    int cases = 0;
    (void)state;
    for (size_t i = 0; i < data.golden->n_tensors; i++) {
        if (strncmp(data.golden->tensors[i].name, prefix, strlen(prefix)) != 0) continue;
        check_case(&data.golden->tensors[i]);
        cases++;
    }
    assert_true(cases > 0);
}

/* Whether a case of either kind begins with "NAME", followed by `next`. */
static bool has_case(const char *start)
{
    for (size_t i = 0; i < data.golden->n_tensors; i++) {
        const char *name = strrchr(data.golden->tensors[i].name, '/');
        if (name && strncmp(name + 1, start, strlen(start)) == 0) return true;
    }
    return false;
}

/* Whether a case of tokens (tests/golden/t2t.py, compared by test_token_scores.c) has such a word. */
static bool has_token_case(const char *word)
{
    json_t *golden = json_load_file(SFT_TEST_DATA "/golden/t2t.json", 0, NULL), *values;
    const char *name;
    bool found = false;
    assert_non_null(golden);
    json_object_foreach(json_object_get(golden, "token_scores"), name, values) found |=
        strstr(name, word) != NULL;
    json_decref(golden);
    return found;
}

/* A new score or knob is missed here until tests/golden/scores.py or t2t.py knows it. */
static void every_score_and_knob_has_a_case(void **state)
{
    (void)state;
    for (int s = 0; s < sft_score_count(); s++) {
        const struct sft_score *score = sft_score_at(s);
        if (score->needs & SFT_NEEDS_GROUPS)
            continue; /* of another classifier: tests/ood/scores/test_mos.c */
        if (!has_case(score->name)) fail_msg("no case of %s", score->name);
        for (int k = 0; k < sft_score_knobs(score); k++) {
            char word[64];
            bool found;
            snprintf(word, sizeof(word), " %s=", score->knobs[k].name);
            found = has_token_case(word);
            for (size_t i = 0; i < data.golden->n_tensors; i++)
                found |= strstr(data.golden->tensors[i].name, word) != NULL;
            if (!found) fail_msg("no case of --%s", score->knobs[k].name);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_to_the_independent_implementation),
        cmocka_unit_test(every_score_and_knob_has_a_case),
    };
    return cmocka_run_group_tests_name("golden scores", tests, setup, teardown);
}

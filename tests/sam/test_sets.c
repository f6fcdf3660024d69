/* SPDX-License-Identifier: Apache-2.0 */
/* How many numbers SAM-only-norm perturbs, by the type of the layers and by their names: the counts that
 * follow from the architectures (docs/methods.md). */
#include "sam/sets.h"

#include <string.h>

#include "nn/model.h"
#include "runtime/base/alloc.h"
#include "sam/step_state.h"
#include "tests/support/group.h"

static struct sft_model *make(const char *name)
{
    struct sft_model *model;
    assert_int_equal(
        sft_model_create(test_device(), &(struct sft_model_config){.name = name, .classes = 10}, &model),
        SFT_OK);
    return model;
}

static struct sft_step step_of(struct sft_model *model, enum sft_norm_scope scope)
{
    struct sft_step step = {.model = model};
    step.how.perturbed = SFT_PERTURB_NORM;
    step.how.name = "sam-norm";
    step.params.scope = scope;
    return step;
}

static int64_t count(struct sft_model *model, enum sft_norm_scope scope)
{
    struct sft_step step = step_of(model, scope);
    return sft_step_perturbed(&step);
}

static void test_counts(void **state)
{
    static const struct {
        const char *model;
        int64_t by_type, by_name;
    } cases[] = {
        {"resnet50", 53120, 45440},      {"resnet18_32x32", 9600, 7808},   {"wide_resnet_40_2", 5408, 5408},
        {"resnetv2_50x1_bit", 45440, 0}, {"resnetv2_101x1_bit", 97664, 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct sft_model *model = make(cases[i].model);
        assert_int_equal(count(model, SFT_SCOPE_ALL), cases[i].by_type);
        assert_int_equal(count(model, SFT_SCOPE_WEIGHT_ONLY), cases[i].by_type / 2);
        assert_int_equal(count(model, SFT_SCOPE_BY_NAME), cases[i].by_name);
        sft_model_destroy(&model);
    }
}

/* The names are those of the file that the weights are from: timm's are matched. */
static void test_names_of_the_file(void **state)
{
    struct sft_model *model = make("resnetv2_50x1_bit");
    int i = sft_parameters_find(&model->parameters, "before_head.gn.weight");
    (void)state;
    model->parameters.items[i].file_name = sft_strdup("norm.weight");
    assert_int_equal(count(model, SFT_SCOPE_BY_NAME), 2048);
    sft_model_destroy(&model);
}

/* A set that is empty for want of a name is the user's to decide about, as one for want of a layer is. */
static void test_empty_set(void **state)
{
    struct sft_model *model = make("resnetv2_50x1_bit");
    struct sft_step step = step_of(model, SFT_SCOPE_BY_NAME);
    (void)state;
    test_catch_log();
    assert_int_equal(sft_step_resolve_sets(&step), SFT_USAGE);
    test_expect_last("resnetv2_50x1_bit has no normalisation layer with norm or bn in its name");
    test_expect_last("--norm-scope all");
    step.params.empty = SFT_EMPTY_SGD;
    assert_int_equal(sft_step_resolve_sets(&step), SFT_OK);
    assert_int_equal(sft_step_perturbed(&step), 0);
    test_release_log();
    sft_model_destroy(&model);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_counts),
        cmocka_unit_test(test_names_of_the_file),
        cmocka_unit_test(test_empty_set),
    };
    return test_run_group("sam/sets", argc, argv, tests, sizeof(tests) / sizeof(tests[0]));
}

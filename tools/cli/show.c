/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/cli/show.h"

#include <stdio.h>

#include "tools/cli/terminal.h"

static void print_prop1(const struct sft_prop1_summary *summary)
{
    sft_print_line("Proposition 1 over %lld steps: term1 %.4g, with momentum %.4g; S of the loss %.4g",
                   (long long)summary->steps, summary->term1, summary->term1_momentum, summary->s_loss);
    sft_print_line("  %-20s %12s %12s %12s %8s", "", "energy", "max logit", "S", "holds");
    for (int i = 0; i < summary->sets; i++) {
        const struct sft_prop1_sums *set = &summary->set[i];
        sft_print_line("  %-20s %+12.4f %+12.4f %+12.4f %7.1f%%", set->name, set->energy, set->max_logit,
                       set->s, 100.0 * set->holds);
    }
}

/* ---- one run ---- */

static enum sft_status print_one(const struct sft_finetune_result *result, const char *folder)
{
    char path[SFT_RUN_PATH];
    if (result->evaluated) SFT_TRY(sft_results_print(&result->results, stdout));
    if (result->traced) print_prop1(&result->prop1);
    sft_print_line("%s", sft_run_file(folder, SFT_FILE_MODEL, path));
    sft_print_line("%s", sft_run_file(folder, SFT_FILE_REPORT, path));
    return SFT_OK;
}

static void add_one(const struct sft_finetune_result *result, const char *folder, struct sft_json *json)
{
    char path[SFT_RUN_PATH];
    sft_json_text(json, "model", sft_run_file(folder, SFT_FILE_MODEL, path));
    if (result->evaluated) sft_json_value(json, "results", sft_results_to_json(&result->results));
    if (result->traced) sft_prop1_json(&result->prop1, "prop1", json);
}

/* ---- several seeds ---- */

static enum sft_status print_seeds(const struct sft_finetune_result *result, const char *folder)
{
    char path[SFT_RUN_PATH];
    if (result->evaluated) SFT_TRY(sft_seeds_print(&result->seeds, stdout));
    sft_print_line("%s", sft_run_file(folder, result->evaluated ? SFT_FILE_REPORT : "", path));
    return SFT_OK;
}

static void add_seeds(const struct sft_finetune_result *result, struct sft_json *json)
{
    if (result->evaluated) sft_json_value(json, "results", sft_seeds_to_json(&result->seeds));
}

enum sft_status sft_show_finetune(const struct sft_finetune_result *result, const char *folder, bool json)
{
    struct sft_json made = {0};
    if (!json) return result->several ? print_seeds(result, folder) : print_one(result, folder);
    sft_json_object(&made, NULL);
    sft_json_text(&made, "out", folder);
    if (result->several)
        add_seeds(result, &made);
    else
        add_one(result, folder, &made);
    sft_json_end(&made);
    return sft_print_json(&made);
}

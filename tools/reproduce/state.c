/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/reproduce/state.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "runtime/base/file.h"

/* "--optimizer sam" as "optimizer-sam". */
static void slug_of(const char *tuning, char *slug, size_t size)
{
    size_t used = 0;
    for (; *tuning && used + 1 < size; tuning++) {
        bool keep = isalnum((unsigned char)*tuning) || *tuning == '.';
        if (keep || (used > 0 && slug[used - 1] != '-')) slug[used++] = keep ? *tuning : '-';
    }
    slug[used] = '\0';
}

void sft_state_folder(const struct sft_lab *lab, struct sft_state state, char path[SFT_RUN_PATH])
{
    const char *out = lab->job->out, *role = state.model->role->name;
    char text[SFT_RUN_PATH], name[192], hex[65], slug[48];
    if (!state.tuning) {
        snprintf(name, sizeof(name), "runs/%s-%.12s", role, state.model->sha256);
        sft_run_file(out, name, path);
        return;
    }
    snprintf(text, sizeof(text), "%s\n%s\n%s", state.model->sha256, lab->training, state.tuning->name);
    sft_sha256(text, strlen(text), hex);
    slug_of(*state.tuning->name ? state.tuning->name : "sft", slug, sizeof(slug));
    snprintf(name, sizeof(name), "runs/%s-%s-%.12s-s%" PRId64, role, slug, hex, state.seed);
    sft_run_file(out, name, path);
}

void sft_state_weights(const struct sft_lab *lab, struct sft_state state, char path[SFT_RUN_PATH])
{
    char folder[SFT_RUN_PATH];
    sft_state_folder(lab, state, folder);
    if (state.tuning)
        sft_snapshot_file(folder, state.steps, path);
    else
        snprintf(path, SFT_RUN_PATH, "%s", state.model->path);
}

void sft_state_metrics(const struct sft_lab *lab, struct sft_state state, char path[SFT_RUN_PATH])
{
    char folder[SFT_RUN_PATH], name[64];
    sft_state_folder(lab, state, folder);
    snprintf(name, sizeof(name), "metrics-%" PRId64 "-%s.json", state.steps, lab->evaluation);
    sft_run_file(folder, name, path);
}

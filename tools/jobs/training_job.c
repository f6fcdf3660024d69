/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/jobs/training_job.h"

#include <math.h>

void sft_training_job_init(struct sft_training_job *job)
{
    *job = (struct sft_training_job){.rho_floor = 1};
    job->params.rho = NAN;
    job->params.momentum = 0.9;
    job->params.save_every = 10;
    job->params.step.parts = 1;
    job->params.step.constants = sft_constants_default();
    sft_loader_defaults(&job->params.loader, 0);
    job->params.loader.size = 0;
    job->params.loader.pseudo.size_count = 0;
    job->params.loader.shuffle = true;
}

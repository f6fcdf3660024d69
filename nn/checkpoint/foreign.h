/* SPDX-License-Identifier: Apache-2.0 */
/* What a file is that is no checkpoint we read, by its content: so that the message can name it. */
#ifndef SFT_NN_FOREIGN_H
#define SFT_NN_FOREIGN_H

#include <stdbool.h>

#include "runtime/base/file.h"

struct sft_foreign {
    const char *what;   /* "a Git LFS pointer": so that FILE is that */
    const char *advice; /* what to do */
    bool weights; /* whether people have such files as weights or in place of them, and not as data sets */
};

/* NULL where nothing is known that looks like it. */
const struct sft_foreign *sft_foreign_find(const struct sft_bytes *file);

#endif

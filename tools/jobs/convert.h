/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A checkpoint from one container into another. Names, axes and types stay as they are, so that the way there
 * and back gives the same tensors bit by bit; with a layout the model's parameters are renamed and their axes
 * put in its order, and what belongs to no parameter (PyTorch's counters) is left out.
 *
 * What the source's layout says without the file saying it, and the new file would no longer show, is written
 * into the metadata: the order of classes and, with another layout, the epsilon of weight standardisation and
 * the preparation of pictures.
 */
#ifndef SFT_CONVERT_H
#define SFT_CONVERT_H

#include <stdbool.h>
#include <stdint.h>

#include "runtime/base/status.h"

struct sft_convert_job {
    const char *from, *to;
    const char *format; /* name of a writer; NULL: by the ending of `to` */
    const char *layout; /* to rename to; NULL: none */
    const char *model;  /* what the file is of; NULL: as it tells */
    bool overwrite;
};

struct sft_converted {
    const char *format, *layout, *model; /* layout and model NULL where they are not known */
    int64_t tensors, left_out;
};

/* SFT_USAGE for a format or layout that is none and for a `to` that is there, SFT_DATA for a file that is
 * damaged, of no known model where a layout needs one, or holds what the format cannot, SFT_WRITE. */
enum sft_status sft_convert(const struct sft_convert_job *job, struct sft_converted *done) SFT_MUST_CHECK;

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A SPEC taken apart (private to datasets/): [FORMAT:]PATH[#SPLIT][[FIRST:END]], as datasets/dataset.h
 * describes it.
 *
 * What exists as it is written is a path: where there is a folder "pets#2", it is meant by that name and not
 * the split 2 of "pets". Only where there is no such file the range is cut off, and then the split.
 */
#ifndef SFT_SPEC_H
#define SFT_SPEC_H

#include "datasets/format.h"

struct sft_spec {
    const struct sft_format *format; /* as named, or found by looking at the path */
    const char *path;                /* "" for a format that needs none */
    const char *split;               /* "": none is named */
    bool has_range;
    int64_t first, end; /* of the range; end -1: up to the last image */
    int stem;           /* length of the part of the SPEC that names format and path */
    char *text;         /* private: owns the strings */
};

/* SFT_USAGE for an unknown format, a SPEC without a path, or a range that is none; SFT_DATA where nothing is
 * at its path. Release with sft_spec_free(), on failure too. */
enum sft_status sft_spec_parse(const char *text, struct sft_spec *spec) SFT_MUST_CHECK;
void sft_spec_free(struct sft_spec *spec);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The hash of pictures that are files, by what is in them (private to datasets/): names and places do not
 * matter, nor whether they lie in a folder or a tar.
 *
 * Reading takes as long as the files are large: 50,000 of a few kilobytes are a matter of seconds. Of sets
 * above SFT_CONTENTS_LIMIT every k-th file is read, with the smallest k that keeps below it, and the sizes of
 * all count: another set, or one with other pictures in it, is told from it; that a single picture was
 * replaced by one of the same size may not be. Of sets of more than SFT_CONTENTS_MANY files about
 * SFT_CONTENTS_SAMPLE count, each k-th one whatever its size, with the number of all and the label of each:
 * of ImageNet's 150 GB some 200 MB are read, and its million of files is not asked for sizes.
 */
#ifndef SFT_CONTENTS_H
#define SFT_CONTENTS_H

#include "datasets/format.h"

#define SFT_CONTENTS_LIMIT ((uint64_t)4 << 30)
enum { SFT_CONTENTS_MANY = 1 << 18, SFT_CONTENTS_SAMPLE = 2048 };

/* Pictures of a source with a listing. */
struct sft_contents {
    const struct sft_format *format;
    const struct sft_source *source;
    const int64_t *index; /* (count) their numbers; NULL: first .. first+count-1 */
    int64_t first, count;
    uint64_t limit; /* SFT_CONTENTS_LIMIT, or another for a test */
    int64_t many;   /* SFT_CONTENTS_MANY, likewise */
};

/* SHA-256 of the files' contents and labels in their order, and of the names of all classes. SFT_DATA for a
 * file that cannot be read. */
enum sft_status sft_contents_hash(const struct sft_contents *contents, char hex[65]) SFT_MUST_CHECK;

#endif

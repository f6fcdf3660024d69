/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a family says about each of its networks. A family is one file in nn/models and one row in
 * nn/models/families.def: a table of its variants and one build function. That function is the only
 * description of the network: run on a scratch graph it declares the parameters, run on a real one it appends
 * the forward pass (nn/forward.h).
 */
#ifndef SFT_NN_VARIANT_H
#define SFT_NN_VARIANT_H

#include "runtime/base/framing.h"
#include "runtime/graph.h"

enum sft_norm { SFT_NORM_NONE, SFT_NORM_GROUP, SFT_NORM_BATCH };

struct sft_build;
struct sft_variant {
    const char *name;
    const char *about; /* one line for people */
    void (*build)(struct sft_build *build, sft_value images);
    enum sft_norm norm;
    int depth;
    int image_size; /* pixels a side */
    struct sft_sizes {
        int least, most, multiple; /* 0: no such limit */
    } sizes;                       /* that the network can be built for */
    struct sft_positions_rule {
        const char *name; /* of the buffer; NULL: the weights fit any size */
        int patch;        /* pixels a side behind each vector of its grid */
    } positions;          /* position embeddings (nn/positions.h) */
    int stage_taps[2];    /* the taps behind the last stage and the one before it */
    int norm_tap; /* 1 + the tap whose norm FeatureNorm takes by default; 0: none is known to be good */
    float mean[3], std[3];      /* of the normalised input by channel: x = (v/255 - mean)/std */
    struct sft_framing framing; /* of pictures; zeros: squashed, bilinear, the whole of them */
};

/* The tables of the families, each up to a row without a name. */
#define SFT_FAMILY(name) extern const struct sft_variant sft_variants_##name[];
#include "nn/models/families.def"
#undef SFT_FAMILY

#endif

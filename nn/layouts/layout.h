/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Layouts of checkpoints: what those who publish weights call our parameters, how their axes lie, and what
 * goes with the names without standing in the file.
 *
 * A layout is a row of a table. The tables are files of this folder, and nn/layouts/layouts.def lists them.
 *
 * A rule of names gives the file's name of a parameter from ours. In ours, {} stands for a number and a * at
 * the end for the rest. In theirs, * is that rest, and the numbers go, in their order, where braces are:
 * {} as it is, {02} with two digits, {-1} less one, {a} as a letter, 1 being a.
 *
 *     {"body.block{}.unit{}.conv{}.weight", "stages.{-1}.blocks.{-1}.conv{}.weight"}
 */
#ifndef SFT_NN_LAYOUT_H
#define SFT_NN_LAYOUT_H

#include "nn/checkpoint/checkpoint.h"
#include "nn/parameter.h"
#include "runtime/base/framing.h"

struct sft_name_rule {
    const char *ours, *theirs;
};

/* The kernel of the classifier, where the layer may be a linear one or a 1x1 convolution. */
enum sft_head_kernel {
    SFT_KERNEL_DECLARED, /* as our layers have it */
    SFT_KERNEL_MATRIX,   /* (C, d) */
    SFT_KERNEL_FILTERS,  /* (C, d, 1, 1) */
};

struct sft_layout {
    const char *name;
    const char *about;                 /* one line for people */
    const struct sft_name_rule *rules; /* up to a row without `ours`; the first that fits counts, and a name
                                          that none fits is theirs, too. NULL: all names are ours */
    bool out_last;                     /* the axis of outputs is the last: filters R,S,I,O */
    enum sft_head_kernel head;         /* as it is written; it is read as matrix and filters */
    float standardize_epsilon;         /* of weight standardisation; 0: the usual 1e-10 */
    float mean[3], std[3];             /* that the weights were trained with; std 0: the architecture's own */
    struct sft_framing framing;        /* of pictures; members that are 0: the architecture's own */
    const char *class_order;           /* of classifiers of ImageNet; NULL: sorted, as far as is known */
    const char *remark;                /* to say of such a classifier; or NULL */
    /* What tells the layout beside its names; NULL: nothing has to. */
    bool (*is)(const struct sft_checkpoint *checkpoint);
};

/* The tables, each up to a row without a name. */
#define SFT_LAYOUTS(table) extern const struct sft_layout sft_layouts_##table[];
#include "nn/layouts/layouts.def"
#undef SFT_LAYOUTS

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Models: a classifier by name, its parameters on a device, and its forward pass in a graph.
 *
 *     struct sft_model *model;
 *     SFT_TRY(sft_model_create(device, &(struct sft_model_config){.name = "resnetv2_20_gn", .classes = 10},
 * &model)); SFT_TRY(sft_parameters_init(&model->parameters, seed));          (or sft_parameters_load) struct
 * sft_forward forward = sft_forward_on(graph, model);       (evaluation on the model's own weights)
 *     SFT_TRY(sft_model_forward(model, graph, &forward, images, &out));
 *     ... out.logits, out.features, out.params ...
 *
 * A family is one file in nn/models and one row in nn/models/families.def: a table of its variants and one
 * build function. That function is the only description of the network: run on a scratch graph it declares
 * the parameters, run on a real one it appends the forward pass.
 */
#ifndef SFT_NN_MODEL_H
#define SFT_NN_MODEL_H

#include <stdbool.h>

#include "nn/groups.h"
#include "nn/parameters.h"

enum { SFT_MAX_TAPS = 64 };

enum sft_norm { SFT_NORM_NONE, SFT_NORM_GROUP, SFT_NORM_BATCH };

struct sft_build;
struct sft_variant {
    const char *name;
    const char *about; /* one line for people */
    void (*build)(struct sft_build *build, sft_value images);
    enum sft_norm norm;
    int depth;
    int image_size;    /* pixels a side */
    int stage_taps[2]; /* the taps behind the last stage and the one before it */
    int norm_tap;      /* 1 + the tap whose norm FeatureNorm takes by default; 0: none is known to be good */
    float mean, std;   /* of the normalised input: x = (v/255 - mean)/std, the same for all channels */
};

struct sft_model_config {
    const char *name; /* of a variant */
    int classes;      /* >= 2 */
    int gn_groups;    /* groups of every group norm; 0: the variant's own rule */
    const char
        *mos_groups; /* of classes, as nn/groups.h has them, for a grouped classifier; NULL: a plain one */
};

struct sft_model {
    const struct sft_variant *variant;
    int classes, gn_groups;
    struct sft_groups *groups; /* of classes; NULL: a plain classifier; owned */
    int image_size;
    float mean[3], std[3];
    struct sft_parameters parameters; /* owned */
};

/* Variants, sorted by family; NULL past the end. */
const struct sft_variant *sft_model_variant(int i);
const struct sft_variant *sft_model_find(const char *name); /* NULL when there is none */

/* Declares and allocates; the values are zeros until sft_parameters_init or _load. SFT_USAGE for an unknown
 * name (the message lists the known ones), for fewer than 2 classes, or for groups that don't divide;
 * SFT_DATA for groups of classes that are none. */
enum sft_status sft_model_create(struct sft_device *device, const struct sft_model_config *config,
                                 struct sft_model **model) SFT_MUST_CHECK;
void sft_model_destroy(struct sft_model **model);

/* Logits an image: the classes, or of a grouped classifier groups->outputs. */
int sft_model_outputs(const struct sft_model *model);

/* Fills in the members of `config` that are 0: the name from the metadata that sft_model_save writes, else
 * the variant whose names and shapes are all in the file; the classes from the head's shape; the groups of
 * norms and of classes from the metadata (mos_groups then points into the checkpoint). SFT_DATA when no
 * variant fits. Whether a given name fits is told by sft_parameters_load. */
enum sft_status sft_model_guess(const struct sft_checkpoint *checkpoint,
                                struct sft_model_config *config) SFT_MUST_CHECK;

/* Opens `path`, guesses where `config` does not say (may be NULL), creates the model and loads it. */
enum sft_status sft_model_open(struct sft_device *device, const char *path,
                               const struct sft_model_config *config,
                               struct sft_model **model) SFT_MUST_CHECK;

/* Saves the parameters as safetensors with the model's description (model, classes, gn_groups, and mos_groups
 * of a grouped classifier) and `metadata` in the header. */
enum sft_status sft_model_save(const struct sft_model *model, const char *path,
                               const struct sft_metadata *metadata, size_t n_metadata) SFT_MUST_CHECK;

/* SHA-256 of the values of all weights and buffers: tells whether what was learned with one model fits
 * another. */
enum sft_status sft_model_fingerprint(const struct sft_model *model, char hex[65]) SFT_MUST_CHECK;

/* ---- forward pass ---- */

enum sft_bn_mode {
    SFT_BN_RUNNING, /* normalise with the running statistics */
    SFT_BN_BATCH,   /* normalise with the batch's statistics; leave the running ones alone */
    SFT_BN_UPDATE,  /* normalise with the batch's statistics and move the running ones */
};

struct sft_forward {
    sft_value weights; /* flat, laid out like parameters.weights */
    sft_value norm;    /* its first norm_size elements are read from here instead; SFT_NONE: from `weights` */
    sft_value buffers; /* flat, like parameters.buffers; SFT_NONE where the model has none */
    enum sft_bn_mode bn;
    sft_value dropout_key; /* as sft_dropout takes it; SFT_NONE: no dropout (evaluation) */
    uint32_t
        dropout_stream; /* layer i draws from stream dropout_stream + i: leave 64 apart from pass to pass */
    sft_value
        from; /* the pass starts at tap number `from_tap`, which has this value; SFT_NONE: at the images */
    int from_tap;
};

/* Evaluation on the model's own tensors: bound values for weights and buffers, running statistics, no
 * dropout. A training step that updates in place makes this once and varies it for its passes, so that all
 * use the same values. */
struct sft_forward sft_forward_on(struct sft_graph *graph, const struct sft_model *model);

struct sft_forward_out {
    sft_value logits;             /* (N, sft_model_outputs) */
    sft_value features;           /* (N, d): the input of the classifier */
    sft_value taps[SFT_MAX_TAPS]; /* (N,H,W,C): feature maps that scores look at, from the input to the
                                     output; see the family */
    int n_taps;
    sft_value params[SFT_MAX_PARAMETERS]; /* parameter i as the layers read it, for sft_autodiff */
    int n_params;
};

/* Appends the model's forward pass on images (N, image_size, image_size, 3), normalised. A pass that starts
 * at a tap leaves nodes behind that nothing reads, for sft_graph_prune() to remove. */
enum sft_status sft_model_forward(const struct sft_model *model, struct sft_graph *graph,
                                  const struct sft_forward *forward, sft_value images,
                                  struct sft_forward_out *out) SFT_MUST_CHECK;

/* An input value for `n` images of the model's size. */
sft_value sft_model_images(const struct sft_model *model, struct sft_graph *graph, int64_t n);

#endif

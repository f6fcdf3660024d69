/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A forward pass of a network, and what the build functions of nn/models make it of.
 *
 * A build function runs on a scratch graph to declare the parameters, and then once for each forward pass. It
 * calls the layers (nn/layers/layers.h) and the functions at the end of this header, which serve both: a
 * parameter that is asked for is declared the first time and read from the flat weights afterwards.
 */
#ifndef SFT_NN_FORWARD_H
#define SFT_NN_FORWARD_H

#include "nn/parameters.h"
#include "nn/variant.h"

enum {
    SFT_MAX_TAPS = 64,
    SFT_DROPOUT_STREAMS = 64, /* of one pass, and so the most layers with dropout that a network can have */
};

/* The epsilon of BiT's own code. */
#define SFT_STANDARDIZE_EPSILON 1e-10f

/* What a build function may know about the model. */
struct sft_network {
    const struct sft_variant *variant;
    int gn_groups; /* of every group norm; 0: the family's own rule */
    int outputs;   /* logits an image */
    int image_size;
    float standardize_epsilon;               /* of weight standardisation; 0: SFT_STANDARDIZE_EPSILON */
    const struct sft_parameters *parameters; /* of a forward pass; NULL while they are declared */
};

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
    /* Layer i draws from stream dropout_stream + i; passes lie SFT_DROPOUT_STREAMS apart. */
    uint32_t dropout_stream;
    sft_value from; /* the value of tap `from_tap`, where the pass starts; SFT_NONE: at the images */
    int from_tap;
};

/* Evaluation on the model's own tensors: bound values for weights and buffers, running statistics, no
 * dropout. A training step that updates in place makes this once and varies it for its passes, so that all
 * use the same values. */
struct sft_forward sft_forward_on(struct sft_graph *graph, const struct sft_parameters *parameters);

/* An input value for `n` images (n, image_size, image_size, 3). */
sft_value sft_forward_images(struct sft_graph *graph, int64_t n, int image_size);

/* A value inside the network that scores look at. */
enum sft_tap_kind {
    SFT_TAP_MAP,    /* a feature map (N,H,W,C) */
    SFT_TAP_TOKENS, /* tokens (N,T,C) */
};
struct sft_tap {
    sft_value value;
    enum sft_tap_kind kind;
};

struct sft_forward_out {
    sft_value logits;                  /* (N, outputs) */
    sft_value features;                /* (N, d): the input of the classifier */
    struct sft_tap taps[SFT_MAX_TAPS]; /* from the input to the output; see the family */
    int n_taps;
    sft_value params[SFT_MAX_PARAMETERS]; /* parameter i as the layers read it, for sft_autodiff */
    int n_params;
};

/* Appends the declarations of the network's parameters to `parameters`. */
enum sft_status sft_network_declare(const struct sft_network *network,
                                    struct sft_parameters *parameters) SFT_MUST_CHECK;

/* Appends a forward pass on images (N, image_size, image_size, 3), normalised. A pass that starts at a tap
 * leaves nodes behind that nothing reads, for sft_graph_prune() to remove. SFT_USAGE for images or flat
 * values of another size than the network's. */
enum sft_status sft_network_forward(const struct sft_network *network, struct sft_graph *graph,
                                    const struct sft_forward *forward, sft_value images,
                                    struct sft_forward_out *out) SFT_MUST_CHECK;

/* ---- for build functions and layers ---- */

struct sft_build {
    struct sft_graph *graph;
    const struct sft_network *network;
    const struct sft_forward *forward;
    struct sft_forward_out *out; /* the build function sets logits and features, and adds taps */

    struct sft_parameters *declared; /* private: the list to fill, or NULL in a forward pass */
    int next_parameter;              /* private: parameters are asked for in the order of their declaration */
    uint32_t next_dropout;           /* private */
};

/* Formats a name into a buffer of SFT_MAX_NAME bytes and returns it. */
const char *sft_name(char *buffer, const char *format, ...) SFT_PRINTF(2, 3);

struct sft_parameter_rule {
    enum sft_parameter_kind kind;
    struct sft_shape shape;      /* here */
    struct sft_shape file_shape; /* in files; rank 0: the same */
    struct sft_init init;
};

/* Parameter or buffer "layer.suffix", or "layer" where `suffix` is NULL, as a value of `rule.shape`. */
sft_value sft_build_parameter(struct sft_build *build, const char *layer, const char *suffix,
                              struct sft_parameter_rule rule);

/* Adds a tap to out->taps and returns what to go on with: `value`, or what the pass starts with here. The
 * graph fails where a network has more than SFT_MAX_TAPS. */
sft_value sft_build_tap(struct sft_build *build, enum sft_tap_kind kind, sft_value value);

/* The stream of the next dropout layer. The graph fails where a network has more of them than
 * SFT_DROPOUT_STREAMS: two passes would draw the same masks. */
uint32_t sft_build_dropout_stream(struct sft_build *build);

/* Size of axis `axis` of a value, 0 after a failure. */
int64_t sft_build_dim(const struct sft_build *build, sft_value value, int axis);

#endif

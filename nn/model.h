/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Models: a classifier by name, its parameters on a device, and its forward pass in a graph.
 *
 *     const struct sft_model_config config = {.name = "resnetv2_20_gn", .classes = 10};
 *     SFT_TRY(sft_model_create(device, &config, &model));
 *     SFT_TRY(sft_parameters_init(&model->parameters, seed));
 *     struct sft_forward forward = sft_forward_on(graph, &model->parameters);
 *     SFT_TRY(sft_model_forward(model, graph, &forward, images, &out));
 *     ... out.logits, out.features, out.params ...
 *
 * sft_model_open() makes a model from a file instead. Which models there are is in nn/models/families.h.
 */
#ifndef SFT_NN_MODEL_H
#define SFT_NN_MODEL_H

#include "nn/class_names.h"
#include "nn/forward.h"
#include "nn/groups.h"
#include "nn/guess.h"
#include "nn/models/families.h"

struct sft_model {
    const struct sft_variant *variant;
    int classes, gn_groups;
    struct sft_groups *groups;          /* of classes; NULL: a plain classifier; owned */
    struct sft_class_names class_names; /* of all classes, or of none: not known; owned */
    int image_size;
    int native_size;                  /* of the file's position embeddings; 0: it has none */
    enum sft_pos_embed pos_embed;     /* how those for image_size were made, where the two differ */
    float standardize_epsilon;        /* of weight standardisation */
    float mean[3], std[3];            /* of the normalised input by channel: x = (v/255 - mean)/std */
    struct sft_framing framing;       /* of pictures; complete */
    struct sft_parameters parameters; /* owned */
    struct sft_model_file {
        int64_t bytes;
        char sha256[65];                 /* of the bytes that were loaded; "" for a model that was created */
        const struct sft_layout *layout; /* NULL for a model that was created */
        const char *class_order;         /* "mos" or "file" where its classes are in an order of its own, else
                                            "sorted";         NULL for a model that was created */
    } file;
};

/* Declares and allocates; the values are zeros until sft_parameters_init or _load. SFT_USAGE for an unknown
 * name (the message lists the known ones), for fewer than 2 classes, or for groups that don't divide;
 * SFT_DATA for groups of classes that are none. */
enum sft_status sft_model_create(struct sft_device *device, const struct sft_model_config *config,
                                 struct sft_model **model) SFT_MUST_CHECK;
void sft_model_destroy(struct sft_model **model);

/* SFT_USAGE, with the sizes that there are, where the network cannot be built for images of so many pixels a
 * side, or, for sft_model_takes(), has position embeddings for another size. */
enum sft_status sft_variant_takes(const struct sft_variant *variant, int image_size) SFT_MUST_CHECK;
enum sft_status sft_model_takes(const struct sft_model *model, int image_size) SFT_MUST_CHECK;

/* Logits an image: the classes, or of a grouped classifier groups->outputs. */
int sft_model_outputs(const struct sft_model *model);

/* Opens `path`, guesses where `config` does not say (may be NULL), creates the model and loads it, with the
 * names of its classes where the file has them; a warning where it has something else in their place. Says
 * what was found. Position embeddings of another size than config->image_size are made anew as
 * config->pos_embed says. */
enum sft_status sft_model_open(struct sft_device *device, const char *path,
                               const struct sft_model_config *config,
                               struct sft_model **model) SFT_MUST_CHECK;

/* Saves the parameters as safetensors with `metadata` and the model's description in the header: model,
 * classes, gn_groups; class_names, a JSON array, where they are known; mos_groups of a grouped classifier;
 * image_size, mean and std, resize, interpolation and crop, and ws_epsilon, where they are not the variant's
 * or usual, or the layout of the file's names would tell of others; class_order where the file that was
 * loaded had one of its own (nn/class_order.h). Position embeddings are those of image_size, so that the
 * file is of the same network when it is opened again. */
enum sft_status sft_model_save(const struct sft_model *model, const char *path,
                               const struct sft_metadata *metadata, size_t n_metadata) SFT_MUST_CHECK;

/* SHA-256 of the values of all weights and buffers: tells whether what was learned with one model fits
 * another. */
enum sft_status sft_model_fingerprint(const struct sft_model *model, char hex[65]) SFT_MUST_CHECK;

/* Appends the model's forward pass, as sft_network_forward() does. */
enum sft_status sft_model_forward(const struct sft_model *model, struct sft_graph *graph,
                                  const struct sft_forward *forward, sft_value images,
                                  struct sft_forward_out *out) SFT_MUST_CHECK;

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* The dictionary of tensors in what torch.save() wrote, be the file a zip or of the time before. */
#ifndef SFT_NN_CHECKPOINT_TORCH_DICT_H
#define SFT_NN_CHECKPOINT_TORCH_DICT_H

#include "nn/checkpoint/format.h"
#include "nn/checkpoint/torch/pickle_nodes.h"

/* Where a file has the storages of its tensors. */
struct sft_torch_storages {
    /* The bytes of the storage of that key (only data and size are set), valid while the checkpoint is open.
     * SFT_DATA where there is none. */
    enum sft_status (*find)(const struct sft_torch_storages *storages, const char *key,
                            struct sft_bytes *bytes);
    void *context;
    bool big_endian;
};

/* Fills the checkpoint's tensors with those of the object `top`: the dictionary that checkpoint->wanted
 * names; else the first of state_dict_ema, model_ema, ema_state_dict, state_dict, model, net,
 * model_state_dict, network, weights, params that is one; else the only one. It is said which was taken where
 * there are others. SFT_DATA where several may be meant (they are listed), where there is none, and for a
 * pickled model, whose class is named. */
enum sft_status sft_torch_dict_read(struct sft_checkpoint *checkpoint, const struct sft_pickle *pickle,
                                    uint32_t top, const struct sft_torch_storages *storages) SFT_MUST_CHECK;

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* What perturb.comp, sgd.comp and adam.comp are told. */
#define SFT_PERTURB_OPERANDS(OPERAND)                                                                        \
    OPERAND(Stored, w)                                                                                       \
    OPERAND(Stored, g)                                                                                       \
    OPERAND(Stored, norm)                                                                                    \
    OPERAND(Stored, hyper)                                                                                   \
    OPERAND(Stored, y)

#define SFT_SGD_OPERANDS(OPERAND)                                                                            \
    OPERAND(Stored, w)                                                                                       \
    OPERAND(Stored, v)                                                                                       \
    OPERAND(Stored, g)                                                                                       \
    OPERAND(Stored, hyper)

#define SFT_ADAM_OPERANDS(OPERAND)                                                                           \
    OPERAND(Stored, w)                                                                                       \
    OPERAND(Stored, m)                                                                                       \
    OPERAND(Stored, v)                                                                                       \
    OPERAND(Stored, g)                                                                                       \
    OPERAND(Stored, hyper)

#define SFT_OPTIMIZER_WORDS(WORD) WORD(uint, count) /* weights */

#define SFT_SGD_NESTEROV_ID 1
#define SFT_SGD_DECAY_ID 2
#define SFT_ADAM_DECOUPLED_ID 1
#define SFT_ADAM_DECAY_ID 2

/* enum sft_hyper of runtime/ops.h: places in the tensor of hyper-parameters. */
#define SFT_HYPERS(NUMBER)                                                                                   \
    NUMBER(SFT_HYPER_LR, 0)                                                                                  \
    NUMBER(SFT_HYPER_RHO, 1)                                                                                 \
    NUMBER(SFT_HYPER_MOMENTUM, 2)                                                                            \
    NUMBER(SFT_HYPER_WEIGHT_DECAY, 3)                                                                        \
    NUMBER(SFT_HYPER_BETA1, 4)                                                                               \
    NUMBER(SFT_HYPER_BETA2, 5)                                                                               \
    NUMBER(SFT_HYPER_EPSILON, 6)                                                                             \
    NUMBER(SFT_HYPER_BIAS1, 7)                                                                               \
    NUMBER(SFT_HYPER_BIAS2, 8)                                                                               \
    NUMBER(SFT_HYPER_NEW, 9)                                                                                 \
    NUMBER(SFT_HYPER_KEEP, 10)

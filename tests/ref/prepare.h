/* SPDX-License-Identifier: Apache-2.0 */
/* Make the inputs of gradient ops what the forward op would have saved. */
#ifndef SFT_TESTS_PREPARE_H
#define SFT_TESTS_PREPARE_H

struct ref_call;

/* y and rstd from the filter that stands in y's place. */
void ref_prepare_standardize_grad(struct ref_call *call);
/* mean, rstd (unless frozen) and sums from x, dy, gamma, beta; dy is zeroed where rounding decides the ReLU's
 * mask. */
void ref_prepare_group_norm_grad(struct ref_call *call);
/* mean and rstd from x. */
void ref_prepare_layer_norm_grad(struct ref_call *call);
/* y from the logits that stand in its place. */
void ref_prepare_softmax_grad(struct ref_call *call);
/* y and lse from q, k and v. */
void ref_prepare_attention_grad(struct ref_call *call);
/* Indices of the maxima. */
void ref_prepare_max_pool_grad(struct ref_call *call);

#endif

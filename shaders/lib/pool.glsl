// SPDX-License-Identifier: Apache-2.0
// Sizes of a pooling: x (N,H,W,C), y (N,P,Q,C).
#define POOL_SIZES uint count, H, W, P, Q, C, R, S, stride_h, stride_w, pad_h, pad_w

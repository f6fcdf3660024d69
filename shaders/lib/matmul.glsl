// SPDX-License-Identifier: Apache-2.0
// What the kernels of matmul are told, by runtime/vulkan/ops/matmul.c: D = A B + bias for each matrix of a batch.
layout(push_constant) uniform Push
{
    F32 a; F32 b; F32 bias; F32 d;
    uint rows;
    uint columns;
    uint depth;    // length of the sum
    uint a_row;    // elements from one row of A to the next; 1 for a transposed A
    uint a_k;      // elements from one k to the next; 1 for a plain A
    uint b_stride; // elements between rows of B as it lies in memory
    uint relu;
    uint splits;   // parts of the sum, one output each
    uint part;     // k of a part
    uint batch;
};

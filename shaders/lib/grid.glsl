// SPDX-License-Identifier: Apache-2.0
// Work spread over one dimension and folded into x and y by sft_vk_grid: the last row may hold surplus groups.

uint linear_group() { return gl_WorkGroupID.y * gl_NumWorkGroups.x + gl_WorkGroupID.x; }

uint linear_invocation() { return linear_group() * gl_WorkGroupSize.x + gl_LocalInvocationID.x; }

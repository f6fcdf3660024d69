// SPDX-License-Identifier: Apache-2.0
// Work spread over one dimension and folded into x and y by sft_vk_grid: the last row may hold surplus
// groups.

// The group's size in x is a specialisation constant. Not gl_WorkGroupSize: the optimiser of shaderc 2023.2
// folds it to 1 when the size is specialised.
layout(local_size_x = 64, local_size_x_id = SFT_GROUP_SIZE_ID) in;
layout(constant_id = SFT_GROUP_SIZE_ID) const uint GROUP_SIZE = 64;

uint linear_group() { return gl_WorkGroupID.y * gl_NumWorkGroups.x + gl_WorkGroupID.x; }

uint linear_invocation() { return linear_group() * GROUP_SIZE + gl_LocalInvocationID.x; }

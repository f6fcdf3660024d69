// SPDX-License-Identifier: Apache-2.0
// Reductions: a work-group is TX columns by TY rows of lanes. Every lane of a column adds up its share of the
// column in its own registers; column_sum, column_total (which carries the rounding error) and column_max
// then give the whole column's result to each of its lanes. With TY = 1 (drivers that run on the CPU) nothing
// is shared and no barrier is met. All lanes have to call them. TX and TY are powers of two.
#include "lib/grid.glsl"
#include "lib/sum.glsl"
layout(constant_id = SFT_TX_ID) const uint TX = 64;
const uint TY = GROUP_SIZE / TX;

shared real column_part[GROUP_SIZE];
shared real column_lost[GROUP_SIZE];

uint lane_column() { return gl_LocalInvocationID.x % TX; }
uint lane_row() { return gl_LocalInvocationID.x / TX; }

real column_sum(real value)
{
    if (TY == 1) return value;
    barrier();
    column_part[gl_LocalInvocationID.x] = value;
    barrier();
    for (uint half_rows = TY / 2; half_rows > 0; half_rows /= 2) {
        if (lane_row() < half_rows)
            column_part[gl_LocalInvocationID.x] += column_part[gl_LocalInvocationID.x + half_rows * TX];
        barrier();
    }
    return column_part[lane_column()];
}

Sum shared_sum(uint lane) { return Sum(column_part[lane], column_lost[lane]); }

void share(Sum sum)
{
    column_part[gl_LocalInvocationID.x] = sum.value;
    column_lost[gl_LocalInvocationID.x] = sum.lost;
}

real column_total(Sum sum)
{
    uint lane = gl_LocalInvocationID.x;
    if (TY == 1) return sum.value - sum.lost;
    barrier();
    share(sum);
    barrier();
    for (uint half_rows = TY / 2; half_rows > 0; half_rows /= 2) {
        if (lane_row() < half_rows) share(both(shared_sum(lane), shared_sum(lane + half_rows * TX)));
        barrier();
    }
    return column_part[lane_column()] - column_lost[lane_column()];
}

real column_max(real value)
{
    uint lane = gl_LocalInvocationID.x;
    if (TY == 1) return value;
    barrier();
    column_part[lane] = value;
    barrier();
    for (uint half_rows = TY / 2; half_rows > 0; half_rows /= 2) {
        if (lane_row() < half_rows)
            column_part[lane] = max(column_part[lane], column_part[lane + half_rows * TX]);
        barrier();
    }
    return column_part[lane_column()];
}

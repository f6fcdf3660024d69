// SPDX-License-Identifier: Apache-2.0
// What row_loss.comp and row_loss_grad.comp share: a row's log-sum-exp, and the places of a row.
#include "abi/loss.h"

SFT_DISTANCES(SFT_NUMBER)

layout(constant_id = SFT_ROW_LOSS_DISTANCE_ID) const uint DISTANCE = SFT_DISTANCE_OE;

struct Row {
    uint base, end; // end is 0 for lanes beyond the last row
    real top;       // largest logit
    real log_sum;   // log(sum exp(z - top)): LSE = top + log_sum
};

Row read_row(Stored logits, uint row, uint rows, uint width)
{
    Row r;
    real sum = 0.0;
    r.base = row * width;
    r.end = row < rows ? width : 0;
    r.top = r.end > 0 ? real(logits.at[r.base]) : 0.0;
    for (uint i = lane_row(); i < r.end; i += TY) r.top = max(r.top, real(logits.at[r.base + i]));
    r.top = column_max(r.top);
    for (uint i = lane_row(); i < r.end; i += TY) sum += exp(real(logits.at[r.base + i]) - r.top);
    r.log_sum = log(max(column_sum(sum), 1.0)); // at least exp(0)
    return r;
}

// log p of class i, finite for any finite logit.
real log_p(Stored logits, Row row, uint i) { return real(logits.at[row.base + i]) - row.top - row.log_sum; }

// log(p/m) with m = (p + 1/C)/2: Jensen-Shannon.
real log_p_over_m(real lp, uint width) { return lp - log(0.5 * (exp(lp) + 1.0 / real(width))); }

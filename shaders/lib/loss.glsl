// SPDX-License-Identifier: Apache-2.0
// What row_loss.comp and row_loss_grad.comp share: a row's log-sum-exp, and the places of a row.
#include "abi/loss.h"

layout(constant_id = 2) const uint DISTANCE = SFT_LOSS_OE;

struct Row {
    uint base, end; // end is 0 for lanes beyond the last row
    float top;      // largest logit
    float log_sum;  // log(sum exp(z - top)): LSE = top + log_sum
};

Row read_row(F32 logits, uint row, uint rows, uint width)
{
    Row r;
    float sum = 0.0;
    r.base = row * width;
    r.end = row < rows ? width : 0;
    r.top = r.end > 0 ? logits.at[r.base] : 0.0;
    for (uint i = lane_row(); i < r.end; i += TY) r.top = max(r.top, logits.at[r.base + i]);
    r.top = column_max(r.top);
    for (uint i = lane_row(); i < r.end; i += TY) sum += exp(logits.at[r.base + i] - r.top);
    r.log_sum = log(max(column_sum(sum), 1.0)); // at least exp(0)
    return r;
}

// log p of class i, finite for any finite logit.
float log_p(F32 logits, Row row, uint i) { return logits.at[row.base + i] - row.top - row.log_sum; }

// log(p/m) with m = (p + 1/C)/2: Jensen-Shannon.
float log_p_over_m(float lp, uint width) { return lp - log(0.5 * (exp(lp) + 1.0 / float(width))); }

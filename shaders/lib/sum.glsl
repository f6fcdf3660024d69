// SPDX-License-Identifier: Apache-2.0
// A sum with the rounding error carried along (Kahan): long sums in one lane keep full accuracy.
struct Sum {
    float value, lost;
};

void add(inout Sum sum, float term)
{
    precise float corrected = term - sum.lost;
    precise float grown = sum.value + corrected;
    precise float lost = (grown - sum.value) - corrected;
    sum.lost = lost;
    sum.value = grown;
}

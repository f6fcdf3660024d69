// SPDX-License-Identifier: Apache-2.0
// A sum with the rounding error carried along (Kahan): long sums in one lane keep full accuracy.
struct Sum {
    float value, lost; // the sum is value - lost
};

void add(inout Sum sum, float term)
{
    precise float corrected = term - sum.lost;
    precise float grown = sum.value + corrected;
    precise float lost = (grown - sum.value) - corrected;
    sum.lost = lost;
    sum.value = grown;
}

// Two sums in one; neither needs to be the larger (Knuth).
Sum both(Sum a, Sum b)
{
    precise float value = a.value + b.value;
    precise float of_b = value - a.value;
    precise float lost = ((value - of_b) - a.value) + (of_b - b.value);
    return Sum(value, lost + a.lost + b.lost);
}

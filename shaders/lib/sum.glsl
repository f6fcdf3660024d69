// SPDX-License-Identifier: Apache-2.0
// A sum with the rounding error carried along (Kahan): long sums in one lane keep full accuracy.
struct Sum {
    real value, lost; // the sum is value - lost
};

const Sum NOTHING = Sum(0.0, 0.0);

void add(inout Sum sum, real term)
{
    precise real corrected = term - sum.lost;
    precise real grown = sum.value + corrected;
    precise real lost = (grown - sum.value) - corrected;
    sum.lost = lost;
    sum.value = grown;
}

// Two sums in one; neither needs to be the larger (Knuth).
Sum both(Sum a, Sum b)
{
    precise real value = a.value + b.value;
    precise real of_b = value - a.value;
    precise real lost = ((value - of_b) - a.value) + (of_b - b.value);
    return Sum(value, lost + a.lost + b.lost);
}

// SPDX-License-Identifier: Apache-2.0
// The error function to about one unit in the last place: a polynomial below 0.93, 1 - exp(polynomial) above.

real erf(real x)
{
    real t = min(abs(x), 4.0), s = x * x, r;
    if (t > 0.927734375) {
        r = fma(-1.72853470e-5, t, 3.83197126e-4);
        r = fma(r, t * t, fma(-3.88396438e-3, t, 2.42546219e-2));
        r = fma(r, t, -1.06777877e-1);
        r = fma(r, t, -6.34846687e-1);
        r = fma(r, t, -1.28717512e-1);
        r = 1.0 - exp(fma(r, t, -t));
        return x < 0.0 ? -r : r;
    }
    r = fma(-5.96761703e-4, s, 4.99119423e-3);
    r = fma(r, s, -2.67681349e-2);
    r = fma(r, s, 1.12819925e-1);
    r = fma(r, s, -3.76125336e-1);
    r = fma(r, s, 1.28379166e-1);
    return fma(r, x, x);
}

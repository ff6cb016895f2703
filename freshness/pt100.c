// SPDX-License-Identifier: Apache-2.0
#include "freshness/pt100.h"

#include <assert.h>
#include <math.h>

#define PT_A 3.9083e-3
#define PT_B -5.775e-7
#define PT_C -4.183e-12

double pt100_ohm(double r0, double celsius)
{
    assert(r0 > 0);
    double t = celsius;
    double cold = t < 0 ? PT_C * (t - 100) * t * t * t : 0;
    return r0 * (1 + PT_A * t + PT_B * t * t + cold);
}

/* The curve rises everywhere in the range, so halving the interval always finds it. */
double pt100_celsius(double r0, double ohm)
{
    double low = -200, high = 850;
    if (!(ohm >= pt100_ohm(r0, low) && ohm <= pt100_ohm(r0, high)))
        return (double)NAN;
    while (high - low > 1e-7) {
        double middle = (low + high) / 2;
        if (pt100_ohm(r0, middle) < ohm)
            low = middle;
        else
            high = middle;
    }
    return (low + high) / 2;
}

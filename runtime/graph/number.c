/* Numbers as people write them: see number.h. A random double lies within a rounding error of a
 * decimal of twelve digits, or of a fraction with a denominator below a hundred, once in about a
 * thousand million times; so one that does is taken for it. */
#include "runtime/graph/number.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { FEW = 12, LARGEST = 99, MOST = 999 };

bool tg_number_is_whole(double x) {
    return x == floor(x) && fabs(x) <= 9007199254740992.0;
}

int tg_number_digits(double x) {
    char text[40];
    for (int digits = 1; digits < 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, x);
        if (strtod(text, NULL) == x) return digits;
    }
    return 17;
}

/* The nearest decimal of few digits. */
static double decimal(double x) {
    char text[40];
    snprintf(text, sizeof text, "%.*g", FEW, x);
    return strtod(text, NULL);
}

bool tg_number_fraction(double x, double *n, double *d) {
    if (!isfinite(x) || fabs(x) > MOST || tg_number_is_whole(x) || decimal(x) == x) return false;
    for (int k = 3; k <= LARGEST; k++) {
        double top = round(x * k);
        if (top == 0 || fabs(top) > MOST || top / k != x) continue;
        *n = top, *d = k;
        return true;
    }
    return false;
}

double tg_number_tidy(double x, double scale) {
    if (!isfinite(x) || tg_number_is_whole(x)) return x;
    double near = 2 * DBL_EPSILON * fmax(scale, fabs(x)), short_one = decimal(x);
    if (fabs(short_one - x) <= near) return short_one;
    for (int k = 3; k <= LARGEST && fabs(x) <= MOST; k++) {
        double top = round(x * k);
        if (top != 0 && fabs(top) <= MOST && fabs(top / k - x) <= near) return top / k;
    }
    return x;
}

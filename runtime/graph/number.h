/* Numbers as people write them. Inside of a formula a number is a double; 1/3 and 1.1 - 1 are then
 * 0.3333333333333333 and 0.10000000000000009. These find the fraction or the short decimal that was
 * meant. */
#ifndef TG_RUNTIME_NUMBER_H
#define TG_RUNTIME_NUMBER_H

#include <stdbool.h>

/* Is x a whole number that a double holds exactly, as all its neighbours? */
bool tg_number_is_whole(double x);
/* Is x just the double n / d, for small whole n and d, and no decimal of few digits? Then d > 2. */
bool tg_number_fraction(double x, double *n, double *d);
/* The significant digits of the shortest decimal that reads back as x. */
int tg_number_digits(double x);
/* The result x of one operation on numbers up to `scale` without its rounding error, where a
 * decimal of few digits, or a fraction, lies that close; else x. */
double tg_number_tidy(double x, double scale);

#endif

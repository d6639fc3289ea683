/* Between what bounds the elements of a formula lie, so far as its form and the assumptions tell:
 * exp(x) is above 0, sigmoid(x) between 0 and 1, x^2 + 1 at least 1. What is said holds for real
 * numbers: of infinities, of NaN, and of what underflows to 0 nothing is claimed. Nothing here
 * allocates, so nothing can fail; a formula too deep or too large has no bounds. */
#ifndef TG_RUNTIME_SIGN_H
#define TG_RUNTIME_SIGN_H

#include "runtime/graph/node.h"

typedef struct tg_bounds {
    double lo, hi;
    bool lo_open, hi_open; /* the bound itself is not reached */
    bool nonzero;          /* 0 is not reached, even where lo < 0 < hi */
} tg_bounds;

/* The range of n's elements. `allowed` are the assumptions that may be used, *used (may be NULL)
 * gets those that were. */
tg_bounds tg_bounds_of(tg_rt *rt, const tg_node *n, uint32_t allowed, uint32_t *used);
/* The numbers in both; an empty range has lo > hi or an open bound met by the other. */
tg_bounds tg_bounds_meet(tg_bounds a, tg_bounds b);
bool tg_bounds_is_empty(tg_bounds r);
bool tg_bounds_has(tg_bounds r, double x);
/* What `x op c` says of x, op one of == != < <= > >=, and x anywhere in r. */
tg_bounds tg_bounds_of_comparison(const char *op, tg_bounds r);
/* Is `a op b` true (1), false (-1), or not known (0) for all a and b in those ranges? */
int tg_bounds_compare(const char *op, tg_bounds a, tg_bounds b);
/* The same for each element of two formulas, with the fewest assumptions that tell it in *used. */
int tg_prove(tg_rt *rt, const char *op, const tg_node *a, const tg_node *b, uint32_t allowed,
             uint32_t *used);

#endif

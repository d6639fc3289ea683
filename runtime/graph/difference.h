/* Difference quotients: the slope of a formula y, a scalar, as one of its parts x moves from where
 * a sampler stands. What stop(...) holds stays where it is. What derivatives are checked against. x
 * may be a cell or any node under y; moving it leaves everything else that y depends on where it
 * is.
 *
 * Ownership: the sampler is borrowed and must outlive the difference; its point is the same again
 * after tg_difference_end. */
#ifndef TG_RUNTIME_DIFFERENCE_H
#define TG_RUNTIME_DIFFERENCE_H

#include "runtime/graph/sample.h"

typedef struct tg_difference {
    tg_rt *rt;
    tg_node *y;      /* over the sampler's cells, and ... */
    tg_cell *moved;  /* ... this one in the place of x (owned) */
    tg_tensor *base; /* where x stands (owned) */
    int64_t count;   /* elements of x */
    double value;    /* of y there */
} tg_difference;

typedef struct tg_slope {
    bool finite;        /* y can be computed on both sides */
    double slope;       /* dy / dt along x + t * direction */
    double error;       /* what the extrapolation says that this is off by */
    double step;        /* the t at which it was found */
    bool kink;          /* the slopes to the left and right differ */
    double left, right; /* then these */
} tg_slope;

/* False: an error. *usable: false when y or x has no finite value here. y and x are nodes of the
 * user's, under the sampler's roots. */
bool tg_difference_begin(tg_difference *d, const tg_sample *s, const tg_node *y, const tg_node *x,
                         bool *usable);
void tg_difference_end(tg_difference *d);
/* Along direction[count]; NULL: along the element `at` alone. */
bool tg_difference_slope(tg_difference *d, const double *direction, int64_t at, tg_slope *out);

/* The innermost operation under y that has a kink there: the first whose own value has different
 * slopes to the left and right as the element `at` of x moves. *op NULL: none is found. */
bool tg_difference_kink(tg_difference *d, const tg_sample *s, const tg_node *y, tg_node *x,
                        int64_t at, const tg_op **op);

#endif

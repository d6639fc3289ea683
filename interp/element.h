/* Single elements of plain tensors, found by plain numbers: what x[i] in a loop comes down to, for
 * the tree and for number code. What is not so simple is left to interp/index.c, which also words
 * the errors. */
#ifndef TG_INTERP_ELEMENT_H
#define TG_INTERP_ELEMENT_H

#include "interp/value.h"

/* The first n axes of v at these places, negative ones counted from the end: how far the element,
 * or the part, is from the first. False: not whole, or out of range. */
static inline bool tg_element_at(const tg_view *v, int n, const double *place, int64_t *offset) {
    int64_t at = 0;
    for (int d = 0; d < n; d++) {
        const double size = (double)v->dim[d], x = place[d] < 0 ? place[d] + size : place[d];
        if (!(x >= 0 && x < size)) return false;
        const int64_t i = (int64_t)x;
        if ((double)i != x) return false;
        at += i * v->stride[d];
    }
    *offset = at;
    return true;
}

/* May an element of t be written in place by the one name that stands for it? */
static inline bool tg_element_is_own(const tg_tensor *t) {
    return t->refs == 1 && t->buf->refs == 1 && tg_view_is_contiguous(&t->v);
}

#endif

/* Inside of symbolic sizes: the normal form that size.c builds and size_bind.c evaluates and
 * prints. */
#ifndef TG_RUNTIME_POLY_H
#define TG_RUNTIME_POLY_H

#include "runtime/graph/size.h"

/* A product of more than 16 sizes or a sum of more than 64 products is refused: no shape of rank 8
 * comes near. */
enum { TG_POLY_DEGREE = 16, TG_POLY_TERMS = 64 };

/* coef * atom[0] * atom[1] ...: atoms ascending, repeated for a power; none: a constant. */
typedef struct tg_term {
    int64_t coef;
    int degree;
    uint32_t atom[TG_POLY_DEGREE];
} tg_term;

/* Terms in graded lexicographic order, largest first, equal products merged, no coefficient 0. */
typedef struct tg_poly {
    struct tg_poly *chain;
    tg_size name; /* its own */
    uint32_t hash;
    int n;
    tg_term term[];
} tg_poly;

/* What polynomials are made of: a symbol, or ceil(inner / divisor). */
typedef struct tg_atom {
    const char *name; /* interned; NULL: anonymous, or not a symbol */
    tg_size self;     /* the polynomial 1 * atom */
    int64_t divisor;  /* 0: a symbol */
    tg_size inner;
    uint64_t seen; /* memo of one evaluation or listing: valid while seen == tg_sizes.walk */
    int64_t value;
} tg_atom;

typedef struct tg_sizes {
    tg_poly **poly; /* in order of creation: the size -2 - i names poly[i] */
    size_t npoly, poly_cap;
    tg_poly **bucket;
    size_t nbucket; /* a power of two */
    tg_atom *atom;
    size_t natom, atom_cap;
    uint64_t walk;
} tg_sizes;

/* The polynomial that a size below 0 names. */
static inline const tg_poly *tg_poly_of(const tg_rt *rt, tg_size s) {
    return rt->sizes->poly[-2 - s];
}
/* The atom that s consists of, or NULL when it is anything else. */
tg_atom *tg_poly_atom(const tg_rt *rt, tg_size s);

#endif

/* Polynomials over indices: terms, each a number times powers of atoms that carry labels
 * (index_form.c says what they are for). All of them belong to the arena of one proof. */
#ifndef TG_RUNTIME_INDEX_POLY_H
#define TG_RUNTIME_INDEX_POLY_H

#include "base/arena.h"
#include "runtime/graph/simplifier.h"

/* Labels: the axes of the node, from 0; what is bound, from TG_BOUND; the only place of an axis. */
enum { TG_BOUND = 16, TG_ONLY = -1, TG_DELTA = 0 };
enum { TG_TERM_FACTORS = 16, TG_TERM_BOUND = 12 };

typedef struct tg_index_factor {
    int atom, rank;
    double power;
    signed char at[TG_MAX_RANK];
} tg_index_factor;

typedef struct tg_index_term {
    tg_ratio c;
    int n, bound;
    tg_index_factor f[TG_TERM_FACTORS];
    tg_size dim[TG_TERM_BOUND]; /* of the bound labels */
} tg_index_term;

typedef struct tg_poly {
    tg_index_term **t;
    int n, cap;
    bool failed; /* too large */
} tg_poly;

typedef struct tg_index_atom {
    const char *key;
    const tg_poly *whole; /* it stands for this, which has its labels; else NULL */
    const tg_poly *under; /* exp of this */
} tg_index_atom;

typedef struct tg_former {
    tg_simp *s;
    tg_arena arena;
    tg_index_atom *atoms;
    size_t n, cap;
    int made;    /* terms so far */
    bool failed; /* no memory: recorded */
} tg_former;

/* What an operation does with labels: axis i of argument k is at[k][i]; `bound` labels are summed
 * over, and delta joins two. */
typedef struct tg_wiring {
    signed char at[2][TG_MAX_RANK];
    int bound;
    tg_size dim[2 * TG_MAX_RANK];
    bool delta;
    signed char join[2];
} tg_wiring;

/* Zeroed memory of the proof; NULL: none (recorded). */
void *tg_index_take(tg_former *w, size_t bytes);
/* The number of the atom of that text, which is freed. -1: no memory. */
int tg_index_intern(tg_former *w, tg_str *key);
/* NULL: no memory, or the budget of the proof is spent. */
tg_index_term *tg_term_new(tg_former *w);
/* p += t, which is in order. */
void tg_poly_collect(tg_former *w, tg_poly *p, tg_index_term *t);
/* out += c * a * b, wired; b NULL: 1. */
void tg_poly_multiply(tg_former *w, tg_poly *out, tg_ratio c, const tg_poly *a, const tg_poly *b,
                      const tg_wiring *x);
/* out += c * f */
void tg_poly_add_factor(tg_former *w, tg_poly *out, tg_ratio c, const tg_index_factor *f);
/* out = base^power, of that rank */
void tg_poly_raise(tg_former *w, tg_poly *out, const tg_poly *base, double power, int rank);
/* exp of a sum is the product of powers of exp. */
void tg_poly_exp(tg_former *w, tg_poly *out, const tg_poly *p);
/* log of powers of exp is a sum. False: it is something else. */
bool tg_poly_log(tg_former *w, tg_poly *out, const tg_poly *p);
/* Appends p, so that equal ones are written alike. */
void tg_poly_write(const tg_poly *p, tg_str *out);

#endif

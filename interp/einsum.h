/* Inside of einsum: what reads the notation (builtin_einsum.c) and what carries it out
 * (einsum.c). */
#ifndef TG_INTERP_EINSUM_H
#define TG_INTERP_EINSUM_H

#include "interp/interp.h"

/* One bit a letter. */
typedef uint64_t tg_letters;
enum { TG_EINSUM_LETTERS = 64 };

/* A tensor whose axes have letters. The value is owned. */
typedef struct tg_einsum_term {
    tg_argument x; /* with the place where it was written, until something is done with it */
    int n;         /* axes */
    int letter[TG_MAX_RANK];
} tg_einsum_term;

typedef struct tg_einsum {
    tg_interp *in;
    tg_size size[TG_EINSUM_LETTERS]; /* of each letter */
    int nterms;
    tg_einsum_term *term;
    int nout;
    int out[TG_MAX_RANK]; /* the letters of the result: none twice, each in a term */
} tg_einsum;

/* The value that the notation means; the terms are used up, as far as it came. *out owned. */
bool tg_einsum_compute(tg_einsum *e, tg_value *out);

#endif

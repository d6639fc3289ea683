/* The conventions at kinks: what ?kinks shows, and what tests/unit/test_kinks.c computes. */
#ifndef TG_INTERP_KINKS_H
#define TG_INTERP_KINKS_H

#include <stddef.h>

typedef struct tg_kink {
    const char *what;    /* in words */
    const char *spelled; /* formulas over x that are the same there, with " | " between them */
    const char *at;      /* the point, as tg text: a number or a vector */
    const char *slope;   /* the gradient there, as tg text */
    const char *second;  /* the gradient of the gradient's sum; NULL: not finite */
    const char *why;     /* a remark; NULL: none */
} tg_kink;

extern const tg_kink tg_kinks[]; /* ends with a row without `what` */

#endif

/* Walking several views in step: the loop nest behind copies, elementwise kernels and reductions.
 * The shape is that of operand 0; the others are aligned at the right, and an axis they lack or
 * have with size 1 is repeated (step 0). Axes of size 1 are dropped and neighbours merged where all
 * operands allow, so that whole contiguous tensors become one long inner loop.
 *
 *     tg_loop l; tg_loop_init(&l, 2, views);
 *     char *p[2]; int64_t idx[TG_MAX_RANK];
 *     for (bool more = tg_loop_start(&l, idx, p); more; more = tg_loop_next(&l, idx, p))
 *         inner(l.inner, p, l.inner_step);
 */
#ifndef TG_TENSOR_LOOP_H
#define TG_TENSOR_LOOP_H

#include "runtime/tensor/tensor.h"

enum { TG_LOOP_OPERANDS = 5 };

typedef struct tg_loop {
    int n;         /* operands */
    int rank;      /* axes of the outer loops: all but the innermost */
    bool empty;    /* there is no element at all */
    int64_t inner; /* length of the innermost loop, at least 1 unless empty */
    int64_t inner_step[TG_LOOP_OPERANDS];        /* in bytes */
    int64_t dim[TG_MAX_RANK];                    /* outer sizes */
    int64_t step[TG_MAX_RANK][TG_LOOP_OPERANDS]; /* outer steps in bytes */
    char *base[TG_LOOP_OPERANDS];
} tg_loop;

void tg_loop_init(tg_loop *l, int n, const tg_view *const *v);
/* Pointers to the first inner run; false when there is none. */
bool tg_loop_start(const tg_loop *l, int64_t *idx, char **p);
/* Moves to the next inner run; false after the last. */
bool tg_loop_next(const tg_loop *l, int64_t *idx, char **p);

#endif

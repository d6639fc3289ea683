/* Operations on plain numbers alone: sin(0.5), max(a, b). They need no tensors, only the inner loop
 * of the operation's row for one element. */
#ifndef TG_INTERP_NUMERIC_H
#define TG_INTERP_NUMERIC_H

#include "interp/interp.h"
#include "runtime/ops/elementwise.h"

/* The inner loop by which op gives a number, or with *truth a truth value (one byte), for n plain
 * numbers; NULL: it does not. */
tg_inner_fn *tg_numeric_kernel(tg_interp *in, const tg_op *op, int n, bool *truth);
/* op(args), where that is so. False: it is for tg_call_op to do, and no error. */
bool tg_numeric_call(tg_interp *in, const tg_op *op, int n, const tg_argument *args, tg_value *out);

/* kernel(x[0], x[1], ...) */
static inline double tg_numeric_run(tg_inner_fn *kernel, bool truth, const double *x) {
    static const int64_t step[TG_MAX_TENSORS + 1] = {8, 8, 8, 8, 8};
    double number = 0;
    uint8_t yes = 0;
    char *p[TG_MAX_TENSORS + 1] = {truth ? (char *)&yes : (char *)&number};
    for (int i = 0; i < TG_MAX_TENSORS; i++) p[i + 1] = (char *)(x + i);
    kernel(1, p, step);
    return truth ? yes : number;
}

#endif

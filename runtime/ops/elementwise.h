/* Elementwise kernels as inner loops, for whoever drives them otherwise than one operation at a
 * time: a plan may run several over one cache-sized block after another. */
#ifndef TG_RUNTIME_ELEMENTWISE_H
#define TG_RUNTIME_ELEMENTWISE_H

#include "runtime/ops/op.h"

/* n results into p[0] from arguments p[1], p[2], ...; step[i] is the distance of p[i]'s elements in
 * bytes (0: one element for all). p[0] may be p[1] when both have the same type and step; no other
 * overlap is allowed. */
typedef void tg_inner_fn(int64_t n, char *const *p, const int64_t *step);

/* The inner loop of an elementwise operation; t is the type its last argument is wanted in. NULL:
 * op is not elementwise. */
tg_inner_fn *tg_elementwise_inner(const tg_op *op, tg_dtype t);

#endif

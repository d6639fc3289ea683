/* Elementwise kernels as inner loops, for whoever drives them otherwise than one operation at a
 * time: a plan may run several over one cache-sized block after another. */
#ifndef TG_RUNTIME_ELEMENTWISE_H
#define TG_RUNTIME_ELEMENTWISE_H

#include "runtime/ops/op.h"
#include "runtime/vec/vec.h"

/* The inner loop of an elementwise operation; t is the type its last argument is wanted in. NULL:
 * op is not elementwise. */
tg_inner_fn *tg_elementwise_inner(const tg_op *op, tg_dtype t);

#endif

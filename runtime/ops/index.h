/* Selecting by tensors of indices or truth values. */
#ifndef TG_RUNTIME_INDEX_H
#define TG_RUNTIME_INDEX_H

#include "runtime/ops/op.h"

/* The places, counted in row-major order, where mask is true (not 0): a TG_I64 vector. With it
 * x[mask] is gather(reshape(x, -1, ...), places, axis=0), which is differentiable; the result is
 * owned. */
tg_tensor *tg_tensor_nonzero(tg_rt *rt, const tg_tensor *mask);
/* x[mask]: the parts of x where mask, whose shape is that of x's leading axes, is true, one after
 * the other. Its size depends on the values, so it is no operation of the registry. Errors: shapes
 * that do not fit; {0} is x, {1} the mask. The result is owned. */
tg_tensor *tg_tensor_select(tg_rt *rt, const tg_tensor *x, const tg_tensor *mask);

extern const tg_op_table tg_ops_index, tg_ops_join;

#endif

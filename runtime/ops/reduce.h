/* What the operations that run along axes share: the split of a view's axes into those kept and
 * those reduced, their shape rules, and the naive kernels that the tests compare with. */
#ifndef TG_RUNTIME_REDUCE_H
#define TG_RUNTIME_REDUCE_H

#include "runtime/ops/op.h"
#include "runtime/tensor/loop.h"

/* The views of the axes in `mask` (reduced) and of the others (kept), both in their order and from
 * the same first element. */
void tg_axes_split(const tg_view *v, uint64_t mask, tg_view *kept, tg_view *reduced);

/* A line is what one result depends on: the elements that differ only along the reduced axes, in
 * row-major order. Operand 0 of `line` is the input; operand 1 is the output when that has the
 * input's shape; `out` is the line's first result. */
typedef void tg_line_fn(const tg_call *call, const tg_loop *line, char *out);
/* Calls f for every line of argument 0 along the axes of `mask`. The output has the input's shape,
 * or it lacks those axes (or has size 1 there). */
void tg_each_line(const tg_call *call, uint64_t mask, tg_line_fn *f);

/* for each run of a line: p[] points at its first elements */
#define TG_RUNS(line, p)                                                                           \
    int64_t p##_idx[TG_MAX_RANK];                                                                  \
    char *p[TG_LOOP_OPERANDS];                                                                     \
    for (bool p##_more = tg_loop_start(line, p##_idx, p); p##_more;                                \
         p##_more = tg_loop_next(line, p##_idx, p))

/* Shape rules for the parameters (x, axis, keep): a float, a bool and a whole number for each line.
 */
tg_infer_fn tg_infer_reduce, tg_infer_test, tg_infer_place;
/* Shape rule of (x, axis): a float of x's shape. */
tg_infer_fn tg_infer_along;
/* Error: a result that nothing defines, since a reduced axis has size 0. True when there is no such
 * axis or no result either. */
bool tg_check_lines(const tg_call *call, uint64_t mask);

/* Naive kernels (reference.c). */
tg_kernel_fn tg_reference_sum, tg_reference_mean, tg_reference_prod, tg_reference_max,
    tg_reference_min, tg_reference_norm, tg_reference_logsumexp, tg_reference_softmax,
    tg_reference_logsoftmax;

#endif

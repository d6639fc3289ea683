/* Inside of batching: what batch.c, batch_apply.c and batch_tie.c share. */
#ifndef TG_RUNTIME_BATCH_RULES_H
#define TG_RUNTIME_BATCH_RULES_H

#include "runtime/graph/batch.h"

/* ---- batch_apply.c: one operation over leading axes ---- */

/* node's operation on in[i], where in[i] has the e axes `dim` in front of the shape of node->arg[i]
 * if has[i], else just that shape; to elementwise operations also with nothing behind them. The
 * result has them in front of the shape of node, or alone where it is one number for each. */
tg_node *tg_batch_apply(tg_rt *rt, const tg_node *node, tg_node *const *in, const bool *has, int e,
                        const tg_size *dim);
/* The same of a call of a function with a rule (batch_ruled.c). */
tg_node *tg_batch_ruled(tg_rt *rt, const tg_node *node, tg_node *const *in, const bool *has, int e,
                        const tg_size *dim);
/* A loop (batch_loop.c). in[k]: its argument k with the batch in front, NULL where that is the same
 * for all of it. made[i]: item i of the loop with the batch in front. */
bool tg_batch_loop(tg_rt *rt, tg_node *bundle, tg_node *const *in, int e, const tg_size *dim,
                   int nitems, tg_node *const *item, tg_node **made);
/* Can a tensor have that many axes? False: an error is recorded. */
bool tg_batch_has_room(tg_rt *rt, int rank);
/* x itself where nothing changes. */
tg_node *tg_batch_reshape(tg_rt *rt, tg_node *x, int rank, const tg_size *dim);
tg_node *tg_batch_permute(tg_rt *rt, tg_node *x, const int *perm);
tg_node *tg_batch_expand(tg_rt *rt, tg_node *x, int rank, const tg_size *dim);
/* x with `count` axes of size 1 in front of axis `at`. */
tg_node *tg_batch_stretch(tg_rt *rt, tg_node *x, int at, int count);
/* x * y, where neither need have the shape of the result. Ranks are equal. */
tg_node *tg_batch_mul(tg_rt *rt, tg_node *x, tg_node *y);

/* ---- batch_window.c: convolution and pooling ---- */

bool tg_batch_is_window(const tg_op *op);
/* As tg_batch_apply, of such an operation. */
tg_node *tg_batch_window(tg_rt *rt, const tg_node *node, tg_node *const *in, const bool *has, int e,
                         const tg_size *dim);
/* As tg_batch_tie. */
int tg_batch_window_tie(const tg_node *node, int k, int axis);

/* ---- batch_tie.c: what an operation does to a tie ---- */

enum { TG_TIE_LOST = -1, TG_TIE_SUMMED = -2 };

/* Argument k of node is zero unless its index along `axis` is that of the batch. Then the result is
 * zero unless its index along the axis that is returned is; or the operation sums over the axis; or
 * this is lost. */
int tg_batch_tie(tg_rt *rt, const tg_node *node, int k, int axis);
/* The operation (a product) where it sums over the tied axis `axis` of argument k, given as x with
 * e explicit axes in front. The tied axis becomes explicit, as number p of them; the result has all
 * e + 1 in front. */
tg_node *tg_batch_contract(tg_rt *rt, const tg_node *node, int k, int axis, tg_node *x,
                           tg_node *other, int e, int p);

#endif

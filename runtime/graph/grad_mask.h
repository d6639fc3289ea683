/* Which elements of an adjoint can be other than zero, under a where. An untaken side of where(c,
 * a, b) gets the adjoint zero, and may have slopes that are infinite or NaN: 0 * inf is not 0, so
 * there the rule must not be computed, or must not count. grad.c keeps with each adjoint a mask, a
 * condition that broadcasts to it, and asks here how a mask passes through an operation and what of
 * a rule it has to guard. Where nothing under a node can be infinite (`wild`), there is no mask:
 * ordinary formulas pay nothing. */
#ifndef TG_RUNTIME_GRAPH_GRAD_MASK_H
#define TG_RUNTIME_GRAPH_GRAD_MASK_H

#include "runtime/graph/grad_rule.h"

/* May the node, or its slope, be infinite or undefined though its arguments are finite? */
bool tg_mask_is_wild(const tg_node *node);

/* The mask of what argument k of node gets where the node's adjoint has the mask m: an element
 * counts that has a part in one that counts. It may count too many, never too few. NULL: an error.
 */
tg_node *tg_mask_reach(tg_rt *rt, const tg_node *node, int k, tg_node *m);

/* May the rule of argument k meet something infinite? wild(user, n) tells of n or what is under it.
 */
bool tg_mask_matters(const tg_node *node, int k, bool (*wild)(void *user, const tg_node *n),
                     void *user);

/* What the names in r, the rule's of argument k, stand for is made 0 where no element that counts
 * depends on it: of operations that mix elements. Sets *wrap when the result must be chosen by its
 * mask besides. */
bool tg_mask_guard(tg_rt *rt, const tg_node *node, int k, tg_node *m, tg_rule_names *r, bool *wrap);

/* Does a mask hold anywhere? */
tg_node *tg_mask_any(tg_rt *rt, tg_node *m);
/* where(m, n, 0). NULL: an error. */
tg_node *tg_mask_apply(tg_rt *rt, tg_node *m, tg_node *n);
/* Where one of two masks holds; NULL: everywhere (or, with *ok false, an error). */
tg_node *tg_mask_either(tg_rt *rt, tg_node *a, tg_node *b, bool *ok);

#endif
